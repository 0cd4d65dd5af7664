# mypy: disable-error-code="import-untyped, misc"
"""Sign-in at a provider elsewhere: whose word opens which account. No account is ever made or linked silently."""

from __future__ import annotations

from typing import Any

from allauth.account.views import LoginView
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from kiban.web.pages import errors
from kiban.web.signin import elsewhere, lines, providers
from kiban.web.signin.models import Account

_STRANGER = (
    "この利用者のアカウントは登録されていません",
    "所属の管理者に、アカウントの登録と連携を依頼してください。",
)


class SocialAdapter(DefaultSocialAccountAdapter):
    """Which providers there are, and whom they speak of."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The providers of the file of this city; there are no others."""
        found = [_app(each) for each in providers.read(lines.city_of(context.request).home)]
        return [
            each
            for each in found
            if provider in (None, each.provider, each.provider_id) and client_id in (None, each.client_id)
        ]

    def get_provider(self, request: HttpRequest, provider: str, client_id: Any = None) -> elsewhere.Provider:
        """One of them, asked as this city asks."""
        return elsewhere.Provider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def get_requests_session(self) -> Any:
        """How they are asked: wherever one sends this city on to is not gone to."""
        asking = super().get_requests_session()
        asking.max_redirects = 0
        return asking

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Nobody gets an account by what another says."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the account: one that an administrator linked, or that of the claim which the file names; else refuse."""
        name, sure = sociallogin.account.provider, _sure(sociallogin)
        asked = sure and sociallogin.state.get("process") == "login"  # nobody links her own account
        if asked and sociallogin.is_existing:
            return
        account = _of_claim(request, sociallogin, name) if asked else None
        if account is None:
            lines.signin(lines.city_of(request), lines.by(request, ""), "provider", "refused", provider=name)
            raise ImmediateHttpResponse(errors.page(request, 403, *_STRANGER, code="account-unlinked"))
        sociallogin.connect(request, account)
        lines.setting(
            lines.city_of(request), lines.by(request, account.number), "provider-linked", provider=name
        )

    def on_authentication_error(self, request: HttpRequest, provider: Any, **_: Any) -> None:
        """Write down what failed: a forged state, a code that the provider does not know, a provider that is down."""
        name = str(getattr(getattr(provider, "app", None), "provider_id", "")) or "unknown"
        lines.signin(lines.city_of(request), lines.by(request, ""), "provider", "failed", provider=name)


def _sure(sociallogin: Any) -> bool:
    """Whether an ID token of this sign-in came (Core 3.1.3.7), and userinfo speaks of the same person (Core 5.3.2)."""
    said, nonce = sociallogin.account.extra_data, sociallogin.state.get("nonce")
    token, info = said.get("id_token") or {}, said.get("userinfo") or {}
    return bool(nonce and token.get("nonce") == nonce and token.get("sub")) and token["sub"] == info.get(
        "sub"
    )


def _of_claim(request: HttpRequest, sociallogin: Any, name: str) -> Account | None:
    provider = next((each for each in providers.read(lines.city_of(request).home) if each.id == name), None)
    if provider is None or not provider.claim:
        return None
    said = sociallogin.account.extra_data
    number = (said.get("userinfo") or said.get("id_token") or {}).get(provider.claim)
    return Account.objects.filter(number=number).first() if isinstance(number, str) and number else None


def _app(given: providers.Provider) -> SocialApp:
    settings = {
        "issuer": given.issuer,
        "server_url": given.issuer.rstrip("/"),
        "oauth_pkce_enabled": True,
        "scope": ["openid", "profile"],
    }
    return SocialApp(
        provider="openid_connect",
        provider_id=given.id,
        name=given.title,
        client_id=given.client_id,
        secret=given.client_secret,
        settings=settings,
    )


class SignInView(LoginView):
    """The page of sign-in, with the providers elsewhere."""

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Title and address of each."""
        found: dict[str, Any] = super().get_context_data(**more)
        held = providers.read(lines.city_of(self.request).home)
        found["providers"] = [
            {"title": each.title, "address": reverse("openid_connect_login", kwargs={"provider_id": each.id})}
            for each in held
        ]
        return found


def failed(request: HttpRequest) -> HttpResponse:
    """A provider did not sign the person in."""
    return errors.page(
        request, 403, "外部の認証基盤で確認できませんでした", "もう一度サインインからやり直してください。"
    )
