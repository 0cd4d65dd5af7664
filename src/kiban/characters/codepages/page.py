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
        to_double, to_single: shift codes; empty where lead bytes tell. The first of each is written.
        leads: first bytes of double-byte codes, where there are no shift codes.
        user_areas: that a city fills itself (gaiji), as (first, last) code; rows and cells both lie between theirs.
        double_pad, single_pad: codes that fill up fields.
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
        parts: list[bytes] = []
        faults: list[Fault] = []
        started, place = wide, 0
        while place < len(text):
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
            if needs != wide and not self.leads:
                parts.append((self.to_double if needs else self.to_single)[0])
                wide = needs
            code = two if needs else one
            parts.append((code or 0).to_bytes(2 if needs else 1, "big"))
        if wide != started and not self.leads:
            parts.append((self.to_single if wide else self.to_double)[0])
        return Encoded(None, tuple(faults)) if faults else Encoded(b"".join(parts))

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
        return _inverse(self.single, self.single_pad)

    @cached_property
    def double_codes(self) -> dict[str, int]:
        """Text to double-byte code; of several codes for one text the padding's, then one of the city's, then the lowest."""
        return _inverse(self.double, self.double_pad) | {
            text: code
            for code, text in sorted(self.gaiji.items(), reverse=True)
            if text not in self._base_texts
        }

    @cached_property
    def one_way(self) -> frozenset[int]:
        """Double-byte codes that are read as a text that is written with another code: keep their raw bytes."""
        return frozenset(code for code, text in self.double.items() if self.double_codes[text] != code)

    @cached_property
    def _base_texts(self) -> frozenset[str]:
        return frozenset(text for code, text in self.double.items() if code not in self.gaiji)

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


def _inverse(table: Mapping[int, str], pad: int) -> dict[str, int]:
    found = {text: code for code, text in sorted(table.items(), reverse=True)}
    if pad in table:
        found[table[pad]] = pad
    return found
