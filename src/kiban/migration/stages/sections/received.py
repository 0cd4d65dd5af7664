"""What came in, beside what the legacy system itself printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from kiban.migration.packet import Chart, Section, Table
from kiban.migration.stage import Context
from kiban.migration.stages.land import MANIFEST
from kiban.migration.stages.sections.outputs import document
from kiban.migration.stages.totals import COMPARED


def received(context: Context) -> Section:
    """Files, their records beside the printed totals, and every total that differs."""
    manifest = document(context, "land", MANIFEST)
    totals = pq.read_table(context.inputs["totals"] / COMPARED).to_pylist()
    plan = context.plan
    stems = {Path(file.path).stem: file for file in plan.files}
    rows = []
    for stem, file in stems.items():
        mine = [line for line in totals if line["file"] == stem and line["use"] == "件数"]
        printed = [line["printed"] for line in mine if line["printed"] is not None]
        counted = sum(line["counted"] for line in mine)
        told = sum(printed) if printed else None
        rows.append((file.title, file.path, told, counted, None if told is None else counted - told))
    different = [line for line in totals if line["printed"] != line["counted"]]
    size = sum(entry["bytes"] for entry in manifest["files"])
    sentences = [
        f"計画した{len(plan.files)}ファイルがすべて届きました（{size:,}バイト）。基準日を名乗るファイルは、どれも{plan.cut_date.isoformat()}です。",
        f"旧システムが自ら印字した合計{len(totals):,}項目を数え直し、"
        + ("すべて一致しました。" if not different else f"{len(different):,}項目が一致しませんでした。"),
    ]
    tables = [
        Table("ファイルごとの件数", ("内容", "ファイル", "旧システムの帳票", "受け取った件数", "差"), rows)
    ]
    if different:
        columns = ("ファイル", "区", "帳票項目", "旧システムの帳票", "数え直し")
        listed = [
            (line["file"], line["ward"], line["item"], line["printed"], line["counted"]) for line in different
        ]
        tables.append(Table("一致しない合計", columns, listed))
    return Section("入ってきたもの", "bad" if different else "good", sentences, tables, list(_charts(totals)))


def _charts(totals: Sequence[Mapping[str, Any]]) -> Iterator[Chart]:
    """What was printed beside what was counted, for the items the project wants drawn."""
    drawn: dict[str, dict[str, tuple[int, int]]] = {}
    for line in totals:
        if line["use"] == "図" and line["ward"]:
            wards = drawn.setdefault(line["item"], {})
            printed, counted = wards.get(line["ward"], (0, 0))
            wards[line["ward"]] = (printed + (line["printed"] or 0), counted + line["counted"])
    for item, wards in drawn.items():
        yield Chart(
            f"区ごとの{item}（旧区コード順）",
            "件",
            [f"区{ward}" for ward in wards],
            [
                ("旧システムの帳票", [printed for printed, _ in wards.values()]),
                ("受け取ったデータ", [counted for _, counted in wards.values()]),
            ],
        )


def fingerprints(context: Context) -> Section:
    """SHA-256 of every file that came."""
    manifest = document(context, "land", MANIFEST)
    rows = [(entry["path"], entry["bytes"], f"{entry['sha256'][:32]}…") for entry in manifest["files"]]
    sentences = [
        "受け取ったファイルは読み取り専用で保管し、あとから変わっていないことを次の値で確かめられます。"
    ]
    return Section(
        "受け取ったファイルの指紋（SHA-256）",
        "none",
        sentences,
        [Table("指紋", ("ファイル", "バイト", "SHA-256"), rows)],
    )
