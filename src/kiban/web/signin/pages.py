# mypy: disable-error-code="import-untyped, untyped-decorator"
"""The pages of one's own account: first sign-in, factors, sessions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.internal.flows.logout import logout
from allauth.account.models import Login
from allauth.core.ratelimit import consume
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from kiban.kernel import Problem
from kiban.web.house import NAME
from kiban.web.pages import errors
from kiban.web.pages.working import acting_of
from kiban.web.signin import lines, visits
from kiban.web.signin.accounts import Accounts
from kiban.web.signin.ending import end, sessions
from kiban.web.signin.forms import Welcome
from kiban.web.signin.models import Visit
from kiban.web.signin.standing import ENDED
from kiban.web.signin.strength import factors, fresh
from kiban.web.signin.wishes import SCOPES

Page = Callable[..., HttpResponse]
_REFUSED = "職員番号または招待コードが正しくないか、有効期限が過ぎています。管理者に新しい招待コードを依頼してください。"


def own(view: Page) -> Page:
    """A page of one's own account: whoever is signed in may see it, with or without a duty."""

    @login_required
    @wraps(view)
    def shown(request: Any, *args: object, **names: object) -> HttpResponse:
        request.city = lines.city_of(request)
        acting = acting_of(request)
        if acting is not None:  # the menu stays where it is
            request.acting, request.grant = acting, request.city.policies.grant(acting)
        return view(request, *args, **names)

    return shown


@require_http_methods(["GET", "POST"])
@never_cache
def welcome(request: HttpRequest) -> HttpResponse:
    """Choose a password by the code of an invitation; then set up a second factor."""
    if request.META[NAME].city is None:
        raise Http404
    form = Welcome(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if not consume(request, action="invitation", key=f"invitation:{given['number']}"):
            return errors.page(request, 429)
        accounts = Accounts(lines.city_of(request))
        try:
            account = accounts.accept(
                given["number"], given["code"], given["password"], lines.by(request, "")
            )
        except Problem as problem:
            if problem.code != "invitation-wrong":
                raise
            lines.signin(accounts.city, lines.by(request, ""), "password", "refused", by="invitation")
            form.add_error(None, _REFUSED)
        else:
            record_authentication(request, account, method="invitation")
            answer: HttpResponse = perform_login(
                request, Login(user=account, redirect_url=reverse("mfa_index"))
            )
            return answer
    return render(request, "account/welcome.html", {"form": form})


@own
def home(request: HttpRequest) -> HttpResponse:
    """The account of whoever is signed in."""
    account: Any = request.user
    person = lines.city_of(request).people.staff(account.number)
    told = {"person": person, "factors": factors(account), **_others(request)}
    return render(request, "account/home.html", told)


@own
@require_http_methods(["GET", "POST"])
def systems(request: HttpRequest) -> HttpResponse:
    """At which other systems one is signed in by this city, what each may know and until when; and the end of one of them."""
    account: Any = request.user
    held = Visit.objects.filter(account=account, ends_at__gt=lines.city_of(request).now())
    if request.method == "POST":
        ended = held.filter(client_id=request.POST.get("client", ""))
        for client in {each.client_id for each in ended}:
            lines.setting(lines.city_of(request), lines.by(request), "consent-withdrawn", client=client)
        visits.end(lines.city_of(request), ended)
        return HttpResponseRedirect(reverse("signin_systems"))
    shown = [
        (each, [SCOPES.get(scope, scope) for scope in each.scopes.split()])
        for each in held.select_related("client").order_by("-began_at", "-pk")
    ]
    return render(request, "account/systems.html", {"visits": shown})


@own
def shown_factors(request: HttpRequest) -> HttpResponse:
    """The second factors; without one, the way to the first."""
    account: Any = request.user
    return render(request, "mfa/index.html", {"factors": factors(account), **_others(request)})


def _others(request: HttpRequest) -> dict[str, Any]:
    """How many other sessions there are, and whether they may be ended without a factor: asked again after any change of one."""
    account: Any = request.user
    return {"others": len(sessions(account)) - 1, "fresh": fresh(request)}


@own
def shown_sessions(request: HttpRequest) -> HttpResponse:
    """Where one is signed in."""
    account: Any = request.user
    return render(
        request,
        "usersessions/usersession_list.html",
        {"sessions": sessions(account), "fresh": fresh(request)},
    )


@login_required
@require_http_methods(["POST"])
@reauthentication_required
def end_session(request: HttpRequest) -> HttpResponse:
    """End one's own session elsewhere; one of somebody else is not found, as if there were none."""
    account: Any = request.user
    found = [each for each in sessions(account) if str(each.pk) == request.POST.get("session")]
    if not found:
        raise Http404
    lines.signin(
        lines.city_of(request), lines.by(request), "signout", elsewhere=int(not found[0].is_current())
    )
    if found[0].is_current():
        request.META[ENDED] = True
        logout(request)
        return HttpResponseRedirect(reverse("account_login"))
    end(lines.city_of(request), found, account)
    messages.success(request, "選んだ端末をサインアウトしました。")
    return HttpResponseRedirect(reverse("usersessions_list"))


@login_required
@require_http_methods(["POST"])
@reauthentication_required
def end_others(request: HttpRequest) -> HttpResponse:
    """End all one's sessions but this one, and what other systems got by them."""
    account: Any = request.user
    found = [each for each in sessions(account) if not each.is_current()]
    lines.signin(lines.city_of(request), lines.by(request), "signout", elsewhere=len(found))
    end(lines.city_of(request), found, account)
    messages.success(request, "他の端末をサインアウトしました。")
    return HttpResponseRedirect(reverse("usersessions_list"))


@login_required
@require_http_methods(["POST"])
@reauthentication_required
def end_everywhere(request: HttpRequest) -> HttpResponse:
    """End all one's sessions, this one too, and what other systems got by them."""
    city = lines.city_of(request)
    Accounts(city).sign_out(request.user.get_username(), lines.by(request))
    request.META[ENDED] = True
    logout(request, show_message=False)
    messages.success(request, "すべての端末からサインアウトしました。")
    return HttpResponseRedirect(reverse("account_login"))


@login_required
def again(request: HttpRequest) -> HttpResponse:
    """Show who one is once more, by the surest way there is."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    wanted = request.GET.get("next", "")
    query = f"?{urlencode({'next': wanted})}" if wanted else ""
    if not methods or methods[0]["id"] == "reauthenticate":
        return HttpResponseRedirect(reverse("mfa_index"))
    return HttpResponseRedirect(methods[0]["url"] + query)


def closed(request: HttpRequest, **_: object) -> HttpResponse:
    """What allauth has and this city does not: signing up, addresses, resetting a password by mail."""
    raise Http404
