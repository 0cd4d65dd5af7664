"""Which registers tell something of a person, and by which of their items; derived from the editions in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from kiban.kernel import ALL_BUSINESSES, Actor, Problem
from kiban.standard import Edition, Group, Search
from kiban.store import Store


@dataclass(frozen=True)
class Head:
    """What lists of persons show beyond what the search section of a group says.

    Attributes:
        state: the item that says whether somebody lives here; None where the group has none.
        living: its codes of those who do.
        relation: items of the relationship (続柄) in the household, in their order.
        order: the item by which members of a household are sorted; None where the group has none.
        papers: items of the notification (届出、通知) that stands behind an event, in their order.
    """

    state: str | None = None
    living: frozenset[str] = frozenset()
    relation: tuple[str, ...] = ()
    order: str | None = None
    papers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roll:
    """A register in which persons are searched.

    Attributes:
        edition: in force.
        group: has a search section.
        head: see `Head`.
    """

    edition: Edition
    group: Group
    head: Head

    @property
    def register(self) -> str:
        """schema.table."""
        return f"{self.edition.id}.{self.group.id}"

    @property
    def section(self) -> Search:
        """By which items it is searched."""
        assert self.group.search is not None
        return self.group.search

    @property
    def household(self) -> str | None:
        """The item that names the household, where the edition says which."""
        said = self.edition.protection
        return said.household if said and said.group == self.group.id else None


@dataclass(frozen=True)
class Place:
    """A register that tells something of a person.

    Attributes:
        edition: in force.
        group: the group of its items.
        item: the item that names the person, or the household.
        of_household: whether it names the household.
    """

    edition: Edition
    group: Group
    item: str
    of_household: bool = False

    @property
    def register(self) -> str:
        """schema.table."""
        return f"{self.edition.id}.{self.group.id}"


def rolls(store: Store, businesses: Iterable[str]) -> list[Roll]:
    """The registers of some businesses in which persons are searched, residents first.

    Raises:
        Problem: `head-unknown` where `heads.yaml` names an item that the edition in force lacks.
    """
    allowed = frozenset(businesses)
    found = [
        Roll(edition, group, head(edition, group))
        for edition in in_force(store).values()
        if _may(edition, allowed)
        for group in edition.groups
        if group.search
    ]
    return sorted(found, key=lambda roll: roll.edition.protection is None)


def head(edition: Edition, group: Group) -> Head:
    """What `heads.yaml` says of a group; nothing where it does not name it.

    Raises:
        Problem: `head-unknown`.
    """
    said = _heads().get(f"{edition.id}.{group.id}", {})
    living, relation = frozenset(said.get("living", ())), tuple(said.get("relation", ()))
    made = Head(said.get("state"), living, relation, said.get("order"), tuple(said.get("papers", ())))
    for name in (made.state, made.order, *made.relation, *made.papers):
        if name is not None and name not in group:
            what = f"edition {edition.edition} of {edition.id} has no item {name} in {group.id}"
            raise Problem(
                "head-unknown", what, "web/counter/heads.yaml", "name the item as this edition does"
            )
    return made


def places(store: Store, actor: Actor, roll: Roll) -> list[Place]:
    """The registers that an actor may read and that tell something of a person of a roll, in the order of the editions.

    A register belongs to the person where it has the item of that very name, or refers to the roll by another one.
    """
    found = [
        place
        for edition in sorted(in_force(store).values(), key=lambda each: each != roll.edition)
        if _may(edition, actor.businesses)
        for group in edition.groups
        if (place := _place(edition, group, roll)) and (actor.protected or not _betrays(edition, group))
    ]
    return sorted(found, key=lambda place: place.register != roll.register)


def _place(edition: Edition, group: Group, roll: Roll) -> Place | None:
    person, household = roll.section.subject, roll.household
    if person in group:
        return Place(edition, group, person)
    if edition != roll.edition:
        return None
    for name, target in group.references.items():
        if target == roll.group.id and group.scope == "ward" and household not in group:
            return Place(edition, group, name)
    if household and household in {item.romaji for item in group.subject}:
        return Place(edition, group, household, of_household=True)
    return None


def _betrays(edition: Edition, group: Group) -> bool:
    """Whether rows tell of the protection of somebody else than whom they name, as those of perpetrators (加害者) do."""
    said = edition.protection
    if said is None or group.id in said.groups:
        return False
    grounds = {ground.group for ground in said.grounds} | {each.target for each in said.grounds}
    return bool(set(group.references.values()) & (grounds - {said.group}))


def in_force(store: Store) -> Mapping[str, Edition]:
    """The editions in force by the schemas of their businesses."""
    schemas = dict.fromkeys(name.partition(".")[0] for name in store.tables())
    return {schema: store.edition(schema) for schema in schemas}


def _may(edition: Edition, businesses: frozenset[str]) -> bool:
    return businesses == ALL_BUSINESSES or edition.id in businesses


@cache
def _heads() -> dict[str, Any]:
    text = resources.files("kiban.web.counter").joinpath("heads.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read
