"""What somebody at work may do: decided once, then looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kiban.access.people import Acting
from kiban.access.policy.parts import Decisions
from kiban.kernel import ALL_WARDS, Actor, Problem


@dataclass(frozen=True)
class Grant:
    """The answer of the policy set to everything that somebody at work could ask. Made by `Policies.grant`.

    Attributes:
        acting: who, under which duty, where, for which work and on which day.
        decisions: all that is allowed; nothing else is.
        classes: business -> class of items -> its items, as edition.group.romaji.
    """

    acting: Acting
    decisions: Decisions
    classes: Mapping[str, Mapping[str, frozenset[str]]] = field(repr=False, compare=False)

    def allows(self, action: str, business: str = "", item_class: str = "") -> bool:
        """Whether an action is allowed.

        Args:
            action: ID of an action; one that the policy set does not know is not allowed.
            business: ID of an edition, such as `resident`. Without one: in any business at all; for an action that
                concerns no business, the action itself.
            item_class: ID of a class of items in the business; without one the items of no class.
        """
        return (action, business, item_class) in self.decisions

    def need(self, action: str, business: str = "", item_class: str = "") -> None:
        """Refuse what is not allowed.

        Raises:
            Problem: `not-allowed`.
        """
        if not self.allows(action, business, item_class):
            over = "".join(f", {part}" for part in (business, item_class) if part)
            raise Problem(
                "not-allowed",
                f"the duty {self.acting.assignment.duty} does not allow this: {action}{over}",
                fix="kiban access explain says why",
            )

    def businesses(self, action: str) -> frozenset[str]:
        """IDs of the editions in whose registers an action is allowed."""
        return frozenset(
            business for done, business, kind in self.decisions if done == action and business and not kind
        )

    def hidden(self, action: str, business: str) -> frozenset[str]:
        """The items of a business that are kept back in an action, as edition.group.romaji."""
        kept = (
            items
            for kind, items in self.classes.get(business, {}).items()
            if not self.allows(action, business, kind)
        )
        return frozenset().union(*kept)

    def actor(self, action: str = "read", business: str = "") -> Actor:
        """Who the database is told is acting.

        Args:
            action: what is to be done; it says which businesses and items are open.
            business: the only one that is needed; without one all in which the action is allowed.

        Returns:
            The actor of the staff number and the purpose. Other wards are open where `other-wards` is allowed in every
            business of the actor, protected persons where `read-protected` is.

        Raises:
            Problem: `not-allowed`.
        """
        self.need(action, business)
        allowed = frozenset({business}) if business else self.businesses(action)
        ward = self.acting.office.ward
        own = frozenset() if ward is None else frozenset({ward})
        return Actor(
            self.acting.staff.number,
            ward,
            ALL_WARDS if self._in_all("other-wards", allowed) else own,
            self.acting.purpose,
            allowed,
            frozenset().union(*(self.hidden(action, each) for each in allowed)),
            self._in_all("read-protected", allowed),
        )

    def _in_all(self, action: str, businesses: frozenset[str]) -> bool:
        return bool(businesses) and all(self.allows(action, each) for each in businesses)
