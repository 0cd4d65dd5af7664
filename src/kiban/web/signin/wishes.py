"""What a system asks for that wants to sign people in here, and whether it can have it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from kiban.kernel import Problem, Problems

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
        farewell: where it is told that a sign-in is over (back-channel logout); "" where it does not want to know.
    """

    name: str
    redirects: tuple[str, ...]
    after: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("profile",)
    own: bool = False
    public: bool = False
    refresh: bool = False
    farewell: str = ""


def check(wish: Wish) -> None:
    """Refuse what a system cannot have.

    Raises:
        Problems: `client-unnamed`, `client-redirect`, `client-scope`, `client-own-public`.
    """
    found = [] if wish.name.strip() else [Problem("client-unnamed", "the system has no name", fix="name it")]
    if not wish.redirects:
        found.append(
            Problem("client-redirect", "no address to come back to is given", fix="--redirect https://…")
        )
    found += _unfit([*wish.redirects, *wish.after, *([wish.farewell] if wish.farewell else [])])
    if wish.own and wish.public:
        what, fix = "nobody can tell a system without a secret from another", "let it ask for consent"
        found.append(Problem("client-own-public", what, fix=fix))
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
