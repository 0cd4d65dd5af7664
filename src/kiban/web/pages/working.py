"""Who works, and whether she may: in front of every page for people at work."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from kiban.access import Acting
from kiban.kernel import Problem
from kiban.web.city import today
from kiban.web.house import NAME
from kiban.web.pages import errors, measure, trail
from kiban.web.pages.desk import Desk

_CHOSEN = "kiban.assignment"
"""Under which a session keeps the assignment and the purpose that were chosen."""

_WHILE = 600
_MANY = (
    "短い時間に検索が集中したため、受け付けませんでした",
    "10分ほど待ってからやり直してください。多くの人を調べる業務には、データ抽出（EUC）を使うか、情報システム部門に相談してください。",
)

Page = Callable[..., HttpResponse]


def needs(action: str, business: str = "") -> Callable[[Page], Page]:
    """Let a view be seen by whoever is signed in, has chosen a duty of today, and may do this.

    Args:
        action: of the policies; "" for a page that everybody at work may see.
        business: ID of an edition, where the action is about one.

    Raises:
        Problem: `not-allowed`, from the view, as a page of its own.
    """

    def made(view: Page) -> Page:
        @wraps(view)
        def guarded(request: Desk, *args: object, **names: object) -> HttpResponse:
            request.house = house = request.META[NAME]
            if house.city is None:
                raise Http404
            request.city = house.city
            if not request.user.is_authenticated:
                return _to(reverse("account_login"), request)
            found = acting_of(request)
            if found is None:
                return _to("/duty", request)
            request.acting, request.grant = found, request.city.policies.grant(found)
            if action and not request.grant.allows(action, business):
                _refused(request, action, business)
            if action == "search" and _too_many(request):
                return errors.page(request, 429, *_MANY, code="searches-many")
            return view(request, *args, **names)

        return guarded

    return made


def _too_many(request: Desk) -> bool:
    """Whether a person has searched too often in a while; then with its line."""
    city = request.city
    who = f"search:{id(city.store)}:{request.user.get_username()}"
    if not measure.over(who, city.searches, _WHILE, city.now()):
        return False
    trail.leave(request, "search", outcome="refused", reason="searches-many")
    return True


def _refused(request: Desk, action: str, business: str) -> None:
    """Leave the line of a refusal, then refuse.

    Raises:
        Problem: `not-allowed`.
    """
    known = request.city.policies.actions.get(action)
    kind = known.log if known else "read"
    trail.leave(request, kind, outcome="refused", business=business, reason="not-allowed", action=action)
    request.grant.need(action, business)


def choose(request: HttpRequest, assignment: int, purpose: str) -> None:
    """Keep under which assignment and for which purpose a person works, until she chooses anew."""
    request.session[_CHOSEN] = [assignment, purpose]


def acting_of(request: Desk) -> Acting | None:
    """Who works; None where nothing was chosen yet, or what was chosen is over."""
    chosen = request.session.get(_CHOSEN)
    if chosen is None:
        return None
    assignment, purpose = chosen
    try:
        found = request.city.people.acting(
            request.user.get_username(), today(request.city), purpose, assignment
        )
        if purpose not in request.city.policies.duties[found.assignment.duty].purposes:
            raise Problem("purpose-unknown", "the duty is not for this purpose", fix="choose a duty anew")
        return found
    except Problem:  # over since, or withdrawn
        del request.session[_CHOSEN]
        return None


def _to(address: str, request: HttpRequest) -> HttpResponse:
    """There first; then back to where the person wanted to go, if that is no form that was sent."""
    wanted = request.get_full_path() if request.method == "GET" else "/"
    return HttpResponseRedirect(f"{address}?{urlencode({'next': wanted})}")


__all__ = ["Desk", "Page", "acting_of", "choose", "needs"]
