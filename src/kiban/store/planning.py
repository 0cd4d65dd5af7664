"""The plan by which an edition comes into force: what happens to each register, and what stands in the way."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from kiban import standard
from kiban.kernel import Problem
from kiban.standard import Edition, Group, Item
from kiban.store.schema import Table, literal, quoted


@dataclass(frozen=True)
class Step:
    """What happens to one register.

    Attributes:
        register: schema.table.
        action: `create`, `rebuild` (every row is written anew beside the old table), `keep` (labels only) or
            `retire` (the edition no longer names it; its rows stay).
        notes: what changes, in words, one for each item.
        source: for `rebuild`: the SQL expression over the old table for each new column.
        retired: columns that stay although the edition no longer names them: name and type.
    """

    register: str
    action: str
    notes: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict, hash=False)
    retired: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Plan:
    """How an edition comes into force.

    Attributes:
        schema: the business's schema.
        old: the edition in force; None on a new database.
        new: the edition to come.
        steps: one for each register.
        obstacles: what must be mended in the data first; a plan with obstacles is not carried out.
    """

    schema: str
    old: Edition | None
    new: Edition
    steps: tuple[Step, ...]
    obstacles: tuple[Problem, ...]

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for exactly this plan; a reviewer confirms them."""
        parts = [self.schema, self.old.edition if self.old else "", self.new.edition]
        for step in self.steps:
            parts += [step.register, step.action, *step.notes, *(f"{k}={v}" for k, v in step.source.items())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def needs_review(self) -> bool:
        """Whether rows that stand are touched."""
        return any(step.action == "rebuild" for step in self.steps)


def make(
    connection: psycopg.Connection[Any], old: Edition | None, new: Edition, standing: Mapping[str, Table]
) -> Plan:
    """Plan the way from the edition in force to another one.

    Args:
        connection: the owner's; reads the data to find obstacles.
        old: the edition in force, or None.
        new: the edition to come.
        standing: the registers in force.
    """
    steps: list[Step] = []
    obstacles: list[Problem] = []
    for group in new.groups:
        register = f"{new.id}.{group.id}"
        before = standing.get(register)
        if old is None or before is None:
            steps.append(Step(register, "create", (f"{len(group.items)} items",)))
            continue
        step, found = _step(connection, old, new, before, group)
        steps.append(step)
        obstacles += found
    if old is not None:
        kept = {group.id for group in new.groups}
        steps += [Step(f"{old.id}.{group.id}", "retire") for group in old.groups if group.id not in kept]
    return Plan(new.id, old, new, tuple(steps), tuple(obstacles))


def _step(
    connection: psycopg.Connection[Any], old: Edition, new: Edition, before: Table, group: Group
) -> tuple[Step, list[Problem]]:
    former = {now: then for then, now in new.renames.items()} if new.replaces == old.edition else {}
    was = {item.romaji: item for item in before.group.items}
    kept = dict(before.retired)
    notes: list[str] = []
    source: dict[str, str] = {}
    used: set[str] = set()
    obstacles: list[Problem] = []
    for item in group.items:
        name = former.get(item.romaji, item.romaji)
        kind = standard.sql_type(item)
        if name in was:
            used.add(name)
            expression, changes = _carried(item, was[name], old, new, quoted(name))
            notes += changes
        elif item.romaji in kept:
            used.add(item.romaji)
            expression = f"{quoted(item.romaji)}::{kind}"
            notes.append(f"{item.romaji}: returns, with the values of its retired column")
        else:
            expression = f"NULL::{kind}"
            notes.append(f"{item.romaji}: added ({item.name}), empty in the rows that stand")
        source[item.romaji] = expression
        if name not in was or (notes and notes[-1].startswith(f"{item.romaji}:")):
            obstacles += _obstacles(connection, before, item, expression, new)
    retired = [(n, standard.sql_type(i)) for n, i in was.items() if n not in used]
    notes += [f"{n}: no longer in the edition; its column stays" for n, _ in retired]
    retired += [(n, kind) for n, kind in kept.items() if n not in used]
    if _shape(before.group) != _shape(group):
        notes.append("key, ward or search changed")
    if not notes:
        return Step(before.register, "keep"), []
    source |= {name: quoted(name) for name, _ in retired}
    return Step(before.register, "rebuild", tuple(notes), source, tuple(retired)), obstacles


def _shape(group: Group) -> tuple[object, ...]:
    names = [
        tuple(item.romaji for item in group.subject),
        group.ward.romaji if group.ward else None,
        group.kind,
    ]
    return (*names, group.search, tuple(sorted(group.references.items())))


def _carried(item: Item, was: Item, old: Edition, new: Edition, column: str) -> tuple[str, list[str]]:
    """The expression that carries a value over, and what changes, in words."""
    notes = []
    expression = column
    if was.romaji != item.romaji:
        notes.append(f"{item.romaji}: renamed from {was.romaji}")
    recode = new.recodes.get(item.code or "", {}) if new.replaces == old.edition else {}
    if recode:
        cases = " ".join(f"WHEN {literal(a)} THEN {literal(b)}" for a, b in recode.items())
        expression = f"CASE {column} {cases} ELSE {column} END"
        notes.append(f"{item.romaji}: recoded, {len(recode)} values of list {item.code}")
    before, after = standard.sql_type(was), standard.sql_type(item)
    if before != after:
        expression = f"({expression})::{after}"
        notes.append(f"{item.romaji}: {before} becomes {after}")
    rules = [standard.sql_check(i, e.code_list(i)) for i, e in ((was, old), (item, new))]
    if rules[0] != (rules[1] or "").replace(quoted(item.romaji), quoted(was.romaji)) and rules != [
        None,
        None,
    ]:
        sizes = f" {was.digits} → {item.digits}" if was.digits != item.digits else ""
        notes.append(f"{item.romaji}: rule changed{sizes}")
    if was.required != item.required:
        notes.append(f"{item.romaji}: {'now mandatory' if item.required else 'no longer mandatory'}")
    return expression, notes


def _obstacles(
    connection: psycopg.Connection[Any], before: Table, item: Item, expression: str, new: Edition
) -> list[Problem]:
    """Rows that the new item would not accept."""
    wrong = []
    if item.required:
        wrong.append(("value-missing", "have no value for the mandatory", f"({expression}) IS NULL"))
    rule = standard.sql_check(item, new.code_list(item))
    if rule:
        wrong.append(
            (
                "value-refused",
                "do not fit the new rule of",
                f"NOT ({rule.replace(quoted(item.romaji), f'({expression})')})",
            )
        )
    found = []
    for code, what, condition in wrong:
        try:
            row = connection.execute(
                f"SELECT count(*) FROM {before.name} WHERE {condition}".encode()
            ).fetchone()
            count = row[0] if row else 0
        except psycopg.DataError:
            count, what = "some", "cannot be turned into the new type of"
        if count:
            text = f"{count} rows {what} {item.romaji} ({item.name})"
            found.append(
                Problem(
                    code,
                    text,
                    before.register,
                    "correct them by events, or map them in the edition's recodes",
                )
            )
    return found
