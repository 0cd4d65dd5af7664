"""Django, set up once in a process: it routes requests and keeps nothing. No model, session, cookie or template of its own."""

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


def django_settings(secret: str) -> dict[str, Any]:
    """The settings of Django. What an installation decides is not among them: it comes with the house.

    Args:
        secret: of this home, see `web_secret`.
    """
    return {
        "DEBUG": False,
        "SECRET_KEY": secret,
        "ALLOWED_HOSTS": ["*"],  # the house says which; see guarding.py
        "ROOT_URLCONF": "kiban.web.urls",
        "MIDDLEWARE": ["kiban.web.guarding.Guarding"],
        "INSTALLED_APPS": [],
        "DATABASES": {},
        "TEMPLATES": [],
        "USE_TZ": True,
        "TIME_ZONE": "Asia/Tokyo",
        "LANGUAGE_CODE": "ja",
        "USE_I18N": False,
        "APPEND_SLASH": False,
        "LOGGING_CONFIG": None,  # Django's own would write addresses with their query strings
    }


def set_up(secret: str) -> None:
    """Set Django up, unless it is; the first settings of a process hold."""
    settings = django.conf.settings  # not a name of this module: whoever looks at such a name sets Django up
    if not settings.configured:
        settings.configure(**django_settings(secret))
        django.setup(set_prefix=False)
        # Django writes addresses into its log, which may hold anything; guarding.py writes the line of a request.
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
