"""Whom the rows of a register name: the items that hold the number of a person or a household, as the standard says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kiban.standard import Edition, Group


@dataclass(frozen=True)
class Naming:
    """What protection has to know of a register.

    Attributes:
        people: columns that hold the number of a person (宛名番号).
        households: columns that hold the number of a household (世帯番号).
        ground: whether its rows say who is protected: one that names nobody protects somebody unknown.
        closed: whether its rows speak of somebody's protection while they name another, such as the perpetrator: closed to
            whoever does not see protected rows.
    """

    people: tuple[str, ...] = ()
    households: tuple[str, ...] = ()
    ground: bool = False
    closed: bool = False

    @property
    def hidden(self) -> str | None:
        """The SQL condition for rows that only whoever sees protected rows may see; None where there are none."""
        if self.closed:
            return "true"
        if not (self.people or self.households):
            return None
        columns = [f'"{name}"' for name in (*self.people, *self.households)]
        kept = " OR ".join(map(_in_sieve, columns))
        hides = f"(({kept}) AND kiban.hides({_array(self.people)}, {_array(self.households)}))"
        return f"num_nulls({', '.join(columns)}) = {len(columns)} OR {hides}" if self.ground else hides


def protecting(editions: Iterable[Edition]) -> Edition | None:
    """The edition that says who is protected; None where none does."""
    return next((edition for edition in editions if edition.protection), None)


def naming(edition: Edition, group: Group, columns: Mapping[str, str], by: Edition | None) -> Naming:
    """Whom the rows of a group name.

    An official name ends in the name of the item that it means: 申出者_宛名番号 is `moshidesha_atenabango`. So a person is
    named by an item whose romaji ends in that of the person, in any business, and by one that refers to her group. Another
    business may still write the romaji of the edition before.

    Args:
        edition: the edition of the group.
        group: the group.
        columns: the columns of its table, retired ones too, with their SQL types.
        by: the edition that says who is protected; None where none does.
    """
    if by is None or by.protection is None:
        return Naming()
    said, own = by.protection, edition.id == by.id
    homes = by.group(said.group).references.get(said.household)
    grounds = {name for ground in said.grounds for name in (ground.group, ground.target)} - {said.group, None}
    people, households = [
        tuple(
            name
            for name, kind in columns.items()
            if kind == "text"
            and (
                name.endswith((item, *(former for former, now in by.renames.items() if now == item)))
                or (own and target is not None and group.references.get(name) == target)
                or (own and name in _told(by, group.id, item == said.household))
            )
        )
        for item, target in ((said.person, said.group), (said.household, homes))
    ]
    ground = own and group.id in grounds
    refers = own and bool(grounds & set(group.references.values()))
    return Naming(people, households, ground, refers and not ground)


def _told(by: Edition, group: str, household: bool) -> Iterator[str]:
    """The items by which the grounds of a group name somebody."""
    assert by.protection is not None
    for ground in by.protection.grounds:
        name = ground.household if household else ground.person
        if ground.group == group and name:
            yield name


def _in_sieve(column: str) -> str:
    """Whether a number may be of somebody protected: where it is not, no look into the list is needed. See protection.sql.

    The second bit is asked, and its sieve fetched, only where the first is set.
    """
    bits = (
        f"get_bit((SELECT kiban.sieve()), hashtextextended({column}, {n}::bigint) & 131071::bigint) = 1"
        for n in (0, 1)
    )
    return f"({' AND '.join(bits)}) IS TRUE"


def _array(columns: Iterable[str]) -> str:
    named = ", ".join(f'"{name}"' for name in columns)
    return f"ARRAY[{named}]" if named else "NULL::text[]"
