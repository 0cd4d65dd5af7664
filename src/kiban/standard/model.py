"""An edition of a business's data standard, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from kiban.kernel import Problem
from kiban.standard.code_list import CodeList
from kiban.standard.findings import suggest
from kiban.standard.protected import Protected


@dataclass(frozen=True)
class Item:
    """One data item: a row of the 基本データリスト.

    Attributes:
        id: データ項目ID, eight digits.
        name: データ項目.
        romaji: データ項目（ローマ字）: the one name in SQL, CSV and JSON.
        group: グループ_名称.
        key: 主キー.
        foreign_key: 外部キー.
        classes: クラス分類 Lv1 to Lv3, each maybe empty.
        type: one of X N 9 9V S9 BLOB YEAR DATE TIME.
        digits: 桁数 in characters; for 9V the digits before the point; None where none are given.
        scale: for 9V the digits after the point; otherwise None.
        code: ID of the code list without leading zeros; None where the item is not coded.
        repeat: how often the value may occur; None where once.
        condition: データ出力条件: 必須, 条件付き必須 or 任意.
        definition: 項目定義.
        description: 項目説明.
        reference: 標準仕様書関連箇所.
        implementation: 実装類型, ○ or empty.
        sample: サンプル値.
        remarks: 備考.
        extra: name and value of each further column of the list.
    """

    id: str
    name: str
    romaji: str
    group: str
    key: bool
    foreign_key: bool
    classes: tuple[str, str, str]
    type: str
    digits: int | None
    scale: int | None
    code: str | None
    repeat: int | None
    condition: str
    definition: str = ""
    description: str = ""
    reference: str = ""
    implementation: str = ""
    sample: str = ""
    remarks: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    allows_unknown_date: bool = False

    @property
    def required(self) -> bool:
        """Whether every row has a value: the condition is 必須, or the item is part of the key."""
        return self.condition == "必須" or self.key

    @property
    def repeats(self) -> bool:
        """Whether the value is a list."""
        return self.repeat is not None and self.repeat > 1


@dataclass(frozen=True)
class Search:
    """By which items the search finds the persons of a group; all are romaji.

    Attributes:
        subject: the item that identifies the person.
        numbers: items compared whole.
        names: pairs of a name and its kana; None where it has no kana.
        birth: date of birth.
        sex: sex code.
        address: items of the address, from large to small.
    """

    subject: str
    numbers: tuple[str, ...] = ()
    names: tuple[tuple[str, str | None], ...] = ()
    birth: str | None = None
    sex: str | None = None
    address: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """A group of items: one table, one file.

    Attributes:
        id: name of the table.
        name: グループ_名称.
        kind: `register` (rows are true for a period and known for a period) or `log` (rows are added).
        scope: `ward` (rows belong to a ward), `city` (every signed-in actor reads them) or `undecided`, which no
            edition that was loaded for use has.
        items: in the order of the list.
        history: the key item that counts the history of a subject, or None.
        ward: the item that holds the ward code; never None where the scope is `ward`.
        search: how persons are found, or None.
        references: romaji of each 外部キー item -> ID of the group it points to.
    """

    id: str
    name: str
    kind: str
    scope: str
    items: tuple[Item, ...]
    history: Item | None = None
    ward: Item | None = None
    search: Search | None = None
    references: Mapping[str, str] = field(default_factory=dict, hash=False)

    @cached_property
    def key(self) -> tuple[Item, ...]:
        """The 主キー items, in the order of the list."""
        return tuple(item for item in self.items if item.key)

    @cached_property
    def subject(self) -> tuple[Item, ...]:
        """The key without the item that counts history: it identifies whom the row is about."""
        return tuple(item for item in self.key if item != self.history)

    @cached_property
    def _by_romaji(self) -> dict[str, Item]:
        return {item.romaji: item for item in self.items}

    def __contains__(self, romaji: object) -> bool:
        """Whether the group has an item of this romaji."""
        return romaji in self._by_romaji

    def item(self, romaji: str) -> Item:
        """The item of this name.

        Raises:
            Problem: `item-unknown`, suggesting the closest name.
        """
        try:
            return self._by_romaji[romaji]
        except KeyError:
            raise Problem(
                "item-unknown",
                f"group {self.id} has no item {romaji}",
                fix=suggest(romaji, self._by_romaji, "look it up with: kiban standard show"),
            ) from None


@dataclass(frozen=True)
class Edition:
    """One edition of the data standard of one business.

    Attributes:
        business_id: 業務ID, three digits; None where the official one is not known.
        id: name of the business's folder and database schema.
        title: Japanese name of the business.
        edition: ID of the edition.
        status: `official`, or `reference` where Kiban wrote it.
        basis: what it was made from, in words.
        effective: first day it applies; None where unknown.
        replaces: the edition it follows, or None.
        renames: romaji in the replaced edition -> romaji here.
        recodes: code list ID -> value in the replaced edition -> value here.
        groups: in the order of business.yaml.
        codes: by list ID without leading zeros.
        folder: where it was read from.
        law: the law it rests on; empty where not said.
        publishes: what it gives to others, as named in business.yaml.
        consumes: what it takes from others, likewise.
        source: for imported editions the file and its sha256.
        overlay: the city's choices, where an overlay was laid over it.
        protection: which persons are protected; None where the edition says nothing of it.
    """

    business_id: str | None
    id: str
    title: str
    edition: str
    status: str
    basis: str
    effective: date | None
    replaces: str | None
    renames: Mapping[str, str] = field(hash=False)
    recodes: Mapping[str, Mapping[str, str]] = field(hash=False)
    groups: tuple[Group, ...]
    codes: Mapping[str, CodeList] = field(hash=False)
    folder: Path = field(compare=False)
    law: str = ""
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict, hash=False)
    overlay: Overlay | None = field(default=None, hash=False)
    protection: Protected | None = field(default=None, hash=False)

    @property
    def business(self) -> str:
        """業務ID, three digits, for what cannot be without it.

        Raises:
            Problem: `business-id-unset` where the official one is not known.
        """
        if self.business_id is None:
            raise Problem(
                "business-id-unset",
                f"the official 業務ID of {self.id} is not known",
                where=str(self.folder / "business.yaml"),
                fix="write it after business: when the official list is at hand; it is never invented",
            )
        return self.business_id

    @property
    def called(self) -> str:
        """What people and keys call the business: its 業務ID, or its id where none is known."""
        return self.business_id or self.id

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items of all groups."""
        return tuple(item for group in self.groups for item in group.items)

    def group(self, name: str) -> Group:
        """The group of this ID or Japanese name.

        Raises:
            Problem: `group-unknown`, suggesting the closest name.
        """
        for group in self.groups:
            if name in (group.id, group.name):
                return group
        known = [group.id for group in self.groups] + [group.name for group in self.groups]
        raise Problem(
            "group-unknown",
            f"business {self.called} edition {self.edition} has no group {name}",
            fix=suggest(name, known, "look it up with: kiban standard show"),
        )

    def code_list(self, item: Item) -> CodeList | None:
        """The code list of an item; None where it is not coded."""
        return None if item.code is None else self.codes[item.code]


@dataclass(frozen=True)
class Overlay:
    """What one city chose within the freedom that an edition leaves.

    Attributes:
        city: six-digit code of the municipality.
        parameters: name -> value, as the city wrote them.
        included: optional items that the city keeps.
        excluded: optional items that the city leaves out.
        display: group -> romaji in the order in which screens show them.
    """

    city: str
    parameters: Mapping[str, Any]
    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    display: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
