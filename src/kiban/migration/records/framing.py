"""Where the records of a variable file begin: a descriptor word before each (RDW), or blocks of such records (BDW, then RDW: VB).

The descriptor words of a file are a chain, so they are followed one by one; what they say is judged for a whole run at once. No more
than a run is in memory, however large the file is, and every byte of the file belongs to a descriptor word or to a record.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from kiban.kernel import Problem
from kiban.migration.records.mapped import Mapped

Framing = Literal["fixed", "rdw", "vb"]
"""Records of one length, each behind a descriptor word (RDW), or that in blocks which have one of their own (BDW: RECFM=VB)."""
RUN = 32_768
_WORD, _LOOKED_AT = 4, 16
_AGAIN = "ask for the whole file again, transferred in binary and with its descriptor words"
_BLOCKED = "the file is in blocks (BDW): write records: vb in the plan"


@dataclass(frozen=True)
class Run:
    """Some records of a file, in order.

    Attributes:
        first: how many records lie before them.
        starts: their first bytes in the file, behind their descriptor words, int64.
        lengths: their bytes, int64.
    """

    first: int
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def between(self, first: int, stop: int | None) -> Run:
        """Those of the records from number `first`, counted from 0, up to the one before `stop`."""
        begin, end = max(0, first - self.first), None if stop is None else max(0, stop - self.first)
        return Run(self.first + begin, self.starts[begin:end], self.lengths[begin:end])


def runs(path: Path, name: str, framing: Framing, most: int) -> Iterator[Run]:
    """The records of a variable file, `RUN` at a time.

    Args:
        path: of the file.
        name: of the file in the plan, for messages.
        framing: rdw or vb.
        most: bytes of the longest record.

    Raises:
        Problem: `record-descriptor`, `block-descriptor` for the first descriptor word that cannot be, with its byte: it claims too
            few bytes, more than a record has or more than are left, or marks a record that lies in several blocks (VBS); also for a
            file of blocks that is said to have none.
    """
    if path.stat().st_size == 0:
        return
    mapped = Mapped(path)
    data, view = mapped.data, mapped.data.data
    judge = _Judge(data, name, framing, most)
    whole: Iterable[tuple[int, int]] = ((0, len(data)),)
    first, words, ends = 0, array("q"), array("q")
    for begin, end in _blocks(view) if framing == "vb" else whole:
        if begin == end:  # a descriptor word of a block that cannot be; records before it are judged first
            judge.run(first, words, ends)
            raise judge.block(begin - _WORD)
        at = begin
        while at < end:
            before = len(words)
            at = _chain(view, at, end, RUN - before, words)
            ends.extend(repeat(end, len(words) - before))
            if len(words) == RUN:
                yield judge.run(first, words, ends)
                mapped.read_to(at)
                first, words, ends = first + RUN, array("q"), array("q")
    if words:
        yield judge.run(first, words, ends)


def _chain(view: memoryview, at: int, end: int, room: int, words: array[int]) -> int:
    """Follow descriptor words from a byte; the places of at most so many of them, up to the first that leads nowhere."""
    last = end - _WORD
    note = words.append
    while at < end and room:
        note(at)
        room -= 1
        if at > last:
            return end
        step = view[at] << 8 | view[at + 1]
        if step <= _WORD:
            return end
        at += step
    return at


def _blocks(view: memoryview) -> Iterator[tuple[int, int]]:
    """First byte behind the descriptor word, and end, of each block; both alike at the first word that cannot be."""
    at, size = 0, len(view)
    while at < size:
        long = view[at] & 0x80
        length = int.from_bytes(view[at : at + (4 if long else 2)], "big") & (0x7FFFFFFF if long else 0x7FFF)
        end = at + length
        if end > size or length <= 2 * _WORD or not (long or bytes(view[at + 2 : at + 4]) == b"\0\0"):
            yield at + _WORD, at + _WORD
            return
        yield at + _WORD, end
        at = end


@dataclass(frozen=True)
class _Judge:
    """Says of descriptor words whether they can be."""

    data: NDArray[np.uint8]
    name: str
    framing: Framing
    most: int

    def run(self, first: int, words: array[int], ends: array[int]) -> Run:
        """The records behind the words; a word that cannot be is refused."""
        at, bound = np.array(words, np.int64), np.array(ends, np.int64)
        steps, spanned = self._read(at)
        bad = (steps <= _WORD) | (steps > self.most + _WORD) | (at + steps > bound) | (spanned != 0)
        bad |= at + _WORD > bound
        if bad.any():
            number = int(np.argmax(bad))
            raise self._record(first + number, int(at[number]), int(bound[number]))
        if self.framing == "rdw" and first == 0 and self._blocks_after_all(at, steps):
            told = "every record is filled to the byte by descriptor words of its own, so these are blocks"
            raise Problem("record-descriptor", told, f"{self.name} byte 0", _BLOCKED)
        return Run(first, at + _WORD, steps - _WORD)

    def block(self, at: int) -> Problem:
        word = bytes(self.data[at : at + _WORD]).hex().upper()
        told = f"the descriptor word of a block is {word} in hex, and {len(self.data) - at:,} bytes are left"
        fix = f"{_AGAIN}; a file without blocks is records: rdw"
        return Problem("block-descriptor", told, f"{self.name} byte {at}", fix)

    def _read(self, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What words at these bytes say: their length, and what should be zero."""
        last = len(self.data) - 1
        high, low, *rest = (
            self.data[np.minimum(at + place, last)].astype(np.int64) for place in range(_WORD)
        )
        return high << 8 | low, rest[0] | rest[1]

    def _blocks_after_all(self, at: NDArray[np.int64], steps: NDArray[np.int64]) -> bool:
        """Whether the first records are blocks of records: no text of EBCDIC looks like that."""
        seen = zip(at[:_LOOKED_AT].tolist(), steps[:_LOOKED_AT].tolist(), strict=True)
        return len(at) > 0 and all(self._filled(begin + _WORD, begin + step) for begin, step in seen)

    def _filled(self, begin: int, end: int) -> bool:
        """Whether descriptor words fill these bytes exactly."""
        words = array("q")
        if begin >= end or _chain(self.data.data, begin, end, RUN, words) != end:
            return False
        steps, spanned = self._read(np.array(words, np.int64))
        return bool(steps[-1] > _WORD) and words[-1] + int(steps[-1]) == end and not spanned.any()

    def _record(self, number: int, at: int, end: int) -> Problem:
        word = bytes(self.data[at : at + _WORD])
        says = int.from_bytes(word[:2], "big")
        told = (
            f"the descriptor word of record {number + 1:,} says {says} bytes; "
            f"{end - at:,} are left and a record has at most {self.most + _WORD}"
        )
        if word[2:] != b"\0\0" and len(word) == _WORD:
            told = f"the descriptor word of record {number + 1:,} is {word.hex().upper()} in hex; records in several blocks are not read"
        fix = _BLOCKED if self.framing == "rdw" and at == 0 and self._begins_with_block() else _AGAIN
        return Problem("record-descriptor", told, f"{self.name} byte {at}", fix)

    def _begins_with_block(self) -> bool:
        return self._filled(*next(_blocks(self.data.data)))
