"""How people sign in, as settings of allauth."""

from __future__ import annotations

from typing import Any

_FAILED = "20/5m/ip,5/15m/key"
"""Failed attempts that are borne: of an address, and of an account, whatever address they come from; of all workers together."""


def signing_in(secure: bool) -> dict[str, Any]:
    """Settings of accounts, second factors, sessions and OpenID Connect.

    Args:
        secure: whether the service is reached by TLS alone.
    """
    return {**_accounts(secure), **_sessions(), **_factors(), **_provider(), **_relying()}


def _accounts(secure: bool) -> dict[str, Any]:
    return {
        "AUTH_USER_MODEL": "accounts.Account",
        "AUTHENTICATION_BACKENDS": ["kiban.web.signin.adapters.Backend"],
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.ScryptPasswordHasher"],
        "AUTH_PASSWORD_VALIDATORS": [
            {
                "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
                "OPTIONS": {"min_length": 12},
            },
            {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
            {"NAME": "kiban.web.signin.passwords.NotTheNumber"},
            {"NAME": "kiban.web.signin.passwords.NoWordOfTheCity"},
            {"NAME": "kiban.web.signin.passwords.NotBreached"},
        ],
        "LOGIN_URL": "account_login",
        "LOGIN_REDIRECT_URL": "/",
        "ACCOUNT_ADAPTER": "kiban.web.signin.adapters.AccountAdapter",
        "ACCOUNT_USER_MODEL_USERNAME_FIELD": "number",
        "ACCOUNT_USER_MODEL_EMAIL_FIELD": None,
        "ACCOUNT_LOGIN_METHODS": {"username"},
        "ACCOUNT_SIGNUP_FIELDS": ["username*", "password1*"],
        "ACCOUNT_EMAIL_VERIFICATION": "none",
        "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "https" if secure else "http",
        "ACCOUNT_FORMS": {
            "login": "kiban.web.signin.forms.SignIn",
            "change_password": "kiban.web.signin.forms.ChangePassword",
        },
        "ACCOUNT_RATE_LIMITS": {"login_failed": _FAILED, "login": "60/m/ip", "invitation": _FAILED},
    }


def _sessions() -> dict[str, Any]:
    return {
        "SESSION_ENGINE": "django.contrib.sessions.backends.db",
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
        "SESSION_COOKIE_AGE": 12 * 3600,  # `standing.LONGEST`
        "ACCOUNT_SESSION_REMEMBER": False,
        "ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE": False,
    }


def _factors() -> dict[str, Any]:
    return {
        "MFA_ADAPTER": "kiban.web.signin.adapters.MFAAdapter",
        "MFA_SUPPORTED_TYPES": ["totp", "webauthn"],  # no codes on paper: two administrators recover
        "MFA_TOTP_TOLERANCE": 1,  # RFC 6238 5.2: one step for the time that typing takes; `forms` refuses a code a second time
        "MFA_PASSKEY_LOGIN_ENABLED": True,
        "MFA_WEBAUTHN_USER_VERIFICATION": "required",
        "MFA_RATE_LIMITS": {"webauthn_login": "60/m/ip"},
        "MFA_ALLOW_UNVERIFIED_EMAIL": True,  # there are no addresses
        "MFA_FORMS": {
            "authenticate": "kiban.web.signin.forms.Code",
            "reauthenticate": "kiban.web.signin.forms.CodeAgain",
            "activate_totp": "kiban.web.signin.forms.FirstCode",
            "add_webauthn": "kiban.web.signin.forms.AddPasskey",
            "login_webauthn": "kiban.web.signin.forms.PasskeySignIn",
        },
    }


def _provider() -> dict[str, Any]:
    return {
        "IDP_OIDC_ADAPTER": "kiban.web.signin.oidc.Provider",
        "IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN": 300,
        "IDP_OIDC_ID_TOKEN_EXPIRES_IN": 300,
        "IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN": 12 * 3600,  # as long as the longest session
        "IDP_OIDC_AUTHORIZATION_CODE_EXPIRES_IN": 60,
    }


def _relying() -> dict[str, Any]:
    return {
        "SOCIALACCOUNT_ADAPTER": "kiban.web.signin.relying.SocialAdapter",
        "SOCIALACCOUNT_AUTO_SIGNUP": False,
        "SOCIALACCOUNT_EMAIL_AUTHENTICATION": False,
        "SOCIALACCOUNT_STORE_TOKENS": False,
        "SOCIALACCOUNT_REQUESTS_TIMEOUT": 5,
    }
