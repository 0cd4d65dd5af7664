"""Reads COBOL copybooks: what lies where in a record. All faults of a copybook are told at once."""

from __future__ import annotations

import re
from typing import Any

from kiban.kernel import Problem, Problems
from kiban.migration.records.copybook_words import BINARY, PACKED, Entry, entries, fault
from kiban.migration.records.layout import Copybook, Field, Kind, Record, Sign, Table

_MOST_DIGITS = 18


def parse_copybook(text: str, where: str) -> Copybook:
    """Read a copybook, in fixed form (columns 8 to 72) or free form.

    Args:
        text: of the copybook.
        where: its file, for messages.

    Raises:
        Problems: `copybook-empty`, `copybook-word` for what is not understood, `copybook-picture`, `copybook-float`,
            `copybook-digits` for numbers of more than 18 digits, `copybook-redefines` for what redefines nothing or is longer than
            it, `copybook-depending` for a table of varying length that is not the last of its record or has no counter before it,
            `copybook-twice` for two fields of one name.
    """
    faults: list[Problem] = []
    roots = entries(text, where, faults)
    if not roots and not faults:
        faults.append(
            Problem("copybook-empty", "no record description", where, "give a copybook with a level 01")
        )
    choices: list[tuple[str, ...]] = []
    records = [_Placing(where, faults, choices).record(root) for root in roots]
    if faults:
        raise Problems(faults)
    return Copybook(tuple(records), tuple(choices))


class _Placing:
    """Puts the fields of one record at their places."""

    def __init__(self, where: str, faults: list[Problem], choices: list[tuple[str, ...]]) -> None:
        self.where, self.faults, self.choices = where, faults, choices
        self.fields: list[Field] = []
        self.table: Table | None = None
        self.fillers = 0

    def record(self, root: Entry) -> Record:
        end = self.place(root, 0, (), "")
        seen: set[str] = set()
        for one in self.fields:
            if one.name in seen:
                self.fault("copybook-twice", f"{one.name} stands twice in {root.name}", root)
            seen.add(one.name)
        if self.table is not None:
            if self.table.offset + self.table.length * self.table.most != end:
                self.fault("copybook-depending", f"{self.table.name} is not the last of its record", root)
            if self.table.count not in seen:
                self.fault(
                    "copybook-depending", f"{self.table.count} does not stand before {self.table.name}", root
                )
            if any(one.under for one in self.fields):
                told = f"{root.name} has alternatives and a table of varying length, which are not understood together"
                self.fault("copybook-depending", told, root)
            end = self.table.offset
        return Record(root.name, end, tuple(self.fields), self.table)

    def place(self, entry: Entry, offset: int, under: tuple[str, ...], suffix: str) -> int:
        """Place an entry and what is in it; returns where it ends."""
        if entry.depends is not None:
            return self.varying(entry, offset)
        if entry.most > 1:
            for number in range(1, entry.most + 1):
                offset = self.once(
                    entry, offset, under, f"{suffix[:-1]},{number})" if suffix else f"({number})"
                )
            return offset
        return self.once(entry, offset, under, suffix)

    def once(self, entry: Entry, offset: int, under: tuple[str, ...], suffix: str) -> int:
        if entry.picture is not None:
            return self.leaf(entry, offset, under, suffix)
        starts: dict[str, tuple[int, int]] = {}
        shared: dict[str, list[str]] = {}
        redefined = {child.redefines for child in entry.children if child.redefines}
        for child in entry.children:
            inside = under
            begin = offset
            if child.redefines is not None:
                if child.redefines not in shared:
                    told = (
                        f"{child.redefines} does not stand before {child.name}, or redefines another itself"
                    )
                    self.fault("copybook-redefines", told, child)
                    continue
                begin = starts[child.redefines][0]
                shared[child.redefines].append(child.name)
            if child.redefines is not None or child.name in redefined:
                inside = (*under, child.name)
                shared.setdefault(child.name, [child.name]) if child.redefines is None else None
            end = self.place(child, begin, inside, suffix)
            starts[child.name] = (begin, end)
            if child.redefines is not None:
                if end > starts[child.redefines][1]:
                    self.fault("copybook-redefines", f"{child.name} is longer than {child.redefines}", child)
                elif end < starts[child.redefines][1]:
                    self.filler(end, starts[child.redefines][1] - end, inside)
            else:
                offset = end
        self.choices += [tuple(names) for names in shared.values()]
        return offset

    def varying(self, entry: Entry, offset: int) -> int:
        inner = _Placing(self.where, self.faults, self.choices)
        length = inner.once(entry, 0, (), "")
        if self.table is not None or inner.table is not None:
            self.fault("copybook-depending", "only one table of varying length is understood", entry)
        if any(one.under for one in inner.fields):
            self.fault("copybook-depending", f"alternatives within {entry.name} are not understood", entry)
        self.table = Table(
            entry.name, offset, length, entry.least, entry.most, entry.depends or "", tuple(inner.fields)
        )
        return offset + length * entry.most

    def leaf(self, entry: Entry, offset: int, under: tuple[str, ...], suffix: str) -> int:
        read = _picture(entry)
        if isinstance(read, str):
            self.fault("copybook-picture", read, entry)
            return offset
        kind, digits, scale, sign, length = (
            read["kind"],
            read["digits"],
            read["scale"],
            read["sign"],
            read["length"],
        )
        if digits > _MOST_DIGITS:
            self.fault(
                "copybook-digits",
                f"{entry.name} has {digits} digits; at most {_MOST_DIGITS} are exact",
                entry,
            )
        if entry.sync and kind == "binary" and (length > 4 or suffix):
            told = f"SYNC of {entry.name}: where its slack bytes are differs between machines; write them as FILLER"
            self.fault("copybook-word", told, entry)
        elif entry.sync and kind == "binary" and offset % length:
            slack = length - offset % length
            self.filler(offset, slack, under)
            offset += slack
        if entry.name.upper() == "FILLER":
            self.filler(offset, length, under)
        else:
            self.fields.append(Field(entry.name + suffix, offset, length, kind, digits, scale, sign, under))
        return offset + int(length)

    def filler(self, offset: int, length: int, under: tuple[str, ...]) -> None:
        self.fields.append(
            Field(
                f"FILLER@{offset}" + "".join(f"/{name}" for name in under),
                offset,
                length,
                "filler",
                under=under,
            )
        )

    def fault(self, code: str, message: str, entry: Entry) -> None:
        self.faults.append(fault(code, message, self.where, entry.line))


def _picture(entry: Entry) -> dict[str, Any] | str:
    """Kind, digits, scale, sign and length in bytes; or what is wrong."""
    picture = re.sub(r"(.)\((\d+)\)", lambda found: found[1] * int(found[2]), entry.picture or "")
    if re.fullmatch(r"[XA]+", picture):
        return {"kind": "text", "digits": 0, "scale": 0, "sign": "none", "length": len(picture)}
    if re.fullmatch(r"[NG]+", picture):
        return {"kind": "national", "digits": 0, "scale": 0, "sign": "none", "length": 2 * len(picture)}
    if not re.fullmatch(r"S?9*(V9*)?", picture) or "9" not in picture:
        return f"PIC {entry.picture} is not understood"
    digits = picture.count("9")
    scale = len(picture.partition("V")[2])
    sign: Sign = "none" if not picture.startswith("S") else entry.separate or "within"
    kind: Kind = "zoned"
    length = digits + (sign in {"leading", "trailing"})
    if entry.usage in PACKED:
        kind, length = "packed", digits // 2 + 1
    elif entry.usage in BINARY:
        kind, length = "binary", 2 if digits <= 4 else 4 if digits <= 9 else 8
    return {"kind": kind, "digits": digits, "scale": scale, "sign": sign, "length": length}
