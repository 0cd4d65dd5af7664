"""The Django app of accounts."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class Accounts(AppConfig):
    """Accounts of people; `access` knows who they are and what they may do."""

    name = "kiban.web.signin"
    label = "accounts"
    verbose_name = "アカウント"

    def ready(self) -> None:
        """Listen to what allauth does."""
        import_module("kiban.web.signin.witness").attach()  # models are there only now
