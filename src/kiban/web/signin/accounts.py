# mypy: disable-error-code="import-untyped"
"""Accounts of people: made, invited, disabled, recovered, signed out; every change with its line."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.core import context
from allauth.core.ratelimit import clear
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import transaction

from kiban.kernel import Problem
from kiban.web.city import City, today
from kiban.web.signin import codes, lines
from kiban.web.signin.ending import end, sessions
from kiban.web.signin.lines import By
from kiban.web.signin.models import Account, Invitation

HOURS = 24
"""How long an invitation may be used, unless somebody says otherwise; a recovery that is asked for waits as long."""
_UNKNOWN = "the invitation does not hold"


STATES = {
    "ready": "利用可",
    "asked": "再発行の確認待ち",
    "invited": "招待中",
    "uninvited": "未招待",
    "disabled": "停止中",
    "left": "在職期間外",
}
"""What an account may be in, with Japanese words."""


@dataclass(frozen=True)
class Row:
    """An account in a list.

    Attributes:
        number: staff number.
        state: one of `STATES`.
        last: last sign-in; None where there was none.
    """

    number: str
    state: str
    last: datetime | None


@dataclass(frozen=True)
class Accounts:
    """The accounts of a city. Django has to be set up and connected.

    Attributes:
        city: whose.
    """

    city: City

    def listed(self, after: str = "", most: int = 1_000_000) -> list[Row]:
        """Accounts in the order of their numbers.

        Args:
            after: the last number of the page before.
            most: how many at most.
        """
        found = (
            Account.objects.filter(number__gt=after).select_related("invitation").order_by("number")[:most]
        )
        return [Row(each.number, self._state(each), each.last_login) for each in found]

    def where(self, number: str) -> Sequence[UserSession]:
        """Where a person is signed in, the newest first.

        Raises:
            Problem: `account-unknown`.
        """
        return sessions(self._locked_for_reading(number))

    def make(self, number: str, who: By) -> Account:
        """Make the account of a member of staff; nobody can sign in with it before the person is invited.

        Raises:
            Problem: `staff-unknown`, `staff-left`, `account-there`.
        """
        people = self.city.people
        if not people.staff(number).serves(today(self.city)):
            raise Problem("staff-left", "the person does not serve today", fix="see the personnel section")
        with transaction.atomic():
            if Account.objects.filter(number=number).exists():
                raise Problem(
                    "account-there", "there is an account of this staff number", fix="invite or recover it"
                )
            account = Account(number=number)
            account.set_unusable_password()
            account.save()
            lines.setting(self.city, who, "account-made", account=number)
        return account

    def invite(self, number: str, who: By, hours: int = HOURS) -> str:
        """A fresh code by which a person without a password chooses one, once; an earlier one holds no more.

        Raises:
            Problem: `account-unknown`, `account-disabled`, `account-set` where there is a password already: recover it instead;
                `invitation-hours`.
        """
        if not 1 <= hours <= 7 * 24:
            raise Problem(
                "invitation-hours", "an invitation holds for 1 to 168 hours", fix="give fewer hours"
            )
        with transaction.atomic():
            account = self._locked(number)
            if not account.is_active:
                raise Problem("account-disabled", "the account is disabled", fix="enable it first")
            if account.has_usable_password():
                raise Problem(
                    "account-set", "the person has chosen a password", fix="recover the account: it takes two"
                )
            code = self._code(account, who, hours)
            lines.setting(self.city, who, "account-invited", account=number, hours=hours)
        return code

    def accept(self, number: str, code: str, password: str, who: By) -> Account:
        """Let the person with the code of an invitation choose her password. The password has been examined before.

        Raises:
            Problem: `invitation-wrong`, in the same words for whatever is wrong.
        """
        with transaction.atomic():
            found = Invitation.objects.select_for_update().filter(account__number=number).first()
            right = hmac.compare_digest(found.digest if found else "", codes.digest(code))
            if (
                not found
                or not right
                or found.ends_at <= self.city.now()
                or not self.may_sign_in(found.account)
            ):
                raise Problem("invitation-wrong", _UNKNOWN, fix="ask an administrator for another")
            account = found.account
            account.set_password(password)
            account.save(update_fields=["password"])
            found.delete()
            lines.setting(
                self.city,
                By(number, address=who.address, request=who.request),
                "password-chosen",
                account=number,
            )
        return account

    def may_sign_in(self, account: Account) -> bool:
        """Whether an account may sign in now: not disabled, and the person serves today."""
        return account.is_active and self.city.people.may_sign_in(account.number, today(self.city))

    def switch(self, number: str, who: By, *, on: bool) -> None:
        """Disable an account, which ends its sessions, or enable it again.

        Raises:
            Problem: `account-unknown`, `account-own` where somebody disables herself.
        """
        if number == who.actor:
            raise Problem("account-own", "nobody switches her own account", fix="ask another administrator")
        with transaction.atomic():
            account = self._locked(number)
            account.is_active = on
            account.save(update_fields=["is_active"])
            if not on:
                end(self.city, sessions(account), account)
            lines.setting(self.city, who, "account-enabled" if on else "account-disabled", account=number)

    def sign_out(self, number: str, who: By) -> int:
        """End all sessions of an account and what other systems got by them.

        Returns:
            How many sessions.

        Raises:
            Problem: `account-unknown`.
        """
        act = "signout-everywhere" if who.actor == number else "forced-signout"
        with transaction.atomic():
            account = self._locked(number)
            found = sessions(account)
            end(self.city, found, account)
            lines.signin(self.city, who, act, account=number, sessions=len(found))
        return len(found)

    def link(self, number: str, provider: str, subject: str, who: By) -> None:
        """Let what a provider elsewhere calls a person open her account.

        Raises:
            Problem: `account-unknown`, `subject-linked` where it opens another account already.
        """
        with transaction.atomic():
            account = self._locked(number)
            found, _ = SocialAccount.objects.get_or_create(
                provider=provider, uid=subject, defaults={"user": account}
            )
            if found.user_id != account.pk:
                raise Problem("subject-linked", "it opens another account", fix="see who it is")
            lines.setting(self.city, who, "provider-linked", account=number, provider=provider)

    def unlock(self, number: str, who: By) -> None:
        """Let an account that is locked out sign in again at once; only while a page answers.

        Raises:
            Problem: `account-unknown`.
        """
        account, request = self._locked_for_reading(number), context.request
        lines.signin(self.city, who, "unlock", account=number)
        for key in (f"{request.get_host()}:{number.lower()}", f"mfa-auth-user-{account.pk}"):
            clear(request, action="login_failed", key=key)

    def ask_recovery(self, number: str, who: By) -> None:
        """Ask that a person who lost her factors may begin anew; another administrator has to confirm it.

        Raises:
            Problem: `account-unknown`, `recovery-own`.
        """
        if number == who.actor:
            raise Problem("recovery-own", "nobody recovers her own account", fix="ask an administrator")
        with transaction.atomic():
            account = self._locked(number)
            account.asked_recovery_by, account.asked_recovery_at = who.actor, self.city.now()
            account.save(update_fields=["asked_recovery_by", "asked_recovery_at"])
            lines.signin(self.city, who, "recover", step="asked", account=number)

    def confirm_recovery(self, number: str, who: By, hours: int = HOURS) -> str:
        """Confirm what another has asked: all sessions and factors of the account end, and a fresh invitation is made.

        Returns:
            The code of the invitation.

        Raises:
            Problem: `account-unknown`, `recovery-own`, `recovery-unasked` where nobody asked within a day, `recovery-same`
                where the same administrator asked.
        """
        with transaction.atomic():
            account = self._locked(number)
            self._confirmable(account, who)
            asked = account.asked_recovery_by
            end(self.city, sessions(account), account)
            Authenticator.objects.filter(user_id=account.pk).delete()
            account.asked_recovery_by, account.asked_recovery_at = "", None
            account.set_unusable_password()
            account.save(update_fields=["password", "asked_recovery_by", "asked_recovery_at"])
            code = self._code(account, who, hours)
            lines.signin(self.city, who, "recover", step="confirmed", account=number, asked=asked)
        return code

    def _state(self, account: Account) -> str:
        if not account.is_active:
            return "disabled"
        if not self.may_sign_in(account):
            return "left"
        if account.has_usable_password():
            return "asked" if account.asked_recovery_by else "ready"
        held = getattr(account, "invitation", None)
        return "invited" if held and held.ends_at > self.city.now() else "uninvited"

    def _confirmable(self, account: Account, who: By) -> None:
        asked = account.asked_recovery_at
        if account.number == who.actor:
            raise Problem("recovery-own", "nobody recovers her own account", fix="ask an administrator")
        if asked is None or asked + timedelta(hours=HOURS) < self.city.now():
            raise Problem(
                "recovery-unasked", "nobody asked for it within a day", fix="ask for the recovery first"
            )
        if account.asked_recovery_by == who.actor:
            raise Problem(
                "recovery-same", "who asks for a recovery cannot confirm it", fix="ask another administrator"
            )

    def _code(self, account: Account, who: By, hours: int) -> str:
        code = codes.fresh()
        ends = self.city.now() + timedelta(hours=hours)
        given = {"digest": codes.digest(code), "made_by": who.actor, "ends_at": ends}
        Invitation.objects.update_or_create(account=account, defaults=given)
        return code

    def _locked(self, number: str) -> Account:
        found = Account.objects.select_for_update().filter(number=number).first()
        if found is None:
            raise Problem("account-unknown", "there is no such account", fix="kiban account list shows all")
        return found

    def _locked_for_reading(self, number: str) -> Account:
        with transaction.atomic():
            return self._locked(number)
