# mypy: disable-error-code="import-untyped"
"""How surely somebody signed in: whether a second factor was shown in this session."""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from kiban.web.signin.models import Account

STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Second factors. A passkey alone is two: what one has, and what it asks for before it signs (user verification is required)."""


def strong(request: HttpRequest) -> bool:
    """Whether the session of a request has shown a second factor."""
    user: Any = request.user
    records = get_authentication_records(request, user)
    return any(each.get("method") == "mfa" and each.get("type") in STRONG for each in records)


def shown_at(request: HttpRequest) -> float:
    """When a factor was shown last in this session, in seconds since 1970."""
    return max((float(each["at"]) for each in get_authentication_records(request, request.user)), default=0.0)


def fresh(request: HttpRequest) -> bool:
    """Whether a factor was shown once more, five minutes ago at most."""
    return bool(did_recently_reauthenticate(request))


def shown(request: HttpRequest, account: Account, kind: str) -> None:
    """Keep that a second factor was shown just now: it was set up in this session, which proves that it is there."""
    record_authentication(request, account, "mfa", type=kind)


def factors(account: Account) -> list[Authenticator]:
    """The second factors of an account, the oldest first."""
    return list(
        Authenticator.objects.filter(user_id=account.pk, type__in=STRONG).order_by("created_at", "pk")
    )
