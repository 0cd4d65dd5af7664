"""Who asks, for which wards, and why."""

from __future__ import annotations

from dataclasses import dataclass

from kiban.kernel.problem import Problem

ALL_WARDS = frozenset({"*"})
"""The wards of an actor who serves the whole city."""

ALL_BUSINESSES = frozenset({"*"})
"""The businesses of an actor to whom no register is closed."""


@dataclass(frozen=True, order=True)
class Ward:
    """An administrative ward (行政区) of a designated city.

    Attributes:
        code: six digits, the code of the ward in 全国地方公共団体コード, check digit included.
        name: the Japanese name, such as 東灘区.
    """

    code: str
    name: str


@dataclass(frozen=True)
class Actor:
    """A person or a system that reads or changes a register.

    Attributes:
        id: the staff number or the system's ID, at most 64 characters; it stands in every log.
        ward: the code of the ward whose office the actor works in; None for the city hall.
        wards: the codes of all wards whose rows the actor may see; `ALL_WARDS` for the whole city.
        purpose: why, in the words of the duty (事務); it stands in every log.
        businesses: IDs of the editions whose registers the actor may read, such as `resident`; `ALL_BUSINESSES` for all.
        hidden: items that are kept from the actor, as edition.group.romaji.
        protected: whether rows of persons under support measures (支援措置) and the like are open to the actor.

    Raises:
        Problem: `actor-unnamed` without an ID, `actor-purposeless` without a purpose,
            `actor-ward-outside` where the own ward is not among the wards.
    """

    id: str
    ward: str | None
    wards: frozenset[str]
    purpose: str
    businesses: frozenset[str] = ALL_BUSINESSES
    hidden: frozenset[str] = frozenset()
    protected: bool = False

    def __post_init__(self) -> None:
        if not self.id or len(self.id) > 64:
            raise Problem("actor-unnamed", "the actor has no ID of 1 to 64 characters", fix="sign in first")
        if not self.purpose:
            raise Problem(
                "actor-purposeless", "the actor states no purpose", fix="name the duty (事務) served"
            )
        if self.ward is not None and self.wards != ALL_WARDS and self.ward not in self.wards:
            raise Problem(
                "actor-ward-outside",
                f"ward {self.ward} is not among the wards of the actor",
                fix="give the actor a duty in the ward, or another home ward",
            )

    def may_see(self, ward: str) -> bool:
        """Whether rows of this ward are within the actor's duty."""
        return self.wards == ALL_WARDS or ward in self.wards
