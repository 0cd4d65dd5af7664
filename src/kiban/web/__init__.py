"""The web, in Django: the API of the linkage, which keeps no state, and pages for people at work. It knows no SQL."""

from kiban.web.application import (
    Application,
    application,
    install_accounts,
    install_signing_keys,
    reach_accounts,
)
from kiban.web.city import City
from kiban.web.configured import django_settings, web_secret
from kiban.web.house import House

__all__ = [
    "Application",
    "City",
    "House",
    "application",
    "django_settings",
    "install_accounts",
    "install_signing_keys",
    "reach_accounts",
    "web_secret",
]
