"""A check of a project, and what every kind of check has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from kiban.kernel import Problem
from kiban.migration.findings.refs import Ref, parse
from kiban.migration.findings.segments import Segments

Severity = Literal["must", "should", "note"]


@dataclass(frozen=True)
class Check:
    """A line of checks.csv.

    Attributes:
        rule: its name; decisions are written under it.
        kind: what is checked; see `KINDS`.
        rows: which rows of which segment are looked at, and the fields of 「フィールド」 in order.
        argument: what the kind needs to know besides.
        severity: must closes the gate until it is decided, should is asked about, note is listed.
        why: in Japanese, for those who decide.
        place: file and line, for messages.
    """

    rule: str
    kind: str
    rows: Ref
    argument: str
    severity: Severity
    why: str
    place: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it names."""
        return self.rows.fields

    def fault(self, what: str, fix: str) -> Problem:
        """A problem with its argument."""
        return Problem("check-argument", what, f"{self.place} {self.rule}", fix)

    def ref(self, text: str | None = None, *, fields: int | None = None) -> Ref:
        """The argument, or a part of it, as a reference.

        Args:
            text: the part; None for the whole argument.
            fields: how many fields it has to name; None where it does not matter.

        Raises:
            Problem: `check-reference`, `check-argument`.
        """
        try:
            found = parse(self.argument if text is None else text)
        except Problem as problem:
            raise Problem(problem.code, problem.what, f"{self.place} {self.rule}", problem.fix) from problem
        if fields is not None and len(found.fields) != fields:
            raise self.fault(
                f"{len(found.fields)} fields of {found.segment} stand against {fields}",
                "name as many fields on both sides, in the same order",
            )
        return found


Build = Callable[[Check, Segments], str]
"""Gives a SELECT of the places that are at fault: file, record, index, field, code."""


def no_refs(_check: Check) -> tuple[Ref, ...]:
    """Says that a kind looks at no other rows."""
    return ()


@dataclass(frozen=True)
class Kind:
    """A kind of check.

    Attributes:
        name: as officers write it.
        build: see `Build`.
        refs: the other rows it looks at; raises what is wrong with the argument.
        least, most: how many fields it takes.
        relates: whether what it finds depends on more than one row, so that it is asked again when rows have gone.
        held_only: whether it looks at values, so that only rows whose first field holds something count as looked at.
    """

    name: str
    build: Build
    refs: Callable[[Check], tuple[Ref, ...]] = field(default=no_refs)
    least: int = 1
    most: int = 20
    relates: bool = False
    held_only: bool = False


def place(alias: str = "r") -> str:
    """The first three columns of what a check finds."""
    return f'{alias}."#file" AS file, {alias}."#record" AS record, {alias}."#index" AS index'
