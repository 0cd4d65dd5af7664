"""The web as a WSGI application."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.handlers.wsgi import WSGIHandler

from kiban import store
from kiban.web.city import City
from kiban.web.configured import set_up
from kiban.web.house import NAME, House
from kiban.web.signin import keys, lines, place, providers
from kiban.web.signin.keys import Key
from kiban.web.signin.lines import By
from kiban.web.signin.providers import Provider

if TYPE_CHECKING:
    from kiban.web.signin.accounts import Accounts
    from kiban.web.signin.clients import Clients

log = logging.getLogger("kiban.web")

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
        known = {**environ, NAME: house, "REMOTE_ADDR": _caller(environ, house.proxies)}
        answer: Iterable[bytes] = handler(known, start_response)
        return answer

    return serve


def _caller(environ: dict[str, Any], proxies: int) -> str:
    """The address of who asks: what the outermost proxy of the city saw. What a caller writes there himself stands further left."""
    said = str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    told = [each.strip() for each in said.split(",")]
    if said and (proxies == 0 or len(told) < proxies):  # more only says that a caller wrote there himself
        _warn(proxies)
    if 0 < proxies <= len(told):
        with suppress(ValueError):
            return str(ip_address(told[-proxies]))
    return str(environ.get("REMOTE_ADDR", ""))


@cache
def _warn(proxies: int) -> None:
    """Say once that what comes does not fit --proxies: else nobody notices that all callers seem to be one."""
    log.warning("X-Forwarded-For does not fit --proxies %d: lock-outs and lines may name a proxy", proxies)


def install_signing_keys(folder: Path, now: datetime) -> None:
    """Make the keys by which this city signs who somebody is, where there are none yet.

    Args:
        folder: as `City.home`.
        now: with its time zone.
    """
    keys.make(folder, now)


def rotate_signing_keys(city: City, who: By) -> Sequence[Key]:
    """Let the next signing key sign; as `signin.keys.rotate`, with its line.

    Raises:
        Problem: `oidc-keys-open`, `oidc-keys-early`, `audit-unwritten`.
    """
    assert city.home is not None
    lines.setting(city, who, "signing-keys-rotated")
    return keys.rotate(city.home, city.now())


def add_provider(city: City, provider: Provider, who: By) -> None:
    """Let people sign in at a provider elsewhere; as `signin.providers.add`, with its line.

    Raises:
        Problem: `provider-id`, `provider-issuer`, `providers-open`, `audit-unwritten`.
    """
    assert city.home is not None
    providers.add(city.home, provider)
    lines.setting(city, who, "provider-added", provider=provider.id)


def accounts_of(city: City) -> Accounts:
    """The accounts of a city; `install_accounts` comes first."""
    made: Accounts = import_module("kiban.web.signin.accounts").Accounts(city)  # models are there only now
    return made


def clients_of(city: City) -> Clients:
    """The systems that sign people in here; `install_accounts` comes first."""
    made: Clients = import_module("kiban.web.signin.clients").Clients(city)
    return made


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


def enrol(city: City, number: str, password: str) -> str:
    """Make an account that is ready at once, for demonstrations; accounts have to be installed. The secret of its codes.

    Raises:
        Problem: those of `signin.accounts.Accounts.make`.
    """
    from kiban.web.signin import enrolled  # noqa: PLC0415 - its models need a Django that is set up

    return enrolled.enrol(city, number, password)


def code_of(secret: str, seconds: float) -> str:
    """The one-time code of a secret at a moment, in seconds since 1970."""
    from kiban.web.signin import enrolled  # noqa: PLC0415 - likewise

    return enrolled.code_of(secret, seconds)
