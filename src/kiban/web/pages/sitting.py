"""What a session is called from its sign-in to its end, whatever key it has in between."""

from __future__ import annotations

from django.http import HttpRequest

_FIRST = "kiban.first"


def begin(request: HttpRequest) -> None:
    """Keep the name of a session that begins: its first key, with which nobody gets in once it has changed."""
    request.session[_FIRST] = request.session.session_key


def name(request: HttpRequest) -> str:
    """The name of a session; "" where there is none."""
    return str(request.session.get(_FIRST) or request.session.session_key or "")
