"""Tables of code pages: the JIS area by rule, its known exceptions, a city's own table, the C library's.

Exceptions are in two small files beside this one. `jis78.csv` lists where the codes of JIS C 6226-1978 mean another
character than those of JIS X 0208 (swapped pairs, shapes that 1983 simplified, codes that 1983 added), `ebcdik.csv` is
the half-width kana EBCDIC page of the Japanese makers; both were checked against the tables of jef4j (Apache-2.0).
"""

from __future__ import annotations

import csv
import ctypes
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from kiban.kernel import Problem

SKIPPED = frozenset({"unmappable", "substitution", "encode_only"})
"""Options of table rows that name no character the code stands for."""


@cache
def jis_area() -> dict[int, str]:
    """JIS X 0208 codes (2121 to 7E7E) and their characters, as EUC-JP has them."""
    found = {}
    for row in range(0x21, 0x7F):
        for cell in range(0x21, 0x7F):
            try:
                found[row << 8 | cell] = bytes((row | 0x80, cell | 0x80)).decode("euc_jp")
            except UnicodeDecodeError:
                continue
    return found


def jis78_area(kinds: Collection[str]) -> dict[int, str]:
    """The JIS area with the exceptions of 1978 of these kinds: swap, shape, symbol, added in 1983, keis, keis78."""
    area = dict(jis_area())
    for row in _rows("jis78.csv"):
        if row["kind"] not in kinds:
            continue
        if row["unicode"]:
            area[int(row["jis"], 16)] = chr(int(row["unicode"], 16))
        else:
            del area[int(row["jis"], 16)]
    return area


def ebcdik() -> dict[int, str]:
    """Printable codes of the half-width kana EBCDIC page."""
    return {int(row["code"], 16): chr(int(row["unicode"], 16)) for row in _rows("ebcdik.csv")}


def jis_x0201() -> dict[int, str]:
    """Printable codes of the 8-bit JIS page: ASCII positions and half-width kana."""
    return {code: bytes((code,)).decode("cp932") for code in (*range(0x20, 0x7F), *range(0xA1, 0xE0))}


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("kiban.characters.codepages").joinpath(name).read_text("utf-8")
    return csv.DictReader(text.splitlines())


@dataclass(frozen=True)
class Given:
    """What a table of a city or a vendor says.

    Attributes:
        single, double: codes with the characters they stand for.
        read_only: those of them that are read and never written.
    """

    single: Mapping[int, str]
    double: Mapping[int, str]
    read_only: frozenset[int]


def read_table(file: Path) -> Given:
    """A table of a city or a vendor: a JSON list of {code, unicode, sp?, hd?, options?}, codes of two or four hex digits.

    The first row of a code that names a character counts; `sp` is a mark that combines with it, `hd` the variation selector that
    keeps its shape.

    Raises:
        Problem: `code-table-unreadable` naming the file, and the row that is not as it should be.
    """
    single: dict[int, str] = {}
    double: dict[int, str] = {}
    read_only = set()
    number = 0
    try:
        for row in json.loads(file.read_text("utf-8")):
            number += 1
            code = int(str(row["code"]), 16)
            target = {2: single, 4: double}[len(str(row["code"]))]
            options = set(row.get("options", ()))
            if options.isdisjoint(SKIPPED) and row.get("unicode") and code not in target:
                target[code] = _text(row)
                read_only |= {code} if "decode_only" in options else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Problem(
            "code-table-unreadable",
            f"not a table of codes: {type(error).__name__}",
            f"{file} row {number}" if number else str(file),
            'give a JSON list of rows such as {"code": "41A1", "unicode": "4E02", "hd": "E0103"}',
        ) from error
    return Given(single, double, frozenset(read_only))


def _text(row: dict[str, Any]) -> str:
    points = str(row["unicode"]).replace("_", " ").split()
    points += [str(row[name]) for name in ("sp", "hd") if row.get(name)]
    return "".join(chr(int(point, 16)) for point in points)


@cache
def libc_table(name: str, page: str) -> tuple[dict[int, str], dict[int, str]]:
    """Single- and double-byte codes of an IBM page from the C library of this machine.

    Args:
        name: of the page here, for messages.
        page: its name there, such as IBM930.

    Raises:
        Problem: `code-page-missing` where the C library has no such page.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    missing = Problem(
        "code-page-missing",
        f"the C library of this machine has no table of {name}",
        fix="install its conversion modules (Debian: libc-bin, libc6), or give a table as JSON",
    )
    if not hasattr(libc, "iconv_open"):
        raise missing
    libc.iconv_open.restype = ctypes.c_void_p
    libc.iconv.argtypes = [ctypes.c_void_p, *[ctypes.c_void_p] * 4]
    libc.iconv.restype = ctypes.c_size_t
    libc.iconv_close.argtypes = [ctypes.c_void_p]
    handle = libc.iconv_open(b"UTF-32LE", page.encode())
    if handle in {None, ctypes.c_void_p(-1).value}:
        raise missing
    try:

        def one(data: bytes) -> str | None:
            source, target = ctypes.create_string_buffer(data), ctypes.create_string_buffer(16)
            at, to = ctypes.c_void_p(ctypes.addressof(source)), ctypes.c_void_p(ctypes.addressof(target))
            left, room = ctypes.c_size_t(len(data)), ctypes.c_size_t(16)
            libc.iconv(handle, None, None, None, None)  # back to the single-byte state
            done = libc.iconv(
                handle, ctypes.byref(at), ctypes.byref(left), ctypes.byref(to), ctypes.byref(room)
            )
            if done != 0 or left.value:
                return None
            text = target.raw[: 16 - room.value].decode("utf-32-le")
            return text if (text and text.isprintable()) or text == "\u3000" else None

        single = {code: text for code in range(0x40, 0x100) if (text := one(bytes((code,))))}
        double = {
            first << 8 | second: text
            for first in range(0x40, 0xFF)
            for second in range(0x40, 0xFF)
            if (text := one(bytes((0x0E, first, second, 0x0F))))
        }
    finally:
        libc.iconv_close(handle)
    return single, double


@cache
def python_table(codec: str, leads: frozenset[int]) -> tuple[dict[int, str], dict[int, str]]:
    """Single- and double-byte codes of a codec of Python whose first bytes tell how long a code is."""
    single: dict[int, str] = {}
    double: dict[int, str] = {}
    for first in range(0x20, 0x100):
        if first not in leads:
            _keep(single, codec, bytes((first,)))
            continue
        for second in range(0x40, 0x100):
            _keep(double, codec, bytes((first, second)))
    return single, double


def _keep(table: dict[int, str], codec: str, data: bytes) -> None:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return
    private = "\ue000" <= text <= "\uf8ff"  # what these mean is for the city's chart to say
    if len(text) == 1 and (text.isprintable() or text == "\u3000") and not private:
        table[int.from_bytes(data, "big")] = text
