"""The body of a request, read once and strictly."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson
from django.http import HttpRequest

from kiban.kernel import Problem

MOST_PARAMETERS = 20


class Unreadable(Exception):  # noqa: N818 - a refusal, no error of ours
    """A body that cannot be read.

    Attributes:
        status: of HTTP: 400 or 415.
        problem: why.
    """

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__()
        self.status, self.problem = status, problem


def from_json(request: HttpRequest) -> Any:
    """The value of a body in JSON.

    Raises:
        Unreadable: `media-unknown`, `body-unreadable`.
    """
    _need(request, "application/json")
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError:
        problem = Problem("body-unreadable", "the body is no JSON in UTF-8", fix="send one JSON value")
        raise Unreadable(400, problem) from None


def from_form(request: HttpRequest) -> dict[str, list[str]]:
    """The parameters of a form, each with all its values.

    Raises:
        Unreadable: `media-unknown`, `body-unreadable`.
    """
    _need(request, "application/x-www-form-urlencoded")
    try:
        return parse_qs(
            request.body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(request.body),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        problem = Problem("body-unreadable", "the body is no form", fix="send name=value&name=value")
        raise Unreadable(400, problem) from None


def _need(request: HttpRequest, media: str) -> None:
    charset = (request.content_params or {}).get("charset", "utf-8")
    if request.content_type != media or charset.lower() != "utf-8":
        problem = Problem("media-unknown", "the body is of another media type", fix=f"send {media} in UTF-8")
        raise Unreadable(415, problem)
