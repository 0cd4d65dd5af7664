# mypy: disable-error-code="import-untyped, misc"
"""What allauth asks this city: who may sign in, in which words it refuses, how secrets of factors are kept."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from kiban.web.house import NAME
from kiban.web.signin import lines, strength
from kiban.web.signin.accounts import Accounts
from kiban.web.signin.models import Account

_WRONG = "職員番号またはパスワードが正しくありません。"
_LOCKED = (
    "試行回数が上限に達したため、しばらく受け付けません。15分ほど待つか、管理者に解除を依頼してください。"
)


class Backend(AuthenticationBackend):
    """Signs in by staff number and password."""

    def user_can_authenticate(self, user: Any) -> bool:
        """Whether the account is not disabled and the person serves today; where nobody can tell, not."""
        if not super().user_can_authenticate(user) or getattr(context, "request", None) is None:
            return False
        return Accounts(lines.city_of(context.request)).may_sign_in(user)

    def get_user(self, user_id: Any) -> Any:
        """The account of a session; `standing` looks whether it may still be here."""
        return Account.objects.filter(pk=user_id).first()

    @classmethod
    def _stash_user(cls, user: Any) -> None:
        """Nobody who may not sign in gets a page of her own: words must not tell that the password was right."""


class AccountAdapter(DefaultAccountAdapter):
    """How accounts sign in."""

    error_messages = {  # noqa: RUF012 - of allauth
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _WRONG,
        "invalid_login": _WRONG,
        "too_many_login_attempts": _LOCKED,
        "rate_limited": _LOCKED,
        "enter_current_password": "現在のパスワードが正しくありません。",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes herself an account."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse whoever tried too often."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            self._refused(request, "lock-out", credentials)
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write down that a password was wrong."""
        self._refused(request, "password", credentials)

    def _refused(self, request: HttpRequest, act: str, credentials: dict[str, Any]) -> None:
        known = Account.objects.filter(number=credentials.get("username", "")).first()
        # What was typed may be a password: only the number of an account there is goes into the line.
        lines.signin(lines.city_of(request), lines.by(request, known.number if known else ""), act, "refused")

    def pre_login(self, request: HttpRequest, user: Any, **more: Any) -> HttpResponse | None:
        """Refuse whoever may not sign in, by whatever way she came: a passkey and a provider elsewhere ask for no password."""
        if Accounts(lines.city_of(request)).may_sign_in(user):
            return None
        lines.signin(lines.city_of(request), lines.by(request, user.number), "signin", "refused")
        clear_login(request)
        messages.error(request, _WRONG)
        return HttpResponseRedirect(reverse("account_login"))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """With a second factor, whoever has one: who found an open session may have seen the password typed."""
        found = super().get_reauthentication_methods(user)
        return [each for each in found if each["id"] != "reauthenticate"] or found

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Before factors change; not at the first, which nothing but the password of a moment ago can be asked before."""
        request: Any = context.request
        return bool(strength.factors(request.user))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Where to go after the password was changed."""
        return reverse("account_home")

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        """Where to go after signing out."""
        return reverse("account_login")


class MFAAdapter(DefaultMFAAdapter):
    """How second factors are kept."""

    error_messages = {  # noqa: RUF012 - of allauth
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "確認できませんでした。もう一度お試しください。",
        "cannot_delete_authenticator": "最後の第二要素は削除できません。先に別のものを登録してください。",
    }

    def get_totp_issuer(self) -> str:
        """What the app shows as the service."""
        return lines.city_of(context.request).title

    def encrypt(self, text: str) -> str:
        """The secret as it lies in the database: a copy of the database alone gives no codes."""
        nonce = secrets.token_bytes(12)
        return base64.b64encode(nonce + _key().encrypt(nonce, text.encode(), b"totp")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """The secret again."""
        raw = base64.b64decode(encrypted_text)
        return _key().decrypt(raw[:12], raw[12:], b"totp").decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one."""
        return len(strength.factors(authenticator.user)) > 1

    def generate_authenticator_name(self, user: AbstractBaseUser, type: str) -> str:
        """What a passkey is called where its owner gives it no name."""
        return f"パスキー{Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """For whom a passkey signs: the name of the service, whatever name the browser came by."""
        issuer = urlsplit(context.request.META[NAME].authority.issuer).hostname or ""
        if _loopback(
            issuer
        ):  # tried out on this machine: a browser takes passkeys for its name, not for 127.0.0.1
            issuer = context.request.get_host().partition(":")[0]
        return {"id": issuer, "name": lines.city_of(context.request).title}


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key() -> AESGCM:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"kiban second factors")
    return AESGCM(derived.derive(settings.SECRET_KEY.encode()))
