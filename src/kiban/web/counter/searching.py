"""The form of the search and its words, from the items of the roll."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiban.standard import Item
from kiban.web.counter.asking import Asked
from kiban.web.counter.registers import Roll

DETAIL = ("name", "kana", "birth", "sex", "address")
"""Fields of the detailed form besides those of numbers."""
_HINTS = {
    "name": "先頭の数文字でも検索できます。異体字（辺・邊・邉）は同じ文字として探します。",
    "kana": "濁点・小さい文字・長音・空白の違いは区別しません。",
    "birth": "和暦・西暦。例：昭和25年3月1日、S25.3.1、昭和25年、昭和25年から昭和27年",
    "address": "町字と番地の先頭から。例：魚崎北町一丁目２",
}


@dataclass(frozen=True)
class Field:
    """One field of the form.

    Attributes:
        name: of the field.
        title: official title of the item that it looks for.
        value: as it was typed.
        fault: what is wrong with it; empty where nothing is.
        hint: how to fill it in.
        choices: codes with their names; empty for a text.
        digits: how many digits a number has; 0 for other texts.
    """

    name: str
    title: str
    value: str = ""
    fault: str = ""
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    digits: int = 0


def fields(
    form: Mapping[str, str], roll: Roll, numbers: Mapping[str, Item], faults: Mapping[str, str]
) -> dict[str, list[Field] | Field]:
    """The fields of the form, by their place: `box`, `numbers`, `detail`."""
    hints = {name: "先頭の0は省略できます。" if name == roll.section.subject else "" for name in numbers}
    return {
        "box": Field("box", "検索する語", form.get("box", ""), faults.get("box", "")),
        "numbers": [
            Field(
                name, item.name, form.get(name, ""), faults.get(name, ""), hints[name], (), item.digits or 0
            )
            for name, item in numbers.items()
        ],
        "detail": [
            Field(name, title, form.get(name, ""), faults.get(name, ""), _HINTS.get(name, ""), choices)
            for name, title, choices in _detail(roll)
        ],
    }


def _detail(roll: Roll) -> list[tuple[str, str, tuple[tuple[str, str], ...]]]:
    section, group = roll.section, roll.group
    found: list[tuple[str, str, tuple[tuple[str, str], ...]]] = []
    if section.names:
        found.append(
            ("name", "氏名（" + "・".join(group.item(name).name for name, _ in section.names) + "）", ())
        )
    if any(kana for _, kana in section.names):
        found.append(("kana", "カナ", ()))
    if section.birth:
        found.append(("birth", group.item(section.birth).name, ()))
    if section.sex:
        item = group.item(section.sex)
        codes = roll.edition.code_list(item)
        choices = tuple((code.value, code.label) for code in codes.codes) if codes else ()
        found.append(("sex", item.name, choices))
    if section.address:
        found.append(("address", "住所", ()))
    return found


def words(asked: Asked, roll: Roll) -> str:
    """A search in words."""
    titles = {name: title for name, title, _ in _detail(roll)} | {"name": "氏名"}
    sexes = dict(next((choices for name, _, choices in _detail(roll) if name == "sex"), ()))
    parts = []
    if asked.number and asked.number_item in roll.group:
        parts.append(f"{roll.group.item(asked.number_item).name} {asked.number}")
    for name in DETAIL:
        if value := getattr(asked, name):
            parts.append(f"{titles.get(name, name)} {sexes.get(value, value) if name == 'sex' else value}")
    return "　".join([*parts, "全区" if asked.wards == "all" else "自区"])
