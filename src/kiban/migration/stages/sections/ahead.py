"""What has not been done yet, and who uses the data afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from kiban.migration.packet import Section, Table
from kiban.migration.stage import Context

_BEYOND = (
    "税額・保険料などを全員分計算し直し、旧システムの結果と比べること",
    "通知・証明書のすべての出口で、支援措置対象者の住所が出ないことを試すこと",
    "本番と同じ量での通し稽古（3回以上）",
)
"""What no stage here does; the owner of the data has to know that."""


def ahead(context: Context, waiting: Sequence[str]) -> Section:
    """Stages that did not run, and what lies outside of this packet.

    Args:
        context: of the stage.
        waiting: Japanese titles of the stages that have not been done on these inputs.
    """
    sentences = []
    if waiting:
        sentences.append(
            f"次の工程はまだ終わっていません：{'、'.join(waiting)}。終わるまで、この移行は承認できません。"
        )
    sentences.append("この確認書が扱わないもの。切替えの判断の前に、それぞれの結果を確かめてください。")
    sentences += [f"・{each}" for each in _BEYOND]
    return Section("これから行うもの", "open" if waiting else "none", sentences)


def consumers(context: Context) -> Section:
    """Who uses the data, and whether each has shown that it can take the new form."""
    ones = context.plan.consumers
    rows = [(one.title, one.owner, f"{one.accepted}に確認済み" if one.accepted else "未確認") for one in ones]
    open_ones = sum(not one.accepted for one in ones)
    sentences = [
        "このデータを使う先です。切替えの前に、それぞれが新しい形で受け取れることを確かめます。",
        "すべての使う先が確かめました。" if not open_ones else f"{open_ones}か所がまだ確かめていません。",
    ]
    return Section(
        "使う先",
        "open" if open_ones else "good" if rows else "none",
        sentences,
        [Table("使う先", ("使う先", "担当", "状態"), rows)] if rows else [],
    )
