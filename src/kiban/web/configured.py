"""Django, set up once in a process. The API keeps nothing in it; accounts and sessions of people lie in a schema of their own."""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
import django.conf

from kiban.kernel import Problem
from kiban.web.signin_settings import signing_in


def django_settings(secret: str, *, secure: bool = False) -> dict[str, Any]:
    """The settings of Django. What an installation decides is not among them: it comes with the house.

    Args:
        secret: of this home, see `web_secret`.
        secure: whether browsers reach the service by TLS alone: cookies then go no other way.
    """
    return {
        "DEBUG": False,
        "SECRET_KEY": secret,
        "ALLOWED_HOSTS": ["*"],  # the house says which; see guarding.py
        "ROOT_URLCONF": "kiban.web.urls",
        "MIDDLEWARE": _MIDDLEWARE,
        "INSTALLED_APPS": _APPS,
        # Accounts and sessions only, in a schema and role of their own; `signin.connect` says where. Registers are never here.
        "DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "nowhere"}},
        "CACHES": {
            "default": {
                "BACKEND": "django.core.cache.backends.db.DatabaseCache",
                "LOCATION": "cache",
                "OPTIONS": {"MAX_ENTRIES": 10_000},
            }
        },
        "TEMPLATES": [_TEMPLATES],
        "STATIC_URL": "/static/",
        "WHITENOISE_USE_FINDERS": True,  # straight from the package: nothing is built or collected
        "WHITENOISE_MAX_AGE": 3600,
        "USE_TZ": True,
        "TIME_ZONE": "Asia/Tokyo",
        "LANGUAGE_CODE": "ja",
        "LANGUAGES": [("ja", "日本語")],
        "USE_I18N": True,
        "APPEND_SLASH": False,
        "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
        "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",  # no cookie of their own
        "MESSAGE_TAGS": {
            25: "good",
            30: "warn",
            40: "bad",
        },  # success, warning, error, as the style sheet calls them
        "LOGGING_CONFIG": None,  # Django's own would write addresses with their query strings
        **_cookies(secure),
        **signing_in(secure),
    }


_MIDDLEWARE = [
    "kiban.web.guarding.Guarding",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "kiban.web.signin.standing.Standing",
]
_APPS = [
    "kiban.web.signin",  # before allauth: its pages take the place of allauth's
    "kiban.web.pages",
    "kiban.web.counter",
    "kiban.web.extract",
    "kiban.web.operations",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.idp.oidc",
]
_TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {
        "context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
            "kiban.web.pages.context.desk",
        ]
    },
}


def _cookies(secure: bool) -> dict[str, Any]:
    """Cookies that scripts cannot read and other sites cannot send."""
    prefix = "__Host-" if secure else ""
    found: dict[str, Any] = {
        "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
        "CSRF_FAILURE_VIEW": "kiban.web.pages.alarm.forged",
    }
    for kind in ("SESSION", "CSRF"):
        found |= {
            f"{kind}_COOKIE_NAME": f"{prefix}kiban-{kind.lower()}",
            f"{kind}_COOKIE_SECURE": secure,
            f"{kind}_COOKIE_HTTPONLY": True,
            f"{kind}_COOKIE_SAMESITE": "Lax",
        }
    return found


def set_up(secret: str, *, secure: bool = False) -> None:
    """Set Django up, unless it is; the first settings of a process hold."""
    settings = django.conf.settings  # not a name of this module: whoever looks at such a name sets Django up
    if not settings.configured:
        settings.configure(**django_settings(secret, secure=secure))
        django.setup(set_prefix=False)
    # Django writes addresses into its log, which may hold anything; guarding.py writes the line of a request. Said anew in every
    # worker: whoever sets logging up in between takes it back.
    for name in ("django.request", "django.security"):
        logging.getLogger(name).disabled = True


def web_secret(file: Path) -> str:
    """The secret of the web, from its file; made at the first call, readable by its owner only.

    Raises:
        Problem: `web-secret-open` where others may read the file, `web-secret-weak` where it holds too little.
    """
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):  # whole, or not there: several workers begin at once
            os.link(fresh, file)
        fresh.unlink()
    if file.stat().st_mode & 0o077:
        raise Problem(
            "web-secret-open", "others may read the secret of the web", str(file), "chmod 600 the file"
        )
    secret = file.read_text().strip()
    if len(secret) < 50:
        raise Problem(
            "web-secret-weak",
            "the secret of the web is too short",
            str(file),
            "remove the file: it is made anew",
        )
    return secret
