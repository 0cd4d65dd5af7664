"""Long streams read and written piece by piece, exactly as `CodePage.decode` and `CodePage.encode` do it all at once.

Whatever the cuts: a code, a shift code or a character with its selector that lies across two pieces waits for the second. Offsets
count from the beginning of the stream, and no more than a few bytes or characters are kept between pieces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from kiban.characters.codepages.blocks import PageKey
from kiban.characters.codepages.page import TRUNCATED, UNBALANCED, CodePage, Decoded, Encoded, Fault

_EBCDIC_ENDS = {0x15: "\n", 0x05: "\t"}
_ASCII_ENDS = {0x0A: "\n", 0x0D: "\r", 0x09: "\t"}


def with_line_ends(page: CodePage) -> CodePage:
    """The page of a text file: it reads and writes the codes between its lines too, and tabs.

    New line is 15 where blank is 40, as mainframes have it, and 0A or 0D 0A elsewhere.
    """
    ends = _ASCII_ENDS if page.single_pad == 0x20 else _EBCDIC_ENDS
    return replace(page, single={**page.single, **ends})


class StreamDecoder:
    """Reads a stream of any length.

    >>> from kiban.characters import code_page
    >>> decoder = StreamDecoder(code_page("jef"))
    >>> [decoder.feed(bytes.fromhex(piece)).text for piece in ("28C5", "C4C3E629")], decoder.finish().text
    (['', '田中'], '')
    """

    def __init__(self, page: CodePage, *, start: Literal["single", "double"] = "single") -> None:
        self._codes = _codes(PageKey(page))
        self._start = self._wide = start == "double"
        self._rest, self._offset = b"", 0
        self._opened, self._shift = 0, b""

    def feed(self, data: bytes) -> Decoded:
        """Read a piece.

        Args:
            data: of any size; bounded memory wants a bounded size.

        Returns:
            The text of all codes that the piece completes, or None where one of them is at fault; faults and the city's own codes at
            their offsets in the stream. What all pieces and `finish` give, one behind the other, is what the stream is.
        """
        return self._read(self._rest + data, last=False)

    def finish(self) -> Decoded:
        """Read what waits for more, and tell a shift that nothing closed. Nothing may be fed afterwards."""
        found = self._read(self._rest, last=True)
        if self._wide == self._start:
            return found
        faults = sorted((*found.faults, Fault(self._opened, self._shift, UNBALANCED)), key=_in_order)
        return Decoded(None, tuple(faults), found.own)

    def _read(self, data: bytes, *, last: bool) -> Decoded:
        texts: list[str] = []
        faults: list[Fault] = []
        own: list[tuple[int, bytes]] = []
        place = 0
        while place < len(data):
            state = self._codes.wide if self._wide else self._codes.last if last else self._codes.narrow
            for pattern, width in state.runs:
                if (run := pattern.match(data, place)) is not None:
                    self._codes.read(run.group(), width, self._offset + place, (texts, faults, own))
                    place = run.end()
                    break
            else:
                shift = state.shift.match(data, place)
                if shift is None:
                    break
                self._opened, self._shift = self._offset + place, data[place : place + 1]
                self._wide, place = not self._wide, shift.end()
        if last and place < len(data):
            faults.append(Fault(self._offset + place, data[place:], TRUNCATED))
            place = len(data)
        self._rest, self._offset = data[place:], self._offset + place
        return Decoded(None if faults else "".join(texts), tuple(faults), tuple(own))


class StreamEncoder:
    """Writes a stream of any length.

    >>> from kiban.characters import code_page
    >>> encoder = StreamEncoder(code_page("jef"))
    >>> encoder.feed("田中").data + encoder.finish().data == bytes.fromhex("28 C5C4 C3E6 29")
    True
    """

    def __init__(self, page: CodePage, *, start: Literal["single", "double"] = "single") -> None:
        self._page = page
        self._start = self._wide = start == "double"
        self._rest, self._offset = "", 0

    def feed(self, text: str) -> Encoded:
        """Write a piece.

        Returns:
            The bytes of all characters of which it is certain that no selector follows, or None where one cannot be written; faults at
            their characters in the stream.
        """
        return self._write(self._rest + text, last=False)

    def finish(self) -> Encoded:
        """Write what waits for more, and the shift back to the state the stream began in. Nothing may be fed afterwards."""
        made = self._write(self._rest, last=True)
        return Encoded(
            None if made.data is None else made.data + self._page.back(self._wide, self._start), made.faults
        )

    def _write(self, text: str, *, last: bool) -> Encoded:
        made, self._wide, place = self._page.encode_part(text, wide=self._wide, last=last)
        faults = tuple(replace(fault, offset=self._offset + fault.offset) for fault in made.faults)
        self._rest, self._offset = text[place:], self._offset + place
        return Encoded(made.data, faults)


def _in_order(fault: Fault) -> tuple[int, str]:
    return fault.offset, fault.code


@dataclass(frozen=True)
class _State:
    """What may stand where: runs of codes, with the bytes of each code, and the shift into the other state."""

    runs: Sequence[tuple[re.Pattern[bytes], int]]
    shift: re.Pattern[bytes]


@dataclass(frozen=True)
class _Codes:
    """The tables and states of a page; `last` is `narrow` where nothing follows, so that nothing has to wait."""

    page: CodePage
    single: Sequence[str | None]
    own: frozenset[int]
    narrow: _State
    last: _State
    wide: _State

    def read(
        self,
        raw: bytes,
        width: int,
        offset: int,
        into: tuple[list[str], list[Fault], list[tuple[int, bytes]]],
    ) -> None:
        """Read codes of one width that lie one behind the other at an offset of the stream."""
        codes = list(raw) if width == 1 else np.frombuffer(raw, ">u2").tolist()
        found = [*map(self.single.__getitem__ if width == 1 else self.page.double.get, codes)]
        texts, faults, own = into
        if None in found:
            bad = [number for number, text in enumerate(found) if text is None]
            faults += [
                Fault(offset + width * at, raw[width * at :][:width], self.page.reason(codes[at], width))
                for at in bad
            ]
        else:
            texts.append("".join(found))  # type: ignore[arg-type]
        if width == 2 and not self.own.isdisjoint(codes):
            own += [(offset + 2 * at, raw[2 * at :][:2]) for at, code in enumerate(codes) if code in self.own]


@lru_cache(maxsize=16)
def _codes(key: PageKey) -> _Codes:
    page = key.page
    area = (code for first, last in page.user_areas for code in range(first, last + 1))
    return _Codes(
        page=page,
        single=[page.single.get(code) for code in range(0x100)],
        own=frozenset((*page.gaiji, *filter(page.is_own, area))),
        narrow=_narrow(page, waiting=True),
        last=_narrow(page, waiting=False),
        wide=_State([(_pattern(b"(?:(?!%s)..)+" % _any(page.to_single)), 2)], _pattern(_any(page.to_single))),
    )


def _narrow(page: CodePage, *, waiting: bool) -> _State:
    """The state of single bytes; while more may come, a byte at the end that may begin a shift code waits."""
    leads = b"[" + b"".join(map(re.escape, (bytes((lead,)) for lead in sorted(page.leads)))) + b"]"
    if page.leads:
        runs = [(_pattern(b"[^" + leads[1:] + b"+"), 1), (_pattern(b"(?:" + leads + b".)+"), 2)]
        return _State(runs, _pattern(_any(())))
    begun = [re.escape(shift[:1]) + rb"\Z" for shift in page.to_double if len(shift) == 2 and waiting]
    stop = b"|".join([_any(page.to_double), *begun])
    return _State([(_pattern(b"(?:(?!%s).)+" % stop), 1)], _pattern(_any(page.to_double)))


def _any(shifts: Sequence[bytes]) -> bytes:
    """A pattern for any of some shift codes; for none of them one that never matches."""
    return b"|".join(map(re.escape, shifts)) or rb"(?!)"


def _pattern(text: bytes) -> re.Pattern[bytes]:
    return re.compile(text, re.DOTALL)
