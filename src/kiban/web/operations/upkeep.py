"""What the house does by itself: when it ran last, when it runs next, what hindered it."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from kiban.access import upkeep
from kiban.web.operations.sheet import Row, Sheet, moment, show
from kiban.web.pages.desk import Desk
from kiban.web.pages.trail import leave
from kiban.web.pages.working import needs

_TITLES = {
    "root": (
        "操作等の記録の日次署名",
        "署名のファイルはホームの audit/roots にあります。市の外へ渡してください。",
    ),
    "protect": ("支援措置等の対象者の見直し", "終了日を過ぎた世帯などを、台帳から改めて判定します。"),
}
_HINDERED = {
    "audit-rewound": "封印した記録がデータベースにありません。何も変えずに、情報システム部門で原因を調べてください。",
    "audit-day-writing": "書込み中の処理が終わりませんでした。30分後に自動でやり直します。",
    "database-unreachable": "データベースに接続できませんでした。30分後に自動でやり直します。",
}
_OTHERWISE = "自動でやり直します。続くときは、サーバーのログをこの符号で確かめてください。"
_NOWHERE = "この画面を出しているサーバーには、ホームが設定されていません。"


@needs("operations")
@require_safe
def overview(request: Desk) -> HttpResponse:
    """How nightly work and the policy set stand."""
    leave(request, "read", business="operations", what="upkeep")
    if request.city.keeping is None:
        return show(request, Sheet("自動処理", intro=(_NOWHERE,), asked=False))
    now, runs = request.city.now(), upkeep.runs(request.city.keeping)
    rows: list[Row] = []
    for task in upkeep.NIGHTLY:
        last = runs.get(task)
        title, hint = _TITLES[task]
        following = moment(upkeep.next_run(last, now))
        rows.append((title, _at(last), _result(last), following, hint))
    last, digest = runs.get(upkeep.POLICIES), request.city.policies.digest[:16]
    hint = f"使用中の方針：{digest}。ファイルを変えると、数秒後に全体を読み直します。"
    result = _policies(last)
    rows.append(("職務と権限（方針）の読直し", _at(last), result, "変更があったとき", hint))
    heads = ("処理", "前回", "結果", "次回", "説明")
    intro = (f"{moment(now)} 時点。夜間の処理は毎日{upkeep.HOUR}時以降に、kiban serve が行います。",)
    return show(request, Sheet("自動処理", heads, rows, intro=intro))


def _at(last: upkeep.Run | None) -> str:
    return moment(datetime.fromisoformat(last.at)) if last else "－"


def _result(last: upkeep.Run | None) -> str:
    if last is None:
        return "まだ行っていません"
    if not last.problem:
        return "完了"
    return f"失敗（{last.problem}）。{_HINDERED.get(last.problem, _OTHERWISE)}"


def _policies(last: upkeep.Run | None) -> str:
    if last is None:
        return "起動してから変更はありません"
    if last.problem:
        return f"失敗：誤りが{last.what}件あるため、前の方針のままです（{last.problem}）。kiban access policies check で確かめてください。"
    return "読み直しました"
