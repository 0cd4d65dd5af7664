"""The pages a person may open, as entries of the menu."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        title: in Japanese.
        address: where it leads.
        action: of the policies, which has to be allowed.
        hint: a few words.
    """

    title: str
    address: str
    action: str
    hint: str = ""


ENTRIES = (
    Entry("検索", "/people", "search", "住民を探し、記載内容と履歴を見る"),
    Entry("データ抽出", "/extracts", "extract", "項目と条件を選び、ファイルに出す（EUC）"),
    Entry("連携", "/operations/link", "operations", "データ連携の状況"),
    Entry("自動処理", "/operations/upkeep", "operations", "夜間の処理と方針の読直し"),
    Entry("移行", "/operations/migrations", "migrations", "移行と移行結果確認書"),
    Entry("標準", "/operations/standards", "standards", "標準仕様の版と差分"),
    Entry("監査", "/operations/audit", "audit", "操作の記録と分析"),
    Entry("一時解除", "/operations/lifts", "lifts", "支援措置等の一時解除"),
    Entry("利用者", "/operations/accounts", "accounts", "職員・所属・職務"),
    Entry(
        "サインイン", "/operations/sign-in", "accounts", "招待・再発行・停止、サインインを連携するシステム"
    ),
)
"""All entries, in their order."""


def menu(request: HttpRequest) -> list[dict[str, object]]:
    """The entries that the person at work may open."""
    grant = getattr(request, "grant", None)
    if grant is None:
        return []
    return [
        {
            "title": each.title,
            "address": each.address,
            "hint": each.hint,
            "here": request.path.startswith(each.address),
        }
        for each in ENTRIES
        if grant.allows(each.action)
    ]
