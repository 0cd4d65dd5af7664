"""The Django app of accounts."""

from __future__ import annotations

from django.apps import AppConfig


class Accounts(AppConfig):
    """Accounts of people; `access` knows who they are and what they may do."""

    name = "kiban.web.signin"
    label = "accounts"
    verbose_name = "アカウント"
