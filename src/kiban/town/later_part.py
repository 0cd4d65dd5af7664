"""Who changes in one part of a town, and how: households in random order, each once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban.town import later_lives as lives
from kiban.town import numbers
from kiban.town.later_lives import Household, Row, Rows, Town
from kiban.town.unload_system import parts

SPARE = 8
ADULT, PARENT = 18, range(20, 46)
SHARES = {"move": 5, "bear": 2, "die": 2, "separate": 1}
"""Of so many residents, how many change in each way; where a household does not fit, the next way comes first."""


class Numbering:
    """Numbers that nobody has yet, and the measures there are; they are given out for the whole town.

    Args:
        out: the town.
        protects: whether a measure begins and one ends.
    """

    def __init__(self, out: Path, protects: bool) -> None:
        others = sorted((out / "nonresident_addressee").glob("*/part-*.parquet"))
        self.person = max(_most(parts(out, "jumin"), "atenabango"), _most(others, "atenabango")) // 10 + 1
        self.household = _most(parts(out, "setai"), "setaibango") // 10 + 1
        self.measure = _most(parts(out, "shiensochi"), "shiensochibango") + 1
        self.begins = self.ends = protects
        self.done = dict.fromkeys(SHARES, 0)

    def next_person(self) -> int:
        """The serial of a new person."""
        serial = int(numbers.usable_serials(self.person, 20, 1)[0])
        self.person = serial + 1
        return serial

    def next_household(self) -> str:
        """A new 世帯番号."""
        serial = numbers.usable_serials(self.household, 20, 1)
        self.household = int(serial[0]) + 1
        return str(numbers.addressee_numbers(serial)[0].as_py())


def _most(paths: list[Path], name: str) -> int:
    found = [pc.max(pq.read_table(path, columns=[name])[name]).as_py() for path in paths]
    return max((int(each) for each in found if each is not None), default=0)


def change_part(
    rows: Rows, out: Path, name: str, town: Town, rng: np.random.Generator, given: Numbering, wanted: int
) -> None:
    """Changes as many residents of one part as are wanted, or all that can be.

    Args:
        rows: gets what changes.
        out: the town.
        name: of the parts.
        town: what the changes draw on.
        rng: draws who and when.
        given: numbers and measures of the whole town.
        wanted: how many residents.
    """
    homes = list(_homes(out, name, town, rng, SPARE * wanted + 100))
    called = [one for home in homes for one in home.members]
    if given.ends and wanted > 1:
        given.ends = not _release(rows, out, name, town, _day(town, rng))
    if given.begins and wanted > len(rows.changes) + 1:
        given.begins = not _protect(rows, out, town, homes, given, _day(town, rng))
    for tried in (2, len(SHARES)):
        for at, home in enumerate(list(homes)):
            left = wanted - len(rows.changes)
            if left == 0:
                return
            donor, someone = homes[(at + 1) % len(homes)].row, called[int(rng.integers(len(called)))]
            for kind in sorted(SHARES, key=lambda one: given.done[one] / SHARES[one])[:tried]:
                if _happens(kind, rows, town, home, donor, someone, given, left, _day(town, rng)):
                    given.done[kind] += len(rows.changes) - wanted + left
                    homes.remove(home)
                    break


def _day(town: Town, rng: np.random.Generator) -> date:
    return town.since + timedelta(days=1 + int(rng.integers((town.until - town.since).days)))


def _homes(out: Path, name: str, town: Town, rng: np.random.Generator, most: int) -> Iterator[Household]:
    """Japanese households none of whose members is protected, in random order; the head is the first member."""
    setai = pq.read_table(out / "resident" / "setai" / name)
    kind = town.words("setai.setaishubetsu", "japanese")
    live = setai.filter(pc.and_(pc.is_null(setai["valid_to"]), pc.equal(setai["setaishubetsu"], kind)))
    live = live.take(pa.array(rng.permutation(live.num_rows)[:most]))
    jumin = pq.read_table(
        out / "resident" / "jumin" / name, filters=[("setaibango", "in", live["setaibango"].to_pylist())]
    )
    jumin = jumin.filter(pc.is_null(jumin["valid_to"])).sort_by(
        [("setaiinjunjo", "ascending"), ("atenabango", "ascending")]
    )
    members: dict[str, list[Row]] = {}
    for row in jumin.to_pylist():
        members.setdefault(row["setaibango"], []).append(row)
    for row in live.to_pylist():
        mine = members[row["setaibango"]]
        if all(one["shiensochifuragu"] == town.no for one in mine):
            yield Household(row, mine)


def _happens(
    kind: str,
    rows: Rows,
    town: Town,
    home: Household,
    donor: Row,
    called: Row,
    given: Numbering,
    left: int,
    day: date,
) -> bool:
    """Lets something happen to a household, where it can."""
    head, others = home.members[0], home.members[1:]
    grown = [one for one in others if _age(one, day) >= ADULT]
    if kind == "move" and len(home.members) <= left and _apart(home.row, donor):
        lives.move(rows, town, home, donor, day)
    elif (
        kind == "bear"
        and others
        and _age(head, day) in PARENT
        and head["uji_nihonjin"]
        and called["na_nihonjin"]
    ):
        lives.bear(rows, town, home, called, given.next_person(), day)
    elif kind == "die" and (grown or not others):
        lives.die(rows, town, home, grown[-1] if grown else head, day)
    elif kind == "separate" and grown:
        lives.separate(rows, town, home, grown[-1], given.next_household(), day)
    else:
        return False
    return True


def _age(row: Row, day: date) -> int:
    """Years of age; 0 where the birth is not a day, so that nothing happens that asks for one."""
    try:
        born = date.fromisoformat(row["seinengappi"] or "")
    except ValueError:
        return 0
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _apart(row: Row, donor: Row) -> bool:
    """Whether two households of one ward have other addresses."""
    if row["shiteitoshi_gyoseikutokodo"] != donor["shiteitoshi_gyoseikutokodo"]:
        return False
    return any(row[f"jusho_{name}"] != donor[f"jusho_{name}"] for name in lives.ADDRESS)


def _protect(rows: Rows, out: Path, town: Town, homes: list[Household], given: Numbering, day: date) -> bool:
    """A measure begins for the head of a household, against that of another; both then change in no other way."""
    grown = [home for home in homes if _age(home.members[0], day) >= ADULT]
    pattern = _pattern(out, town)
    if len(grown) < 2 or pattern is None:
        return False
    number = f"{given.measure:010d}"
    given.measure += 1
    lives.protect(rows, town, grown[0].members[0], grown[1].members[0], pattern, number, day)
    for home in grown[:2]:
        homes.remove(home)
    return True


def _pattern(out: Path, town: Town) -> tuple[Row, Row, Row] | None:
    """A running measure that was never extended, with its applicant and its aggressor."""
    running = town.words("shiensochi.shiensochijotai", "running")
    for measure in _rows(out, "shiensochi"):
        if (
            measure["shiensochijotai"] == running
            and measure["rirekibango"] == 1
            and measure["valid_to"] is None
        ):
            number = measure["shiensochibango"]
            applicant = [
                one for one in _rows(out, "shiensochi_taishosha") if one["shiensochibango"] == number
            ]
            aggressor = [one for one in _rows(out, "shiensochi_kagaisha") if one["shiensochibango"] == number]
            if applicant and aggressor:
                return measure, applicant[0], aggressor[0]
    return None


def _release(rows: Rows, out: Path, name: str, town: Town, day: date) -> bool:
    """The measure of somebody of this part ends, who alone is protected by it and by no other."""
    people = _rows(out, "shiensochi_taishosha")
    running = town.words("shiensochi.shiensochijotai", "running")
    jumin = pq.read_table(out / "resident" / "jumin" / name, filters=[("shiensochifuragu", "=", town.yes)])
    live = {row["atenabango"]: row for row in jumin.filter(pc.is_null(jumin["valid_to"])).to_pylist()}
    path = out / "resident" / "shiensochi" / name
    for measure in pq.read_table(path).to_pylist() if path.exists() else ():
        protected = [one for one in people if one["shiensochibango"] == measure["shiensochibango"]]
        number = measure["moshidesha_atenabango"]
        alone = len(protected) == 1 and sum(one["atenabango"] == number for one in people) == 1
        if measure["shiensochijotai"] == running and measure["valid_to"] is None and alone and number in live:
            lives.release(rows, town, live[number], measure, day)
            return True
    return False


def _rows(out: Path, group: str) -> list[Row]:
    return [row for path in parts(out, group) for row in pq.read_table(path).to_pylist()]
