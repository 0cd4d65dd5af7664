"""What was converted to the standard and taken into the database, row by row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow.parquet as pq

from kiban.migration.mapping import MADE, MOVED, NOT_HELD, Map, load_maps
from kiban.migration.packet import Section, Table, Verdict
from kiban.migration.stage import Context
from kiban.migration.stages.apply import DELTA
from kiban.migration.stages.load import LOADED
from kiban.migration.stages.sections.outputs import document
from kiban.migration.stages.transform import ROWS

_COUNTS = ("source", "mapped", "merged", "rejected")


def converted(context: Context) -> Section:
    """Rows of every register: what came, what became of it, what was loaded; and where its items come from."""
    maps = {made.register: made for made in load_maps(context.plan)}
    counts: dict[str, Counter[str]] = {name: Counter() for name in maps}
    for line in pq.read_table(context.inputs["transform"] / ROWS).to_pylist():
        counts[line["register"]].update({name: line[name] for name in _COUNTS})
    loaded = {}
    if "load" in context.inputs:
        told = document(context, "load", LOADED)
        loaded = {line["register"]: line["loaded"] for line in told["registers"]}
    rows, ways = [], Counter[str]()
    even = True
    for name, made in maps.items():
        one = counts[name]
        ways.update(line.how for line in made.lines)
        even &= one["source"] == one["mapped"] + one["merged"] + one["rejected"]
        even &= not loaded or loaded.get(name, 0) == one["mapped"]
        rows.append((made.group.name, *(one[each] for each in _COUNTS), loaded.get(name)))
    total = [sum(one[name] for one in counts.values()) for name in _COUNTS]
    sentences = [
        f"標準の項目{ways.total():,}のうち、{ways[MOVED]:,}は旧システムの値から、{ways[MADE]:,}は決めた規則で作り、"
        f"{ways[NOT_HELD]:,}は旧システムが持たないと届け出ています。黙って補った値はありません。",
        f"元の{total[0]:,}行は、{total[1]:,}行が標準の行になり、{total[2]:,}行が同じ内容の行とまとめられ、{total[3]:,}行が理由とともに除かれました。"
        + ("行の出入りは、すべての台帳で合っています。" if even else "行の出入りが合わない台帳があります。"),
    ]
    if not loaded:
        sentences.append("統合データベースへの取込みは、まだ行っていません。")
    columns = ("台帳", "元の行", "変換した行", "まとめた行", "除いた行", "取り込んだ行")
    verdict: Verdict = "bad" if not even else "good" if loaded else "open"
    tables = [Table("台帳ごとの行の出入り", columns, rows), *_delta(context, maps)]
    return Section("変換と取込み", verdict, sentences, tables)


def _delta(context: Context, maps: Mapping[str, Map]) -> Iterator[Table]:
    """What a newer unload changed, where this packet is that of a delta."""
    if "load" in context.inputs and (context.inputs["load"] / DELTA).is_file():
        told = document(context, "load", DELTA)["registers"]
        rows = [
            (
                maps[one["register"]].group.name,
                *(one[name] for name in ("unchanged", "new", "changed", "gone")),
            )
            for one in told
        ]
        heads = ("台帳", "変わらない行", "新しい行", "変わった行", "なくなった行")
        yield Table("前回から変わったもの（差分）", heads, rows)
