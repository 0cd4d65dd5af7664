"""A policy set: who may do what, decided by Cedar from files that an auditor can read."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from kiban.access.people import Acting
from kiban.access.policy import cedar, explaining, reading, tables
from kiban.access.policy.cedar import Engine, Policy
from kiban.access.policy.deciding import Contents, Decider
from kiban.access.policy.explaining import Explanation
from kiban.access.policy.grant import Grant
from kiban.access.policy.parts import Action, Decisions, Duty, ItemClass
from kiban.access.policy.tables import Cell, Moved
from kiban.kernel import Problem, Problems
from kiban.standard import Findings, Library, suggest

REFERENCE = Path(__file__).parents[1] / "policies"
"""The policy set that comes with Kiban: its own reference, no official one."""

_MOST = 4096
"""Grants that are kept; each is a few kilobytes."""


@dataclass(frozen=True)
class _InForce:
    """One set with what it decided: exchanged as a whole, so that no answer mixes two sets."""

    decider: Decider
    digest: str
    kept: dict[object, Decisions] = field(default_factory=dict)


class Policies:
    """One policy set. Safe to share between threads. Made by `load_policies`."""

    def __init__(self, decider: Decider, digest: str) -> None:
        self._now = _InForce(decider, digest)
        self._turn = threading.Lock()

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides, in hex: the files, and the items of each class."""
        return self._now.digest

    def take(self, other: Policies) -> None:
        """Decide by another set from now on, at once and wholly; grants that were given before stay as they are."""
        self._now = _InForce(other._decider, other.digest)

    @property
    def _decider(self) -> Decider:
        return self._now.decider

    @property
    def duties(self) -> Mapping[str, Duty]:
        """By ID, in the order of the files."""
        return self._decider.contents.duties

    @property
    def actions(self) -> Mapping[str, Action]:
        """By ID, in the order of the files."""
        return self._decider.contents.actions

    @property
    def classes(self) -> Mapping[str, ItemClass]:
        """Classes of items by ID, in the order of the files."""
        return self._decider.contents.classes

    @property
    def policies(self) -> Mapping[str, Policy]:
        """By ID, in the order of the files."""
        return self._decider.contents.policies

    @property
    def businesses(self) -> Mapping[str, str]:
        """ID of each edition that policies decide on -> its Japanese title."""
        return self._decider.contents.businesses

    def duty(self, duty: str) -> Duty:
        """A duty.

        Raises:
            Problem: `duty-unknown`.
        """
        if duty not in self.duties:
            raise Problem(
                "duty-unknown",
                f"the policy set has no duty {duty}",
                fix=suggest(duty, self.duties, "see its files"),
            )
        return self.duties[duty]

    def grant(self, acting: Acting) -> Grant:
        """All that somebody at work may do; nothing where the assignment is not in force, or the duty not for this work.

        Who stands in for somebody may do what both may: never more than the person stood in for.
        """
        now = self._now
        return Grant(acting, self._decided(now, acting), now.decider.contents.items)

    def _decided(self, now: _InForce, acting: Acting) -> Decisions:
        if not now.decider.holds(acting):
            return frozenset()
        office, given = acting.office, acting.assignment
        mine = (acting.staff.number, given.substitutes, given.duty, acting.purpose, acting.on)
        place = (*mine, office.id, office.kind, office.ward)
        with self._turn:
            found = now.kept.get(place)
        if found is None:
            found = now.decider.decide(acting)
            with self._turn:
                if len(now.kept) >= _MOST:
                    now.kept.clear()
                now.kept[place] = found
        return found

    def explain(
        self, acting: Acting, action: str, business: str = "", item_class: str = "", ward: str = ""
    ) -> Explanation:
        """Why something is allowed or not.

        Args:
            acting: somebody at work, whether or not the assignment holds.
            action: ID of an action.
            business: ID of an edition; see `Grant.allows`.
            item_class: ID of a class of items.
            ward: code of the ward whose rows are meant; one that is not the own needs `other-wards` too.

        Returns:
            The answer of the grant, with the policies that decided and what would have to be otherwise. What there is not is not
            allowed, and is told.
        """
        return explaining.explain(self._decider, acting, action, business, item_class, ward)

    def table(self, on: date) -> list[Cell]:
        """Every duty in every respect on a day; see `tables.table`."""
        return tables.table(self._decider, on)

    def changes(self, before: Policies, on: date) -> list[Moved]:
        """What this set allows anew or no more, compared with another, on a day."""
        return tables.difference(before._decider, self._decider, on)


def load_policies(folders: Iterable[Path], library: Library) -> Policies:
    """A policy set from folders with *.cedar, duties.yaml, actions.yaml and item_classes.yaml; one folder may add to another.

    Args:
        folders: at least one that exists; `REFERENCE` is Kiban's own.
        library: the editions in force; every name in the files is looked up in all of them.

    Raises:
        Problems: everything that is wrong: `policies-missing`, `duties-missing`, `actions-missing`, what is wrong with a YAML file,
            `duty-purposeless`, `office-kind`, `action-over`, `action-second`, `class-empty`, `class-unmatched`, `business-unknown`,
            `id-twice`, `cedar-broken`, `policy-unnamed`, `policy-unreasoned`, `policy-template`, `policy-invalid`.
    """
    given = list(folders)
    findings = Findings()
    for folder in given:
        if not folder.is_dir():
            fix = "give a folder with a policy set"
            findings.fault("policies-missing", "there is no such folder", str(folder), fix)
    duties = reading.duties(given, findings)
    actions = reading.actions(given, findings)
    classes = reading.item_classes(given, library, findings)
    policies = cedar.read_policies(given, findings)
    for name, found in (("duties", duties), ("actions", actions), ("policies", policies)):
        if not found:
            findings.fault(f"{name}-missing", f"the policy set has no {name}", None, f"see {REFERENCE}")
    businesses = {each.id: each.title for each in library.editions}
    items = _by_business(classes)
    pairs = [(business, "") for business in businesses]
    pairs += [(business, kind) for business, kinds in items.items() for kind in kinds]
    if duties and actions:
        cedar.check(policies, cedar.schema(duties, actions, classes, pairs), pairs, findings)
    if findings.faults:
        raise Problems(findings.faults)
    named = {each.id: each for each in policies}
    digest = _digest(duties, actions, items, {name: each.text for name, each in named.items()}, businesses)
    contents = Contents(duties, actions, classes, named, businesses, items)
    return Policies(Decider(contents, Engine(policies, pairs)), digest)


def _by_business(classes: Mapping[str, ItemClass]) -> dict[str, dict[str, frozenset[str]]]:
    made: dict[str, dict[str, frozenset[str]]] = {}
    for each in classes.values():
        for business, items in each.items.items():
            made.setdefault(business, {})[each.id] = items
    return made


def _digest(*parts: Mapping[str, object]) -> str:
    def written(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else asdict(value)  # type: ignore[call-overload]

    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=written)
    return hashlib.sha256(text.encode()).hexdigest()
