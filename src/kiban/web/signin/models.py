"""The account of a person: with which staff number she signs in. Who she is and what she may do stands in `access`."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts."""

    def get_by_natural_key(self, username: str | None) -> Account:
        """The account of a staff number."""
        return self.get(number=username)


class Account(AbstractBaseUser):
    """An account.

    Attributes:
        number: the staff number, as in `access.Staff`.
        is_active: whether it may sign in.
    """

    number: models.CharField[str, str] = models.CharField("職員番号", max_length=64, unique=True)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    made_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[AccountManager] = AccountManager()

    USERNAME_FIELD = "number"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        """Of Django."""

        verbose_name = "アカウント"
        verbose_name_plural = "アカウント"

    def __str__(self) -> str:
        """The staff number."""
        return self.number
