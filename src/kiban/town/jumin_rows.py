"""What holds in each row of 住民: the name, the head, the address and the office of its day."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from kiban.town import lives
from kiban.town.arrays import Ints
from kiban.town.columns import Column, pick
from kiban.town.days import NEVER
from kiban.town.lives import JAPANESE
from kiban.town.people import MAN, Role
from kiban.town.timeline import Closing, Event
from kiban.town.unit import Unit

EVENT_WORDS = {
    Event.MOVE_IN: ("move_in", "notified"),
    Event.FROM_ABROAD: ("from_abroad", "notified"),
    Event.BIRTH: ("birth", "family_register"),
    Event.RENEWAL: ("renewal", "none"),
    Event.EX_OFFICIO: ("ex_officio", "none"),
    Event.WARD_MOVE: ("ward_move", "notified"),
    Event.MOVE: ("move", "notified"),
    Event.NEW_HEAD: ("new_head", "notified"),
    Event.NAME_CHANGE: ("name_change", "family_register"),
    Event.FORMER_SURNAME: ("former_surname", "asked"),
    Event.ALIAS: ("alias", "asked"),
    Event.MINOR: ("minor", "none"),
}
CLOSING_WORDS = {
    Closing.WARD_MOVE: ("ward_move", "other_ward"),
    Closing.DEATH: ("death", "died"),
    Closing.MOVED_OUT: ("move_out", "moved_out"),
    Closing.MOVED_ABROAD: ("move_abroad", "moved_out"),
}
RELATIONS = (
    "head", "husband", "wife", "husband_unnotified", "wife_unnotified", "child", "father", "mother",
    "elder_brother", "elder_sister", "younger_brother", "younger_sister", "kin", "cohabitant",
)  # fmt: skip
TIMES = [
    f"{hour:02d}:{minute:02d}:{second:02d}"
    for hour in range(9, 17)
    for minute, second in ((5, 12), (24, 40), (51, 3))
]


def words_by(unit: Unit, place: str, names: dict[int, str]) -> list[str | None]:
    """Code values by the number of an event or closing; null where none is named."""
    return [unit.book.words(place, names[i]) if i in names else None for i in range(1 + max(names))]


class JuminRows:
    """The rows of 住民 of a unit, with what several columns need of each row.

    Attributes:
        unit: the work unit.
        rows: its rows.
        persons: its people.
        book: the town's.
        person: index of the person of each row.
        size: number of rows.
        nation: nationality.
        japanese: whether Japanese.
        unmarried: whether the day lies before the marriage that changed the surname.
        surname: surname of the day.
        given: given name.
        erased: whether the row ended as 除票.
        filed: day of notification and processing.
    """

    def __init__(self, unit: Unit) -> None:
        self.unit, self.rows, self.persons, self.book = unit, unit.rows, unit.persons, unit.book
        self.person = unit.rows.person
        self.size = len(self.person)
        self.nation = self.persons.nation[self.person]
        self.japanese = self.nation == JAPANESE
        before = self.rows.day < unit.changes.married[self.person]
        self.unmarried = before & (unit.changes.married[self.person] < NEVER)
        self.surname = np.where(
            self.unmarried, unit.changes.maiden[self.person], self.persons.surname[self.person]
        )
        self.given = self.persons.given[self.person]
        self.erased = np.isin(self.rows.closing, [int(closing) for closing in CLOSING_WORDS])
        self.filed = np.minimum(self.rows.day + unit.spread(14, 3), self.book.today)

    @cached_property
    def town(self) -> Ints:
        """Index of the town of each row."""
        found: Ints = self.unit.homes.addresses.town[self.rows.address]
        return found

    @cached_property
    def ward(self) -> Column:
        """Ward code of each row."""
        return pick(self.book.table.code, self.town)

    @cached_property
    def setai(self) -> Column:
        """世帯番号 of each row."""
        return pick(self.unit.setai, self.unit.setai_offset[self.rows.household] + self.rows.stay)

    @cached_property
    def head_now(self) -> Ints:
        """Index of the person who was the head on the day of the row."""
        household = self.rows.household
        former = self.unit.household.former_head[household]
        earlier = (former >= 0) & (self.rows.day < self.unit.household.head_change[household])
        return np.where(earlier, former, self.unit.heads[household])

    @cached_property
    def draws_of_family(self) -> Ints:
        """A large random number for each row, the same for people of a household who came on the same day."""
        start = self.persons.start[self.person]
        drawn: Ints = (self.rows.household * 1_000_003 + start * 8_191 + self.unit.plan.index * 131) % 999_983
        return drawn

    def order(self) -> Ints:
        """世帯員順序: the head is the first; while a former head lived, the present one was the second."""
        order = lives.order_in_household(self.persons)[self.person]
        head = self.unit.heads[self.rows.household]
        swapped = self.head_now != head
        order = np.where(swapped & (self.person == head), 2, order)
        return np.where(self.person == self.head_now, 1, order)

    def relations(self) -> tuple[Ints, Ints]:
        """Index of the first and the second relationship word; the second is -1 where there is none."""
        place = {name: index for index, name in enumerate(RELATIONS)}
        man = self.persons.sex[self.person] == MAN
        role = self.persons.role[self.person].copy()
        role[self.person == self.unit.heads[self.rows.household]] = Role.SPOUSE
        role[self.person == self.head_now] = Role.HEAD
        role[self.unmarried] = Role.COHABITANT
        elder = self.persons.birth[self.person] < self.persons.birth[self.head_now]

        def by_sex(male: str, female: str) -> Ints:
            return np.where(man, place[male], place[female])

        brother = np.where(
            elder, by_sex("elder_brother", "elder_sister"), by_sex("younger_brother", "younger_sister")
        )
        words = [
            (Role.HEAD, np.full(self.size, place["head"])),
            (Role.SPOUSE, by_sex("husband", "wife")),
            (Role.PARTNER, by_sex("husband_unnotified", "wife_unnotified")),
            (Role.CHILD, np.full(self.size, place["child"])),
            (Role.GRANDCHILD, np.full(self.size, place["child"])),
            (Role.PARENT, by_sex("father", "mother")),
            (Role.SIBLING, brother),
            (Role.KIN, np.full(self.size, place["kin"])),
        ]
        first = np.select([role == key for key, _ in words], [word for _, word in words], place["cohabitant"])
        return first, np.where(role == Role.GRANDCHILD, place["child"], -1)
