"""Whole columns of fixed-width fields read at once: tables are gathered, states advance byte by byte for all rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kiban.characters.codepages.page import (
    TRUNCATED,
    UNBALANCED,
    CodePage,
    Mode,
)
from kiban.kernel import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

_SINGLES = 0x10000  # symbols: double-byte codes, then single-byte codes, then nothing at all
_NOTHING = _SINGLES + 0x100
_WIDEST = 12


@dataclass(frozen=True)
class BlockFaults:
    """Places that cannot be read or written, in the order of rows.

    Attributes:
        row: in the block, int64.
        offset: byte in the field (reading) or character in the text (writing), int32.
        code: see `Fault.code`.
        raw: the bytes there; empty when writing.
    """

    row: NDArray[np.int64]
    offset: NDArray[np.int32]
    code: Sequence[str]
    raw: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class OwnCodes:
    """Places where a code of the city's own (gaiji) stands, decided or not, in the order of rows.

    Attributes:
        row: in the block, int64.
        offset: byte in the field, int64.
        code: the double-byte code, int32.
    """

    row: NDArray[np.int64]
    offset: NDArray[np.int64]
    code: NDArray[np.int32]


@dataclass(frozen=True)
class DecodedBlock:
    """Texts without trailing padding; null where the field is all padding or low-values, or has a fault."""

    text: pa.StringArray
    faults: BlockFaults
    own: OwnCodes


@dataclass(frozen=True)
class _Lookup:
    """UTF-8 of every symbol, how long it is (0 where a code stands for nothing), and whether it is the city's own."""

    letters: NDArray[np.uint8]
    lengths: NDArray[np.uint8]
    own: NDArray[np.bool_]


@lru_cache(maxsize=16)
def _lookup(key: PageKey) -> _Lookup:
    page = key.page
    letters = np.zeros((_NOTHING + 1, _WIDEST), np.uint8)
    lengths = np.zeros(_NOTHING + 1, np.uint8)
    entries = [*page.double.items(), *((_SINGLES + code, text) for code, text in page.single.items())]
    for symbol, text in entries:
        data = text.encode()
        if len(data) > _WIDEST:
            raise Problem(
                "code-table-unreadable",
                "a code stands for more characters than one",
                f"{page.name} {symbol:04X}",
            )
        letters[symbol, : len(data)] = list(data)
        lengths[symbol] = len(data)
    widest = max(1, int(lengths.max()))
    own = np.zeros(_NOTHING + 1, bool)
    own[list(page.gaiji)] = True
    for first, last in page.user_areas:
        own[[code for code in range(first, last + 1) if page.is_own(code)]] = True
    return _Lookup(np.ascontiguousarray(letters[:, :widest]), lengths, own)


class PageKey:
    """A page as the key of a cache: pages hold dictionaries, so identity has to do."""

    def __init__(self, page: CodePage) -> None:
        self.page = page

    def __hash__(self) -> int:
        return id(self.page)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PageKey) and other.page is self.page


def decode_block(page: CodePage, block: NDArray[np.uint8], mode: Mode) -> DecodedBlock:
    """Read one field of many records.

    Args:
        page: the code page.
        block: shape (n, width), uint8; the width of a double field is even.
        mode: how the field is written.

    Raises:
        Problem: `field-width-odd`.
    """
    if mode == "double" and block.shape[1] % 2:
        raise Problem(
            "field-width-odd", "a double-byte field needs an even width", fix="correct the copybook"
        )
    blank: NDArray[np.bool_] = np.logical_not(block.any(axis=1))
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], str | None]] = []
    if mode == "single":
        symbols, stride = _SINGLES + block.astype(np.int32), 1
    elif mode == "double":
        symbols, stride = block[:, 0::2].astype(np.int32) << 8 | block[:, 1::2], 2
    else:
        symbols, found = _mixed(page, block)
        stride = 1
    lookup = _lookup(PageKey(page))
    lengths = lookup.lengths[symbols]
    rows, columns = np.nonzero((lengths == 0) & (symbols != _NOTHING) & ~blank[:, None])
    faults = _faults(page, block, symbols, rows, columns, stride, found, blank)
    faulty = np.zeros(len(block), bool)
    faulty[faults.row] = True
    own_rows, own_columns = np.nonzero(lookup.own[symbols] & ~blank[:, None])
    own = OwnCodes(own_rows, own_columns * stride, symbols[own_rows, own_columns])
    return DecodedBlock(_texts(page, symbols, lengths, lookup, faulty | blank), faults, own)


def _mixed(page: CodePage, block: NDArray[np.uint8]) -> tuple[NDArray[np.int32], list[Any]]:
    """The symbol that begins at each byte, and the faults of states."""
    rows, width = block.shape
    symbols = np.full((rows, width), _NOTHING, np.int32)
    wide = np.zeros(rows, bool)
    opened = np.zeros(rows, np.int64)
    skip = np.zeros(rows, bool)
    found: list[tuple[NDArray[np.int64], NDArray[np.int64], str | None]] = []
    leads = np.zeros(256, bool)
    leads[list(page.leads)] = True
    for place in range(width):
        byte = block[:, place]
        after = block[:, place + 1] if place + 1 < width else np.zeros(rows, np.uint8)
        active = ~skip
        skip = np.zeros(rows, bool)
        turned = np.zeros(rows, bool)
        for state, shifts in ((False, page.to_double), (True, page.to_single)):
            for shift in shifts:
                here = active & (wide == state) & ~turned & (byte == shift[0])
                if len(shift) == 2:
                    here &= (after == shift[1]) & (place + 1 < width)
                    skip |= here
                turned |= here
        wide ^= turned
        opened[turned] = place
        active &= ~turned
        two = active & (wide | leads[byte])
        one = active & ~two
        symbols[one, place] = _SINGLES + byte[one].astype(np.int32)
        if place + 1 == width:
            cut = np.flatnonzero(two)
            found.append((cut, np.full(len(cut), place), TRUNCATED))
        else:
            symbols[two, place] = byte[two].astype(np.int32) << 8 | after[two]
            skip |= two
    left = np.flatnonzero(wide)
    found.append((left, opened[left], UNBALANCED))
    return symbols, found


def _faults(
    page: CodePage,
    block: NDArray[np.uint8],
    symbols: NDArray[np.int32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    stride: int,
    found: list[Any],
    blank: NDArray[np.bool_],
) -> BlockFaults:
    listed: list[tuple[int, int, str, bytes]] = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        symbol = int(symbols[row, column])
        width = 1 if symbol >= _SINGLES else 2
        offset = column * stride
        raw = block[row, offset : offset + width].tobytes()
        listed.append((row, offset, page.reason(symbol if width == 2 else symbol - _SINGLES, width), raw))
    for where, offsets, code in found:
        listed += [
            (row, offset, code, block[row, offset : offset + 1].tobytes())
            for row, offset in zip(where.tolist(), offsets.tolist(), strict=True)
        ]
    listed = sorted(entry for entry in listed if not blank[entry[0]])
    return BlockFaults(
        np.array([entry[0] for entry in listed], np.int64),
        np.array([entry[1] for entry in listed], np.int32),
        [entry[2] for entry in listed],
        [entry[3] for entry in listed],
    )


def _texts(
    page: CodePage,
    symbols: NDArray[np.int32],
    lengths: NDArray[np.uint8],
    lookup: _Lookup,
    absent: NDArray[np.bool_],
) -> pa.StringArray:
    """Arrow strings of the symbols, without the padding at their ends."""
    pads = np.zeros(_NOTHING + 1, bool)
    pads[[_NOTHING, page.double_pad, _SINGLES + page.single_pad]] = True
    filled = ~pads[symbols]
    width = symbols.shape[1]
    ends = np.where(filled.any(axis=1), width - np.argmax(filled[:, ::-1], axis=1), 0)
    ends[absent] = 0
    kept = np.arange(width) < ends[:, None]
    lengths = np.where(kept, lengths, 0)
    offsets = np.zeros(len(symbols) + 1, np.int64)
    np.cumsum(lengths.sum(axis=1, dtype=np.int64), out=offsets[1:])
    chosen, sizes = symbols[kept], lengths[kept]
    letters = lookup.letters[chosen]
    data = letters[np.arange(letters.shape[1]) < sizes[:, None]]
    valid = pa.array(ends > 0)
    return pa.StringArray.from_buffers(
        len(symbols),
        pa.py_buffer(offsets.astype(np.int32)),
        pa.py_buffer(np.ascontiguousarray(data)),
        valid.buffers()[1],
    )
