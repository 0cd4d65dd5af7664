"""How people sign in, as settings of allauth."""

from __future__ import annotations

from typing import Any


def signing_in(secure: bool) -> dict[str, Any]:
    """Settings of accounts, second factors, sessions and OpenID Connect.

    Args:
        secure: whether the service is reached by TLS alone.
    """
    return {
        "AUTH_USER_MODEL": "accounts.Account",
        "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "/",
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": "number",
        "ACCOUNT_USER_MODEL_EMAIL_FIELD": None,
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "https" if secure else "http",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
    }
