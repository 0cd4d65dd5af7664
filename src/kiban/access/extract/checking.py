"""Whether a query can be run: against the edition, and against what may leave; every fault at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from kiban.access.extract.days import day
from kiban.access.extract.query import Condition, Field, Join, Query
from kiban.kernel import Problem, Problems
from kiban.standard import Edition, Group, Item, check_value, suggest, target_item

NUMBERS = ("9", "S9", "9V")
_DATED = ("DATE",)


@dataclass(frozen=True)
class Groups:
    """The groups of a query in its edition.

    Attributes:
        edition: of the business.
        query: the query.
    """

    edition: Edition
    query: Query

    @cached_property
    def found(self) -> dict[str, Group]:
        """By ID, the main one first; those that there are."""
        known = {group.id: group for group in self.edition.groups}
        names = (self.query.main, *(join.group for join in self.query.joins))
        return {name: known[name] for name in names if name in known}

    def item(self, field: Field) -> Item | None:
        """The item of a field; None where there is none."""
        group = self.found.get(field.group or self.query.main)
        return group.item(field.item) if group is not None and field.item in group else None

    def full(self, group: str, item: str) -> str:
        """An item as the policies name it."""
        return f"{self.edition.id}.{group or self.query.main}.{item}"

    def ends(self, join: Join) -> tuple[tuple[str, str], tuple[str, str]] | None:
        """The two sides of a join, the joined group first, each as group and item; None where no reference leads there."""
        here, there = self.found.get(join.group), self.found.get(join.to or self.query.main)
        if here is None or there is None:
            return None
        for one, other, turned in ((here, there, False), (there, here, True)):
            if one.references.get(join.by) == other.id:
                target = target_item(self.edition.groups, other.id, join.by)
                if target is not None:
                    ends = ((one.id, join.by), (other.id, target.romaji))
                    return (ends[1], ends[0]) if turned else ends
        return None


def check(query: Query, edition: Edition, hidden: Iterable[str], on: date, now: datetime) -> None:
    """Refuse a query that cannot be run, or names what may not leave.

    Args:
        query: the query.
        edition: in force, of its business.
        hidden: items that may not leave, as edition.group.romaji.
        on: the day on which it is run.
        now: the moment, with its time zone.

    Raises:
        Problems: everything that is wrong: `group-unknown`, `group-twice`, `reference-unknown`, `item-unknown`, `item-hidden`,
            `items-missing`, `item-binary`, `age-of-what`, `day-unreadable`, `known-unreadable`, `condition-value`,
            `condition-item`, `condition-unknown-dates`, `code-name-unknown`, `ward-none`, `ward-unknown`, `totals-empty`,
            `totals-and-items`, `sum-of-what`, `order-outside`.
    """
    found = list(_Checker(Groups(edition, query), frozenset(hidden), on, now).faults())
    if found:
        raise Problems(found)


@dataclass(frozen=True)
class _Checker:
    groups: Groups
    hidden: frozenset[str]
    on: date
    now: datetime

    @property
    def query(self) -> Query:
        return self.groups.query

    def faults(self) -> Iterator[Problem]:
        """Everything that is wrong, in the order in which a person fills it in."""
        yield from self._of_groups()
        for field in self.query.named:
            yield from self._of_field(field)
        for number, condition in enumerate(self.query.conditions, 1):
            yield from self._of_condition(condition, f"condition {number}")
        yield from self._of_time()
        yield from self._of_wards()
        yield from self._of_columns()

    def _of_groups(self) -> Iterator[Problem]:
        names = [self.query.main, *(join.group for join in self.query.joins)]
        known = [group.id for group in self.groups.edition.groups]
        for name in names:
            if name not in known:
                what = f"business {self.groups.edition.id} has no group {name}"
                yield Problem("group-unknown", what, fix=suggest(name, known, "see kiban standard show"))
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Problem("group-twice", f"the group {name} is named twice", fix="name it once")
        before = {self.query.main}
        for join in self.query.joins:
            ends = self.groups.ends(join)
            if ends is None or (join.to or self.query.main) not in before:
                what = (
                    f"no reference {join.by} leads from {join.group} to {join.to or self.query.main}, or back"
                )
                yield Problem(
                    "reference-unknown", what, fix="join by an 外部キー item of one of the two groups"
                )
            else:
                yield from self._hidden(ends)
            before.add(join.group)

    def _hidden(self, items: Iterable[tuple[str, str]]) -> Iterator[Problem]:
        for group, item in items:
            if (name := self.groups.full(group, item)) in self.hidden:
                what = (
                    f"{name} may not leave: not as an item, nor in a condition, an order, a total or a join"
                )
                yield Problem(
                    "item-hidden", what, fix="leave it out, or ask whoever has a duty that needs it"
                )

    def _of_field(self, field: Field) -> Iterator[Problem]:
        item = self.groups.item(field)
        if item is None:
            group = self.groups.found.get(field.group or self.query.main)
            if group is None:
                yield Problem(
                    "item-unknown", f"{field.name} is of a group that is not joined", fix="join the group"
                )
            else:
                fix = suggest(field.item, [each.romaji for each in group.items], "see kiban standard show")
                yield Problem("item-unknown", f"group {group.id} has no item {field.item}", fix=fix)
            return
        yield from self._hidden([(field.group, field.item)])
        group = self.groups.found[field.group or self.query.main]
        beside = (
            [f"{field.item}_{part}" for part in ("fushofuragu", "fushohyoki")] if item.type in _DATED else []
        )
        if field.age_on or any(each.field == field and each.unknown for each in self.query.conditions):
            yield from self._hidden((field.group, name) for name in beside if name in group)
        if item.type == "BLOB":
            yield Problem("item-binary", f"{field.name} is an image", fix="leave it out")
        if field.age_on:
            if item.type not in _DATED or item.repeats:
                yield Problem(
                    "age-of-what", f"{field.name} holds no date", fix="take an item that holds one date"
                )
            yield from self._day(field.age_on, f"the age of {field.name}")

    def _day(self, word: str, where: str) -> Iterator[Problem]:
        try:
            day(word, self.on)
        except Problem as problem:
            yield Problem(problem.code, problem.what, where, problem.fix)

    def _of_condition(self, condition: Condition, where: str) -> Iterator[Problem]:
        item = self.groups.item(condition.field)
        if item is None:
            return
        where = f"{where} ({condition.field.name})"
        if item.repeats and condition.kind not in ("empty", "filled"):
            yield Problem(
                "condition-item", "an item of several values is compared", where, "ask whether it is empty"
            )
            return
        dated = item.type in _DATED
        if item.allows_unknown_date and condition.kind not in ("empty", "filled") and not condition.unknown:
            fix = "say unknown: with, or unknown: without"
            yield Problem(
                "condition-unknown-dates", "rows of an unknown date would be lost unsaid", where, fix
            )
        if condition.unknown and not item.allows_unknown_date:
            yield Problem(
                "condition-unknown-dates", "its dates are never unknown", where, "leave unknown out"
            )
        if condition.kind == "begins" and (item.type not in ("X", "N") or condition.field.age_on):
            yield Problem("condition-item", "only a text begins with something", where, "give a range")
        if not condition.values and condition.kind not in ("empty", "filled"):
            yield Problem("condition-value", "a condition has no value", where, "give one")
        if condition.kind == "between" and not any(condition.values):
            yield Problem("condition-value", "a range has neither end", where, "give one")
        if condition.kind == "named":
            yield from self._names(item, condition, where)
        else:
            yield from self._values(item, condition, where, dated=dated)

    def _names(self, item: Item, condition: Condition, where: str) -> Iterator[Problem]:
        codes = self.groups.edition.code_list(item)
        known = {code.label for code in codes.codes} if codes else set()
        for name in condition.values:
            if name not in known:
                fix = suggest(name, sorted(known), "give a name of its code list")
                yield Problem("code-name-unknown", "no code of the item has this name", where, fix)

    def _values(self, item: Item, condition: Condition, where: str, *, dated: bool) -> Iterator[Problem]:
        for value in condition.values:
            if not value and condition.kind == "between":
                continue
            if condition.field.age_on:
                if not (value.isascii() and value.isdecimal() and len(value) <= 3):
                    yield Problem(
                        "condition-value", "an age is no whole number", where, "give completed years"
                    )
            elif dated:
                yield from self._day(value, where)
            elif condition.kind == "begins":
                if not value:
                    yield Problem(
                        "condition-value", "a text begins with nothing", where, "give its beginning"
                    )
            elif not value or (problem := check_value(item, value)):
                what, fix = (
                    (problem.what, problem.fix) if value and problem else ("a value is missing", "give one")
                )
                yield Problem("condition-value", what, where, fix)

    def _of_time(self) -> Iterator[Problem]:
        if self.query.valid:
            yield from self._day(self.query.valid, "valid")
        if self.query.known:
            known = moment(self.query.known)
            if known is None or known > self.now:
                fix = "write it as 2026-04-01T00:00:00+09:00, not later than now"
                yield Problem(
                    "known-unreadable",
                    "the moment of knowledge cannot be read, or has not passed",
                    "known",
                    fix,
                )

    def _of_wards(self) -> Iterator[Problem]:
        main = self.groups.found.get(self.query.main)
        if main is None or not (self.query.wards or self.query.split != "none"):
            return
        if main.ward is None:
            what = f"rows of {main.id} belong to no ward"
            yield Problem("ward-none", what, "wards", "leave wards and split out")
            return
        yield from self._hidden([(main.id, main.ward.romaji)])
        for code in self.query.wards:
            if not code or check_value(main.ward, code):
                yield Problem("ward-unknown", "a ward is no code of a ward", "wards", "give its six digits")
        if self.query.split == "totals" and self.query.totals is None:
            yield Problem("totals-empty", "the split asks for totals by ward", "split", "add totals")

    def _of_columns(self) -> Iterator[Problem]:
        totals = self.query.totals
        if totals is None:
            if not self.query.fields:
                yield Problem("items-missing", "no item is chosen", "items", "choose at least one")
            return
        if self.query.fields:
            yield Problem("totals-and-items", "totals have no rows, so no items", "items", "move them to by")
        if not (totals.count or totals.distinct or totals.sums):
            yield Problem("totals-empty", "nothing is counted or added up", "totals", "say count: yes")
        for field in totals.sums:
            item = self.groups.item(field)
            if item and (item.type not in NUMBERS or item.repeats or field.age_on):
                yield Problem("sum-of-what", f"{field.name} is no number", "totals", "take a number")
        main = self.groups.found.get(self.query.main)
        split = {main.ward.romaji} if main and main.ward and self.query.split == "totals" else set()
        for field, _ in self.query.order:
            if field not in totals.by and field.name not in split:
                what = f"totals are not split by {field.name}, so they have no such order"
                yield Problem("order-outside", what, "order", "order by what they are split by")


def moment(text: str) -> datetime | None:
    """A moment with its offset; None where it cannot be read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
