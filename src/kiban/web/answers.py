"""Answers in JSON: what was asked for, or a problem in the form of RFC 9457 that keeps the links of the standard's own form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.http import HttpResponse

from kiban.kernel import Problem, Problems

JSON, PROBLEM = "application/json", "application/problem+json"

_THEIRS = {
    "flow-unknown": 404,
    "after-unreadable": 400,
    "known-future": 400,
    "value-unreadable": 400,
}
"""Single problems that whoever asks can mend; any other says that something of ours does not work."""
_TITLES = {
    400: "リクエストに誤りがあります。",
    401: "アクセストークンが無効です。",
    403: "許可されていません。",
    404: "見つかりません。",
    405: "このメソッドは使えません。",
    411: "本文の長さがありません。",
    413: "本文が大きすぎます。",
    415: "本文の形式が違います。",
    429: "契約の定める量を超えています。",
    500: "想定外のエラーが発生しました。",
    501: "実装されていません。",
    503: "想定外のエラーが発生しました。",
}


def json(body: Mapping[str, Any] | bytes, status: int = 200, media: str = JSON) -> HttpResponse:
    """An answer in JSON."""
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return HttpResponse(data, status=status, content_type=media)


def refused(status: int, path: str, problems: Iterable[Problem]) -> HttpResponse:
    """A refusal: every problem with its stable code, never a value of the request."""
    found = list(problems)
    told = [
        {
            name: part
            for name, part in (("code", p.code), ("what", p.what), ("where", p.where), ("fix", p.fix))
            if part
        }
        for p in found
    ]
    body = {
        "type": f"urn:kiban:problem:{found[0].code}",
        "title": _TITLES[status],
        "status": status,
        "detail": found[0].what,
        "code": found[0].code,
        "problems": told,
        "_links": {"self": {"href": path}},
    }
    return json(body, status, PROBLEM)


def of_problem(path: str, error: Problem | Problems) -> HttpResponse:
    """The refusal of what a room raised. A back end that does not work is a 503, never an empty answer."""
    if isinstance(error, Problems):
        return refused(400, path, error.problems)
    status = _THEIRS.get(error.code, 503)
    if status == 503:  # who asks cannot mend it, and learns nothing of our inside
        error = Problem(error.code, "the service cannot answer now", fix="ask again later")
    return refused(status, path, [error])
