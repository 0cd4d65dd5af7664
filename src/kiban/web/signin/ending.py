# mypy: disable-error-code="import-untyped"
"""Sessions of people, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from allauth.usersessions.models import UserSession
from django.conf import settings

from kiban.web.city import City
from kiban.web.signin import visits
from kiban.web.signin.models import Account, Visit


def sessions(account: Account) -> Sequence[UserSession]:
    """The sessions of an account that hold, the newest first."""
    return sorted(UserSession.objects.purge_and_list(account), key=lambda each: each.created_at, reverse=True)


def end(city: City, ended: Sequence[UserSession], account: Account) -> None:
    """End sessions, and all that other systems got by them, or by sessions that had ended before."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for each in ended:
        store.delete(each.session_key)
        each.delete()
    held = [each.session_key for each in sessions(account)]
    visits.end(city, Visit.objects.filter(account=account).exclude(session__in=held))
