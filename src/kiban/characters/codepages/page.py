"""A code page: what each code stands for, read and written strictly, one text at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Mode = Literal["single", "double", "mixed"]
"""How a field is written: single-byte only, double-byte only, or changing by shift codes or lead bytes."""

UNMAPPED, GAIJI = "code-unmapped", "gaiji-undecided"
UNBALANCED, TRUNCATED = "shift-unbalanced", "byte-truncated"
UNENCODABLE, OVERFLOW = "char-unencodable", "field-overflow"


@dataclass(frozen=True)
class Fault:
    """One place that cannot be read or written.

    Attributes:
        offset: of the code in the bytes, or of the character in the text, from 0.
        raw: the bytes there; empty when writing.
        code: one of `code-unmapped`, `gaiji-undecided`, `shift-unbalanced`, `byte-truncated`, `char-unencodable`,
            `field-overflow`.
    """

    offset: int
    raw: bytes
    code: str


@dataclass(frozen=True)
class Decoded:
    """A text, or None and every reason why there is none.

    Attributes:
        text: None where there is a fault.
        faults: every reason.
        own: offset and bytes of every code of the city's own (gaiji), decided or not.
    """

    text: str | None
    faults: tuple[Fault, ...] = ()
    own: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True)
class Encoded:
    """Bytes, or None and every reason why there are none."""

    data: bytes | None
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class CodePage:
    """A legacy code page, with a city's own characters on top.

    Attributes:
        name: such as jef.
        single: code of one byte to text.
        double: code of two bytes to text.
        to_double, to_single: shift codes; empty where lead bytes tell. The first of each is written, the others are only read.
        leads: first bytes of double-byte codes, where there are no shift codes.
        user_areas: that a city fills itself (gaiji), as (first, last) code; rows and cells both lie between theirs.
        double_pad, single_pad: codes that fill up fields.
        gaiji: codes that the city decided on, also in `double`.
        read_only: codes that are read and, as a table says, never written: another code of their text is.
    """

    name: str
    single: Mapping[int, str]
    double: Mapping[int, str]
    to_double: tuple[bytes, ...] = ()
    to_single: tuple[bytes, ...] = ()
    leads: frozenset[int] = frozenset()
    user_areas: tuple[tuple[int, int], ...] = ()
    double_pad: int = 0x4040
    single_pad: int = 0x40
    gaiji: Mapping[int, str] = field(default_factory=dict)
    read_only: frozenset[int] = frozenset()

    def decode(self, data: bytes, *, start: Literal["single", "double"] = "single") -> Decoded:
        """Read a text. Padding stays; nothing is replaced.

        Args:
            data: all of it.
            start: in which state it begins; it must end in the same, whatever shift codes stand between.
        """
        texts: list[str] = []
        faults: list[Fault] = []
        own: list[tuple[int, bytes]] = []
        wide, opened, place = start == "double", 0, 0
        while place < len(data):
            shift = self._shift(data, place, wide)
            if shift:
                wide, opened, place = not wide, place, place + len(shift)
                continue
            width = 2 if wide or data[place] in self.leads else 1
            raw = data[place : place + width]
            if len(raw) < width:
                faults.append(Fault(place, raw, TRUNCATED))
                break
            code = int.from_bytes(raw, "big")
            text = (self.double if width == 2 else self.single).get(code)
            if width == 2 and self.is_own(code):
                own.append((place, raw))
            if text is None:
                faults.append(Fault(place, raw, self.reason(code, width)))
            else:
                texts.append(text)
            place += width
        if wide != (start == "double"):
            faults.append(Fault(opened, data[opened : opened + 1], UNBALANCED))
        if faults:
            return Decoded(
                None, tuple(sorted(faults, key=lambda fault: (fault.offset, fault.code))), tuple(own)
            )
        return Decoded("".join(texts), (), tuple(own))

    def encode(self, text: str, *, start: Literal["single", "double"] = "single") -> Encoded:
        """Write a text, ending in the state it began in. What has one code and several readings is read as written."""
        return self._encode(text, self.single_codes, self.double_codes, wide=start == "double")

    def encode_as(self, text: str, mode: Mode) -> Encoded:
        """Write a text as a field of this mode holds it, without padding: only a mixed one has shift codes."""
        if mode == "mixed":
            return self.encode(text)
        if mode == "double":
            return self._encode(text, {}, self.double_codes, wide=True)
        return self._encode(text, self.single_codes, {}, wide=False)

    def _encode(
        self, text: str, single: Mapping[str, int], double: Mapping[str, int], *, wide: bool
    ) -> Encoded:
        made, now, _ = self._part(text, single, double, wide=wide, last=True)
        return Encoded(None if made.data is None else made.data + self.back(now, wide), made.faults)

    def encode_part(self, text: str, *, wide: bool, last: bool) -> tuple[Encoded, bool, int]:
        """Write the first characters of a text, in a state and without the shift back.

        Args:
            text: to write.
            wide: whether the state is that of double-byte codes.
            last: whether nothing follows the text; otherwise characters wait where a selector might follow.

        Returns:
            What was written with offsets in the text, the state afterwards, and how many characters it was.
        """
        return self._part(text, self.single_codes, self.double_codes, wide=wide, last=last)

    def back(self, wide: bool, started: bool) -> bytes:
        """The shift code from a state, wide or not, to the one a text started in; empty where none is needed."""
        if wide == started or self.leads:
            return b""
        return (self.to_single if wide else self.to_double)[0]

    def _part(
        self, text: str, single: Mapping[str, int], double: Mapping[str, int], *, wide: bool, last: bool
    ) -> tuple[Encoded, bool, int]:
        parts: list[bytes] = []
        faults: list[Fault] = []
        place, end = 0, len(text) if last else len(text) - 2  # a character, its selector, and none behind it
        while place < end:
            size = 2 if text[place : place + 2] in double else 1
            unit = text[place : place + size]
            one, two = single.get(unit), double.get(unit)
            if not _complete(text, place + size):
                faults.append(Fault(place, b"", UNENCODABLE))
                place += size + 1
                continue
            place += size
            if one is None and two is None:
                faults.append(Fault(place - size, b"", UNENCODABLE))
                continue
            needs = one is None or (wide and two is not None)  # stays in the state where both would do
            parts.append(self.back(wide, needs))
            wide = wide if self.leads else needs
            code = two if needs else one
            parts.append((code or 0).to_bytes(2 if needs else 1, "big"))
        return Encoded(None if faults else b"".join(parts), tuple(faults)), wide, place

    def pad(self, mode: Mode) -> bytes:
        """What fills up a field of this mode."""
        if mode == "double":
            return self.double_pad.to_bytes(2, "big")
        return self.single_pad.to_bytes(1, "big")

    def reason(self, code: int, width: int) -> str:
        """Why a code has no character: it is the city's own and nobody decided it yet, or it stands for nothing."""
        own = width == 2 and any(
            first <= code <= last and first & 0xFF <= code & 0xFF <= last & 0xFF
            for first, last in self.user_areas
        )
        return GAIJI if own else UNMAPPED

    def is_own(self, code: int) -> bool:
        """Whether a double-byte code is one of the city's own: decided by it, or in its area and without a character."""
        return code in self.gaiji or (code not in self.double and self.reason(code, 2) == GAIJI)

    @cached_property
    def single_codes(self) -> dict[str, int]:
        """Text to single-byte code."""
        return self._inverse(self.single, self.single_pad)

    @cached_property
    def double_codes(self) -> dict[str, int]:
        """Text to double-byte code; of several codes for one text the padding's, then one of the city's, then the lowest."""
        return self._inverse(self.double, self.double_pad) | {
            text: code
            for code, text in sorted(self.gaiji.items(), reverse=True)
            if text not in self._base_texts
        }

    @cached_property
    def one_way(self) -> frozenset[int]:
        """Double-byte codes that are read as a text that is written with another code: keep their raw bytes."""
        return frozenset(code for code, text in self.double.items() if self.double_codes.get(text) != code)

    @property
    def one_way_shifts(self) -> tuple[bytes, ...]:
        """Shift codes that are read like another and written as that one: they set a size of print, which no text holds."""
        return (*self.to_double[1:], *self.to_single[1:])

    @cached_property
    def _base_texts(self) -> frozenset[str]:
        return frozenset(text for code, text in self.double.items() if code not in self.gaiji)

    def _inverse(self, table: Mapping[int, str], pad: int) -> dict[str, int]:
        found = {
            text: code for code, text in sorted(table.items(), reverse=True) if code not in self.read_only
        }
        if pad in table:
            found[table[pad]] = pad
        return found

    def _shift(self, data: bytes, place: int, wide: bool) -> bytes:
        for shift in self.to_single if wide else self.to_double:
            if data.startswith(shift, place):
                return shift
        return b""


def _complete(text: str, after: int) -> bool:
    """Whether no variation selector is left over behind a unit: dropping it would change the shape."""
    return after >= len(text) or not is_selector(text[after])


def is_selector(char: str) -> bool:
    """Whether a character only chooses the shape of the one before it."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"
