"""`kiban migrate findings`: what is wrong in the data though it reads like any value, where, and how its owner decides on it."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from kiban.cli.migrating import PlanArgument, UnloadOption, WorkOption, opened


def findings(
    plan: PlanArgument,
    unload: UnloadOption = None,
    work: WorkOption = None,
    rule: Annotated[str | None, typer.Option(help="The places of this rule only.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, everything.")] = False,
    most: Annotated[int, typer.Option(help="How many places to show.")] = 50,
    draft: Annotated[
        bool,
        typer.Option("--draft", help="Write decisions/findings.csv with every open rule, to be filled in."),
    ] = False,
) -> None:
    """List what is wrong in the data though it reads like any value, and how to decide on it."""
    from kiban import migration
    from kiban.cli import progress
    from kiban.kernel import Problem

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell)
        results = migration.status(migration.STAGES, given, place)
    out = next((one.out for one in results if one.stage.name == "cleanse"), None)
    if out is None:
        raise Problem(
            "stage-before",
            "the data has not been looked at on the present inputs",
            fix="run kiban migrate run … --through cleanse first",
        )
    if draft:
        path = migration.findings.draft(given, out)
        typer.echo(
            f"{path} を書きました。決定・理由・決定者・決定日を埋め、`kiban migrate run` をもう一度実行してください。"
        )
        return
    if rule is not None:
        _places(out, rule, most, as_csv=as_csv)
    elif as_csv:
        sys.stdout.write((out / migration.findings.LIST).read_text(encoding="utf-8"))
    else:
        _list(out)


def _places(out: Path, rule: str, most: int, *, as_csv: bool) -> None:
    from kiban import migration

    found = migration.findings.places(out, rule)
    heads = ("ファイル", "レコード", "行", "データ", "フィールド", "内容", "状態")
    shown = found if as_csv else found.slice(0, most)
    rows = [
        (
            one["file"], one["record"], one["index"] or "", one["segment"], one["field"],
            migration.findings.said(one["code"]), migration.findings.STATES[one["state"]],
        )
        for one in shown.to_pylist()
    ]  # fmt: skip
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
        return
    for file, record, index, _, field, said, state in rows:
        line = f"の{index}行目" if index else ""
        typer.echo(f"{file} 第{record:,}件{line} {field or 'レコード全体'}：{said}（{state}）")
    more = f"（ほか{found.num_rows - most:,}件は --csv か --most で）" if found.num_rows > most else ""
    typer.echo(f"「{rule}」の指摘は{found.num_rows:,}件です。{more}")
    _teach()


def _list(out: Path) -> None:
    """A line for each rule and reason, with its files; the most severe first."""
    from kiban import migration

    lines = migration.findings.listed(out)
    groups: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for line in lines:
        groups.setdefault((line["重大度"], line["規則"], line["内容"]), []).append(line)
    severity = ""
    for (now, rule, said), ones in groups.items():
        if now != severity:
            typer.echo(f"{now}{'':14}件数  未決定")
            severity = now
        many, waiting = (sum(int(one[head]) for one in ones) for head in ("件数", "未決定"))
        files = "・".join(f"{one['ファイル']} {int(one['件数']):,}" for one in ones)
        decided = "・".join(dict.fromkeys(one["決定"] for one in ones if one["決定"]))
        typer.echo(
            f"{many:>22,} {waiting:>7,}  {rule}：{said}（{files}）{f'［{decided}］' if decided else ''}"
        )
    must = sum(int(line["未決定"]) for line in lines if line["重大度"] == "必須")
    typer.echo(
        f"指摘は{sum(int(line['件数']) for line in lines):,}件です。必須で未決定のものが{must:,}件あります。"
    )
    for one in migration.findings.stale(out):
        typer.echo(
            f"decisions/findings.csv の{one['行']}行目（{one['規則']}）は、今はどの指摘にも当たりません：{one['状況']}"
        )
    if lines:
        typer.echo("場所は --rule 規則 で見られます。")
        _teach()


def _teach() -> None:
    """How to decide, in the words of the file in which it is done."""
    from kiban import migration

    heads = ",".join(migration.findings.DECISION_HEADS)
    typer.echo("")
    typer.echo(f"決め方：計画の decisions/findings.csv に1行ずつ書きます（{heads}）。* はすべてを表します。")
    for word, means in migration.findings.DECISIONS.items():
        typer.echo(f"  {word}：{means}")
    typer.echo("  例：現在の住民の世帯がない,JUKI-1,265,出し直し,世帯番号の入力誤り,住民記録係長,2026-10-15")
    typer.echo("はじめは --draft で、未決定の規則をすべて並べたひな形を作れます。")
