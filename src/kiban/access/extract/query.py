"""A query of an extract (EUC, データ抽出), as a value; everything in it is named as the standard names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["is", "not", "one-of", "named", "begins", "between", "empty", "filled"]
KINDS: dict[Kind, str] = {
    "is": "等しい",
    "not": "等しくない",
    "one-of": "いずれか",
    "named": "コードの名称が",
    "begins": "で始まる",
    "between": "範囲",
    "empty": "空欄",
    "filled": "空欄でない",
}
"""Conditions with their Japanese names."""
Split = Literal["none", "files", "totals"]
SPLITS: dict[Split, str] = {"none": "分けない", "files": "区ごとのファイル", "totals": "区ごとの集計"}
"""Ward splits with their Japanese names."""
Codes = Literal["value", "both"]


@dataclass(frozen=True)
class Field:
    """A value of a row.

    Attributes:
        group: ID of the group; "" for the main one.
        item: romaji.
        age_on: a day in words (see `days.day`): the completed years until then, in place of the date; "" for the item itself.
        step: ages rounded down to a multiple of this, such as 5 for 0, 5, 10 …
    """

    group: str
    item: str
    age_on: str = ""
    step: int = 1

    @property
    def name(self) -> str:
        """As it is written in a file, without an age."""
        return f"{self.group}.{self.item}" if self.group else self.item


@dataclass(frozen=True)
class Condition:
    """What a row has to have; all conditions of a query have to hold.

    Attributes:
        field: which value.
        kind: one of `KINDS`.
        values: as the item is written; for days also in words; for `named` the names of codes; for `between` two, of
            which one may be "" (open).
        unknown: of a date or an age where the standard permits unknown dates: `with` or `without` rows whose date is
            flagged unknown. It is never guessed.
    """

    field: Field
    kind: Kind
    values: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True)
class Join:
    """A further group, by a reference of the standard.

    Attributes:
        group: its ID.
        by: romaji of the 外部キー item that leads from one of the two groups to the other.
        to: ID of the group it is joined to; "" for the main one.
        needed: whether rows without a partner are left out.
    """

    group: str
    by: str
    to: str = ""
    needed: bool = False


@dataclass(frozen=True)
class Totals:
    """Figures in place of rows.

    Attributes:
        by: what they are split by; may be empty.
        count: whether rows are counted (件数).
        distinct: of which values it is counted how many there are (異なり数).
        sums: which numbers are added up (合計).
    """

    by: tuple[Field, ...] = ()
    count: bool = True
    distinct: tuple[Field, ...] = ()
    sums: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Query:
    """A query.

    Attributes:
        business: ID of the edition.
        main: ID of the group whose rows are chosen.
        fields: the columns of the result, in their order; none where there are totals.
        joins: further groups.
        conditions: all of them have to hold.
        valid: the day for which rows are true, in words; "" where `history`.
        known: the moment of knowledge with its offset, as ISO 8601; "" for now.
        history: every period that is known, with its days.
        wards: codes of the wards wanted; none for all that may be seen.
        split: ward split.
        order: fields, each with whether it goes down.
        totals: figures in place of rows, or None.
        limit: most rows; None for all.
        codes: `value` alone, or `both` value and name.
    """

    business: str
    main: str
    fields: tuple[Field, ...] = ()
    joins: tuple[Join, ...] = ()
    conditions: tuple[Condition, ...] = ()
    valid: str = "today"
    known: str = ""
    history: bool = False
    wards: tuple[str, ...] = ()
    split: Split = "none"
    order: tuple[tuple[Field, bool], ...] = ()
    totals: Totals | None = None
    limit: int | None = None
    codes: Codes = "value"

    @property
    def named(self) -> tuple[Field, ...]:
        """Every field that the query names anywhere."""
        found = [*self.fields, *(each.field for each in self.conditions), *(each for each, _ in self.order)]
        if self.totals:
            found += [*self.totals.by, *self.totals.distinct, *self.totals.sums]
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Output:
    """How a result is written.

    Attributes:
        form: `csv`, `xlsx` or `parquet`.
        encoding: of CSV: `utf-8` or `cp932`.
        bom: of CSV in UTF-8: whether it begins with a byte order mark, by which Excel knows it.
        titles: `japanese` or `romaji`.
        guard: of CSV: whether a text that a spreadsheet would take for a formula gets an apostrophe in front.
    """

    form: Literal["csv", "xlsx", "parquet"] = "csv"
    encoding: Literal["utf-8", "cp932"] = "utf-8"
    bom: bool = True
    titles: Literal["japanese", "romaji"] = "japanese"
    guard: bool = True


@dataclass(frozen=True)
class Asked:
    """A query with how its result is written, and what it is called: what a file or a saved query holds.

    Attributes:
        query: the query.
        output: how it is written.
        title: what people call it.
        note: further words.
    """

    query: Query
    output: Output = field(default_factory=Output)
    title: str = ""
    note: str = ""
