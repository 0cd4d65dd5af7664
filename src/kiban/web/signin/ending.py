# mypy: disable-error-code="import-untyped"
"""Sessions of people, and their end."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from allauth.idp.oidc.models import Token
from allauth.usersessions.models import UserSession
from django.conf import settings

from kiban.web.signin.models import Account


def sessions(account: Account) -> Sequence[UserSession]:
    """The sessions of an account that hold, the newest first."""
    return sorted(UserSession.objects.purge_and_list(account), key=lambda each: each.created_at, reverse=True)


def end(ended: Sequence[UserSession], account: Account) -> None:
    """End sessions, and every token that other systems hold for the person: no session is bound to one of them."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    for each in ended:
        store.delete(each.session_key)
        each.delete()
    Token.objects.filter(user_id=account.pk).delete()
