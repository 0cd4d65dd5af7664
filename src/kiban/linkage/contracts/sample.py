"""Messages as a provider would send them, invented: for tests of whoever takes them, and to be looked at.

Each item starts from the サンプル値 of its edition; names, places, days and codes vary. Nobody is real.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import yaml

from kiban.kernel import next_atenabango
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.contracts.values import SAFE_DIGITS
from kiban.linkage.message import CLEAR, PROTECTED, Message, Row
from kiban.standard import Item, check_value

_BEGIN = datetime(2026, 4, 1, tzinfo=UTC)
_FLAG, _WORDS = "_不詳フラグ", "_不詳表記"


def sample(contract: Contract, seed: int, units: int = 20) -> tuple[Message, ...]:
    """Invented messages of a flow, all of them good, in the order of their events.

    Each unit comes, changes up to four times with its past kept, and moves between wards; every fifth is protected in the end,
    every seventh ends in a tombstone, every third has a day that is not known.

    Args:
        contract: what they keep to.
        seed: the same seed gives the same messages.
        units: of how many persons or households for each unit item.
    """
    rng = random.Random(seed)  # noqa: S311 - invented data
    kinds = list(dict.fromkeys(feed.unit.romaji for feed in contract.feeds))
    serial = rng.randrange(1_000, 9_000)
    lives: list[list[Message]] = []
    for place in range(units):
        for kind in kinds:
            number, serial = next_atenabango(serial + 1)
            feeds = [feed for feed in contract.feeds if feed.unit.romaji == kind]
            lives.append(list(_life(contract, feeds, number, place, rng)))
    order = [index for index, life in enumerate(lives) for _ in life]
    rng.shuffle(order)
    event, held, found = 0, [0] * len(lives), []
    for index in order:
        event += rng.randrange(1, 4)
        message = lives[index].pop(0)
        at = (_BEGIN + timedelta(minutes=event)).isoformat(timespec="microseconds")
        told = {"event": event, "previous": held[index], "recorded_at": at}
        told |= {"protection_event": event if message.protection == PROTECTED else 0}
        held[index] = event
        found.append(_with(message, told))
    return tuple(found)


def _with(message: Message, told: Mapping[str, Any]) -> Message:
    names = Message.__dataclass_fields__
    return Message(**{name: told.get(name, getattr(message, name)) for name in names})


def _life(
    contract: Contract, feeds: list[Feed], unit: str, place: int, rng: random.Random
) -> Iterator[Message]:
    """The messages of one unit, without their versions."""
    histories = {feed.name: _History(feed, unit, rng, vague=place % 3 == 2) for feed in feeds}
    changes = rng.randrange(1, 5)
    for change in range(changes):
        last = change == changes - 1
        protection = PROTECTED if last and place % 5 == 4 else CLEAR
        for history in histories.values():
            history.change()
        ended = last and place % 7 == 6 and change > 0
        rows = {name: [] if ended else history.rows() for name, history in histories.items()}
        withheld = contract.protection.withheld if protection == PROTECTED else {}
        parts = {name: _withheld(each, withheld.get(name, frozenset())) for name, each in rows.items()}
        kind = "職権消除" if ended else "転居" if change else "国内転入"
        yield Message(
            contract.flow, contract.digest, unit, 0, 0, "", kind, "2026-04-01", None, protection, 0, parts
        )  # fmt: skip


def _withheld(rows: list[Row], items: frozenset[str]) -> list[Row]:
    return [{name: None if name in items else value for name, value in row.items()} for row in rows]


@dataclass
class _History:
    """The rows of one unit in one feed as they grow."""

    feed: Feed
    unit: str
    rng: random.Random
    vague: bool

    def __post_init__(self) -> None:
        self.born = date(1930, 1, 1) + timedelta(days=self.rng.randrange(34_000))
        self.person = _person(self.rng)
        self.kept: list[dict[str, Any]] = []
        self.since = date(2015, 1, 1) + timedelta(days=self.rng.randrange(2_000))

    def change(self) -> None:
        """One row more: the one before ends where it begins."""
        self.since += timedelta(days=self.rng.randrange(30, 500))
        if self.kept and self.feed.has_periods:
            self.kept[-1]["valid_to"] = self.since.isoformat()
        row = {item.romaji: self._value(item) for item in self.feed.items}
        row |= self._place()
        row |= self._vague() if self.vague else {}
        row[self.feed.unit.romaji] = self.unit
        history = self.feed.group.history
        if history is not None and history.romaji in row:
            row[history.romaji] = len(self.kept) + 1
        if self.feed.has_periods:
            row |= {"valid_from": self.since.isoformat(), "valid_to": None}
        self.kept.append(row)

    def rows(self) -> list[Row]:
        """All rows so far."""
        return [dict(row) for row in self.kept]

    def _value(self, item: Item) -> Any:
        codes = self.feed.edition.code_list(item)
        if item.romaji in self._beside():
            return "0" if item.name.endswith(_FLAG) else None
        if codes is not None and not codes.free and codes.values:
            text = self.rng.choice(codes.values)
        elif item.type == "DATE":
            text = (self.born if item.name.startswith("生年月日") else self.since).isoformat()
        elif item.condition == "任意" and _named(item) not in self.person and self.rng.random() < 0.5:
            return None
        else:
            text = self.person.get(_named(item), "") or _first(item.sample) or _filler(item, self)
        if check_value(item, text, codes) is not None:
            text = _filler(item, self) if item.required else ""
        if not text:
            return None
        if item.repeats:
            return [text]
        return int(text) if item.type in ("9", "S9") and (item.digits or 0) <= SAFE_DIGITS else text

    def _beside(self) -> frozenset[str]:
        """The flags and words beside days."""
        return frozenset(item.romaji for item in self.feed.items if item.name.endswith((_FLAG, _WORDS)))

    def _place(self) -> dict[str, Any]:
        """Ward and address of one place."""
        code, prefecture, city = self.rng.choice(_words()["wards"])
        ward = self.feed.group.ward
        told = {"住所_市区町村コード": code, "住所_都道府県": prefecture, "住所_市区郡町村名": city}
        told |= {"住所_町字": self.rng.choice(_words()["towns"])}
        found = {item.romaji: told[item.name] for item in self.feed.items if item.name in told}
        return found | ({ward.romaji: code} if ward is not None and ward in self.feed.items else {})

    def _vague(self) -> dict[str, Any]:
        """The triple of a day that is not known, for the first item that may have one."""
        by_name = {item.name: item for item in self.feed.items}
        for item in self.feed.items:
            flag, words = by_name.get(item.name + _FLAG), by_name.get(item.name + _WORDS)
            if item.allows_unknown_date and words is not None:
                told = {words.romaji: self.rng.choice(_words()["vague"])}
                told |= {flag.romaji: "1"} if flag else {}
                return told | ({} if item.required else {item.romaji: None})
        return {}


def _person(rng: random.Random) -> dict[str, str]:
    words = _words()
    (name, kana), (given, given_kana) = rng.choice(words["surnames"]), rng.choice(words["given"])
    return {
        "氏名": f"{name}　{given}",
        "氏名_フリガナ": f"{kana}　{given_kana}",
        "氏_日本人": name,
        "名_日本人": given,
        "氏_日本人_フリガナ": kana,
        "名_日本人_フリガナ": given_kana,
        "世帯主_氏名": f"{name}　{given}",
    }


def _named(item: Item) -> str:
    return item.name.replace("読み仮名", "フリガナ")


def _first(text: str) -> str:
    return text.strip().splitlines()[0].strip() if text.strip() else ""


def _filler(item: Item, history: _History) -> str:
    """A good value of an item whose edition shows none."""
    digits = min(item.digits or 6, 6)
    number = str(history.rng.randrange(10 ** (digits - 1), 10**digits))
    found = {
        "N": "例",
        "X": number,
        "9": number,
        "S9": number,
        "9V": "1.5",
        "YEAR": "2026",
        "TIME": "09:30:00",
    }
    return found.get(item.type, "")


@cache
def _words() -> dict[str, Any]:
    text = resources.files("kiban.linkage.contracts").joinpath("words.yaml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found
