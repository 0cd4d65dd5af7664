"""Support measures: everybody protected by the legacy system is protected now, one by one."""

from __future__ import annotations

import pyarrow.parquet as pq

from kiban.migration.packet import Section, Verdict
from kiban.migration.stage import Context
from kiban.migration.stages.reconcile import CERTIFICATE
from kiban.migration.stages.sections.outputs import document
from kiban.migration.stages.totals import COMPARED


def protected(context: Context) -> Section:
    """How many people are protected on either side; never by ward, where few are recognised."""
    lines = [
        one for one in pq.read_table(context.inputs["totals"] / COMPARED).to_pylist() if one["use"] == "保護"
    ]
    printed, counted = sum(one["printed"] or 0 for one in lines), sum(one["counted"] for one in lines)
    same = all(one["printed"] == one["counted"] for one in lines)
    sentences = [
        f"支援措置の対象者は、旧システムの帳票で{printed:,}件、受け取ったデータで{counted:,}件です。",
        "区ごとの人数は、少人数の区から本人が知られるおそれがあるため、ここには載せません。",
    ]
    verdict: Verdict = "none" if not lines else "open" if same else "bad"
    if "reconcile" not in context.inputs:
        sentences.append("新しい台帳で保護が弱くなっていないことの一人ずつの照合は、取込みのあとに行います。")
        return Section("支援措置", verdict, sentences)
    told = document(context, "reconcile", CERTIFICATE)["protection"]
    if told["not_held"]:
        return Section(
            "支援措置", "none" if same else "bad", [*sentences, f"照合しません：{told['not_held']}"]
        )
    weak = told["weaker"] + told["missing"]
    sentences.append(
        f"今も守られている{told['people']:,}人を、窓口と同じ読み方で一人ずつ確かめました。"
        f"旧システムと同じ保護が{told['equal']:,}人、より強い保護が{told['stronger']:,}人、"
        f"弱くなった人が{told['weaker']:,}人、見つからない人が{told['missing']:,}人です。"
    )
    sentences.append(
        f"有効な措置{told['measures']:,}件と、加害者等の記録{told['aggressors']:,}件も、この照合に含まれます。"
        + ("" if not weak else "一人でも弱くなるかぎり、承認できません。")
    )
    return Section("支援措置", "bad" if weak or not same else "good", sentences)
