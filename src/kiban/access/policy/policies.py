"""A policy set: who may do what, decided by Cedar from files that an auditor can read."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kiban.access.people import Acting
from kiban.access.policy import cedar, reading
from kiban.access.policy.cedar import Engine, Policy
from kiban.access.policy.grant import Grant
from kiban.access.policy.parts import Action, Decisions, Duty, ItemClass
from kiban.kernel import Problems
from kiban.standard import Findings, Library

REFERENCE = Path(__file__).parents[1] / "policies"
"""The policy set that comes with Kiban: its own reference, no official one."""

_MOST = 4096
"""Grants that are kept; each is a few kilobytes."""


@dataclass(frozen=True)
class Policies:
    """One policy set. Safe to share between threads. Made by `load_policies`.

    Attributes:
        duties: by ID, in the order of the files.
        actions: likewise.
        classes: classes of items, likewise.
        policies: by ID, likewise.
        businesses: ID of each edition that policies decide on -> its Japanese title.
        digest: SHA-256 of everything that decides, in hex: the files, and the items of each class.
    """

    duties: Mapping[str, Duty]
    actions: Mapping[str, Action]
    classes: Mapping[str, ItemClass]
    policies: Mapping[str, Policy]
    businesses: Mapping[str, str]
    digest: str
    _items: Mapping[str, Mapping[str, frozenset[str]]] = field(repr=False, compare=False)
    _engine: Engine = field(repr=False, compare=False)
    _kept: dict[object, Decisions] = field(default_factory=dict, repr=False, compare=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def grant(self, acting: Acting) -> Grant:
        """All that somebody at work may do; nothing where the assignment is not in force, or the duty not for this work.

        Who stands in for somebody may do what both may: never more than the person stood in for.
        """
        if not self._held(acting):
            return Grant(acting, frozenset(), self._items)
        office, given = acting.office, acting.assignment
        mine = (acting.staff.number, given.substitutes, given.duty, acting.purpose, acting.on)
        place = (*mine, office.id, office.kind, office.ward)
        with self._turn:
            found = self._kept.get(place)
        if found is None:
            found = self._decide(acting)
            with self._turn:
                if len(self._kept) >= _MOST:
                    self._kept.clear()
                self._kept[place] = found
        return Grant(acting, found, self._items)

    def _held(self, acting: Acting) -> bool:
        duty = self.duties.get(acting.assignment.duty)
        fits = duty is not None and acting.purpose in duty.purposes and acting.office.kind in duty.offices
        return fits and acting.in_force

    def _decide(self, acting: Acting) -> Decisions:
        substituted = acting.assignment.substitutes
        found = self._answers(acting, acting.staff.number, substituted is not None)
        if substituted is not None:
            found &= self._answers(acting, substituted, False)
        anywhere = {(action, "", "") for action, business, _ in found if business}
        return found | anywhere

    def _answers(self, acting: Acting, number: str, substitute: bool) -> Decisions:
        """First each business, then its classes: a class is open only where its business is."""
        asked: list[tuple[str, str, str]] = [
            (action.id, business, "")
            for action in self.actions.values()
            for business in (self.businesses if action.over == "business" else ("",))
        ]
        allowed = self._allowed(acting, number, substitute, asked)
        deeper = [
            (action, business, kind)
            for action, business, _ in allowed
            for kind in self._items.get(business, {})
        ]
        return frozenset([*allowed, *self._allowed(acting, number, substitute, deeper)])

    def _allowed(
        self, acting: Acting, number: str, substitute: bool, asked: Sequence[tuple[str, str, str]]
    ) -> list[tuple[str, str, str]]:
        answers = self._engine.ask(acting, number, substitute, asked)
        return [each for each, (allowed, _) in zip(asked, answers, strict=True) if allowed]


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
            findings.fault(
                "policies-missing", "there is no such folder", str(folder), "give a folder with a policy set"
            )
    duties = reading.duties(given, findings)
    actions = reading.actions(given, findings)
    classes = reading.item_classes(given, library, findings)
    policies = cedar.read_policies(given, findings)
    for name, found in (("duties", duties), ("actions", actions), ("policies", policies)):
        if not found:
            findings.fault(f"{name}-missing", f"the policy set has no {name}", None, f"see {REFERENCE}")
    businesses = {each.id: each.title for each in library.editions}
    pairs = [(business, "") for business in businesses]
    items = _by_business(classes)
    pairs += [(business, kind) for business, kinds in items.items() for kind in kinds]
    if duties and actions:
        cedar.check(policies, cedar.schema(duties, actions, classes, pairs), pairs, findings)
    if findings.faults:
        raise Problems(findings.faults)
    named = {each.id: each for each in policies}
    digest = _digest(duties, actions, items, {name: each.text for name, each in named.items()}, businesses)
    return Policies(duties, actions, classes, named, businesses, digest, items, Engine(policies, pairs))


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
