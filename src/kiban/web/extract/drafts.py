"""The query behind a page: whose it is, what it may name, and what the person at work chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from kiban.access import extract
from kiban.kernel import Problem
from kiban.standard import Edition, Group, Item, target_item
from kiban.web.pages.working import Desk

Body = dict[str, Any]
_UNKNOWN = ("query-unknown", "extract-unknown", "group-unknown", "business-unknown")


def extracts(request: Desk) -> extract.Extracts:
    """The extracts of the city."""
    city = request.city
    if city.extracts is None:
        raise Http404
    return extract.Extracts(city.access, city.store, city.extracts, city.now)


def missing(problem: Problem) -> Exception:
    """What is not there, or not this person's, is a page that is not there."""
    return Http404() if problem.code in _UNKNOWN else problem


def open_items(edition: Edition, group: Group, hidden: frozenset[str]) -> list[Item]:
    """The items of a group that may leave."""
    return [
        item
        for item in group.items
        if item.type != "BLOB" and f"{edition.id}.{group.id}.{item.romaji}" not in hidden
    ]


@dataclass(frozen=True)
class Draft:
    """A query that a person looks at.

    Attributes:
        saved: as it is kept.
        mine: whether she may change it.
        edition: in force, of its business.
        group: the main one.
        hidden: items that may not leave, as edition.group.romaji.
    """

    saved: extract.Saved
    mine: bool
    edition: Edition
    group: Group
    hidden: frozenset[str]

    @property
    def body(self) -> Body:
        """Its content, to be changed and kept."""
        return dict(self.saved.body)

    @property
    def joined(self) -> list[Group]:
        """The main group and those joined to it."""
        names = [each["group"] for each in self.body.get("join", ()) if isinstance(each, Mapping)]
        return [self.group, *(group for group in self.edition.groups if group.id in names)]

    def open(self, group: Group) -> list[Item]:
        """The items of a group that may leave."""
        return open_items(self.edition, group, self.hidden)

    def kept_back(self) -> int:
        """How many items of the groups may not leave."""
        return sum(len(group.items) - len(self.open(group)) for group in self.joined)

    def name(self, group: Group, item: Item) -> str:
        """An item as the query names it."""
        return item.romaji if group.id == self.group.id else f"{group.id}.{item.romaji}"

    def named(self) -> dict[str, tuple[Group, Item]]:
        """Every item that may leave, as the query names it."""
        return {self.name(group, item): (group, item) for group in self.joined for item in self.open(group)}

    def title(self, name: str) -> str:
        """The title of an item, with its group where several are joined; the name itself where it is unknown."""
        found = self.named().get(name)
        if found is None:
            return name
        return found[1].name if found[0].id == self.group.id else f"{found[0].name}：{found[1].name}"

    def neighbours(self) -> list[tuple[Group, str]]:
        """The groups that a reference leads to from the main one, or from which one leads here, with its item."""
        found: dict[str, tuple[Group, str]] = {}
        for group in self.edition.groups:
            if group.id == self.group.id or not self.open(group):
                continue
            for one, other in ((self.group, group), (group, self.group)):
                for by, to in one.references.items():
                    target = target_item(self.edition.groups, other.id, by)
                    if (
                        to == other.id
                        and target is not None
                        and self._open(one, by)
                        and self._open(other, target.romaji)
                    ):
                        found.setdefault(group.id, (group, by))
        return list(found.values())

    def _open(self, group: Group, romaji: str) -> bool:
        return f"{self.edition.id}.{group.id}.{romaji}" not in self.hidden

    @property
    def columns(self) -> list[Any]:
        """The items chosen: columns of rows, or what totals are split by."""
        totals = self.body.get("totals")
        return list(totals.get("by", ()) if isinstance(totals, Mapping) else self.body.get("items", ()))


def draft(request: Desk, query: str, *, change: bool = False) -> Draft:
    """The query of an address, as far as it is this person's to see.

    Args:
        request: of the person at work.
        query: its handle.
        change: whether it is to be changed; others' shared queries are only copied.

    Raises:
        Http404: where there is none.
        Problem: `not-allowed` where the business is closed to her.
    """
    number = request.acting.staff.number
    try:
        saved = extracts(request).shelf.saved(query, number)
        edition = request.city.store.edition(saved.business)
        group = edition.group(str(saved.body.get("main", "")))
    except Problem as problem:
        raise missing(problem) from None
    request.grant.need("extract", edition.id)
    if change and saved.owner != number:
        raise Http404
    return Draft(saved, saved.owner == number, edition, group, request.grant.hidden("extract", edition.id))


def keep(request: Desk, kept: Draft, body: Body) -> None:
    """Keep a changed query; what is empty is left out."""
    found = {name: value for name, value in body.items() if value not in ("", [], {}, None)}
    extracts(request).shelf.change(kept.saved.query, kept.saved.owner, found, request.city.now())


def with_columns(body: Body, columns: list[Any]) -> Body:
    """The query with other items chosen."""
    totals = body.get("totals")
    if isinstance(totals, Mapping):
        return {**body, "totals": {**totals, "by": columns}, "items": []}
    return {**body, "items": columns}
