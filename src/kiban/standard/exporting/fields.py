"""What all formats say of an item alike."""

from __future__ import annotations

from typing import Any

from kiban.standard.code_list import CodeList
from kiban.standard.model import Edition, Item
from kiban.standard.values import SELECTORS, rules

REFERENCE_MARK = "基準版（公式ではない）"


def digits(item: Item) -> str | None:
    """桁数 as the list writes it: n, or n,m for 9V; None where it gives none."""
    if item.digits is None:
        return None
    return f"{item.digits},{item.scale}" if item.scale is not None else str(item.digits)


def description(item: Item) -> str:
    """項目定義 and 項目説明 in one text."""
    return "\n".join(part.strip() for part in (item.definition, item.description) if part.strip())


def checked_codes(edition: Edition, item: Item) -> CodeList | None:
    """The code list whose values bind the item; None where it is not coded or cities fill the list."""
    code_list = edition.code_list(item)
    return None if code_list is None or code_list.free else code_list


def text_pattern(item: Item) -> str | None:
    """A regular expression for the whole of a value that travels as text, length included; None where none.

    For N the length stands here and not in a length limit: tools count variation selectors, 桁数 does not.
    """
    pattern = rules(item).pattern
    if pattern is None:
        return None
    if item.type == "N" and item.digits is not None:
        one = pattern.removesuffix("+").removesuffix("]") + SELECTORS + "]"
        return f"^(?:{one}[{SELECTORS}]*){{1,{item.digits}}}$"
    return f"^(?:{pattern})$"


def marks(edition: Edition, item: Item) -> dict[str, Any]:
    """What the public formats have no word for, by our own; nothing is left out, absent is absent."""
    facts: dict[str, Any] = {
        "itemId": item.id,
        "dataType": item.type,
        "digits": digits(item),
        "codeList": item.code,
        "repeat": item.repeat,
        "condition": item.condition,
        "implementation": item.implementation,
        "key": item.key or None,
        "foreignKey": item.foreign_key or None,
        "unknownDate": item.allows_unknown_date or None,
        "classes": [part for part in item.classes if part],
        "reference": item.reference,
        "remarks": item.remarks,
    }
    return {name: value for name, value in facts.items() if value not in (None, "", [])}


def about(edition: Edition) -> str:
    """One paragraph on where an edition comes from; it says so where it is not the official list."""
    mark = f"【{REFERENCE_MARK}】" if edition.status == "reference" else ""
    return f"{mark}{edition.title}（{edition.called}）{edition.edition}版。{edition.basis}".strip()
