"""What was wrong in the data before anything was converted, and what its owners decided."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kiban.migration import findings
from kiban.migration.packet import Section, Table, Verdict
from kiban.migration.stage import Context
from kiban.migration.stages.sections.outputs import summary_of

_MOST = 12


def cleansed(context: Context) -> Section:
    """Findings by rule with their decisions, and the kinds of dates there are."""
    summary = summary_of(context, "cleanse")
    lines = _lines(context, findings.LIST)
    checked = sum(int(one["対象"]) for one in _lines(context, findings.CHECKED))
    must = [one for one in lines if one["重大度"] == findings.SEVERITIES["must"]]
    found = sum(int(one["件数"]) for one in must)
    sentences = [
        f"{summary['checks']:,}の検査で、のべ{checked:,}か所を調べました。"
        + (
            f"決定の要る指摘が{found:,}件あり、{found - summary['open']:,}件は決定済み、{summary['open']:,}件が未決定です。"
            if found
            else "決定の要る指摘はありませんでした。"
        ),
        f"決定により、{summary['rejected']:,}行を移行から除き、{summary['merged']:,}行を同じ内容の行とまとめました。除いた行も、理由とともに残しています。",
        f"参考の指摘（確かめたほうがよいもの{summary['should']:,}件、知らせるもの{summary['note']:,}件）は指摘台帳（findings.csv）にあります。",
    ]
    heads = ("指摘", "内容", "件数", "決定済み", "未決定", "決定")
    rows = [row for row in _by_rule(must) if row[2]]
    tables = [Table("決定の要る指摘", heads, rows, _MOST)] if rows else []
    tables += _dates(_lines(context, findings.DATES))
    verdict: Verdict = "open" if summary["open"] else "good"
    return Section("データ整備", verdict, sentences, tables)


def _lines(context: Context, name: str) -> list[dict[str, str]]:
    with (context.inputs["cleanse"] / name).open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def _by_rule(lines: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str, int, int, int, str]]:
    rules: dict[tuple[str, str], list[Mapping[str, str]]] = {}
    for one in lines:
        rules.setdefault((one["規則"], one["内容"]), []).append(one)
    for (rule, what), those in rules.items():
        counts = [sum(int(one[head]) for one in those) for head in ("件数", "決定済み", "未決定")]
        decided = "・".join(dict.fromkeys(one["決定"] for one in those if one["決定"]))
        yield rule, what, counts[0], counts[1], counts[2], decided


def _dates(lines: Sequence[Mapping[str, str]]) -> Iterator[Table]:
    """Every date by what it is; none was invented."""
    kinds: Counter[str] = Counter()
    for one in lines:
        kinds[one["種類"]] += int(one["件数"])
    if kinds:
        yield Table("日付の種類（補った日付はありません）", ("種類", "件数"), list(kinds.items()))
