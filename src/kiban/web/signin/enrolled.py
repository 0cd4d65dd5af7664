# mypy: disable-error-code="import-untyped"
"""Accounts that are ready at once, for demonstrations: everywhere else the person herself chooses password and second factor."""

from __future__ import annotations

from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value

from kiban.web.city import City
from kiban.web.signin import lines
from kiban.web.signin.accounts import Accounts

_SECONDS = 30


def enrol(city: City, number: str, password: str) -> str:
    """Make an account with a password and a one-time code of this secret.

    Args:
        city: whose.
        number: of a member of staff.
        password: examined by nobody.

    Returns:
        The secret of the codes, as authenticator apps take it.

    Raises:
        Problem: those of `Accounts.make`.
    """
    accounts, who = Accounts(city), lines.By(lines.COMMAND_LINE)
    accounts.make(number, who)
    account = accounts.accept(number, accounts.invite(number, who), password, who)
    secret = str(generate_totp_secret())
    TOTP.activate(account, secret)
    lines.setting(city, who, "factor-added", account=number, factor="totp")
    return secret


def code_of(secret: str, seconds: float) -> str:
    """The one-time code of a secret at a moment, in seconds since 1970 (RFC 6238)."""
    return str(format_hotp_value(hotp_value(secret, int(seconds) // _SECONDS)))
