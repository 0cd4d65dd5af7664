# mypy: disable-error-code="import-untyped, misc"
"""What is asked of a provider elsewhere before its word counts: its own issuer, its signature, this city, this very sign-in."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from requests import RequestException

_SIGNED_BY = [f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)] + ["EdDSA"]
"""By a key that the provider alone has; never by a secret that both have, never by none."""
_ASKED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
_APART = 30
"""Seconds by which the clocks of both may differ."""
_UNFIT = (OAuth2Error, RequestException, ValueError, KeyError, TypeError, AttributeError)
"""What a provider makes of us that is down, or says something of another shape than it should."""


class Provider(OpenIDConnectProvider):
    """A provider of the file of this city."""

    def get_oauth2_adapter(self, request: HttpRequest) -> Exchange:
        """How it is asked."""
        return Exchange(request, self.app.provider_id)

    def redirect(self, request: HttpRequest, *args: Any, **more: Any) -> HttpResponse:
        """Go there, with a number that its answer has to hold; what the address says besides is not handed on."""
        more.pop("scope", None)
        nonce = secrets.token_urlsafe(32)
        answer: HttpResponse = super().redirect(
            request, *args, **{**more, "auth_params": {"nonce": nonce}, "nonce": nonce}
        )
        return answer


class Exchange(OpenIDConnectOAuth2Adapter):
    """Asks a provider, and examines what it says."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says about itself, as far as it may be taken.

        Raises:
            OAuth2Error: where it calls itself otherwise than the file, or leads to where TLS does not protect.
        """
        found: dict[str, Any] = super().openid_config
        issuer = self._issuer()
        if found.get("issuer") != issuer:  # OpenID Connect Discovery 4.3
            raise OAuth2Error("the provider calls itself otherwise")
        if any(urlsplit(str(found.get(each))).scheme != urlsplit(issuer).scheme for each in _ASKED):
            raise OAuth2Error("the provider leads out of TLS")
        return found

    def _issuer(self) -> str:
        return str(self.get_provider().app.settings["issuer"])

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """What is said of the person: signed by a published key, by this issuer, for this city alone, and not over.

        Raises:
            OAuth2Error: otherwise.
        """
        try:
            said: dict[str, Any] = jwt.decode(
                id_token,
                key=self._key(id_token),
                algorithms=_SIGNED_BY,
                issuer=self._issuer(),
                audience=app.client_id,
                leeway=_APART,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error("the ID token does not hold") from error
        several = isinstance(said["aud"], list) and len(said["aud"]) > 1
        if (several or "azp" in said) and said.get("azp") != app.client_id:
            raise OAuth2Error("the ID token is for another system")
        return said

    def _key(self, id_token: str) -> jwt.PyJWK:
        """The published key that the token names; the only fitting one, where it names none.

        Raises:
            OAuth2Error: where there is none.
        """
        with get_adapter().get_requests_session() as asking:
            answer = asking.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
        header = jwt.get_unverified_header(id_token)
        kid, signed_by = header.get("kid"), str(header.get("alg"))
        held = [
            each
            for each in answer.json()["keys"]
            if each.get("use") != "enc" and kid in (None, each.get("kid"))
        ]
        found = [each for each in held if each.get("alg", signed_by) == signed_by]
        if signed_by not in _SIGNED_BY or len(found) != 1:
            raise OAuth2Error("the ID token names no published key")
        return jwt.PyJWK(found[0], signed_by)


def _view(made: type[Any]) -> Callable[..., HttpResponse]:
    def asked(request: HttpRequest, provider_id: str) -> HttpResponse:
        exchange = Exchange(request, provider_id)
        try:
            answer: HttpResponse = made.adapter_view(exchange)(request)
            return answer
        except SocialApp.DoesNotExist as error:
            raise Http404 from error
        except _UNFIT as error:
            told: HttpResponse = render_authentication_error(
                request, exchange.get_provider(), exception=error
            )
            return told

    return asked


login = _view(OAuth2LoginView)
"""The way to a provider."""
callback = _view(OAuth2CallbackView)
"""The way back."""
