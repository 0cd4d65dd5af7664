# mypy: disable-error-code="import-untyped, misc"
"""Views of the provider, where this city asks more than allauth: PKCE of every system, exact addresses, a code that is good once."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.idp.oidc import views
from allauth.idp.oidc.models import Client, Token
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse

from kiban.web import headers
from kiban.web.pages import errors
from kiban.web.signin import leaving, lines

_UNKNOWN = ("この連携先は登録されていません", "連携先のシステムの担当者に連絡してください。")
_CODE_SECONDS = 600


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
    return None


def _onwards(address: str, said: dict[str, str]) -> HttpResponse:
    answer = HttpResponse(status=302)
    answer["Location"] = f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(said)}"
    return answer


class Tokens(views.TokenView):
    """Tokens for a code, once; without a token to renew them, unless the system was registered for it."""

    def post(self, request: HttpRequest) -> HttpResponse:
        """As allauth; then what it leaves open."""
        answer: HttpResponse = super().post(request)
        if answer.status_code != 200:
            return answer
        said = json.loads(answer.content)
        given = Token.objects.by_value(said["access_token"]).select_related("client").get()
        if not _first(request, given):
            Token.objects.filter(user_id=given.user_id, client_id=given.client_id).delete()
            return JsonResponse({"error": "invalid_grant"}, status=400)
        if "refresh_token" not in given.client.get_grant_types() and "refresh_token" in said:
            Token.objects.by_value(said.pop("refresh_token")).delete()
            said.pop("refresh_expires_in", None)
            answer.content = json.dumps(said).encode()
        return answer


class EndSession(views.LogoutView):
    """The end of a session that began for another system; the page may lead back to it."""

    def render_to_response(self, context: dict[str, Any], **more: Any) -> HttpResponse:
        """The question whether to sign out here, too."""
        answer: HttpResponse = super().render_to_response(context, **more)
        back = getattr(context["form"], "cleaned_data", {}).get("post_logout_redirect_uri")
        answer.headers["Content-Security-Policy"] = headers.for_pages([leaving.origin(back)] if back else [])
        return answer


def _first(request: HttpRequest, given: Token) -> bool:
    """Whether a code is used for the first time: of two that come at once only one gets tokens."""
    code = request.POST.get("code")
    if request.POST.get("grant_type") != "authorization_code" or not code:
        return True
    digest = hashlib.sha256(f"{given.client_id}:{code}".encode()).hexdigest()
    return bool(cache.add(f"kiban-code-{digest}", 1, timeout=_CODE_SECONDS))
