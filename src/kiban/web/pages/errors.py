"""Errors as pages: what happened, what to do, and a number that finds the line in the log."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

NUMBER = "kiban.number"
"""Under which the number of a request stands in its environment."""

_WORDS = {
    400: ("送信内容を読み取れませんでした", "前の画面に戻り、入力し直してください。"),
    403: (
        "この操作は許可されていません",
        "必要な場合は、所属の管理者に権限（職務）の付与を依頼してください。",
    ),
    404: ("ページが見つかりません", "アドレスを確認するか、最初の画面からやり直してください。"),
    405: ("この操作は受け付けていません", "最初の画面からやり直してください。"),
    413: ("送信内容が大きすぎます", "件数や条件を減らしてやり直してください。"),
    429: ("短い時間に何度も試行されたため、受け付けませんでした", "数分待ってからやり直してください。"),
    500: (
        "処理中に誤りが起きました",
        "しばらくしてやり直し、続く場合は下の番号を情報システム部門へ伝えてください。",
    ),
    503: (
        "データベースに接続できません",
        "該当者がいないのではありません。しばらくしてやり直し、続く場合は下の番号を情報システム部門へ伝えてください。",
    ),
}


def wants_page(request: HttpRequest) -> bool:
    """Whether a browser asks, which takes a page; other systems take JSON."""
    return "text/html" in request.headers.get("Accept", "")


def page(request: HttpRequest, status: int, what: str = "", fix: str = "", code: str = "") -> HttpResponse:
    """An error as a page.

    Args:
        request: what was asked.
        status: of HTTP.
        what: what happened, in Japanese; "" for the words of the status.
        fix: what to do, likewise.
        code: stable code of the problem; "" where there is none.
    """
    default_what, default_fix = _WORDS.get(status, _WORDS[500])
    told = {"what": what or default_what, "fix": fix or default_fix, "code": code, "number": number(request)}
    return render(request, "pages/error.html", told, status=status)


def number(request: HttpRequest) -> str:
    """The number of the request, as the line in the log has it."""
    return str(request.META.get(NUMBER, "-"))
