"""The plan by which an edition comes into force: what happens to each register, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from kiban import standard
from kiban.kernel import Problem
from kiban.standard import Edition, Group, Item
from kiban.store import carrying, obstacles, publish
from kiban.store.carrying import Moves
from kiban.store.schema import Table
from kiban.store.steps import Plan, Step
from kiban.store.text import quoted


def make(
    connection: psycopg.Connection[Any],
    old: Edition | None,
    new: Edition,
    standing: Mapping[str, Table],
) -> Plan:
    """Plan the way from the edition in force to another one.

    Args:
        connection: the owner's; reads the data to find obstacles.
        old: the edition in force, or None.
        new: the edition to come.
        standing: the registers in force.
    """
    if old is None:
        made = [Step(f"{new.id}.{g.id}", "create", (f"{len(g.items)} items",)) for g in new.groups]
        return Plan(new.id, None, new, tuple(made), ())
    moves = carrying.moves(old, new)
    steps: list[Step] = []
    returning, found = _returning(connection, old, new, standing)
    for group in new.groups:
        register = f"{new.id}.{group.id}"
        if register in standing:
            steps.append(_step(standing[register], group, (old, new), moves))
            found += obstacles.of_rows(connection, standing[register], group, (old, new), moves, steps[-1])
        elif register in returning:
            steps.append(Step(register, "keep", retired=returning[register].retired))
        else:
            steps.append(Step(register, "create", (f"{len(group.items)} items",)))
    standing = {**standing, **returning}
    found += obstacles.of_references(connection, new, standing, steps)
    kept = {group.id for group in new.groups}
    steps += [Step(f"{old.id}.{group.id}", "retire") for group in old.groups if group.id not in kept]
    touched = [standing[step.register] for step in steps if replaces_views(step, standing, old, new)]
    found += obstacles.of_views(connection, old, touched)
    steps += [
        Step(schema, "end", (f"the views {schema} are taken away",))
        for schema in publish.former_schemas(connection, old.id)
        if schema != publish.former_schema(old)
    ]
    return Plan(new.id, old, new, tuple(steps), tuple(found))


def _returning(
    connection: psycopg.Connection[Any], old: Edition, new: Edition, standing: Mapping[str, Table]
) -> tuple[dict[str, Table], list[Problem]]:
    """Registers with rows that the edition in force does not name and the new one does again."""
    tables: dict[str, Table] = {}
    found: list[Problem] = []
    for group in new.groups:
        register = f"{new.id}.{group.id}"
        left = connection.execute(
            "SELECT items, retired FROM kiban.register WHERE register = %s", (register,)
        ).fetchone()
        if left is None or register in standing:
            continue
        table = Table.of(new, group.id, tuple((item["name"], item["type"]) for item in left[1]))
        if old.replaces == new.edition and list(table.items) == left[0]:
            tables[register] = table
        else:
            what = f"{new.edition} names a register again that an earlier edition left, with its rows"
            fix = "go back to the edition that left it first, or give the group another id"
            found.append(Problem("register-returns", what, register, fix))
    return tables, found


def replaces_views(step: Step, standing: Mapping[str, Table], old: Edition, new: Edition) -> bool:
    """Whether the views with Japanese titles must be made anew: the table is another one, or a title is."""
    if step.action != "keep":
        return step.action == "rebuild"
    before = standing[step.register]
    return before.views(old.title) != Table.of(new, before.group.id).views(new.title)


def _step(before: Table, group: Group, editions: tuple[Edition, Edition], moves: Moves) -> Step:
    was = {item.romaji: item for item in before.group.items}
    held = dict(before.retired)
    carried = carrying.carried(was, [item.romaji for item in group.items], moves.renames)
    notes: list[str] = []
    source: dict[str, str] = {}
    for item in group.items:
        name, kind = item.romaji, standard.sql_type(item)
        if name in carried:
            then = was[carried[name]]
            recode = moves.recodes.get(item.code or "", {})
            source[name] = carrying.converted(quoted(then.romaji), standard.sql_type(then), kind, recode)
            notes += _changes(item, then, editions, recode)
        elif name in held:
            carried[name] = name
            source[name] = carrying.converted(quoted(name), held[name], kind, {})
            notes.append(f"{name}: returns, with the values of its retired column")
        else:
            source[name] = f"NULL::{kind}"
            notes.append(f"{name}: added ({item.name}), empty in the rows that stand")
    used = set(carried.values())
    retired = [(n, standard.sql_type(i)) for n, i in was.items() if n not in used]
    notes += [f"{n}: no longer in the edition; its column stays" for n, _ in retired]
    retired += [(n, kind) for n, kind in held.items() if n not in used]
    if _shape(before.group, {then: now for now, then in carried.items()}) != _shape(group, {}):
        notes.append("key, ward or references changed")
    search = _search(before.group, group, carried, source)
    if search in ("build", "drop"):
        notes.append("search keys are made anew" if search == "build" else "is no longer searched")
    if not notes:
        return Step(before.register, "keep", retired=before.retired)
    source |= {name: quoted(name) for name, _ in retired}
    carried |= {name: name for name, _ in retired}
    return Step(before.register, "rebuild", tuple(notes), source, carried, tuple(retired), search)


def _shape(group: Group, now: Mapping[str, str]) -> tuple[object, ...]:
    """What a table has beside its columns, in the names of the new edition."""
    numbers = group.search.numbers if group.search else ()
    return (
        group.kind,
        *(tuple(now.get(item.romaji, item.romaji) for item in items) for items in (group.subject, group.key)),
        now.get(group.ward.romaji, group.ward.romaji) if group.ward else None,
        tuple(now.get(name, name) for name in numbers),
        tuple(sorted((now.get(name, name), target) for name, target in group.references.items())),
    )


def _search(before: Group, after: Group, carried: Mapping[str, str], source: Mapping[str, str]) -> str:
    """Whether the entries by which a register is searched stay as they are."""
    if before.search is None or after.search is None:
        return "build" if after.search else "drop" if before.search else ""
    then, now = _searched(before), _searched(after)
    plain = all(name is None or source[name] == quoted(carried.get(name, "")) for name in now)
    return "keep" if plain and [name and carried[name] for name in now] == then else "build"


def _searched(group: Group) -> list[str | None]:
    """The items that entries are made from, in a fixed order; None sets the parts of the section apart."""
    section = group.search
    assert section is not None
    names: list[str | None] = [section.subject, group.ward.romaji if group.ward else None]
    for name, kana in section.names:
        names += [name, kana]
    names += [None, section.birth, section.sex, None, *section.address]
    return names


def _changes(
    item: Item, was: Item, editions: tuple[Edition, Edition], recode: Mapping[str, str]
) -> list[str]:
    """What changes of an item, in words."""
    old, new = editions
    notes = []
    if was.romaji != item.romaji:
        notes.append(f"renamed from {was.romaji}")
    if recode:
        notes.append(f"recoded, {len(recode)} values of list {item.code}")
    before, after = standard.sql_type(was), standard.sql_type(item)
    if before != after:
        notes.append(f"{before} becomes {after}")
    rules = [standard.sql_check(i, e.code_list(i)) for i, e in ((was, old), (item, new))]
    if (rules[0] or "").replace(quoted(was.romaji), quoted(item.romaji)) != (rules[1] or ""):
        sizes = f" {was.digits} → {item.digits}" if was.digits != item.digits else ""
        notes.append(f"rule changed{sizes}")
    if was.required != item.required:
        notes.append("now mandatory" if item.required else "no longer mandatory")
    return [f"{item.romaji}: {note}" for note in notes]
