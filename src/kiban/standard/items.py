"""One row of items.csv becomes one Item, with every fault of the row."""

from __future__ import annotations

import re
import unicodedata

from kiban.standard.findings import Findings, suggest
from kiban.standard.model import Item
from kiban.standard.tables import Row

TYPES = ("X", "N", "9", "9V", "S9", "BLOB", "YEAR", "DATE", "TIME")
CONDITIONS = ("必須", "条件付き必須", "任意")
MARK = "○"
MARK_LOOKALIKES = frozenset("〇◯oO0Ｏ０●◎")
RESERVED_ROMAJI = frozenset({"valid_from", "valid_to", "known_from", "known_to", "valid", "known"})
"""Names that the registers use for themselves; an item of that name would collide."""

_ROMAJI = re.compile(r"[a-z][a-z0-9_]*")
_UNKNOWN_DATE = re.compile(r"不詳日を許容(?!しない|しません|せず|できない)")
_MAX_NAME = 63  # bytes; PostgreSQL cuts longer names silently


def normalise_list_id(text: str) -> str:
    """The ID of a code list without the leading zeros that some cells have and others have not.

    >>> normalise_list_id("002"), normalise_list_id("2"), normalise_list_id("住民基本台帳001")
    ('2', '2', '住民基本台帳001')
    """
    text = unicodedata.normalize("NFKC", text).strip()
    return (text.lstrip("0") or "0") if text.isdecimal() else text


def place(name: str, row: Row) -> str:
    """How problems call a row: file, line, and the item's ID and name."""
    label = f"{row.values['データ項目ID']} {row.values['データ項目']}".strip()
    return f"{name}:{row.line} ({label})" if label else f"{name}:{row.line}"


def read_item(row: Row, business: str | None, name: str, findings: Findings) -> Item:
    """Make an item of a row; parts that are wrong get a harmless value, so that reading can go on."""
    values = row.values
    where = place(name, row)
    kind = _type(values["データ型"], where, findings)
    digits, scale = _digits(values["桁数"], kind, where, findings)
    description = values["項目説明"]
    code = values["コード"]

    def needed(column: str, fault: str, fix: str) -> str:
        return _needed(values[column], column, fault, fix, where, findings)

    return Item(
        id=_id(values["データ項目ID"], business, where, findings),
        name=needed("データ項目", "item-without-name", "write the Japanese name of the item"),
        romaji=_romaji(values["データ項目（ローマ字）"], where, findings),
        group=needed(
            "グループ_名称", "item-without-group", "write the name of the group that the item belongs to"
        ),
        key=_mark("主キー", values, where, findings),
        foreign_key=_mark("外部キー", values, where, findings),
        classes=(values["クラス分類_Lv1"], values["クラス分類_Lv2"], values["クラス分類_Lv3"]),
        type=kind,
        digits=digits,
        scale=scale,
        code=normalise_list_id(code) if code else None,
        repeat=_repeat(values["繰り返し"], where, findings),
        condition=_condition(values["データ出力条件"], description, where, findings),
        definition=values["項目定義"],
        description=description,
        reference=values["標準仕様書関連箇所"],
        implementation=MARK if _mark("実装類型", values, where, findings) else "",
        sample=values["サンプル値"],
        remarks=values["備考"],
        extra=row.extra,
        allows_unknown_date=kind == "DATE" and bool(_UNKNOWN_DATE.search(description)),
    )


def _id(text: str, business: str | None, where: str, findings: Findings) -> str:
    """The business ID and five digits; the five alone where the business has no ID yet."""
    if business is None:
        if not re.fullmatch(r"[0-9]{5}", text):
            findings.fault(
                "item-id-form",
                f"データ項目ID {text or '(empty)'} is not five digits, and the business has no 業務ID",
                where,
                "write five digits, such as 90001; the business ID comes before them when it is known",
            )
        return text
    if not re.fullmatch(r"[0-9]{8}", text):
        digits = re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", text))
        guess = f"{business}{digits[-5:]:0>5}" if digits else f"{business}00001"
        findings.fault(
            "item-id-form",
            f"データ項目ID {text or '(empty)'} is not eight digits",
            where,
            f"write the business ID and five digits, such as {guess}",
        )
    elif business and not text.startswith(business):
        findings.fault(
            "item-id-of-other-business",
            f"データ項目ID {text} does not begin with {business}",
            where,
            f"write {business}{text[3:]}, or move the item to the business {text[:3]}",
        )
    return text


def _needed(text: str, column: str, code: str, fix: str, where: str, findings: Findings) -> str:
    if not text:
        findings.fault(code, f"{column} is empty", where, fix)
    return text


def _romaji(text: str, where: str, findings: Findings) -> str:
    if not text:
        findings.fault(
            "romaji-missing",
            "データ項目（ローマ字） is empty",
            where,
            "write the romaji; it is the name in SQL, CSV and JSON",
        )
    elif not _ROMAJI.fullmatch(text):
        guess = re.sub(r"[^a-z0-9_]+", "_", unicodedata.normalize("NFKC", text).lower()).strip("_")
        findings.fault(
            "romaji-form",
            f"データ項目（ローマ字） {text} is not a plain name",
            where,
            f"use a-z, 0-9 and _ and begin with a letter: {guess or 'name'}",
        )
    elif len(text) > _MAX_NAME:
        findings.fault(
            "romaji-too-long",
            f"データ項目（ローマ字） has {len(text)} letters; the database keeps {_MAX_NAME}",
            where,
            f"shorten it to at most {_MAX_NAME} letters and record the official name in 備考",
        )
    elif text in RESERVED_ROMAJI:
        findings.fault(
            "romaji-reserved",
            f"the registers use the name {text} themselves",
            where,
            f"use another romaji, such as {text}_item",
        )
    return text


def _mark(column: str, values: dict[str, str], where: str, findings: Findings) -> bool:
    text = values[column]
    if text in ("", MARK):
        return text == MARK
    fix = f"write {MARK} (U+25CB) or leave it empty"
    findings.fault(
        "mark-unknown",
        f"{column} holds {text}, not {MARK}",
        where,
        f"did you mean {MARK} (U+25CB)? {fix}" if text in MARK_LOOKALIKES else fix,
    )
    return text in MARK_LOOKALIKES


def _type(text: str, where: str, findings: Findings) -> str:
    kind = unicodedata.normalize("NFKC", text).strip().upper()
    if kind in TYPES:
        return kind
    if not kind:
        findings.fault("type-missing", "データ型 is empty", where, f"write one of {', '.join(TYPES)}")
    else:
        findings.fault(
            "type-unknown",
            f"データ型 {text} is not one of the standard",
            where,
            suggest(kind, TYPES, f"write one of {', '.join(TYPES)}"),
        )
    return "N"


def _digits(text: str, kind: str, where: str, findings: Findings) -> tuple[int | None, int | None]:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if not plain:
        if kind in ("X", "N", "9", "S9", "9V"):
            form = "n,m" if kind == "9V" else "n"
            findings.fault(
                "digits-missing",
                f"桁数 is empty for the type {kind}",
                where,
                f"write the largest number of characters as {form}",
            )
        return None, None
    if kind == "9V":
        return _digits_of_decimal(plain, text, where, findings)
    if not re.fullmatch(r"[1-9][0-9]{0,8}", plain):
        findings.fault(
            "digits-form",
            f"桁数 {text} is not a positive whole number",
            where,
            "n,m is for the type 9V: write one number, or change データ型 to 9V"
            if "," in plain
            else "write the largest number of characters, such as 10",
        )
        return None, None
    digits = int(plain)
    usual = {"YEAR": (4,), "DATE": (10,), "TIME": (5, 8)}.get(kind)
    if usual and digits not in usual:
        findings.note(
            "digits-unusual",
            f"桁数 {digits} does not fit the written form of {kind}",
            where,
            f"the written form has {' or '.join(map(str, usual))} characters",
        )
    return digits, None


def _digits_of_decimal(
    plain: str, text: str, where: str, findings: Findings
) -> tuple[int | None, int | None]:
    if match := re.fullmatch(r"([1-9][0-9]*),([1-9][0-9]*)", plain):
        return int(match[1]), int(match[2])
    what = f"桁数 {text} of a 9V item is not n,m"
    example = plain if plain.isdecimal() else 5
    fix = f"write the digits before and after the point, such as {example},2"
    findings.fault("digits-form-9v", what, where, fix)
    return None, None


def _repeat(text: str, where: str, findings: Findings) -> int | None:
    plain = unicodedata.normalize("NFKC", text)
    if not plain:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,5}", plain):
        findings.fault(
            "repeat-form",
            f"繰り返し {text} is not a positive whole number",
            where,
            "write the largest number of values, such as 999, or leave it empty",
        )
        return None
    return int(plain)


def _condition(text: str, description: str, where: str, findings: Findings) -> str:
    if text not in CONDITIONS:
        if text:
            findings.fault(
                "condition-unknown",
                f"データ出力条件 {text} is not one of the standard",
                where,
                suggest(text, CONDITIONS, f"write one of {', '.join(CONDITIONS)}"),
            )
        else:
            findings.fault(
                "condition-missing", "データ出力条件 is empty", where, f"write one of {', '.join(CONDITIONS)}"
            )
        return "任意"
    if text == "条件付き必須" and "※※" not in description:
        findings.slip(
            "condition-without-text",
            "the item is 条件付き必須 and 項目説明 names no condition",
            where,
            "add a line beginning with ※※ to 項目説明 that says when a value is needed",
        )
    elif text != "条件付き必須" and "※※" in description:
        findings.note(
            "condition-text-unused",
            f"項目説明 names a ※※ condition and the item is {text}",
            where,
            "set データ出力条件 to 条件付き必須, or remove the ※※ line",
        )
    return text
