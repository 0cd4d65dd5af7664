"""A value of a register as an official reads it: codes with their names, days in the Japanese calendar, yen and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from kiban.kernel import Problem, UncertainDate, wareki
from kiban.standard import CodeList, Edition, Item

FLAG, WORDS = "_fushofuragu", "_fushohyoki"
"""How the items of the official triple of an uncertain date are named after the date itself."""
_OPEN = ("0000-01-01", "9999-12-31")


@dataclass(frozen=True)
class Shown:
    """A value as it is shown.

    Attributes:
        text: what is read; empty where there is no value.
        note: the written form, the code, or what is odd about the value; may be empty.
        odd: whether the value is not what the edition allows.
    """

    text: str
    note: str = ""
    odd: bool = False


EMPTY = Shown("")


def shown(
    item: Item, row: Mapping[str, Any], edition: Edition, on: date, names: Mapping[str, str] | None = None
) -> Shown:
    """The value of an item in a row.

    Args:
        item: the item.
        row: items by their romaji in their written form.
        edition: whose code lists hold.
        on: the day whose codes hold.
        names: what codes of the city's own tables stand for, where the item names a row of one.
    """
    value = row.get(item.romaji)
    if value is None or value in ("", []):
        triple = item.type == "DATE" and (row.get(item.romaji + WORDS) or row.get(item.romaji + FLAG) == "1")
        return _day(item, row, None) if triple else EMPTY
    if isinstance(value, list):
        each = [_single(item, one, edition, on, names) for one in value]
        text = "、".join(one.text for one in each)
        return Shown(text, "、".join(one.note for one in each if one.note), any(one.odd for one in each))
    if item.type == "DATE":
        return _day(item, row, str(value))
    return _single(item, value, edition, on, names)


def _single(item: Item, value: Any, edition: Edition, on: date, names: Mapping[str, str] | None) -> Shown:
    text = str(value)
    if names and text in names:
        return Shown(names[text], text)
    if item.type == "DATE":
        return plain_day(text)
    codes = edition.code_list(item)
    if codes is not None and codes.codes and not codes.free:
        return _code(codes, text, on)
    if item.type == "BLOB":
        return Shown("（画像等のデータ）")
    if item.type in ("9", "S9", "9V") and not item.key:
        return Shown(_number(text) + ("円" if in_yen(item) else ""))
    return Shown(text)


def in_yen(item: Item) -> bool:
    """Whether a number is an amount of money, as the description of the item says it."""
    return "単位は円" in item.description or "単位は円" in item.definition


def _number(text: str) -> str:
    whole, point, part = text.partition(".")
    sign = "-" if whole.startswith("-") else ""
    digits = whole.lstrip("-")
    return f"{sign}{int(digits):,}{point}{part}" if digits.isdecimal() else text


def _code(codes: CodeList, value: str, on: date) -> Shown:
    known = [code for code in codes.codes if code.value == value]
    for code in reversed(known):
        if (code.valid_from is None or code.valid_from <= on) and (
            code.valid_to is None or on < code.valid_to
        ):
            return Shown(code.label, value)
    if known:
        return Shown(known[-1].label, f"{value}（この日には使われない値）", odd=True)
    return Shown(value, "コード一覧にない値", odd=True)


def _day(item: Item, row: Mapping[str, Any], value: str | None) -> Shown:
    flag, words = row.get(item.romaji + FLAG), row.get(item.romaji + WORDS)
    return uncertain(value, flag, words)


@lru_cache(maxsize=65_536)
def uncertain(value: str | None, flag: str | None, words: str | None) -> Shown:
    """The official triple of a date as it is read: what was written first, never a day that is not known."""
    try:
        day = UncertainDate.parse(value, flag, words)
    except Problem:
        return Shown(value or words or "", "日付として読めない値", odd=True)
    if day.notation:
        note = "" if flag == "1" or not value else value
        return Shown(day.notation, note)
    if flag == "1":
        return Shown("不詳")
    return plain_day(value or "")


@lru_cache(maxsize=65_536)
def plain_day(text: str) -> Shown:
    """YYYY-MM-DD in the Japanese calendar, with its written form."""
    if text in _OPEN:
        return Shown("（定めなし）", text)
    try:
        day = date.fromisoformat(text)
        return Shown(wareki(day).long(), text)
    except ValueError:
        return Shown(text, "暦にない日", odd=True)
    except Problem:  # lunar days are not computed
        return Shown(text)


def day_text(day: date | None) -> str:
    """A day in the Japanese calendar; empty where there is none."""
    return "" if day is None else plain_day(day.isoformat()).text
