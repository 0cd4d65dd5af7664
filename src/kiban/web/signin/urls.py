# mypy: disable-error-code="import-untyped"
"""The addresses of sign-in: of allauth only what this city uses; everything else is closed."""

from __future__ import annotations

from allauth.account import views as account
from allauth.idp.oidc import views as oidc
from allauth.mfa.base import views as mfa
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import include, path

from kiban.web.signin import administration, elsewhere, factor_views, pages, provider, relying

_OWN = [
    path("account", pages.home, name="account_home"),
    path("account/welcome", pages.welcome, name="account_welcome"),
    path("account/login/", relying.SignInView.as_view(), name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/reauthenticate/", pages.again, name="account_reauthenticate"),
    path("account/password/change/", account.password_change, name="account_change_password"),
    path("account/systems", pages.systems, name="signin_systems"),
    path("account/sessions/", pages.shown_sessions, name="usersessions_list"),
    path("account/sessions/end", pages.end_session, name="usersessions_end"),
    path("account/sessions/end-others", pages.end_others, name="usersessions_end_others"),
    path("account/sessions/end-all", pages.end_everywhere, name="usersessions_end_all"),
]
_FACTORS = [
    path("account/2fa/", pages.shown_factors, name="mfa_index"),
    path("account/2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("account/2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("account/2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("account/2fa/webauthn/", pages.shown_factors, name="mfa_list_webauthn"),
    path("account/2fa/webauthn/add/", factor_views.AddPasskeyView.as_view(), name="mfa_add_webauthn"),
    path("account/2fa/webauthn/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path(
        "account/2fa/webauthn/reauthenticate/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "account/2fa/webauthn/keys/<int:pk>/remove/",
        factor_views.RemovePasskeyView.as_view(),
        name="mfa_remove_webauthn",
    ),
    path("account/2fa/webauthn/keys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
]
_ADMINISTRATION = [
    path("operations/sign-in", administration.accounts, name="signin_accounts"),
    path("operations/clients", administration.clients, name="signin_clients"),
]
_CLOSED = [  # allauth asks for the addresses of these; nothing is there
    path("account/signup/", pages.closed, name="account_signup"),
    path("account/email/", pages.closed, name="account_email"),
    path("account/inactive/", pages.closed, name="account_inactive"),
    path("account/password/reset/", pages.closed, name="account_reset_password"),
    path("account/password/set/", pages.closed, name="account_set_password"),
]
_ELSEWHERE = [
    path("account/oidc/<slug:provider_id>/login/", elsewhere.login, name="openid_connect_login"),
    path(
        "account/oidc/<slug:provider_id>/login/callback/", elsewhere.callback, name="openid_connect_callback"
    ),
    path("account/3rdparty/cancelled/", relying.failed, name="socialaccount_login_cancelled"),
    path("account/3rdparty/error/", relying.failed, name="socialaccount_login_error"),
    path("account/3rdparty/signup/", pages.closed, name="socialaccount_signup"),
    path("account/3rdparty/", pages.closed, name="socialaccount_connections"),
]
_PROVIDER = [
    path(".well-known/openid-configuration", oidc.configuration, name="configuration"),
    path(".well-known/jwks.json", oidc.jwks, name="jwks"),
    path("identity/o/authorize", provider.Authorize.as_view(), name="authorization"),
    path("identity/o/logout", provider.EndSession.as_view(), name="logout"),
    path("identity/o/api/token", provider.Tokens.as_view(), name="token"),
    path("identity/o/api/revoke", oidc.revoke, name="revoke"),
    path("identity/o/api/userinfo", oidc.user_info, name="userinfo"),
    path("identity/o/api/device/code", pages.closed, name="device_code"),
]
urlpatterns = [
    *_OWN,
    *_FACTORS,
    *_ADMINISTRATION,
    *_ELSEWHERE,
    *_CLOSED,
    path("", include(([path("", include((_PROVIDER, "oidc")))], "idp"))),
]
