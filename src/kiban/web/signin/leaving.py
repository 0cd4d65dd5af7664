# mypy: disable-error-code="import-untyped"
"""Where people go on to after they have signed in: a browser refuses a form that leads to a place which its page did not name."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from allauth.account.internal.stagekit import unstash_login
from allauth.idp.oidc.models import Client
from django.http import HttpRequest
from django.urls import reverse

from kiban.web.signin import lines, providers


def origin(address: str) -> str:
    """Scheme, host and port of an address.

    >>> origin("https://vendor.example/back?x=1")
    'https://vendor.example'
    """
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def client_of(asked: Mapping[str, str]) -> Client | None:
    """The system that asks who is signed in; None unless it is registered with exactly this address to come back to."""
    client = Client.objects.filter(id=asked.get("client_id", "")).first()
    return client if client and asked.get("redirect_uri") in client.get_redirect_uris() else None


def onwards(request: HttpRequest) -> list[str]:
    """The origins of providers elsewhere, and of the system for which somebody signs in just now."""
    elsewhere = [origin(each.issuer) for each in providers.read(lines.city_of(request).home)]
    login = None if request.user.is_authenticated else unstash_login(request, peek=True)
    pending = getattr(login, "redirect_url", None)
    wanted = request.GET.get("next") or request.POST.get("next") or pending or ""
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or parts.path != reverse("idp:oidc:authorization"):
        return elsewhere
    asked = dict(parse_qsl(parts.query))
    return [*elsewhere, *([origin(asked["redirect_uri"])] if client_of(asked) else [])]
