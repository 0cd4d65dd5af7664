# mypy: disable-error-code="import-untyped"
"""Rules of passwords beyond length and the list of common ones. No rule of composition: ASVS 5.0 6.2.5 forbids it."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from allauth.core import context
from django.core.exceptions import ValidationError

from kiban.web.city import City
from kiban.web.signin import lines

WORDS, BREACHED = "words.txt", "breached.txt"
"""Files that a city may put into its folder of sign-in."""
_DIGITS = 40


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


class NoWordOfTheCity:
    """A password holds no word that everybody at work would try first."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password with a word of the lists in it, however it is written.

        Raises:
            ValidationError: `password-word`.
        """
        plain = _plain(password)
        if any(word in plain for word in _words(_city())):
            raise ValidationError(
                "パスワードに、市や業務の名称など推測されやすい語を含めることはできません。",
                code="password-word",
            )

    def get_help_text(self) -> str:
        """The rule in words."""
        return "市や業務の名称など、推測されやすい語を含めることはできません。"


class NotBreached:
    """A password is not in the file of breached ones, where the city has put one: nothing is asked of the Internet."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that is in the file.

        Raises:
            ValidationError: `password-breached`.
        """
        city = _city()
        file = city.home / BREACHED if city and city.home else None
        if file and file.exists() and holds(file, _digest(password)):
            raise ValidationError(
                "このパスワードは、過去に流出したものとして知られています。", code="password-breached"
            )

    def get_help_text(self) -> str:
        """The rule in words."""
        return "流出が知られているものは使えません。"


def holds(file: Path, digest: str) -> bool:
    """Whether a file has a line that begins with a digest, of which it reads a few lines only, however large it is.

    Args:
        file: a digest a line in hex, of 40 digits, in their order; what follows in a line does not count.
        digest: in hex, upper case.
    """
    with file.open("rb") as opened:

        def line_from(place: int) -> bytes:
            opened.seek(max(place - 1, 0))
            if place:
                opened.readline()  # to the end of the line before
            return opened.readline()[:_DIGITS].upper()

        low, high, wanted = 0, file.stat().st_size, digest.encode()
        while low < high:
            middle = (low + high) // 2
            found = line_from(middle)
            low, high = (middle + 1, high) if found and found < wanted else (low, middle)
        return line_from(low) == wanted


def _digest(password: str) -> str:
    return (
        hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    )  # as published sets have it


def _city() -> City | None:
    request = getattr(context, "request", None)
    return lines.city_of(request) if request is not None else None


def _words(city: City | None) -> Iterable[str]:
    yield from _shipped()
    if city is None:
        return
    yield from filter(None, {_plain(city.title), _plain(city.title.removesuffix("市"))})
    if city.home and (file := city.home / WORDS).exists():
        yield from _read(file.read_text(encoding="utf-8"))


@cache
def _shipped() -> tuple[str, ...]:
    return tuple(_read(resources.files("kiban.web.signin").joinpath(WORDS).read_text(encoding="utf-8")))


def _read(text: str) -> Iterable[str]:
    return filter(None, (_plain(line) for line in text.splitlines() if not line.startswith("#")))


def _plain(text: str) -> str:
    """Without case, width, spaces and marks.

    >>> _plain("Ｋｉ-ban 市")
    'kiban市'
    """
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum())
