"""What changed between two editions of one business, and whom it breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiban.kernel import Problem
from kiban.standard.change import Change
from kiban.standard.changes import compare_groups, compare_pair, items_added, items_removed
from kiban.standard.model import Edition, Group, Item

Placed = tuple[Group, Item]


@dataclass(frozen=True)
class Diff:
    """The difference of two editions.

    Attributes:
        business: 業務ID, or the id of the business where none is known.
        old: ID of the earlier edition.
        new: ID of the later edition.
        changes: in the order of the new list, removed items last.
        renames: romaji before -> romaji now, as declared by an edition.
        recodes: code list ID -> value before -> value now, as declared by an edition.
    """

    business: str
    old: str
    new: str
    changes: tuple[Change, ...]
    renames: Mapping[str, str]
    recodes: Mapping[str, Mapping[str, str]]

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that break somebody."""
        return tuple(change for change in self.changes if change.breaking)


def diff(old: Edition, new: Edition) -> Diff:
    """Compare two editions of one business.

    Items are paired by ID and name together, by the renames that an edition declares, by romaji within their
    group, by ID alone, and at last by romaji anywhere. So an item that was only renumbered is not taken for
    the one whose number it received.

    Args:
        old: the edition to start from.
        new: the edition to arrive at; `renames` and `recodes` count where one replaces the other.

    Raises:
        Problem: `diff-other-business` where the two are not of one business.
    """
    if old.called != new.called:
        raise Problem(
            "diff-other-business",
            f"edition {old.edition} is of business {old.called} and {new.edition} of {new.called}",
            fix="compare two editions of one business",
        )
    renames, recodes = _moves(old, new)
    groups = _pair_groups(old, new)
    pairs = _pair_items(old, new, groups, renames)
    changes = compare_groups(old, new, groups)
    paired_old = {_key(place) for place in pairs.values()}
    for group in new.groups:
        for item in group.items:
            before = pairs.get((group.id, item.romaji))
            if before is None:
                changes += items_added(group, item)
            else:
                same_group = groups.get(before[0].id) == group.id
                changes += compare_pair(old, new, before, (group, item), recodes, same_group=same_group)
    for group in old.groups:
        changes += [
            change
            for item in group.items
            if (group.id, item.romaji) not in paired_old
            for change in items_removed(group, item)
        ]
    return Diff(new.called, old.edition, new.edition, tuple(changes), renames, recodes)


def _moves(old: Edition, new: Edition) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Renames and recodes from old to new; declared the other way round they are turned."""
    if new.replaces == old.edition:
        return dict(new.renames), {key: dict(values) for key, values in new.recodes.items()}
    if old.replaces == new.edition:
        turned = {key: {b: a for a, b in values.items()} for key, values in old.recodes.items()}
        return {b: a for a, b in old.renames.items()}, turned
    return {}, {}


def _pair_groups(old: Edition, new: Edition) -> dict[str, str]:
    """ID before -> ID now, by ID, then by Japanese name."""
    pairs = {g.id: g.id for g in old.groups if any(n.id == g.id for n in new.groups)}
    for group in old.groups:
        other = next((n.id for n in new.groups if n.name == group.name and n.id not in pairs.values()), None)
        if group.id not in pairs and other is not None:
            pairs[group.id] = other
    return pairs


def _key(place: Placed) -> tuple[str, str]:
    return place[0].id, place[1].romaji


def _pair_items(
    old: Edition, new: Edition, groups: Mapping[str, str], renames: Mapping[str, str]
) -> dict[tuple[str, str], Placed]:
    """(group ID, romaji) now -> group and item before."""
    before: list[Placed] = [(g, i) for g in old.groups for i in g.items]
    after: list[Placed] = [(g, i) for g in new.groups for i in g.items]
    pairs: dict[tuple[str, str], Placed] = {}
    taken: set[tuple[str, str]] = set()

    def alike(a: Placed, b: Placed, rule: int) -> bool:
        same_group = groups.get(a[0].id) == b[0].id
        return (
            (
                same_group
                and a[1].id == b[1].id
                and (a[1].romaji == b[1].romaji or a[1].name == b[1].name)
                and renames.get(a[1].romaji, b[1].romaji) == b[1].romaji
            ),
            same_group and renames.get(a[1].romaji) == b[1].romaji,
            same_group and a[1].romaji == b[1].romaji and a[1].romaji not in renames,
            a[1].id == b[1].id and renames.get(a[1].romaji, b[1].romaji) in (b[1].romaji, a[1].romaji),
            a[1].romaji == b[1].romaji and _once(before, a) and _once(after, b),
        )[rule]

    for rule in range(5):
        for b in after:
            if _key(b) in pairs:
                continue
            found = next((a for a in before if _key(a) not in taken and alike(a, b, rule)), None)
            if found is not None:
                pairs[_key(b)] = found
                taken.add(_key(found))
    return pairs


def _once(places: list[Placed], place: Placed) -> bool:
    return sum(item.romaji == place[1].romaji for _, item in places) == 1
