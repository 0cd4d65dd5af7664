# mypy: disable-error-code="import-untyped, misc"
"""The forms of sign-in: allauth's, with Japanese labels, and those of Kiban."""

from __future__ import annotations

import unicodedata
from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.cache import cache

from kiban.web.signin import lines
from kiban.web.signin.models import Account

NUMBER_MOST, PASSWORD_MOST = 64, 256
_CODE_SECONDS = 120  # longer than a code is good: its half minute, and the one on each side


def _plain(field: forms.Field, label: str, hint: str = "") -> None:
    field.label, field.help_text = label, hint
    field.widget.attrs.pop("placeholder", None)


def rules() -> str:
    """The rules of passwords in words."""
    return "".join(password_validators_help_texts())


class SignIn(LoginForm):
    """Staff number and password."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        _plain(self.fields["login"], "職員番号")
        _plain(self.fields["password"], "パスワード")
        self.fields["password"].max_length = PASSWORD_MOST
        self.fields["login"].widget.attrs["autocapitalize"] = "none"


class ChangePassword(ChangePasswordForm):
    """The password of now, and the one to come."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        _plain(self.fields["oldpassword"], "現在のパスワード")
        _plain(self.fields["password1"], "新しいパスワード", rules())
        _plain(self.fields["password2"], "新しいパスワード（確認）")


class _Digits:
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field = self.fields["code"]  # type: ignore[attr-defined]
        _plain(field, "認証コード（6桁）", "認証アプリに表示されている数字を入力してください。")
        field.widget.attrs |= {"inputmode": "numeric", "autocomplete": "one-time-code", "maxlength": 8}

    def clean_code(self) -> str:
        """The code, whichever digits were typed; good once while it is good at all."""
        typed = unicodedata.normalize("NFKC", self.cleaned_data["code"])  # type: ignore[attr-defined]
        self.cleaned_data["code"] = "".join(each for each in typed if each.isdigit())  # type: ignore[attr-defined]
        code: str = super().clean_code()
        account: Account = self.user  # type: ignore[attr-defined]
        if not cache.add(f"kiban-totp-{account.pk}-{code}", 1, timeout=_CODE_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class Code(_Digits, AuthenticateForm):
    """The code of the app."""


class CodeAgain(_Digits, ReauthenticateForm):
    """The code of the app, once more."""


class FirstCode(_Digits, ActivateTOTPForm):
    """The first code of an app that is being set up."""


class AddPasskey(AddWebAuthnForm):
    """A new passkey; every one can sign in alone."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        del self.fields["passwordless"]
        _plain(self.fields["name"], "名前", "後で見分けるための名前です（例：執務室の端末）。")
        self.fields["name"].max_length = 40


class PasskeySignIn(LoginWebAuthnForm):
    """A passkey alone."""

    def clean(self) -> dict[str, Any]:
        """Write down that a passkey was refused."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            request = context.request
            lines.signin(lines.city_of(request), lines.by(request, ""), "passkey", "refused")
        return cleaned


class Welcome(forms.Form):
    """An invitation, and the password that its owner chooses."""

    number = forms.CharField(
        label="職員番号", max_length=NUMBER_MOST, widget=forms.TextInput({"autocomplete": "username"})
    )
    code = forms.CharField(
        label="招待コード",
        max_length=40,
        help_text="管理者から渡された25文字です。大文字・小文字、ハイフンの有無は問いません。",
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters"}),
    )
    password = forms.CharField(
        label="新しいパスワード",
        strip=False,
        max_length=PASSWORD_MOST,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="新しいパスワード（確認）",
        strip=False,
        max_length=PASSWORD_MOST,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["password"].help_text = rules()

    def clean(self) -> dict[str, Any]:
        """Both passwords are the same, and good enough: the same work whether or not there is such an account."""
        cleaned: dict[str, Any] = super().clean() or {}
        password = cleaned.get("password")
        if password and cleaned.get("again") and password != cleaned["again"]:
            self.add_error("again", "二つのパスワードが一致しません。")
        if password:
            try:
                validate_password(password, Account(number=cleaned.get("number", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned
