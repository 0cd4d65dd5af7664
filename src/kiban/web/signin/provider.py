# mypy: disable-error-code="import-untyped, misc"
"""Views of the provider, where this city asks more than allauth: PKCE of every system, exact addresses, a code that is good once."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client, Token
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse

from kiban.web import headers
from kiban.web.house import NAME
from kiban.web.pages import errors
from kiban.web.signin import leaving, lines, oidc, strength, visits
from kiban.web.signin.models import Visit

_UNKNOWN = ("この連携先は登録されていません", "連携先のシステムの担当者に連絡してください。")
_JUST_NOW = 30


class Authorize(views.AuthorizationView):
    """Whether a system may know who is signed in."""

    def dispatch(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        """Only where the city is a provider."""
        if lines.city_of(request).home is None:
            raise Http404
        answer: HttpResponse = super().dispatch(request, *args, **more)
        return answer

    def get(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        """Refuse what is not asked safely; then as allauth."""
        client = leaving.client_of(request.GET)
        if client is None:  # nobody is sent to an address that is not registered, whatever is wrong
            return errors.page(request, 400, *_UNKNOWN, code="client-unknown")
        fault = _fault(request, client)
        if fault:
            said = {"error": fault[0], "error_description": fault[1], "state": request.GET.get("state", "")}
            return _onwards(request.GET["redirect_uri"], {name: text for name, text in said.items() if text})
        if _stale(request):
            back = f"{reverse('account_reauthenticate')}?{urlencode({'next': request.get_full_path()})}"
            return HttpResponseRedirect(back)
        if (
            request.GET.get("prompt") == "none"
            and request.user.is_authenticated
            and "id_token_hint" not in request.GET
        ):
            # One of the city's own systems: nobody would be asked. allauth looks for earlier tokens instead.
            rest = {name: str(text) for name, text in request.GET.items() if name != "prompt"}
            return _onwards(request.path, rest)
        answer: HttpResponse = super().get(request, *args, **more)
        answer.headers["Content-Security-Policy"] = headers.for_pages(
            [leaving.origin(request.GET["redirect_uri"])]
        )
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        """The code, after its line."""
        lines.signin(
            lines.city_of(self.request),
            lines.by(self.request),
            "token",
            client=self._request_info["client_id"],
        )
        answer: HttpResponse = super().form_valid(form)
        code = dict(parse_qsl(urlsplit(answer.headers.get("Location", "")).query)).get("code")
        if code:
            account: Any = self.request.user
            client, scopes = self._request_info["client_id"], " ".join(form.cleaned_data["scopes"])
            issuer = self.request.META[NAME].authority.issuer
            visits.begin(self.request, account, client, issuer, code, scopes)
        return answer


def _fault(request: HttpRequest, client: Client) -> tuple[str, str] | None:
    asked = request.GET
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        return "invalid_request", "PKCE is required: code_challenge with code_challenge_method=S256"
    if (
        "none" in asked.get("prompt", "").split()
        and request.user.is_authenticated
        and not client.skip_consent
    ):
        return (
            "consent_required",
            "the person has to be asked",
        )  # allauth takes what was granted to any system
    age = asked.get("max_age", "")
    if age and not age.isdecimal():
        return "invalid_request", "max_age is a number of seconds"
    if "none" in asked.get("prompt", "").split() and _stale(request):
        return "login_required", "the person has to show a factor"
    return None


def _stale(request: HttpRequest) -> bool:
    """Whether the system wants a fresher sign-in than this; one of just now is fresh enough for any."""
    age = request.GET.get("max_age", "")
    if not age or not request.user.is_authenticated:
        return False
    now = lines.city_of(request).now().timestamp()
    return now - strength.shown_at(request) > max(int(age), _JUST_NOW)


def _onwards(address: str, said: dict[str, str]) -> HttpResponse:
    answer = HttpResponse(status=302)
    answer["Location"] = f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(said)}"
    return answer


class Tokens(views.TokenView):
    """Tokens for a code, once; without a token to renew them, unless the system was registered for it."""

    @transaction.atomic
    def post(self, request: HttpRequest) -> HttpResponse:
        """As allauth; then what it leaves open."""
        form = {name: str(text) for name, text in request.POST.items()}
        request.META[oidc.VISIT] = visit = visits.asked(form)
        answer: HttpResponse = super().post(request)
        if answer.status_code != 200:
            if json.loads(answer.content).get("error") == "invalid_grant":
                _stolen(request, visits.shown_again(form))
            return answer
        said = json.loads(answer.content)
        tokens = [said[name] for name in ("access_token", "refresh_token") if name in said]
        if visit is None or not visits.given(visit, form, tokens):
            Token.objects.filter(
                hash__in=[Token.objects.by_value(each).get().hash for each in tokens]
            ).delete()
            _stolen(request, visit)
            return JsonResponse({"error": "invalid_grant"}, status=400)
        if "refresh_token" in said and "refresh_token" not in visit.client.get_grant_types():
            Token.objects.by_value(said.pop("refresh_token")).delete()
            said.pop("refresh_expires_in", None)
            answer.content = json.dumps(said).encode()
        return answer


def _stolen(request: HttpRequest, visit: Visit | None) -> None:
    """What was good once came twice: one of both has stolen it, so all that came of it ends (RFC 9700 4.14.2)."""
    if visit is None:
        return
    city = lines.city_of(request)
    lines.signin(city, lines.by(request, visit.account.number), "token", "refused", client=visit.client_id)
    visits.end(city, [visit])


class EndSession(views.LogoutView):
    """The end of a session that began for another system; the page may lead back to it."""

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        """The question whether to sign out here, too."""
        answer: HttpResponse = super().render_to_response(context, **more)
        back = getattr(context["form"], "cleaned_data", {}).get("post_logout_redirect_uri")
        answer.headers["Content-Security-Policy"] = headers.for_pages([leaving.origin(back)] if back else [])
        return answer
