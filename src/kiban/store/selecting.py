"""Queries that people put together: registers joined by their references, rows or sums, as Arrow batches.

A selection is a value: names of registers and items, and values apart from them. Its SQL is made of names that an edition
lists and of nothing else; whatever a person wrote travels as a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

VALID_FROM, VALID_TO = "valid_from", "valid_to"


@dataclass(frozen=True)
class Term:
    """One value of a row.

    Attributes:
        register: schema.table.
        item: its romaji, or `VALID_FROM` or `VALID_TO` for the period of a register.
        age_on: for an item that holds a date: completed years from it to this day, in place of the date. None where
            the date is missing, flagged unknown, open, or later.
        step: of an age: rounded down to a multiple of this.
    """

    register: str
    item: str
    age_on: date | None = None
    step: int = 1


@dataclass(frozen=True)
class Sum:
    """A figure over the rows of a group.

    Attributes:
        kind: `count` of rows, `distinct` values of a term, `sum` of a number.
        term: of what; None for `count`.
    """

    kind: Literal["count", "distinct", "sum"]
    term: Term | None = None


@dataclass(frozen=True)
class Test:
    """What a row has to have.

    Attributes:
        term: which value.
        kind: `is`, `not` (another value, or none), `begins` with a text, `between` two values that count too,
            `one` of several, `empty`, `filled`.
        values: as the item is written, one or more; `between` has two, of which one may be None; none for the last two kinds.
        uncertain: of a date that may be unknown: whether rows count where it is flagged so. None where it never is.
    """

    __test__ = False  # pytest takes what is called Test for one

    term: Term
    kind: Literal["is", "not", "begins", "between", "one", "empty", "filled"]
    values: tuple[str | int | None, ...] = ()
    uncertain: bool | None = None


@dataclass(frozen=True)
class Link:
    """A further register, by a reference of the standard.

    Attributes:
        register: schema.table.
        item: its item.
        to: the item of a register named before, with which it is the same.
        needed: whether rows without a row there are left out; otherwise they stay, without its values.
    """

    register: str
    item: str
    to: Term
    needed: bool = False


@dataclass(frozen=True)
class Selection:
    """What is wanted.

    Attributes:
        main: the register whose rows are chosen, schema.table.
        columns: in their order; where one is a `Sum`, the terms are what it is split by.
        links: further registers.
        tests: all of them have to hold.
        valid: the day for which rows are true; None for all their periods. Linked registers then have periods in common.
        known: the moment of knowledge; None for now.
        order: terms, each with whether it goes down; rows without a value come last.
        limit: most rows; None for all.
    """

    main: str
    columns: tuple[Term | Sum, ...]
    links: tuple[Link, ...] = ()
    tests: tuple[Test, ...] = ()
    valid: date | None = None
    known: datetime | None = None
    order: tuple[tuple[Term, bool], ...] = ()
    limit: int | None = None

    @property
    def registers(self) -> tuple[str, ...]:
        """All registers, the main one first."""
        return (self.main, *(link.register for link in self.links))


@dataclass(frozen=True)
class Bounds:
    """What a selection may take of the server, so that the counter does not notice it.

    Attributes:
        seconds: longest time of its statement.
        megabytes: memory of each sort or sum; what is more goes to the disk.
        last: whether the server's process gets only what others leave of the processors, where it is on this machine; the
            connection is closed afterwards.
    """

    seconds: int = 3600
    megabytes: int = 16
    last: bool = False
