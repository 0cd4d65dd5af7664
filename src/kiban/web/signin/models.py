"""The account of a person: with which staff number she signs in. Who she is and what she may do stands in `access`."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar

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
        subject: what other systems know the person by; it says nothing and never changes.
        asked_recovery_by: staff number of the administrator who asked for a recovery; empty where nobody did.
        asked_recovery_at: when; null where nobody did.
    """

    number: models.CharField[str, str] = models.CharField("職員番号", max_length=64, unique=True)
    is_active: models.BooleanField[bool, bool] = models.BooleanField(default=True)
    made_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(auto_now_add=True)
    subject: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False
    )
    asked_recovery_by: models.CharField[str, str] = models.CharField(max_length=64, blank=True, default="")
    asked_recovery_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        null=True
    )

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


class Invitation(models.Model):
    """A code by which somebody chooses a password, once and within hours. Only a digest of the code is kept.

    Attributes:
        account: whose; there is one at most.
        digest: SHA-256 of the code, hex.
        made_by: staff number of the administrator, or `kiban` for the command line.
        ends_at: until when it may be used.
    """

    account: models.OneToOneField[Account, Account] = models.OneToOneField(Account, on_delete=models.CASCADE)
    digest: models.CharField[str, str] = models.CharField(max_length=64)
    made_by: models.CharField[str, str] = models.CharField(max_length=64)
    ends_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()

    class Meta:
        """Of Django."""

        verbose_name = "招待"
        verbose_name_plural = "招待"


class Visit(models.Model):
    """A sign-in of a person at another system, from the code that it got to the end of all tokens that it holds.

    Attributes:
        account: whose.
        client: the system.
        sid: how the system knows it.
        session: key of the session here.
        code: SHA-256 of the code, hex.
        redeemed: whether the code was.
        issuer: as the system was told.
        scopes: what it may know, joined by spaces.
        began_at: when the person went there.
        shown_at: when she had shown a factor last by then.
        ends_at: when all of it is over at the latest.
    """

    account: models.ForeignKey[Account, Account] = models.ForeignKey(Account, on_delete=models.CASCADE)
    client: models.ForeignKey[Any, Any] = models.ForeignKey(
        "allauth_idp_oidc.Client", on_delete=models.CASCADE
    )
    client_id: str
    sid: models.UUIDField[uuid.UUID, uuid.UUID] = models.UUIDField(
        default=uuid.uuid4, unique=True, editable=False
    )
    session: models.CharField[str, str] = models.CharField(max_length=40, db_index=True)
    code: models.CharField[str, str] = models.CharField(max_length=64, unique=True)
    redeemed: models.BooleanField[bool, bool] = models.BooleanField(default=False)
    issuer: models.CharField[str, str] = models.CharField(max_length=500)
    scopes: models.TextField[str, str] = models.TextField()
    began_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    shown_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
    ends_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(db_index=True)

    class Meta:
        """Of Django."""

        verbose_name = "連携先でのサインイン"
        verbose_name_plural = "連携先でのサインイン"


class Spent(models.Model):
    """A refresh token that was used up: who shows it again has it from somebody else.

    Attributes:
        digest: SHA-256, hex.
        visit: the sign-in that it belonged to.
    """

    digest: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    visit: models.ForeignKey[Visit, Visit] = models.ForeignKey(Visit, on_delete=models.CASCADE)

    class Meta:
        """Of Django."""

        verbose_name = "使用済みトークン"
        verbose_name_plural = "使用済みトークン"
