"""A query that was checked, made into what the store selects and what its columns are called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from kiban.access.extract.checking import Groups, check, moment
from kiban.access.extract.days import day
from kiban.access.extract.query import Condition, Field, Query
from kiban.access.policy import Grant
from kiban.kernel import Actor
from kiban.standard import CodeList, Edition
from kiban.store import VALID_FROM, VALID_TO, Link, Selection, Sum, Term, Test

_PERIODS = {VALID_FROM: "有効_開始日", VALID_TO: "有効_終了日"}
_FIGURES = {"distinct": "異なり数", "sum": "合計"}


@dataclass(frozen=True)
class Column:
    """A column of a result.

    Attributes:
        name: romaji, with its group where several are joined.
        title: Japanese title, likewise.
        codes: the code list of its values; None where they are none.
        figure: whether it holds a count, a sum or a number.
    """

    name: str
    title: str
    codes: CodeList | None = None
    figure: bool = False


@dataclass(frozen=True)
class Plan:
    """What is to be done for a query.

    Attributes:
        query: the query.
        edition: in force, of its business.
        selection: for the store; where the result is split by ward into files, its last column is the ward.
        columns: of the result, without that ward.
        actor: whom the store is told.
        on: the day on which the words of the query were understood.
    """

    query: Query
    edition: Edition
    selection: Selection
    columns: tuple[Column, ...]
    actor: Actor
    on: date

    @property
    def by_ward(self) -> bool:
        """Whether each ward gets a file."""
        return self.query.split == "files"

    @property
    def asked(self) -> dict[str, object]:
        """What stands in the log of look-ups."""
        said = {"valid": str(self.selection.valid), "known": str(self.selection.known)}
        return {"extract": [column.name for column in self.columns], **said}


def plan(query: Query, edition: Edition, grant: Grant, on: date, now: datetime) -> Plan:
    """Check a query against the edition and the grant, and make its plan.

    Args:
        query: what is wanted.
        edition: in force, of its business.
        grant: of whoever asks.
        on: the day.
        now: the moment, with its time zone.

    Raises:
        Problem: `not-allowed` where nothing of the business may leave.
        Problems: those of `check`.
    """
    grant.need("extract", query.business)
    actor = grant.actor("extract", query.business)
    check(query, edition, actor.hidden, on, now)
    made = _Planner(Groups(edition, query), on)
    return Plan(query, edition, made.selection(), made.columns(), actor, on)


class _Planner:
    def __init__(self, groups: Groups, on: date) -> None:
        self._groups, self._query, self._on = groups, groups.query, on

    def selection(self) -> Selection:
        """What the store is asked."""
        query = self._query
        columns: list[Term | Sum] = [self._term(field) for field in self._shown()]
        if query.totals:
            columns += [Sum("count")] * query.totals.count
            columns += [Sum("distinct", self._term(field)) for field in query.totals.distinct]
            columns += [Sum("sum", self._term(field)) for field in query.totals.sums]
        elif query.history:
            columns += [Term(self._register(name), end) for name, end in self._ends()]
        if query.split == "files":
            columns.append(self._ward())
        return Selection(
            self._register(query.main),
            tuple(columns),
            tuple(self._links()),
            (*map(self._test, query.conditions), *self._wards()),
            day(query.valid, self._on) if query.valid else None,
            moment(query.known) if query.known else None,
            tuple((self._term(field), down) for field, down in query.order),
            query.limit,
        )

    def columns(self) -> tuple[Column, ...]:
        """What the columns are called."""
        totals = self._query.totals
        found = [self._column(field) for field in self._shown()]
        if totals is None:
            ends = self._ends() if self._query.history else []
            return (*found, *(self._named(name, end, _PERIODS[end]) for name, end in ends))
        if totals.count:
            found.append(Column("count", "件数", figure=True))
        for kind, fields in (("distinct", totals.distinct), ("sum", totals.sums)):
            for each in map(self._column, fields):
                found.append(Column(f"{kind}_{each.name}", f"{each.title}_{_FIGURES[kind]}", figure=True))
        return tuple(found)

    def _shown(self) -> tuple[Field, ...]:
        """The fields that are columns; totals by ward begin with the ward."""
        totals = self._query.totals
        if totals is None:
            return self._query.fields
        ward = self._groups.found[self._query.main].ward
        first = (Field(self._query.main, ward.romaji),) if self._query.split == "totals" and ward else ()
        return (*first, *(each for each in totals.by if self._term(each) not in map(self._term, first)))

    def _ends(self) -> list[tuple[str, str]]:
        return [(n, end) for n, g in self._groups.found.items() if g.kind == "register" for end in _PERIODS]

    def _column(self, field: Field) -> Column:
        item = self._groups.item(field)
        assert item is not None
        codes = None if field.age_on else self._groups.edition.code_list(item)
        figure = bool(field.age_on) or (item.type in ("9", "S9", "9V") and not item.repeats)
        title = f"{item.name}_年齢" if field.age_on else item.name
        name = f"{field.item}_age" if field.age_on else field.item
        named = self._named(field.group or self._query.main, name, title)
        return Column(named.name, named.title, codes, figure)

    def _named(self, group: str, name: str, title: str) -> Column:
        if not self._query.joins:
            return Column(name, title)
        return Column(f"{group}.{name}", f"{self._groups.found[group].name}_{title}")

    def _register(self, group: str) -> str:
        return f"{self._groups.edition.id}.{group or self._query.main}"

    def _term(self, field: Field) -> Term:
        until = day(field.age_on, self._on) if field.age_on else None
        return Term(self._register(field.group), field.item, until, field.step)

    def _ward(self) -> Term:
        ward = self._groups.found[self._query.main].ward
        assert ward is not None
        return Term(self._register(self._query.main), ward.romaji)

    def _wards(self) -> list[Test]:
        return [Test(self._ward(), "one", self._query.wards)] if self._query.wards else []

    def _links(self) -> list[Link]:
        found = []
        for join in self._query.joins:
            ends = self._groups.ends(join)
            assert ends is not None
            (group, item), (other, to) = ends
            found.append(Link(self._register(group), item, Term(self._register(other), to), join.needed))
        return found

    def _test(self, condition: Condition) -> Test:
        item = self._groups.item(condition.field)
        assert item is not None
        term, values = self._term(condition.field), condition.values
        uncertain = {"with": True, "without": False}.get(condition.unknown)
        if condition.kind in ("empty", "filled"):
            return Test(term, condition.kind, (), uncertain)
        if condition.kind == "named":
            codes = self._groups.edition.code_list(item)
            held = [code.value for code in codes.codes if code.label in values] if codes else []
            return Test(term, "one", tuple(dict.fromkeys(held)), uncertain)
        if item.type == "DATE" and not condition.field.age_on:
            values = tuple(day(each, self._on).isoformat() if each else "" for each in values)
        kind = "one" if condition.kind == "one-of" else condition.kind
        return Test(term, kind, tuple(each or None for each in values), uncertain)
