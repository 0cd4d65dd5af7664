# mypy: disable-error-code="import-untyped"
"""Writes the lines of what allauth does: it tells by signals."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed, password_changed, user_logged_in
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_out
from django.http import HttpRequest

from kiban.web import headers
from kiban.web.signin import lines, standing, strength, visits
from kiban.web.signin.ending import end, sessions
from kiban.web.signin.models import Account, Visit

_ACTS = {"totp": "totp", "webauthn": "passkey"}
Receiver = Any


def attach() -> None:
    """Listen; once in a process."""
    for signal, receiver in _LISTENING:
        signal.connect(receiver, dispatch_uid=f"kiban.{receiver.__name__}")


def _began(request: HttpRequest, user: Account, **_: Any) -> None:
    city = lines.city_of(request)
    try:
        standing.begin(request, city)
        if over := sessions(user)[max(city.sessions - 1, 0) :]:  # this one is not among them yet
            end(city, over, user)
            lines.signin(city, lines.by(request, user.number), "signout", why="many", sessions=len(over))
        lines.signin(lines.city_of(request), lines.by(request, user.number), "signin")
    except Exception:
        request.session.flush()  # without its line nobody has signed in
        raise


def _stepped(request: HttpRequest, user: Account, method: str, **more: Any) -> None:
    act = {
        "password": "password",
        "mfa": _ACTS.get(str(more.get("type")), ""),
        "socialaccount": "provider",
    }.get(method)
    if act:
        lines.signin(lines.city_of(request), lines.by(request, user.number), act)
    if more.get("reauthenticated"):
        _renew(request)


def _renew(request: HttpRequest) -> None:
    """A new key for a session that can do more now: nobody who knew the one before shall have it."""
    before = request.session.session_key
    request.session.cycle_key()
    after = request.session.session_key
    UserSession.objects.filter(session_key=before).update(session_key=after)
    Visit.objects.filter(session=before).update(session=after)


def _failed(request: HttpRequest, user: Account, authenticator: Any, **_: Any) -> None:
    lines.signin(
        lines.city_of(request),
        lines.by(request, user.number),
        _ACTS.get(authenticator.type, "totp"),
        "refused",
    )


def _ended(request: HttpRequest, user: Account | None, **_: Any) -> None:
    request.META[headers.LEFT] = True
    if user is not None:
        key = request.session.session_key
        visits.end(lines.city_of(request), Visit.objects.filter(account=user, session=key))
    if user is not None and not request.META.get(standing.ENDED):
        lines.signin(lines.city_of(request), lines.by(request, user.number), "signout")


def _added(request: HttpRequest, user: Account, authenticator: Any, **_: Any) -> None:
    lines.setting(lines.city_of(request), lines.by(request), "factor-added", factor=str(authenticator.type))
    if not strength.strong(request):
        strength.shown(request, user, authenticator.type)
        _renew(request)


def _removed(request: HttpRequest, user: Account, authenticator: Any, **_: Any) -> None:
    lines.setting(lines.city_of(request), lines.by(request), "factor-removed", factor=str(authenticator.type))


def _changed(request: HttpRequest, user: Account, **_: Any) -> None:
    city, key = lines.city_of(request), request.session.session_key
    lines.setting(city, lines.by(request), "password-changed")
    visits.end(city, Visit.objects.filter(account=user).exclude(session=key))  # as all other sessions


_LISTENING: tuple[tuple[Any, Receiver], ...] = (
    (user_logged_in, _began),
    (authentication_step_completed, _stepped),
    (authentication_failed, _failed),
    (user_logged_out, _ended),
    (authenticator_added, _added),
    (authenticator_removed, _removed),
    (password_changed, _changed),
)
