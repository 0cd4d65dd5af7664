"""Rules of passwords beyond length and the list of common ones. No rule of composition: ASVS 5.0 6.2.5 forbids it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError


class NotTheNumber:
    """A password does not hold the staff number."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password with the number of its owner in it.

        Raises:
            ValidationError: `password-number`.
        """
        number = getattr(user, "number", "")
        if number and number.lower() in password.lower():
            raise ValidationError("パスワードに職員番号を含めることはできません。", code="password-number")

    def get_help_text(self) -> str:
        """The rule in words."""
        return "職員番号を含めることはできません。"
