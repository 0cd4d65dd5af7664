"""Bring an edition into force: build beside, catch up, swap. What is cut half-way goes on or is undone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.kernel import Actor, Problem, Problems
from kiban.standard import Edition, definition
from kiban.store import chain, former, jobs, planning, publish
from kiban.store.errors import as_problems
from kiban.store.jobs import Progress, quiet
from kiban.store.naming import protecting
from kiban.store.rebuild import catch_up, rebuild
from kiban.store.reindex import build_entries, late_entries
from kiban.store.schema import Table
from kiban.store.search_table import SearchTable
from kiban.store.steps import Plan, Step
from kiban.store.text import quoted

if TYPE_CHECKING:
    from kiban.store.database import Store

_FROM_OUTSIDE = ("database-unreachable", "database-full", "time-exceeded")


def plan(store: Store, edition: Edition) -> Plan:
    """What bringing this edition into force would do, and what stands in its way. Changes no register.

    Raises:
        Problem: `scope-undecided` where nobody has decided who may read a group.
    """
    undecided = [group.name for group in edition.groups if group.scope not in ("ward", "city")]
    if undecided:
        raise Problem(
            "scope-undecided",
            f"nobody has decided who may read {'、'.join(undecided)}",
            where=str(edition.folder / "business.yaml"),
            fix="write scope: ward and the ward item, or scope: city",
        )
    store.install()
    store.refresh()
    in_force = store.applied().get(edition.id)
    old = store.library.edition(edition.id, in_force) if in_force else None
    standing = {name: table for name, table in store.tables().items() if table.schema == edition.id}
    with store.owner() as connection, as_problems():
        return planning.make(connection, old, edition, standing)


def apply(
    store: Store, edition: Edition, actor: Actor, *, reviewed: str | None = None, progress: Progress = quiet
) -> int:
    """Bring an edition into force.

    Everybody goes on reading and recording meanwhile; for the swap at the end, sessions wait a moment.

    Args:
        store: an open store.
        edition: the edition to come.
        actor: who does it; stands in the event.
        reviewed: the digest of the plan that was reviewed; needed where rows that stand are written anew.
        progress: told about every step.

    Returns:
        The number of the event.

    Raises:
        Problem: `plan-unreviewed`, `edition-in-force`, `job-running`; `sessions-open` and `view-depends` when all is
            built, so that the same command goes on with the swap; what the database refuses of rows that came meanwhile.
        Problems: the plan's obstacles.
    """
    with store.owner() as connection, jobs.job_lock(connection), as_problems():
        made = plan(store, edition)
        _permit(made, reviewed)
        work = _Work.of(connection, store, made)
        try:
            with as_problems():
                work.build(progress)
        except Problem as problem:
            if (
                problem.code not in _FROM_OUTSIDE
            ):  # the rows themselves: they would be refused at every attempt
                jobs.drop_job(connection, work.job)
            raise
        event = work.swap(actor, progress)
    store.refresh()
    progress("swap", 1, 1)
    return event


def _permit(made: Plan, reviewed: str | None) -> None:
    if made.old is not None and made.old.edition == made.new.edition:
        raise Problem(
            "edition-in-force",
            f"{made.new.edition} of {made.schema} is in force already",
            fix="nothing to do",
        )
    if made.obstacles:
        raise Problems(made.obstacles)
    if made.needs_review and reviewed != made.digest:
        raise Problem(
            "plan-unreviewed",
            f"the plan {made.digest} touches rows that stand and was not reviewed",
            fix=f"read it with --plan, then give --reviewed {made.digest}",
        )


def _nothing() -> dict[str, int | str]:
    """The content of no rows."""
    return {"rows": 0, "digest": "0", "closed": 0}


@dataclass(frozen=True)
class _Work:
    """One plan being carried out.

    Attributes:
        store: an open store.
        connection: the owner's; holds the right to run a long job.
        plan: what to do.
        job: its name.
        base: the event as of which rows are copied, the same at every attempt.
        old: the registers as they stand.
        new: the registers as they will be.
    """

    store: Store
    connection: psycopg.Connection[Any]
    plan: Plan
    job: str
    base: int
    old: Mapping[str, Table]
    new: Mapping[str, Table]

    @staticmethod
    def of(connection: psycopg.Connection[Any], store: Store, made: Plan) -> _Work:
        """Begin or take up the job of a plan."""
        stem = f"apply-{made.schema}-{made.digest}-"
        row = connection.execute(
            "SELECT count(*) FROM kiban.job WHERE starts_with(job, %s) AND state = 'done'", (stem,)
        ).fetchone()
        job = f"{stem}{row[0] if row else 0}"  # the same plan may be carried out again after a way back
        jobs.start_job(connection, job, "apply", {"schema": made.schema, "edition": made.new.edition})
        base = connection.execute(
            "UPDATE kiban.job SET plan = jsonb_build_object('base', (SELECT event FROM kiban.head)) || plan "
            "WHERE job = %s RETURNING (plan ->> 'base')::bigint",
            (job,),
        ).fetchone()
        assert base is not None
        others = [store.edition(schema) for schema in store.applied() if schema != made.new.id]
        by = protecting(sorted((*others, made.new), key=lambda edition: edition.id))
        new = {
            step.register: Table.of(made.new, step.register.split(".")[1], step.retired, by)
            for step in made.steps
            if step.action in ("create", "rebuild", "keep")
        }
        return _Work(store, connection, made, job, int(base[0]), store.tables(), new)

    def build(self, progress: Progress) -> None:
        """Everything that takes long, aside: tables, rows, keys, search entries."""
        for step in self.plan.steps:
            if step.action == "create":
                self._create(self.new[step.register])
            elif step.action == "rebuild":
                change = (self.old[step.register], self.new[step.register], step)
                rebuild(self.connection, self.job, self.base, change, self.plan.new, progress)
                if step.search == "build":
                    self._search(self.new[step.register], progress)

    def _create(self, table: Table) -> None:
        statements = [table.create(self.plan.new)]
        if table.group.search:
            statements += [SearchTable(table).create(), *SearchTable(table).indexes()]
        self._run(statements)
        for _ in publish.build_keys(self.connection, table):
            pass

    def _run(self, statements: Iterable[str]) -> None:
        """One message for all: while everybody waits for the swap, round trips count."""
        self.connection.execute(";\n".join(statements).encode())

    def _search(self, table: Table, progress: Progress) -> None:
        mark = (self.job, f"search {table.register}")
        if self.connection.execute(
            "SELECT 1 FROM kiban.job_part WHERE job = %s AND part = %s", mark
        ).fetchone():
            return
        with self.connection.transaction():
            build_entries(self.store, self.connection, SearchTable(table), table.shadow, progress)
            self.connection.execute("INSERT INTO kiban.job_part VALUES (%s, %s, 0)", mark)

    def swap(self, actor: Actor, progress: Progress) -> int:
        """One transaction: catch up, put the new tables into their places, write the event."""
        rebuilt = [step.register for step in self.plan.steps if step.action == "rebuild"]
        copied = {
            name: publish.content(self.connection, self.new[name], self.new[name].shadow) for name in rebuilt
        }
        if copied:
            progress("digest", len(copied), len(copied))
        title = self.plan.new.title
        contents: chain.Content = {}
        sealed: chain.Content = {}
        with self.connection.transaction():
            touched = [step.register for step in self.plan.steps if step.action in ("rebuild", "keep")]
            publish.alone(self.connection, [self.old.get(n, self.new[n]) for n in touched], progress)
            event, recorded_at = chain.open_event(self.connection)
            self._schemas()
            for step in self.plan.steps:
                if step.action == "end":
                    continue
                contents[step.register] = _nothing()
                if step.action == "create":
                    table = self.new[step.register]
                    publish.replace(self.connection, table, title, event, recorded_at)
                    sealed[step.register] = _nothing()
                    publish.seal(self.connection, table, event, sealed[step.register])
                elif step.action == "rebuild":
                    sealed[step.register] = self._put(step, copied[step.register], event)
                elif step.action == "keep":
                    self._keep(step)
            self._in_force(actor, event, contents, sealed)
            self.store.fit(self.connection, anew=self._may_protect())
        return event

    def _may_protect(self) -> bool:
        """Whether rows were written with other values where they say who is protected, or in another place."""
        said = self.plan.new.protection
        return said is not None and any(
            step.register.split(".")[1] in said.groups
            and any(step.source[name] != quoted(name) for name in self.new[step.register].items)
            for step in self.plan.steps
            if step.action == "rebuild"
        )

    def _schemas(self) -> None:
        for schema in publish.former_schemas(self.connection, self.plan.schema):
            former.drop(self.connection, schema)
        for schema in (self.plan.schema, self.plan.new.title):
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}".encode())
            self.connection.execute(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO kiban_app".encode())

    def _put(self, step: Step, copied: Mapping[str, int | str], event: int) -> dict[str, int | str]:
        """Put one new table into the place of the old one; the seal of its rows."""
        assert self.plan.old is not None
        old, table = self.old[step.register], self.new[step.register]
        came = catch_up(self.connection, self.base, (old, table, step))
        sealed = _nothing() | {
            "rows": int(copied["rows"]) + int(came["rows"]),
            "digest": str(int(copied["digest"]) + int(came["digest"])),
        }
        if step.search == "build":
            late_entries(self.connection, SearchTable(table), table.shadow, self.base)
        publish.drop(self.connection, old, self.plan.old.title)
        statements = [*table.place(), *table.dress(), *table.views(self.plan.new.title)]
        if step.search in ("build", "drop"):
            statements += SearchTable(table).drop()
        if step.search == "build":
            statements += SearchTable(table).publish()
        self._run(statements)
        publish.seal(self.connection, table, event, sealed)
        return sealed

    def _keep(self, step: Step) -> None:
        """Labels and what the rows refer to; views only where a title changed, as others may stand on them."""
        assert self.plan.old is not None
        table = self.new[step.register]
        before = self.old.get(step.register, table)
        statements = list(table.dress())
        if planning.replaces_views(step, {step.register: before}, self.plan.old, self.plan.new):
            statements += [*before.drop_views(self.plan.old.title), *table.views(self.plan.new.title)]
        self._run(statements)
        self.connection.execute(
            "UPDATE kiban.register SET refers = %s WHERE register = %s",
            (Jsonb({name: list(target) for name, target in table.references.items()}), table.register),
        )

    def _in_force(self, actor: Actor, event: int, contents: chain.Content, sealed: chain.Content) -> None:
        """Note the edition and write the event."""
        old, new = self.plan.old, self.plan.new
        if old is not None:
            former.show(self.connection, old, new, {**self.old, **self.new})
        self.connection.execute(
            "INSERT INTO kiban.edition VALUES (%s, %s, %s, %s, %s) ON CONFLICT (business) DO UPDATE "
            "SET edition = excluded.edition, definition = excluded.definition, event = excluded.event",
            (new.called, new.id, new.edition, Jsonb({"sha256": definition(new)}), event),
        )
        payload = {
            "from": old.edition if old else None,
            "to": new.edition,
            "plan": self.plan.digest,
            "sealed": sealed,
        }
        chain.close_event(self.connection, new.id, "edition", new.edition, actor, payload, contents)
        self.connection.execute(
            "UPDATE kiban.job SET state = 'done', event = %s WHERE job = %s", (event, self.job)
        )
