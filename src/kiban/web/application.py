"""The web as a WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from kiban.web.configured import set_up
from kiban.web.house import NAME, House

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def application(house: House, secret: str) -> Application:
    """The application that serves a house; several may live in one process.

    Args:
        house: the parts behind the addresses.
        secret: of the home, see `web_secret`.
    """
    set_up(secret)
    handler = WSGIHandler()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = handler({**environ, NAME: house}, start_response)
        return answer

    return serve
