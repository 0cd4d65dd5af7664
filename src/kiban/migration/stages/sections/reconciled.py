"""The proof by an independent path: every row, every item, every yen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiban.migration.packet import Section, Table
from kiban.migration.stage import Context
from kiban.migration.stages.reconcile import CERTIFICATE
from kiban.migration.stages.sections.outputs import document

_HEADS = (
    "台帳",
    "旧システムの行",
    "統合データベースの行",
    "比べた項目",
    "一致しない行",
    "合わない件数・合計",
)


def reconciled(context: Context) -> Section:
    """Rows and items compared, what differs, and sums by fiscal year where a register has one."""
    told = document(context, "reconcile", CERTIFICATE)
    totals = told["totals"]
    rows = [_row(one) for one in told["registers"]]
    sentences = [
        "変換に使ったものとは別の道で、もう一度確かめました。旧システムのファイルの値と、データベースが自分で計算した値を比べています。",
        f"{totals['registers']:,}の台帳、{totals['rows']:,}行、{totals['values']:,}個の値を1つずつ比べ、"
        + (
            "違いはありませんでした。"
            if not totals["differences"]
            else f"{totals['differences']:,}行が一致しませんでした。"
        ),
        f"区・年度ごとの件数と、{totals['sums']:,}の合計（金額は1円まで）を比べ、"
        + ("すべて合いました。" if not totals["uneven"] else f"{totals['uneven']:,}か所が合いませんでした。"),
    ]
    tables = [Table("台帳ごとの突合", _HEADS, rows), *_years(told["registers"])]
    wrong = totals["differences"] or totals["uneven"]
    return Section("突合", "bad" if wrong else "good", sentences, tables)


def _row(one: Mapping[str, Any]) -> tuple[str, int, int, int, int, int]:
    differing = sum(one["differences"][name] for name in ("missing", "extra", "differs", "repeated"))
    return (
        one["name"], one["rows"]["source"], one["rows"]["stored"], len(one["items"]), differing, one["uneven"]
    )  # fmt: skip


def _years(registers: list[Mapping[str, Any]]) -> Iterator[Table]:
    """Rows and the sum of all amounts of each fiscal year, for registers that have one."""
    for one in registers:
        years: dict[str, list[int]] = {}
        for cell in one["cells"]:
            if cell["year"]:
                line = years.setdefault(cell["year"], [0, 0, 0, 0])
                sums = [(int(old), int(new)) for old, new in cell["sums"].values()]
                added = (cell["source"], cell["stored"], sum(a for a, _ in sums), sum(b for _, b in sums))
                years[cell["year"]] = [have + more for have, more in zip(line, added, strict=True)]
        if years:
            rows = [
                (f"{year}年度", line[0], line[1], line[2], line[3]) for year, line in sorted(years.items())
            ]
            heads = (
                "年度",
                "旧システムの行",
                "統合データベースの行",
                "旧システムの金額・人数の総計",
                "統合データベースの総計",
            )
            yield Table(f"{one['name']}：年度ごとの件数と総計", heads, rows)
