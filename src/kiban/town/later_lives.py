"""What happens to single households between two unloads, on rows of 住民, 世帯 and 支援措置 as dictionaries by romaji."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from kiban.town import numbers
from kiban.town.words import Words

Row = dict[str, Any]
GIVEN_UP = ("zenjusho_kokumeikodo", "zenjusho_kokumeito", "zenjusho_kokugaijusho")
ADDRESS = ("choazakanribango", "choaza", "banchigohyoki", "katagaki", "yubinbango")
FORMER = (
    "shikuchosonkodo",
    "todofuken",
    "shikugunchosonmei",
    "choaza",
    "banchigohyoki",
    "katagaki",
    "yubinbango",
)
UNBORN = (
    "kyuji",
    "tsusho",
    "zenjusho",
    "saishu",
    "tenshutsu",
    "tennyu",
    "shojo",
    "kaiseinengappi",
    "zokugara",
)
"""Beginnings of the items that a child does not have yet."""


@dataclass
class Household:
    """A household: its live row of 世帯, and the live rows of 住民 of whoever lives in it, the head first."""

    row: Row
    members: list[Row]


@dataclass(frozen=True)
class Change:
    """What happened to one resident.

    Attributes:
        kind: 転居, 世帯分離, 死亡, 出生, 支援措置開始, 支援措置終了.
        day: on which it took effect.
        ward: code of the ward.
        person: 宛名番号.
        household: 世帯番号 from then on.
        measure: 支援措置番号; empty where none is concerned.
    """

    kind: str
    day: date
    ward: str
    person: str
    household: str
    measure: str = ""


@dataclass
class Rows:
    """Rows that are no more as they were, and rows that are there now, by group.

    Attributes:
        old: keys of the rows that go.
        new: the rows that come.
        changes: what happened.
    """

    old: dict[str, list[Row]] = field(default_factory=dict)
    new: dict[str, list[Row]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def replace(self, group: str, old: Row, **items: Any) -> Row:
        """The row with other items, in its place."""
        made = {**old, **items}
        self.old.setdefault(group, []).append(old)
        self.new.setdefault(group, []).append(made)
        return made

    def add(self, group: str, row: Row, **items: Any) -> Row:
        """A row that was not there."""
        made = {**row, **items}
        self.new.setdefault(group, []).append(made)
        return made

    def follow(self, group: str, old: Row, day: date, **items: Any) -> Row:
        """Ends a row on a day and begins the next of its history."""
        self.replace(group, old, valid_to=day)
        number = old["rirekibango"] + 1
        return self.add(group, old, rirekibango=number, valid_from=day, valid_to=None, **items)


@dataclass(frozen=True)
class Town:
    """What the changes draw on.

    Attributes:
        words: code values of the editions.
        since: day of the earlier unload.
        until: day of the later one.
        seed: of the town.
    """

    words: Words
    since: date
    until: date
    seed: int

    @property
    def yes(self) -> str:
        """The value of a flag that is set."""
        return self.words("jumin.senkyoninmeibotorokufuragu", "yes")

    @property
    def no(self) -> str:
        """The value of a flag that is not set."""
        return self.words("jumin.senkyoninmeibotorokufuragu", "no")

    def event(self, name: str, how: str, day: date) -> Row:
        """The items of a row that say why it is there."""
        filed = min(day + timedelta(days=3), self.until).isoformat()
        return {
            "idojiyu": self.words("jumin.idojiyu", name),
            "idojiyu_fuzuikubun": self.words("jumin.idojiyu_fuzuikubun", how),
            "idonengappi": day.isoformat(),
            "todokedenengappi": filed,
            "shorinengappi": filed,
            "kaiseifuragu": self.no,
            "kaiseinengappi": None,
        }


def move(rows: Rows, town: Town, home: Household, donor: Row, day: date) -> None:
    """Everybody moves to another address of the ward; the household keeps its number."""
    to = {f"jusho_{name}": donor[f"jusho_{name}"] for name in ADDRESS}
    rows.follow("setai", home.row, day, **to)
    for one in home.members:
        former = {f"zenjusho_{name}": one[f"jusho_{name}"] for name in FORMER}
        told = town.event("move", "notified", day) | {"jushowosadametanengappi": day.isoformat()}
        rows.follow("jumin", one, day, **to, **former, **dict.fromkeys(GIVEN_UP), **told)
        _note(rows, "転居", day, one)


def separate(rows: Rows, town: Town, home: Household, one: Row, number: str, day: date) -> None:
    """A member becomes a household of their own at the same address."""
    rows.follow("setai", home.row, day, setaininzu=home.row["setaininzu"] - 1)
    head = {"setainushi_atenabango": one["atenabango"], "setainushi_shimei": one["shimei"], "setaininzu": 1}
    rows.add("setai", home.row, setaibango=number, rirekibango=1, valid_from=day, **head)
    label = town.words.labels["jumin.zokugara1"]["head"]
    role: Row = {
        "zokugara1": town.words("jumin.zokugara1", "head"),
        "zokugara2": None,
        "zokugara_hyoki": label,
    }
    role |= {"setainushi_shimei": one["shimei"], "setaiinjunjo": 1, "setaibango": number}
    made = rows.follow("jumin", one, day, **role, **town.event("separation", "notified", day))
    _note(rows, "世帯分離", day, made)


def die(rows: Rows, town: Town, home: Household, one: Row, day: date) -> None:
    """A member dies, who is not the head of others."""
    rows.replace(
        "jumin",
        one,
        juminjotai=town.words("jumin.juminjotai", "died"),
        shojojiyu=town.words("jumin.shojojiyu", "death"),
        shojonengappi=day.isoformat(),
        valid_to=day,
    )
    if len(home.members) == 1:
        rows.replace("setai", home.row, setaijotai=town.words("setai.setaijotai", "gone"), valid_to=day)
    else:
        rows.follow("setai", home.row, day, setaininzu=home.row["setaininzu"] - 1)
    _note(rows, "死亡", day, one)


def bear(rows: Rows, town: Town, home: Household, called: Row, serial: int, day: date) -> None:
    """A child is born, called as somebody else is."""
    head = home.members[0]
    rows.follow("setai", home.row, day, setaininzu=home.row["setaininzu"] + 1)
    one = pa.array([serial]).to_numpy()
    flags = {name: town.no for name in head if name.endswith("furagu") and head[name] is not None}
    nothing = {name: None for name in head if name.startswith(UNBORN)}
    born = {
        name: day.isoformat() for name in ("seinengappi", "jumintonattanengappi", "jushowosadametanengappi")
    }
    full = {
        name: f"{head[f'uji_nihonjin{kana}']}\u3000{called[f'na_nihonjin{kana}']}"
        for name, kana in (("shimei", ""), ("shimei_furigana", "_furigana"))
    }
    child = nothing | flags | born | full | {
        "atenabango": numbers.addressee_numbers(one)[0].as_py(),
        "kojinbango": numbers.individual_numbers(one, town.seed * numbers.PERSON_SHIFT)[0].as_py(),
        "juminhyokodo": numbers.resident_codes(one, town.seed * numbers.CODE_SHIFT)[0].as_py(),
        "rirekibango": 1,
        "na_nihonjin": called["na_nihonjin"],
        "na_nihonjin_furigana": called["na_nihonjin_furigana"],
        "shimei_furiganakakuninjokyo": town.words("jumin.shimei_furiganakakuninjokyo", "no"),
        "seibetsu": called["seibetsu"],
        "seinengappi_fushohyoki": None,
        "jumintonattanengappi_fushohyoki": None,
        "setaiinjunjo": max(each["setaiinjunjo"] for each in home.members) + 1,
        "zokugara1": town.words("jumin.zokugara1", "child"),
        "zokugara_hyoki": town.words.labels["jumin.zokugara1"]["child"],
        "valid_from": day,
    }  # fmt: skip
    made = rows.add("jumin", head, **(child | town.event("birth", "family_register", day)))
    _note(rows, "出生", day, made)


def protect(
    rows: Rows, town: Town, one: Row, against: Row, pattern: Sequence[Row], number: str, day: date
) -> None:
    """A measure begins for one resident against another.

    Args:
        rows: what changes.
        town: see `Town`.
        one: live row of the applicant.
        against: live row of the aggressor.
        pattern: a running measure with its applicant and its aggressor, whose other items the new one has too.
        number: of the measure.
        day: on which it begins.
    """
    when = {"shiteitoshi_gyoseikutokodo": one["shiteitoshi_gyoseikutokodo"], "shiensochibango": number}
    when |= {"rirekibango": 1, "valid_from": day, "valid_to": None}
    told = day.isoformat()
    last = (date(day.year + 1, day.month, min(day.day, 28)) - timedelta(days=1)).isoformat()
    measure, applicant, aggressor = pattern
    rows.add(
        "shiensochi",
        measure,
        **when,
        moshidesha_atenabango=one["atenabango"],
        shiensochijotai=town.words("shiensochi.shiensochijotai", "running"),
        moshidenengappi=told,
        karishiensochifuragu=town.no,
        karishiensochikaishinengappi=None,
        shiensochikaishinengappi=told,
        shiensochishuryonengappi=last,
        enchokaisu=0,
        toshouketsukeshikuchosonkodo=one["shiteitoshi_gyoseikutokodo"],
        uketsukebashokodo=one["nyuryokubashokodo"],
        sosanengappi=told,
    )
    name = ("shimei", "seinengappi", "seinengappi_fushofuragu", "seinengappi_fushohyoki", "seibetsu")
    rows.add(
        "shiensochi_taishosha",
        applicant,
        **when,
        **{item: one[item] for item in (*name, "shimei_furigana", "atenabango")},
        jusho_hyoki=_place(one),
    )
    rows.add(
        "shiensochi_kagaisha",
        aggressor,
        **when,
        **{item: against[item] for item in name},
        kagaisha_atenabango=against["atenabango"],
        jusho_hyoki=_place(against),
    )
    rows.replace("jumin", one, shiensochifuragu=town.yes)
    _note(rows, "支援措置開始", day, one, number)


def release(rows: Rows, town: Town, one: Row, measure: Row, day: date) -> None:
    """A measure of one person ends."""
    rows.replace(
        "shiensochi",
        measure,
        shiensochijotai=town.words("shiensochi.shiensochijotai", "ended"),
        shiensochishuryonengappi=day.isoformat(),
        sosanengappi=day.isoformat(),
    )
    rows.replace("jumin", one, shiensochifuragu=town.no)
    _note(rows, "支援措置終了", day, one, measure["shiensochibango"])


def _place(row: Row) -> str:
    names = ("todofuken", "shikugunchosonmei", "choaza", "banchigohyoki")
    return "".join(row[f"jusho_{name}"] or "" for name in names)


def _note(rows: Rows, kind: str, day: date, row: Row, measure: str = "") -> None:
    ward = row["shiteitoshi_gyoseikutokodo"]
    rows.changes.append(Change(kind, day, ward, row["atenabango"], row["setaibango"], measure))
