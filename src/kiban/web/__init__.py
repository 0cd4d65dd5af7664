"""The web, in Django: the API of the linkage, which keeps no state, and pages for people at work. It knows no SQL."""

from kiban.web.application import (
    Application,
    accounts_of,
    add_provider,
    application,
    clients_of,
    code_of,
    enrol,
    install_accounts,
    install_signing_keys,
    reach_accounts,
    rotate_signing_keys,
)
from kiban.web.city import City, today
from kiban.web.configured import django_settings, web_secret
from kiban.web.house import House
from kiban.web.signin.lines import COMMAND_LINE, By
from kiban.web.signin.providers import Provider
from kiban.web.signin.wishes import SCOPES, Wish

__all__ = [
    "COMMAND_LINE",
    "SCOPES",
    "Application",
    "By",
    "City",
    "House",
    "Provider",
    "Wish",
    "accounts_of",
    "add_provider",
    "application",
    "clients_of",
    "code_of",
    "django_settings",
    "enrol",
    "install_accounts",
    "install_signing_keys",
    "reach_accounts",
    "rotate_signing_keys",
    "today",
    "web_secret",
]
