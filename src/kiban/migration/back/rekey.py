"""The list of what officials enter into the legacy system by hand, because its records have no place for it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from kiban.migration.mapping import Map
from kiban.migration.plan import Plan
from kiban.standard import Edition

HEADS: Final = ("台帳", "台帳名", "対象者番号", "履歴番号", "項目", "項目名", "理由", "すること")
NOT_A_TARGET, RECORD_MISSING, RECORD_GONE, ROW_GONE = (
    "register-not-held",
    "record-missing",
    "record-gone",
    "row-gone",
)
_BY_HAND: Final = "旧システムの画面で入力する"
_KEEP: Final = "旧システムの外に控える"
REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "not-held": ("旧システムにこの項目がない", _KEEP),
    NOT_A_TARGET: ("旧システムにこの台帳がない", _KEEP),
    "code-several": ("標準のコードに当たる旧コードが2つ以上あり、1つに決まらない", _BY_HAND),
    "code-unknown": ("標準のコードに当たる旧コードがない", _BY_HAND),
    "number-form": ("旧システムの数字の欄に書ける形でない", _BY_HAND),
    "date-form": ("旧システムの日付の欄に書ける形でない", _BY_HAND),
    "date-era": ("旧システムの和暦で書ける日でない", _BY_HAND),
    "year-era": ("旧システムの和暦で書ける年度でない", _BY_HAND),
    "time-form": ("旧システムの時刻の欄に書ける形でない", _BY_HAND),
    "list-form": ("区切りの字が値の中にある", _BY_HAND),
    "char-unencodable": (
        "旧システムの文字コードにない字がある",
        "外字を登録するか、代わりの字を決めて入力する",
    ),
    "field-overflow": ("旧システムの欄に入りきらない", "短くする書き方を決めて入力する"),
    "digits-many": ("旧システムの欄の桁数に入りきらない", _BY_HAND),
    "sign-bad": ("負の数を書けない欄である", _BY_HAND),
    "number-missing": ("旧システムの数字の欄には「値がない」ことを書けない", _BY_HAND),
    "group-other": ("この種別のレコードには欄がない", _KEEP),
    "derived-other": (
        "旧システムでは別の項目から決まる値で、それと異なる",
        "旧システムの元の項目か一覧を確かめる",
    ),
    "differs": ("書いたレコードを読み戻すと別の値になる", _BY_HAND),
    "condition-other": ("行がないのに、あると読まれるレコードになる", "旧システムの画面で確かめる"),
    "record-key": ("番号が旧システムの欄に入りきらず、ほかの行と取り違えるため返していない", _BY_HAND),
    RECORD_MISSING: ("この行を入れるレコードがない", _BY_HAND),
    "record-several": ("この行を入れるレコードが2つ以上あり、1つに決まらない", _BY_HAND),
    "record-full": ("レコードに、この行を入れる場所が残っていない", _BY_HAND),
    RECORD_GONE: ("台帳からなくなった履歴が旧システムに残っている", "旧システムで消す"),
    ROW_GONE: ("台帳から行がなくなった", "旧システムにも残っていないことを確かめる"),
}
"""By code: why, and what to do."""
_WHOLE: Final = "（行の全体）"


def write_rekey(path: Path, plan: Plan, maps: Iterable[Map], lines: Iterable[Mapping[str, str]]) -> int:
    """Write the list: internal numbers only, no values.

    Args:
        path: of the CSV file.
        plan: of the migration.
        maps: of all its targets.
        lines: see `desk.LINES`.

    Returns:
        How many lines there are.
    """
    count = 0
    editions = {edition.id: edition for edition in plan.editions.values()}
    notes = {(made.register, line.item): line.note for made in maps for line in made.lines}
    reasons = {f"{plan.editions[one.edition].id}.{one.group}": one.reason for one in plan.not_held}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADS)
        for line in lines:
            register, item, code = line["register"], line["item"], line["code"]
            group, name = _names(editions, register, item)
            count += 1
            why, what = REASONS.get(code, (code, _BY_HAND))
            note = {"not-held": notes.get((register, item)), NOT_A_TARGET: reasons.get(register)}.get(code)
            why = f"{why}（{note}）" if note else why
            writer.writerow(
                (register, group, line["subject"], line["history"], item or _WHOLE, name, why, what)
            )
    return count


def _names(editions: Mapping[str, Edition], register: str, item: str) -> tuple[str, str]:
    """The Japanese names of a register and an item."""
    schema, group_id = register.split(".")
    group = editions[schema].group(group_id)
    periods = {"valid_from": "有効開始日", "valid_to": "有効終了日", "": ""}
    return group.name, periods[item] if item in periods else group.item(item).name
