"""What a register refuses of more than one row, and which line of checks.csv would find it before the conversion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kiban.migration.findings.check import Check
from kiban.migration.findings.dates import CALENDAR
from kiban.migration.mapping import Line, Map

_BOUND = ("参照相違", "孤児", "区不明")
"""Kinds that hold a field against another segment."""
_TRANSLATED = ("コード表", "定数")
"""Rules that take a reference from a list of the project, not from the field as it is."""


def uncovered(checks: Sequence[Check], maps: Sequence[Map]) -> list[str]:
    """The lines that checks.csv lacks: references and periods that a register will hold rows to, and no check looks at.

    What a map takes from a code table is left to its refusals. A history whose subject is told by another record is left to the load.

    Args:
        checks: of the project.
        maps: of the plan.

    Returns:
        Each line as it can be written, without a name of its own and without 説明.
    """
    held = {(check.rows.segment, check.fields[0]) for check in checks if check.kind in _BOUND}
    lives = {(check.rows.segment, *check.fields) for check in checks if check.kind == "期間重複"}
    dated = {(check.rows.segment, check.fields[0]) for check in checks if check.kind == CALENDAR}
    return [*dict.fromkeys([*_references(held, maps), *_histories(lives, dated, maps)])]


def _references(held: set[tuple[str, str]], maps: Sequence[Map]) -> Iterator[str]:
    by_register = {made.register: made for made in maps}
    for made in maps:
        for item, group in made.group.references.items():
            line, target = made.line(item), by_register.get(f"{made.edition.id}.{group}")
            if target is None or not line.field or line.rule in _TRANSLATED:
                continue
            segment, key = line.parent or made.target.source, target.line(target.group.subject[0].romaji)
            if (segment, line.inside) not in held and (segment, line.inside) != (
                target.target.source,
                key.field,
            ):
                yield f"孤児,{segment},{line.inside},{target.target.source}.{key.field},must"


def _histories(
    lives: set[tuple[str, ...]], dated: set[tuple[str, str]], maps: Sequence[Map]
) -> Iterator[str]:
    for made in maps:
        if made.group.kind != "register":
            continue
        ends = [made.line(name).field for name in ("valid_from", "valid_to")]
        subject = [made.line(item.romaji) for item in made.group.subject]
        if all(ends) and _own(subject) and (made.target.source, *ends) not in lives:
            for name, form in zip(ends, ("有効期間開始", "有効期間終了"), strict=True):
                if (made.target.source, name) not in dated:
                    yield f"{CALENDAR},{made.target.source},{name},{form},must"
            keys = " ".join(line.field for line in subject)
            yield f"期間重複,{made.target.source},{' '.join(ends)},{keys},must"


def _own(lines: Sequence[Line]) -> bool:
    return all(line.field and not line.parent for line in lines)
