"""Sign-off: the packet the owner of the data reads and signs. What was not done stands in it as not done."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from kiban import characters
from kiban.migration import packet
from kiban.migration.packet import Chart, Glyph, Packet, Section, Table, Verdict
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages.land import MANIFEST
from kiban.migration.stages.totals import COMPARED

_NEEDS = ("inventory", "land", "decode", "prove", "totals", "characters")
_MISSING = {
    "transform": "標準の項目への変換",
    "load": "統合データベースへの取込み",
    "reconcile": "取込み後の全項目の突合",
}
_GLYPHS = 30


def _run(context: Context) -> Outcome:
    made = _packet(context)
    context.progress("確認書", 0, 3)
    (context.out / "packet.json").write_text(made.as_json(), encoding="utf-8")
    context.progress("確認書", 1, 3)
    (context.out / "packet.html").write_text(packet.to_html(made), encoding="utf-8")
    context.progress("確認書", 2, 3)
    (context.out / "packet.pdf").write_bytes(packet.to_pdf(made, context.plan.cut_date))
    context.progress("確認書", 3, 3)
    waiting = [one.title for one in made.sections if one.verdict in {"open", "bad"}]
    reason = f"確認書に承認できない項目があります（{'、'.join(waiting)}）。確認書（packet.html）を読み、判断してください。"
    return Outcome(
        {"sections": len(made.sections), "waiting": len(waiting), "digest": made.digest},
        gate([reason] if waiting else []),
    )


def _packet(context: Context) -> Packet:
    plan = context.plan
    manifest = json.loads((context.inputs["land"] / MANIFEST).read_text(encoding="utf-8"))
    totals = pq.read_table(context.inputs["totals"] / COMPARED).to_pylist()
    facts = [
        ("計画", plan.id),
        ("団体コード", plan.city),
        ("データの基準日", plan.cut_date.isoformat()),
        ("停止できる時間", f"{plan.window_hours}時間"),
        ("システム", "、".join(f"{one.title}（{one.vendor}）" for one in plan.systems)),
    ]
    sections = [
        _received(context, manifest, totals),
        _decoded(_summary(context, "decode"), _summary(context, "prove")),
        _characters(context),
        _protected(totals),
        _undone(),
        _consumers(context),
        _digests(manifest),
    ]
    return Packet(plan.title, facts, sections, plan.signers)


def _summary(context: Context, stage: str) -> Mapping[str, Any]:
    told = json.loads((context.inputs[stage] / "summary.json").read_text(encoding="utf-8"))
    return dict(told["summary"])


def _received(context: Context, manifest: Mapping[str, Any], totals: Sequence[Mapping[str, Any]]) -> Section:
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


def _decoded(summary: Mapping[str, Any], proof: Mapping[str, Any]) -> Section:
    faults = int(summary["faults"])
    sentences = [
        f"全ファイルの{summary['rows']:,}行を、読み飛ばさずに復号しました。",
        "読めない値はありませんでした。代わりの文字（〓や？）に置き換えた値もありません。"
        if not faults
        else f"読めない値が{faults:,}個あります。置き換えや省略はせず、場所と元のバイトを台帳に残しました。",
    ]
    if summary["filled"]:
        sentences.append(
            f"説明のない余白に{summary['filled']:,}バイトの値があります。持ち主に意味を確かめてください。"
        )
    codes = [(code, count) for code, count in summary["codes"].items()]
    tables = [Table("読めない値の種類", ("種類", "個数"), codes)] if codes else []
    lost = proof["unexplained"] + proof["missing"]
    sentences.append(
        f"読んだ値をもう一度書き戻し、{proof['records']:,}レコードの元のバイトと比べました。"
        + (
            f"{proof['fields']:,}個の値が1バイトも違わず元に戻り、説明のつかないバイトはありません。"
            if not lost
            else f"説明のつかないバイトが{proof['unexplained']:,}、行にならなかったレコードが{proof['missing']:,}あります。"
        )
    )
    if proof["otherwise"]:
        sentences.append(
            f"同じ値でも書き方が異なるもの（符号の書き方など）が{proof['otherwise']:,}個あり、元のバイトは受け取ったファイルに残っています。"
        )
    verdict: Verdict = "bad" if lost else "open" if faults or summary["filled"] else "good"
    return Section("復号", verdict, sentences, tables)


def _characters(context: Context) -> Section:
    path = context.inputs["characters"] / "characters.csv"
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    waiting = [row for row in rows if not row["text"]]
    changed = [row for row in rows if row["class"] in {"design", "substitute"}]
    sentences = [
        f"市が独自に作った文字（外字）は{len(rows)}字が使われています。"
        + (
            "すべて2人の職員が行き先を決めました。"
            if not waiting
            else f"うち{len(waiting)}字は、2人による決定がまだありません。"
        ),
        f"印字の形が変わる文字は{len(changed)}字です。" if changed else "印字の形が変わる文字はありません。",
    ]
    font = characters.glyph_font()
    glyphs = []
    for row in rows[:_GLYPHS]:
        svg = characters.glyph_svg(row["text"], font).svg if font and row["text"] else None
        note = f"{_CLASSES.get(row['class'], '未決定')}　{int(row['records']):,}件"
        glyphs.append(Glyph(f"{row['system']} {row['code']}", row["text"] or "？", svg, note))
    if len(rows) > _GLYPHS:
        sentences.append(f"下に先頭の{_GLYPHS}字を示します。全部は文字台帳（characters.csv）にあります。")
    return Section("文字", "open" if waiting else "good", sentences, glyphs=glyphs)


_CLASSES = {"exact": "同じ字形", "design": "設計差", "substitute": "代替", "unresolved": "未決定"}


def _protected(totals: Sequence[Mapping[str, Any]]) -> Section:
    mine = [line for line in totals if line["use"] == "保護"]
    printed, counted = sum(line["printed"] or 0 for line in mine), sum(line["counted"] for line in mine)
    same = all(line["printed"] == line["counted"] for line in mine)
    sentences = [
        f"支援措置の対象者は、旧システムの帳票で{printed:,}人、受け取ったデータで{counted:,}人です。",
        "区ごとの人数は、少人数の区から本人が知られるおそれがあるため、ここには載せません。",
        "新しい台帳で保護が弱くなっていないことの一人ずつの照合は、取込みのあとに行います。",
    ]
    return Section("支援措置", "none" if not mine else "good" if same else "bad", sentences)


def _undone() -> Section:
    sentences = [
        "次の工程はまだ行っていません。行うまで、この移行は承認できません。",
        *(f"・{title}" for title in _MISSING.values()),
    ]
    return Section("これから行うもの", "open", sentences)


def _consumers(context: Context) -> Section:
    plan = context.plan
    rows = [(one.title, one.owner, "未確認") for one in plan.consumers]
    sentences = ["このデータを使う先です。切替えの前に、それぞれが新しい形で受け取れることを確かめます。"]
    return Section(
        "使う先",
        "open" if rows else "none",
        sentences,
        [Table("使う先", ("使う先", "担当", "状態"), rows)] if rows else [],
    )


def _digests(manifest: Mapping[str, Any]) -> Section:
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


SIGNOFF = Stage("signoff", "確認書", _NEEDS, _run, looks=True)
