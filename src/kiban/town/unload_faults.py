"""Known faults in an unload: each is listed apart, so that it can be shown that every one is found."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kiban.kernel import Problem
from kiban.town.unload_layout import layouts
from kiban.town.unload_records import record_length

BOOK = "JUKI"
SHIFT_IN, KANJI = b"\x28", b"\xb0\xa1"
SPACE, CODE_OF_NOTHING = 0x40, b"\xff\xff"
NO_DAY, OPEN_END, NO_HOUSEHOLD = "20230230", "99999999", "9999999999"
DIGITS = bytes(0xF0 + digit for digit in range(10))


@dataclass(frozen=True, order=True)
class Fault:
    """One known fault.

    Attributes:
        file: name of the file.
        record: number of the record from 1, the header included.
        field: COBOL data name; empty for a whole record.
        kind: what is wrong with it.
    """

    file: str
    record: int
    field: str
    kind: str


def _packed_nibble(old: bytes) -> bytes:
    return bytes([0xA0 | old[0] & 0x0F]) + old[1:]


def _check_digit(old: bytes) -> bytes:
    return old[:-1] + bytes([0xF0 + (old[-1] + 1 - 0xF0) % 10])


def _number(digits: str) -> Callable[[bytes], bytes]:
    return lambda _: bytes(DIGITS[int(digit)] for digit in digits)


def _unbalanced(old: bytes) -> bytes:
    return (SHIFT_IN + KANJI).ljust(len(old), bytes([SPACE]))


KINDS: tuple[tuple[str, str, Callable[[bytes], bytes]], ...] = (
    ("packed-nibble", "JK-SETAIIN-JUN", _packed_nibble),
    ("code-unmapped", "JK-SHIMEI", lambda old: CODE_OF_NOTHING + old[2:]),
    ("date-impossible", "JK-IDO-YMD", _number(NO_DAY)),
    ("household-orphan", "JK-SETAI-NO", _number(NO_HOUSEHOLD)),
    ("check-digit-wrong", "JK-KOJIN-NO", _check_digit),
    ("shift-unbalanced", "JK-KATAGAKI", _unbalanced),
    ("packed-low-values", "JK-SADAME-YMD", lambda old: bytes(len(old))),
    ("number-blank", "JK-TODOKE-YMD", lambda old: bytes([SPACE] * len(old))),
    ("history-overlap", "JK-SHURYO-YMD", _number(OPEN_END)),
    ("record-duplicate", "", lambda old: old),
)
"""Kind, field, and what it does to the bytes of the field."""


def plant(files: Sequence[Path], count: int, seed: int) -> list[Fault]:
    """Puts faults into finished files of residents; each into a record of its own.

    A duplicate takes the place of the record that follows the one it repeats, when both are of the same
    person; an overlap opens the end of a history row that another row of the same person follows.

    Args:
        files: the finished files.
        count: how many faults.
        seed: same seed, same faults.

    Raises:
        Problem: `unload-faults-many`.
    """
    length = record_length(BOOK)
    views = [np.memmap(path, np.uint8, "r+", shape=(path.stat().st_size // length, length)) for path in files]
    places = [(file, row) for file, view in enumerate(views) for row in range(1, len(view) - 1)]
    followed = [place for place in places if _followed(views[place[0]], place[1])]
    rng = np.random.default_rng([seed, count])
    pairs, singles = _shuffled(followed, rng), _shuffled(places, rng)
    taken: set[tuple[int, int]] = set()
    found = []
    for number in range(count):
        kind, name, change = KINDS[number % len(KINDS)]
        needs_pair = kind in ("history-overlap", "record-duplicate")
        place = _next(pairs if needs_pair else singles, taken, needs_pair)
        file, row = place
        if name:
            _change(views[file][row], name, change)
            at = row
        else:
            at = row + 1
            views[file][at] = views[file][row]
        found.append(Fault(files[file].name, at + 1, name, kind))
    for view in views:
        view.flush()
    return sorted(found)


def write_faults(path: Path, faults: Sequence[Fault]) -> None:
    """The list of the faults, which no unload contains."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "record", "field", "kind"))
        writer.writerows((fault.file, fault.record, fault.field, fault.kind) for fault in faults)


def _change(record: np.ndarray, name: str, change: Callable[[bytes], bytes]) -> None:
    field = layouts()[BOOK, "DATA"].field(name)
    at = slice(1 + field.offset, 1 + field.offset + field.size)
    record[at] = np.frombuffer(change(record[at].tobytes()), np.uint8)


def _followed(view: np.ndarray, row: int) -> bool:
    """Whether the next record is a later row of the same person."""
    field = layouts()[BOOK, "DATA"].field("JK-ATENA-NO")
    at = slice(1 + field.offset, 1 + field.offset + field.size)
    return row + 2 < len(view) and bool((view[row, at] == view[row + 1, at]).all())


def _shuffled(places: list[tuple[int, int]], rng: np.random.Generator) -> list[tuple[int, int]]:
    return [places[at] for at in rng.permutation(len(places))]


def _next(places: list[tuple[int, int]], taken: set[tuple[int, int]], with_next: bool) -> tuple[int, int]:
    while places:
        file, row = places.pop()
        mine = {(file, row), (file, row + 1)} if with_next else {(file, row)}
        if not mine & taken:
            taken |= mine
            return file, row
    raise Problem(
        "unload-faults-many",
        "the unload has too few records for so many faults, one in each",
        fix="ask for fewer, or make a larger town",
    )
