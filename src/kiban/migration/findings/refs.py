"""How checks.csv names rows and fields: `JK-DATA[JK-SHURYO-YMD=99999999]`, `SE-DATA.SE-SETAI-NO SE-KU-CD[SE-JOTAI!=2]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kiban.kernel import Problem

_ROWS = re.compile(r"(?P<segment>[^\s.\[\]]+)(?:\.(?P<fields>[^\[\]]+))?(?:\[(?P<where>[^\[\]]*)\])?")
_CONDITION = re.compile(r"(?P<field>[^\s=!|]+)(?P<no>!?)=(?P<values>[^\s=]*)")


@dataclass(frozen=True)
class Condition:
    """What a field has to hold for a row to count.

    Attributes:
        field: of the segment.
        values: one of these, as decoded; none means that nothing is held.
        no: whether it must not hold any of them instead. A field without a value then counts, unless nothing is what it must not hold.
    """

    field: str
    values: tuple[str, ...]
    no: bool = False


@dataclass(frozen=True)
class Ref:
    """Rows of a segment, and maybe fields of them.

    Attributes:
        segment: name of the dataset.
        fields: in order; empty where only the rows are meant.
        where: conditions that all hold; empty for every row.
    """

    segment: str
    fields: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()

    @property
    def named(self) -> tuple[str, ...]:
        """Every field it speaks of."""
        return (*self.fields, *(one.field for one in self.where))


def parse(text: str) -> Ref:
    """Read a reference.

    >>> parse("SE-DATA.SE-SETAI-NO SE-KU-CD[SE-JOTAI!=2]").fields
    ('SE-SETAI-NO', 'SE-KU-CD')
    >>> parse("JK-DATA[JK-JOTAI=10|15]").where
    (Condition(field='JK-JOTAI', values=('10', '15'), no=False),)

    Raises:
        Problem: `check-reference`.
    """
    match = _ROWS.fullmatch(text.strip())
    if match is None:
        raise _unreadable(text)
    conditions = []
    for word in (match["where"] or "").split():
        found = _CONDITION.fullmatch(word)
        if found is None:
            raise _unreadable(word)
        values = tuple(found["values"].split("|")) if found["values"] else ()
        conditions.append(Condition(found["field"], values, bool(found["no"])))
    return Ref(match["segment"], tuple((match["fields"] or "").split()), tuple(conditions))


def _unreadable(text: str) -> Problem:
    return Problem(
        "check-reference",
        f"{text or 'nothing'} names no rows",
        fix="write SEGMENT, SEGMENT.FIELD FIELD, and conditions as SEGMENT.FIELD[FIELD=VALUE|VALUE FIELD!=VALUE]",
    )
