# mypy: disable-error-code="import-untyped"
"""Who is signed in may stay only while she may be here: in front of every view."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.core.exceptions import ReauthenticationRequired
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from kiban.kernel import Problem
from kiban.web import headers
from kiban.web.city import City
from kiban.web.house import NAME
from kiban.web.pages import errors, sitting
from kiban.web.signin import leaving, lines
from kiban.web.signin.accounts import Accounts
from kiban.web.signin.strength import factors, strong

IDLE = timedelta(minutes=30)
"""A session that nobody uses ends."""
LONGEST = timedelta(hours=12)
"""Every session ends, used or not (ASVS 5.0 7.3.2)."""
_SEEN_EVERY = 60
_BEGAN, _SEEN = "kiban.began", "kiban.seen"

_WEAK = {"mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "account_logout"}
"""Pages that are open before a second factor was shown: those that set the first one up."""
_LEADING = {
    "account_login",
    "openid_connect_login",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn",
}
_ENDING = {"usersessions_end", "usersessions_end_all", "usersessions_end_others"}
"""Forms on the page of sessions."""
_WORDS = {
    "left": "このアカウントは現在利用できません。所属の管理者に確認してください。",
    "idle": "30分間操作がなかったため、サインアウトしました。",
    "long": "サインインから12時間が過ぎたため、サインアウトしました。",
}


class Standing:
    """The middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; a page of sign-in says where it may lead."""
        answer = self._get_response(request)
        match = request.resolver_match
        if match and match.url_name in _LEADING and request.META[NAME].city is not None:
            answer.headers.setdefault("Content-Security-Policy", headers.for_pages(leaving.onwards(request)))
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """To the second factor, where it has to be shown anew; a form is sent again afterwards, and kept nowhere meanwhile."""
        if not isinstance(error, ReauthenticationRequired):
            return None
        if not request.user.is_authenticated:
            return HttpResponseRedirect(reverse("account_login"))
        name = request.resolver_match.url_name if request.resolver_match else ""
        wanted = reverse("usersessions_list") if name in _ENDING else request.path
        return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': wanted})}")

    def process_view(self, request: HttpRequest, view: Any, args: Any, names: Any) -> HttpResponse | None:
        """None where the view may answer; otherwise where the person has to go first."""
        city = request.META[NAME].city
        if city is None:
            return None
        try:
            return _stopped(request, city) if request.user.is_authenticated else None
        except (Problem, DatabaseError) as error:  # nobody can tell: nobody passes
            return errors.page(request, 503, code=getattr(error, "code", ""))


def _stopped(request: HttpRequest, city: City) -> HttpResponse | None:
    account: Any = request.user
    now = int(city.now().timestamp())
    over = "left" if not Accounts(city).may_sign_in(account) else _over(request, now)
    if over:
        lines.signin(city, lines.by(request), "forced-signout" if over == "left" else "signout", why=over)
        request.META[ENDED] = True
        logout(request)
        messages.warning(request, _WORDS[over])
        return HttpResponseRedirect(reverse("account_login"))
    _seen(request, now)
    route = request.resolver_match.url_name if request.resolver_match else None
    if strong(request) or route in _WEAK:
        return None
    if factors(account):  # never the outcome of a sign-in: not to be mended by setting up another
        request.META[ENDED] = True
        lines.signin(city, lines.by(request), "forced-signout", why="weak")
        logout(request)
        return HttpResponseRedirect(reverse("account_login"))
    return HttpResponseRedirect(reverse("mfa_index"))


ENDED = "kiban.ended"
"""Under which the environment of a request says that the end of its session has its line."""


def _over(request: HttpRequest, now: int) -> str:
    began, seen = request.session.get(_BEGAN, now), request.session.get(_SEEN, now)
    if now - began >= LONGEST.total_seconds():
        return "long"
    return "idle" if now - seen >= IDLE.total_seconds() else ""


def begin(request: HttpRequest, city: City) -> None:
    """A session begins."""
    sitting.begin(request)
    request.session[_BEGAN] = request.session[_SEEN] = int(city.now().timestamp())


def _seen(request: HttpRequest, now: int) -> None:
    if _BEGAN not in request.session:
        request.session[_BEGAN] = now
    if now - request.session.get(_SEEN, 0) >= _SEEN_EVERY:  # not a write for every page
        request.session[_SEEN] = now
        UserSession.objects.filter(session_key=request.session.session_key).update(
            last_seen_at=datetime.fromtimestamp(now, UTC)
        )
