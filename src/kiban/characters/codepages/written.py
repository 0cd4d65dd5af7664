"""Whole columns written into fixed-width fields at once; only texts that cannot be written are looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kiban.characters.codepages.blocks import BlockFaults, PageKey
from kiban.characters.codepages.page import OVERFLOW, CodePage, Mode
from kiban.kernel import Problem

_NONE = -1
_SECOND = 21  # bits of a code point: a pair of them is one number


@dataclass(frozen=True)
class EncodedBlock:
    """Fields of one width, uint8 of shape (n, width); all padding where a text is null or has a fault."""

    block: NDArray[np.uint8]
    faults: BlockFaults


@dataclass(frozen=True)
class _Codes:
    """Codes by code point, -1 where there is none, and of pairs of code points (a character with its selector)."""

    single: NDArray[np.int32]
    double: NDArray[np.int32]
    pairs: NDArray[np.int64]
    pair_codes: NDArray[np.int32]


@dataclass(frozen=True)
class _Units:
    """What is written with one code: its row, its place among all characters, and its codes."""

    row: NDArray[np.int64]
    single: NDArray[np.int32]
    double: NDArray[np.int32]


def encode_block(page: CodePage, text: pa.StringArray, width: int, mode: Mode) -> EncodedBlock:
    """Write one field of many records.

    Args:
        page: the code page.
        text: nulls are written as padding.
        width: of the field in bytes; even for a double field.
        mode: how the field is written.

    Raises:
        Problem: `field-width-odd`.
    """
    if mode == "double" and width % 2:
        raise Problem(
            "field-width-odd", "a double-byte field needs an even width", fix="correct the copybook"
        )
    pad = page.pad(mode)
    block = np.tile(np.frombuffer(pad * (width // len(pad)), np.uint8), (len(text), 1))
    if not len(text):
        return EncodedBlock(block, _faults([]))
    points, row = _points(text)
    units, bad = _units(_codes(PageKey(page)), points, row, len(text), mode)
    data, place, lengths = _laid(page, units, len(text), mode)
    bad |= lengths > width
    good = ~bad[data[0]]
    block[data[0][good], place[good]] = data[1][good]
    seen: dict[str, list[tuple[int, str]]] = {}
    listed = []
    for number in np.flatnonzero(bad).tolist():
        word = text[number].as_py()
        if word not in seen:
            seen[word] = _wrong(page, word, width, mode)
        listed += [(number, offset, code) for offset, code in seen[word]]
    return EncodedBlock(block, _faults(listed))


def _points(text: pa.StringArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All code points of a column, and the row of each."""
    filled = pc.fill_null(text.cast(pa.string()), "")  # a large_string has offsets of another width
    _, ends, data = filled.buffers()
    offsets = np.frombuffer(ends, np.int32)[filled.offset : filled.offset + len(filled) + 1]
    raw = bytes(memoryview(data)[offsets[0] : offsets[-1]]) if data else b""
    begins = np.frombuffer(raw, np.uint8) & 0xC0 != 0x80
    count = np.concatenate([[0], np.cumsum(begins)])[offsets - offsets[0]]
    points = np.frombuffer(raw.decode().encode("utf-32-le"), "<u4").astype(np.int64)
    return points, np.repeat(np.arange(len(text)), np.diff(count))


@lru_cache(maxsize=16)
def _codes(key: PageKey) -> _Codes:
    single, double = key.page.single_codes, key.page.double_codes
    top = max((ord(text) for codes in (single, double) for text in codes if len(text) == 1), default=0)
    pairs = sorted(
        (ord(text[0]) << _SECOND | ord(text[1]), code) for text, code in double.items() if len(text) == 2
    )
    return _Codes(
        _table(single, top),
        _table(double, top),
        np.array([pair for pair, _ in pairs] or [_NONE], np.int64),
        np.array([code for _, code in pairs] or [_NONE], np.int32),
    )


def _table(codes: Mapping[str, int], top: int) -> NDArray[np.int32]:
    """Codes by code point up to the top one; the last entry is for all beyond."""
    table = np.full(top + 2, _NONE, np.int32)
    for text, code in codes.items():
        if len(text) == 1:
            table[ord(text)] = code
    return table


def _units(
    codes: _Codes, points: NDArray[np.int64], row: NDArray[np.int64], rows: int, mode: Mode
) -> tuple[_Units, NDArray[np.bool_]]:
    """The units of all texts, and which rows hold something that has no code."""
    known = np.minimum(points, len(codes.single) - 1)
    nothing = np.full(len(points), _NONE, np.int32)
    single = nothing if mode == "double" else codes.single[known]
    double = nothing.copy() if mode == "single" else codes.double[known]
    paired = np.zeros(len(points), bool)
    if mode != "single" and len(points) > 1:
        pair = points[:-1] << _SECOND | points[1:]
        at = np.minimum(np.searchsorted(codes.pairs, pair), len(codes.pairs) - 1)
        paired[:-1] = (codes.pairs[at] == pair) & (row[:-1] == row[1:])
        double[:-1][paired[:-1]] = codes.pair_codes[at[paired[:-1]]]
        single = np.where(paired, _NONE, single)
    inner = np.concatenate([[False], paired[:-1]])[: len(points)]
    wrong = (single == _NONE) & (double == _NONE) | (inner & paired)
    bad = np.zeros(rows, bool)
    bad[row[wrong & (~inner | paired)]] = True
    kept = ~inner
    return _Units(row[kept], single[kept], double[kept]), bad


def _laid(
    page: CodePage, units: _Units, rows: int, mode: Mode
) -> tuple[tuple[NDArray[np.int64], NDArray[np.uint8]], NDArray[np.int64], NDArray[np.int64]]:
    """Every byte with its row, the place of each in its field, and how long each text is in bytes."""
    wide = _wide(page, units)
    first = np.concatenate([[True], units.row[1:] != units.row[:-1]])[: len(wide)]
    last = np.concatenate([units.row[1:] != units.row[:-1], [True]])[: len(wide)]
    before = np.concatenate([[False], wide[:-1]])[: len(wide)] & ~first
    shifts = mode == "mixed" and not page.leads
    code = np.where(wide, units.double, units.single)
    turned = (wide != before) & shifts
    opened, closed = (
        np.frombuffer(s[0], np.uint8) if s else np.zeros(0, np.uint8)
        for s in (page.to_double, page.to_single)
    )
    # a unit is up to a shift code of two bytes, a code of two bytes and a shift code at the end of the text
    parts = np.zeros((len(wide), 6), np.uint8)
    used = np.zeros((len(wide), 6), bool)
    for column, (shift, where) in enumerate(
        ((opened, turned & wide), (closed, turned & ~wide), (closed, last & wide & shifts))
    ):
        at = 4 if column == 2 else 0
        parts[where, at : at + len(shift)] = shift
        used[where, at : at + len(shift)] = True
    parts[:, 2], parts[:, 3] = code >> 8, code & 0xFF
    used[:, 2], used[:, 3] = wide, True
    sizes = used.sum(axis=1)
    lengths = np.bincount(units.row, weights=sizes, minlength=rows).astype(np.int64)
    begins = np.cumsum(lengths) - lengths
    row = np.repeat(units.row, sizes)
    return (row, parts[used]), np.arange(len(row)) - begins[row], lengths


def _wide(page: CodePage, units: _Units) -> NDArray[np.bool_]:
    """Whether each unit takes its double-byte code; one that has both stays in the state it is met in."""
    either = (units.single != _NONE) & (units.double != _NONE)
    wide: NDArray[np.bool_] = units.single == _NONE
    if page.leads or not either.any():
        return wide
    first = np.concatenate([[True], units.row[1:] != units.row[:-1]])
    deciding = np.where(first | ~either, np.arange(len(wide)), 0)
    return wide[np.maximum.accumulate(deciding)]


def _wrong(page: CodePage, word: str, width: int, mode: Mode) -> list[tuple[int, str]]:
    """Why a text cannot be written."""
    made = page.encode_as(word, mode)
    if made.data is not None and len(made.data) > width:
        return [(len(word), OVERFLOW)]
    return [(fault.offset, fault.code) for fault in made.faults]


def _faults(listed: list[tuple[int, int, str]]) -> BlockFaults:
    return BlockFaults(
        np.array([row for row, _, _ in listed], np.int64),
        np.array([offset for _, offset, _ in listed], np.int32),
        [code for _, _, code in listed],
        [b""] * len(listed),
    )
