"""Reads the sentences of a copybook: levels, names and clauses, and which entry stands in which. Where they lie is for `copybook`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from kiban.kernel import Problem
from kiban.migration.records.layout import Sign

BINARY = {"COMP", "COMP-4", "COMP-5", "BINARY", "COMPUTATIONAL", "COMPUTATIONAL-4", "COMPUTATIONAL-5"}
PACKED = {"COMP-3", "PACKED-DECIMAL", "COMPUTATIONAL-3"}
_FLOATS = {"COMP-1", "COMP-2", "COMPUTATIONAL-1", "COMPUTATIONAL-2"}
_NOISE = {
    "IS",
    "ARE",
    "TIMES",
    "USAGE",
    "ON",
    "CHARACTER",
    "JUST",
    "JUSTIFIED",
    "RIGHT",
    "GLOBAL",
    "EXTERNAL",
    "ZEROS",
}
_CLAUSES = {
    *(
        "PIC",
        "PICTURE",
        "REDEFINES",
        "OCCURS",
        "USAGE",
        "SIGN",
        "SYNC",
        "SYNCHRONIZED",
        "LEADING",
        "TRAILING",
    ),
    *(BINARY | PACKED | _FLOATS | {"DISPLAY", "DISPLAY-1", "NATIONAL"}),
}


@dataclass
class Entry:
    """One sentence of the copybook."""

    line: int
    level: int
    name: str
    picture: str | None = None
    usage: str = ""
    redefines: str | None = None
    least: int = 1
    most: int = 1
    depends: str | None = None
    separate: Sign | None = None
    sync: bool = False
    children: list[Entry] = field(default_factory=list)


def entries(text: str, where: str, faults: list[Problem]) -> list[Entry]:
    """The level 01 entries of a copybook, each with what stands in it; what is not understood goes to `faults`.

    Args:
        text: of the copybook, in fixed form (columns 8 to 72) or free form.
        where: its file, for messages.
        faults: gathers `copybook-word`, `copybook-picture`, `copybook-float`.
    """
    roots = _tree(list(_entries(text, where, faults)))
    for root in roots:
        _inherit(root, "DISPLAY", where, faults)
    return roots


def fault(code: str, message: str, where: str, line: int) -> Problem:
    """A fault of the copybook at one of its lines."""
    return Problem(code, message, f"{where} line {line}", "correct the copybook")


def _entries(text: str, where: str, faults: list[Problem]) -> Iterator[Entry]:
    for line, sentence in _sentences(text):
        words = re.findall(r"'[^']*'|\"[^\"]*\"|\S+", sentence)
        if not words[0].isdigit():
            faults.append(fault("copybook-word", f"{words[0]} where a level number should be", where, line))
            continue
        level = int(words[0])
        if level in {66, 78, 88}:
            continue
        named = len(words) > 1 and words[1].upper() not in {
            "PIC",
            "PICTURE",
            "REDEFINES",
            "OCCURS",
            "VALUE",
            "USAGE",
        }
        entry = Entry(line, level, words[1] if named else "FILLER")
        _clauses(entry, words[2 if named else 1 :], where, faults)
        yield entry


def _inherit(entry: Entry, usage: str, where: str, faults: list[Problem]) -> None:
    """Hand the usage of a group down to its fields, and refuse entries that are neither group nor field."""
    entry.usage = entry.usage or usage
    if entry.level == 77 or (entry.picture is not None and entry.children):
        faults.append(fault("copybook-word", f"{entry.name} cannot stand where it does", where, entry.line))
    if entry.picture is None and not entry.children:
        faults.append(
            fault(
                "copybook-picture", f"{entry.name} has neither PIC nor fields of its own", where, entry.line
            )
        )
    for child in entry.children:
        _inherit(child, entry.usage, where, faults)


def _sentences(text: str) -> Iterator[tuple[int, str]]:
    """Sentences with the line they begin in; comments and the number areas of fixed form are left out."""
    lines = text.splitlines()
    fixed = any(re.match(r"^(\d{6}|\s{6})[ *\-/]\s*(\d\d|\*|$)", line) for line in lines) and not any(
        re.match(r"^\s{0,5}\d\d\s+\S", line) for line in lines
    )
    begun, parts = 0, ""
    for number, whole in enumerate(lines, 1):
        if fixed:
            if whole[6:7] in {"*", "/"}:
                continue
            line = whole[7:72]
        else:
            line = re.sub(r"\*>.*$|^\s*\*.*$", "", whole)
        if not line.strip():
            continue
        begun = begun or number
        parts += " " + line.strip()
        while (end := re.search(r"\.(\s|$)", parts)) is not None:
            sentence, parts = parts[: end.start()].strip(), parts[end.end() :].strip()
            if sentence:
                yield begun, sentence
            begun = number if parts else 0
    if parts.strip():
        yield begun, parts.strip()


def _clauses(entry: Entry, words: list[str], where: str, faults: list[Problem]) -> None:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        upper = word.upper()
        if upper in {"PIC", "PICTURE"}:
            if rest and rest[0].upper() == "IS":
                rest.pop(0)
            entry.picture = rest.pop(0).upper() if rest else ""
        elif upper == "REDEFINES" and rest:
            entry.redefines = rest.pop(0)
        elif upper == "OCCURS" and rest:
            if not rest[0].isdigit():
                faults.append(fault("copybook-word", f"OCCURS {rest[0]} is no number", where, entry.line))
                return
            if not _occurs(entry, rest):
                faults.append(fault("copybook-word", "OCCURS TO no number", where, entry.line))
                return
        elif upper in {"VALUE", "VALUES"}:  # what a field begins with says nothing about a file
            while rest and rest[0].upper() not in _CLAUSES:
                rest.pop(0)
        elif upper in {"LEADING", "TRAILING"}:
            entry.separate = "leading" if upper == "LEADING" else "trailing"
            if not (rest and rest[0].upper() == "SEPARATE"):
                entry.separate = None
                if upper == "LEADING":
                    faults.append(fault("copybook-word", "SIGN LEADING without SEPARATE", where, entry.line))
        elif upper in {"SYNC", "SYNCHRONIZED"}:
            entry.sync = True
        elif upper in BINARY | PACKED | {"DISPLAY", "DISPLAY-1", "NATIONAL"}:
            entry.usage = upper
        elif upper in _FLOATS:
            faults.append(
                fault("copybook-float", f"{upper}: floating numbers hold no yen", where, entry.line)
            )
        elif upper not in _NOISE | {"SIGN", "SEPARATE"}:
            faults.append(fault("copybook-word", f"{word} is not understood", where, entry.line))


def _occurs(entry: Entry, rest: list[str]) -> bool:
    """Read a table's clause; whether its numbers are numbers."""
    entry.least = entry.most = int(rest.pop(0))
    if rest and rest[0].upper() == "TO":
        rest.pop(0)
        if not (rest and rest[0].isdigit()):
            return False
        entry.most = int(rest.pop(0))
    while rest and rest[0].upper() in {"TIMES", "DEPENDING", "ON", "INDEXED", "BY"}:
        word = rest.pop(0).upper()
        if word == "DEPENDING":
            if rest and rest[0].upper() == "ON":
                rest.pop(0)
            entry.depends = rest.pop(0) if rest else ""
        elif word == "INDEXED":
            if rest and rest[0].upper() == "BY":
                rest.pop(0)
            del rest[:1]
    return True


def _tree(entries: list[Entry]) -> list[Entry]:
    roots: list[Entry] = []
    path: list[Entry] = []
    for entry in entries:
        while path and path[-1].level >= entry.level:
            path.pop()
        (path[-1].children if path else roots).append(entry)
        path.append(entry)
    return roots
