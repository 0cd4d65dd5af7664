"""The web as a WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from kiban import store
from kiban.web.configured import set_up
from kiban.web.house import NAME, House
from kiban.web.signin import keys, place

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def application(house: House, secret: str) -> Application:
    """The application that serves a house; several may live in one process.

    Args:
        house: the parts behind the addresses.
        secret: of the home, see `web_secret`.
    """
    set_up(secret, secure=house.authority.issuer.startswith("https:"))
    if house.city is not None:
        place.connect(house.city.accounts)
    handler = WSGIHandler()

    def serve(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer: Iterable[bytes] = handler({**environ, NAME: house}, start_response)
        return answer

    return serve


def install_signing_keys(folder: Path, now: datetime) -> None:
    """Make the keys by which this city signs who somebody is, where there are none yet.

    Args:
        folder: as `City.home`.
        now: with its time zone.
    """
    keys.make(folder, now)


def reach_accounts(opened: store.Store) -> dict[str, str]:
    """How this process reaches accounts and sessions that were installed, for `City.accounts`. Holds a password."""
    return store.reach(opened, place.SCHEMA)


def install_accounts(opened: store.Store, secret: str, *, secure: bool = False) -> dict[str, str]:
    """Make the tables of accounts and sessions beside the registers, or bring them up to date (may run again).

    Args:
        opened: the registers.
        secret: of the home, see `web_secret`.
        secure: whether browsers reach the service by TLS alone.

    Returns:
        How processes reach them, for `City.accounts`. Holds a password.

    Raises:
        Problem: those of `store.open_books`.
    """
    set_up(secret, secure=secure)
    return place.install(opened)
