"""The code pages at hand, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kiban.characters.codepages import tables as _tables
from kiban.characters.codepages.page import CodePage
from kiban.kernel import Problem

_SJIS_LEADS = frozenset((*range(0x81, 0xA0), *range(0xE0, 0xFD)))
_EUC_LEADS = frozenset((0x8E, *range(0xA1, 0xFF)))


def code_page(name: str, *, tables: Sequence[Path] = (), gaiji: Mapping[int, str] | None = None) -> CodePage:
    """A code page, with a vendor's tables and a city's own characters laid over its area by rule.

    Args:
        name: one of `CODE_PAGES`.
        tables: JSON files as `read_table` reads them, later ones on top.
        gaiji: double-byte codes of this one system and their text, on top of all.

    Raises:
        Problem: `code-page-unknown`, `code-page-missing`, `code-table-unreadable`, `code-table-needed` for JIPS(E),
            whose byte table is not known, `gaiji-outside` for codes outside the area that the page leaves to cities.
    """
    if name not in _MADE:
        near = difflib.get_close_matches(name, CODE_PAGES, n=1)
        raise Problem(
            "code-page-unknown",
            f"{name!r} is no code page Kiban knows",
            fix=f"did you mean {near[0]}?" if near else f"the code pages are {', '.join(CODE_PAGES)}",
        )
    made = _MADE[name]()
    single, double = dict(made["single"]), dict(made["double"])
    read_only: frozenset[int] = frozenset()
    for file in tables:
        given = _tables.read_table(file)
        single |= given.single
        double |= given.double
        read_only = read_only - given.single.keys() - given.double.keys() | given.read_only
    if made.pop("needs_table", False) and not tables:
        raise Problem(
            "code-table-needed",
            f"the codes of {name} are not known for certain; Kiban does not guess them",
            fix='give the maker\'s table as JSON: rows such as {"code": "41A1", "unicode": "4E02"}',
        )
    made = {**made, "single": single, "double": double, "read_only": read_only}
    page = CodePage(name, **made)
    own = dict(gaiji or {})
    outside = [code for code in own if page.reason(code, 2) != "gaiji-undecided" and code not in page.double]
    if outside:
        raise Problem(
            "gaiji-outside",
            f"{len(outside)} codes of the city's own characters lie outside the area of {name} for them",
            where=", ".join(f"{code:04X}" for code in sorted(outside)[:5]),
            fix="check whether the chart belongs to this system",
        )
    return replace(page, double=double | own, gaiji=own, read_only=read_only - own.keys())


def _eight(area: Mapping[int, str]) -> dict[int, str]:
    """JIS codes with both high bits set."""
    return {code | 0x8080: text for code, text in area.items()}


def _jef() -> dict[str, Any]:
    kinds = ("swap", "shape", "symbol", "added in 1983")
    return {
        "single": _tables.ebcdik(),
        "double": _eight(_tables.jis78_area(kinds)) | {0x4040: "\u3000"},
        "to_double": (b"\x28", b"\x38", b"\x30\xe2"),  # 12, 9 and 7 points
        "to_single": (b"\x29",),
        "user_areas": ((0x80A1, 0xA0FE),),
    }


_KEIS_UNSURE = frozenset({0x4F, 0x6A})
"""Published tables of Hitachi's kana EBCDIC disagree here (! or |, | or ¦): a table has to say."""


_KEIS78_EXTENSION = {0x5CC3: "堯", 0x61FC: "槇", 0x65A7: "瑤", 0x6BA2: "遙"}
"""Where KEIS78 has the four kanji that JIS put behind all others (row 84) in 1983; KEIS83 has them there."""


def _keis(kinds: Sequence[str], extension: Mapping[int, str]) -> dict[str, Any]:
    return {
        "single": {code: text for code, text in _tables.ebcdik().items() if code not in _KEIS_UNSURE},
        "double": _eight(_tables.jis78_area(kinds)) | {0x4040: "\u3000", **extension},
        "to_double": (b"\x0a\x42",),
        "to_single": (b"\x0a\x41",),
        "user_areas": ((0x81A1, 0xA0FE),),
    }


def _jips(shifts: tuple[bytes, bytes], needs_table: bool) -> dict[str, Any]:
    """Rows 9 to 13 are the maker's own, so they are left to a table; G0 and G1 are the city's."""
    area = {code: text for code, text in _tables.jis_area().items() if not 0x2921 <= code <= 0x2F7E}
    return {
        "single": {} if needs_table else _tables.jis_x0201(),
        "double": {} if needs_table else {code: text for code, text in area.items() if code < 0x7421},
        "to_double": (shifts[0],),
        "to_single": (shifts[1],),
        "user_areas": ((0x7421, 0x7E7E), (0xE0A1, 0xFEFE)),
        "double_pad": 0x4040 if needs_table else 0x2121,
        "single_pad": 0x40 if needs_table else 0x20,
        "needs_table": needs_table,
    }


def _ibm(number: int) -> dict[str, Any]:
    single, double = _tables.libc_table(f"ibm{number}", f"IBM{number}")
    return {
        "single": single,
        "double": {code: text for code, text in double.items() if not 0x6941 <= code <= 0x7FFE},
        "to_double": (b"\x0e",),
        "to_single": (b"\x0f",),
        "user_areas": ((0x6941, 0x7FFE),),
    }


def _lead(codec: str, leads: frozenset[int], own: tuple[tuple[int, int], ...], pad: int) -> dict[str, Any]:
    single, double = _tables.python_table(codec, leads)
    return {
        "single": single,
        "double": double,
        "leads": leads,
        "user_areas": own,
        "double_pad": pad,
        "single_pad": 0x20,
    }


_MADE: dict[str, Callable[[], dict[str, Any]]] = {
    "jef": _jef,
    "keis78": partial(_keis, ("swap", "keis", "keis78"), _KEIS78_EXTENSION),
    "keis83": partial(_keis, ("keis",), {}),
    "jipsj": partial(_jips, (b"\x1a\x70", b"\x1a\x71"), False),
    "jipse": partial(_jips, (b"\x3f\x75", b"\x3f\x76"), True),
    **{f"ibm{number}": partial(_ibm, number) for number in (930, 939, 1390, 1399)},
    "cp932": partial(_lead, "cp932", _SJIS_LEADS, ((0xF040, 0xF9FC),), 0x8140),
    "eucjp": partial(_lead, "euc_jp", _EUC_LEADS, (), 0xA1A1),
}

CODE_PAGES = tuple(_MADE)
"""Names of all code pages."""
