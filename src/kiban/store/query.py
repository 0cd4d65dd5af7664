"""What is asked of a search, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from kiban import characters
from kiban.kernel import Problem

PAGE_MOST = 200


@dataclass(frozen=True)
class Query:
    """What a clerk asks. All that is given must hold; one of name, kana, address, birth is needed, or a number alone.

    Attributes:
        as_of: the day whose row is shown of each person found.
        name: the beginning of a name in kanji or Latin letters; variant kanji are the same kanji.
        kana: the beginning of a name in kana; small kana, voicing, long vowels, spaces and hyphens make no difference.
        address: the beginning of 町字 and 番地; any digits and hyphens.
        birth: first and last day between which the birth may lie (both included); unknown parts of a birth date match.
        sex: the code of 性別.
        number: the romaji of an item that is compared whole, and its value: the subject or one of `Search.numbers`.
        wards: "own" searches the actor's own ward; "all" goes on with every other ward the actor may see.
        limit: hits on a page, 1 to 200; as many as a screen shows unless said otherwise.

    Raises:
        Problem: `query-empty`, `query-limit`, `query-number` where something else is asked beside a number.
    """

    as_of: date
    name: str | None = None
    kana: str | None = None
    address: str | None = None
    birth: tuple[date, date] | None = None
    sex: str | None = None
    number: tuple[str, str] | None = None
    wards: str = "own"
    limit: int = 20

    def __post_init__(self) -> None:
        if self.number and (self.keys or self.birth or self.sex):
            fix = "ask for the number alone: it says who it is"
            raise Problem("query-number", "a number is asked for together with something else", fix=fix)
        if not (self.keys or self.birth or self.number):
            raise Problem(
                "query-empty", "the search names nobody", fix="give a name, kana, an address or a birth date"
            )
        if not 1 <= self.limit <= PAGE_MOST or self.wards not in ("own", "all"):
            raise Problem(
                "query-limit",
                f"a page has 1 to {PAGE_MOST} hits, of wards `own` or `all`",
                fix="ask for less",
            )

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The folded keys asked for, by column."""
        folded = {
            "kana_key": characters.kana_loose_key(self.kana) if self.kana else "",
            "name_key": characters.name_key(self.name) if self.name else "",
            "address_key": characters.address_key(self.address) if self.address else "",
        }
        return {column: key for column, key in folded.items() if key}

    def asked(self) -> dict[str, object]:
        """The query as the look-up log keeps it."""
        given = {"name": self.name, "kana": self.kana, "address": self.address, "sex": self.sex}
        asked: dict[str, object] = {name: value for name, value in given.items() if value}
        if self.number:
            asked["number"] = self.number[0]
        if self.birth:
            asked["birth"] = [day.isoformat() for day in self.birth]
        return asked


@dataclass(frozen=True)
class Hit:
    """One subject found.

    Attributes:
        subject: the 宛名番号.
        ward: the ward of the row whose name or address was found; it may be a former one.
        row: of the subject's row as of the day asked for, or the one before, the items that the search section names;
            None where no row lies within the actor's wards.
        protected: whether the person is protected and her rows are closed to the actor: then nothing is told but the number.
    """

    subject: str
    ward: str | None
    row: Mapping[str, Any] | None = None
    protected: bool = False


@dataclass(frozen=True)
class Page:
    """Hits in the order of the key, and where the next page starts (None: no more)."""

    hits: tuple[Hit, ...]
    next: str | None

    def with_rows(self, rows: Mapping[str, Mapping[str, Any]]) -> Page:
        """The same page with the row of each subject."""
        return replace(
            self, hits=tuple(Hit(h.subject, h.ward, rows.get(h.subject), h.protected) for h in self.hits)
        )
