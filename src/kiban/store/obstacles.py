"""What stands in the way of a new edition: rows that would not fit it, and what others built on the registers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg

from kiban import standard
from kiban.kernel import Problem
from kiban.standard import Edition, Group, Item
from kiban.store import carrying
from kiban.store.carrying import Moves
from kiban.store.schema import Table, never_null
from kiban.store.steps import Step
from kiban.store.text import literal, quoted

_BY_EVENTS = "correct them by events, or map them in the edition's recodes"
_OF_LOG = "rows of a log are never corrected: let the edition go on permitting them"


def of_rows(
    connection: psycopg.Connection[Any],
    before: Table,
    group: Group,
    editions: tuple[Edition, Edition],
    moves: Moves,
    step: Step,
) -> Iterator[Problem]:
    """Rows of a register that the new edition would not accept: one problem for each item and reason, with their number.

    What is no longer known to be true need not keep the new rules, but must be convertible.
    """
    if step.action != "rebuild":
        return
    if before.group.kind != group.kind:
        yield Problem(
            "kind-changed",
            f"a {before.group.kind} cannot become a {group.kind}",
            before.register,
            "give the group another id",
        )
        return
    for name, _ in step.retired:
        if name in [item.romaji for item in group.items]:
            what = f"{name} is the name of a column that an earlier edition left"
            yield Problem("column-taken", what, before.register, "give the item another romaji")
    for item in group.items:
        if any(note.startswith(f"{item.romaji}:") for note in step.notes):
            for code, what, condition, fix in _refused(item, before, editions, moves, step):
                count = _count(connection, before, condition)
                if count == 0:
                    continue
                text = f"{count} rows {what}" if count else "some rows cannot be turned into the new type of"
                yield Problem(code, f"{text} {item.romaji} ({item.name})", before.register, fix)


def _refused(
    item: Item, before: Table, editions: tuple[Edition, Edition], moves: Moves, step: Step
) -> Iterator[tuple[str, str, str, str]]:
    """Code, words, SQL condition over the old table, and the way out, for each reason."""
    old, new = editions
    value = step.source[item.romaji]
    live, fix = ("closed_by IS NULL AND ", _BY_EVENTS) if before.has_periods else ("", _OF_LOG)
    if never_null(item):
        yield "value-missing", "have no value for the mandatory", f"{live}({value}) IS NULL", fix
    rule = standard.sql_check(item, new.code_list(item))
    if rule:
        broken = f"{live}NOT ({rule.replace(quoted(item.romaji), f'({value})')})"
        yield "value-refused", "do not fit the new rule of", broken, fix
    if item.romaji not in step.carried:
        return
    then = step.carried[item.romaji]
    types = dict(before.retired) | {i.romaji: standard.sql_type(i) for i in before.group.items}
    if types[then] != standard.sql_type(item):
        there = carrying.converted(quoted(then), types[then], standard.sql_type(item), {})
        back = carrying.converted(f"({there})", standard.sql_type(item), types[then], {})
        lost = f"({back}) IS DISTINCT FROM {quoted(then)}"
        yield "value-lossy", "would lose something in the new type of", lost, "let the edition keep the type"
    unclear = moves.unclear.get(item.code or "", ())
    if unclear:
        held = f"{quoted(then)}::text[]" if types[then] == "text[]" else f"ARRAY[{quoted(then)}::text]"
        overlap = f"{held} && ARRAY[{', '.join(map(literal, unclear))}]"
        what = f"hold a code that {old.edition} made of several, in"
        yield "recode-unclear", what, overlap, "say in an edition of its own which code is meant"


def _count(connection: psycopg.Connection[Any], table: Table, condition: str) -> int | None:
    """How many rows; None where the database cannot even work the condition out."""
    try:
        row = connection.execute(f"SELECT count(*) FROM {table.name} WHERE {condition}".encode()).fetchone()
    except (psycopg.DataError, psycopg.ProgrammingError):
        return None
    return int(row[0]) if row else 0


def of_references(
    connection: psycopg.Connection[Any], new: Edition, standing: Mapping[str, Table], steps: Iterable[Step]
) -> Iterator[Problem]:
    """Rows that name rows which are nowhere, by references that the new edition adds."""
    planned = {step.register: step for step in steps}
    for register, before in standing.items():
        step = planned.get(register)
        if step is None or step.action != "rebuild":
            continue
        for name, (target, item) in Table.of(new, before.group.id).references.items():
            then = step.carried.get(name)
            if then is None or before.references.get(then, ("", ""))[0] == target:
                continue
            named = f"({step.source[name]}) IS NOT NULL"
            if target in standing:
                # A register that is kept has no expressions: its columns are what they were.
                there = planned[target].source.get(item, quoted(item)) if target in planned else quoted(item)
                place = standing[target].name
                named += f" AND ({step.source[name]}) NOT IN (SELECT k FROM (SELECT {there} AS k FROM {place}) t WHERE k IS NOT NULL)"
            count = _count(connection, before, named)
            if count != 0:
                what = f"{count or 'some'} rows name a row of {target} that does not exist"
                yield Problem("reference-missing", what, f"{register} ({name})", "record those rows first")


def of_views(connection: psycopg.Connection[Any], old: Edition, tables: Sequence[Table]) -> Iterator[Problem]:
    """Views that others built on what must be replaced: these registers, and Kiban's own views."""
    own = [table.name for table in tables]
    own += [f"{quoted(old.title)}.{quoted(name)}" for table in tables for name in table.view_names]
    rows = connection.execute(
        """WITH own AS (
            SELECT to_regclass(name) AS oid FROM unnest(%s::text[]) name WHERE to_regclass(name) IS NOT NULL
            UNION SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'v' AND starts_with(n.nspname, %s) AND c.relowner = current_user::regrole
        ) SELECT DISTINCT v.oid::regclass::text, d.refobjid::regclass::text
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_class v ON v.oid = r.ev_class
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM own)
        AND v.oid <> d.refobjid AND v.oid NOT IN (SELECT oid FROM own) ORDER BY 1, 2""",
        (own, f"{old.id}@"),
    ).fetchall()
    for view, source in rows:
        what = f"{view} stands on {source}, which must be replaced"
        yield Problem(
            "view-depends", what, source, "drop it, bring the edition into force, then make it anew"
        )
