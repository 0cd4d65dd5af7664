# mypy: disable-error-code="import-untyped"
"""Systems that sign people in here by OpenID Connect."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from allauth.idp.oidc.models import Client
from django.db import transaction

from kiban.kernel import Problem, Problems
from kiban.web.city import City
from kiban.web.signin import lines
from kiban.web.signin.lines import By

SCOPES = {
    "openid": "あなたであることの確認",
    "profile": "氏名",
    "kiban": "職員番号・所属・職務",
}
"""What a system may ask for, with Japanese titles."""


@dataclass(frozen=True)
class Wish:
    """What is to be registered.

    Attributes:
        name: of the system, in Japanese.
        redirects: where people come back to, exactly; at least one. https, or http on this machine.
        after: where people may go after a sign-out there.
        scopes: of `SCOPES`; `openid` comes with all.
        own: one of the city's own systems: nobody is asked for consent.
        public: it cannot keep a secret (an app, a page); it has none then.
        refresh: it may ask for new tokens while nobody is there.
    """

    name: str
    redirects: tuple[str, ...]
    after: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("profile",)
    own: bool = False
    public: bool = False
    refresh: bool = False


def register(city: City, wish: Wish, who: By) -> tuple[str, str]:
    """Register a system.

    Returns:
        Its ID, and its secret, which is shown once; "" for a public one.

    Raises:
        Problems: `client-unnamed`, `client-redirect`, `client-scope`.
    """
    _check(wish)
    secret = "" if wish.public else secrets.token_urlsafe(32)
    grants = [
        Client.GrantType.AUTHORIZATION_CODE,
        *([Client.GrantType.REFRESH_TOKEN] if wish.refresh else []),
    ]
    client = Client(
        name=wish.name,
        type=Client.Type.PUBLIC if wish.public else Client.Type.CONFIDENTIAL,
        skip_consent=wish.own,
        scopes="\n".join(dict.fromkeys(["openid", *wish.scopes])),
        default_scopes="openid",
        grant_types="\n".join(grants),
        redirect_uris="\n".join(wish.redirects),
        response_types="code",
    )
    client.set_secret(secret or secrets.token_urlsafe(32))
    client.set_post_logout_redirect_uris(list(wish.after))
    with transaction.atomic():
        client.save(force_insert=True)
        lines.setting(city, who, "client-registered", client=client.id, own=wish.own, public=wish.public)
    return str(client.id), secret


def renew(city: City, client_id: str, who: By) -> str:
    """A fresh secret of a system; the old one holds no more.

    Raises:
        Problem: `client-unknown`, `client-public` where it has none.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        client = _found(client_id)
        if client.type == Client.Type.PUBLIC:
            raise Problem("client-public", "the system keeps no secret", fix="register it anew with one")
        client.set_secret(secret)
        client.save(update_fields=["secret"])
        lines.setting(city, who, "client-secret-renewed", client=client_id)
    return secret


def remove(city: City, client_id: str, who: By) -> None:
    """Remove a system, and every token that it holds.

    Raises:
        Problem: `client-unknown`.
    """
    with transaction.atomic():
        _found(client_id).delete()
        lines.setting(city, who, "client-removed", client=client_id)


def registered() -> Sequence[Client]:
    """All systems, by their names."""
    return list(Client.objects.order_by("name", "id"))


def _found(client_id: str) -> Client:
    client = Client.objects.select_for_update().filter(id=client_id).first()
    if client is None:
        raise Problem(
            "client-unknown", "no such system is registered", fix="kiban oidc client list shows all"
        )
    return client


def _check(wish: Wish) -> None:
    found = [] if wish.name.strip() else [Problem("client-unnamed", "the system has no name", fix="name it")]
    if not wish.redirects:
        found.append(
            Problem("client-redirect", "no address to come back to is given", fix="--redirect https://…")
        )
    found += _unfit([*wish.redirects, *wish.after])
    for each in set(wish.scopes) - set(SCOPES):
        found.append(Problem("client-scope", "there is no such scope", each, f"one of {', '.join(SCOPES)}"))
    if found:
        raise Problems(found)


def _unfit(addresses: Iterable[str]) -> list[Problem]:
    fix = "write a whole address, https://NAME/PATH; http only on this machine; no fragment, no *, no user"
    return [
        Problem("client-redirect", "people cannot come back to this address", each, fix)
        for each in addresses
        if not _fit(each)
    ]


def _fit(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    plain = address.isprintable() and not set(address) & set(" *\\\"<>;,'") and "#" not in address
    near = parts.hostname == "localhost" or _loopback(parts.hostname or "")
    schemes = ("https", "http") if near else ("https",)
    return (
        plain and parts.scheme in schemes and bool(parts.hostname) and "@" not in parts.netloc and port != 0
    )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
