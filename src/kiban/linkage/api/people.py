"""Who is meant: the four information items (氏名, 生年月日, 性別, 住所), folded so that one writing equals another."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kiban import characters
from kiban.linkage.api.spec import NumberingSpec


@dataclass(frozen=True)
class Person:
    """A person as the four items tell one from another. Not part of the printed form: it is personal data.

    Attributes:
        name: folded: spaces, widths and variants of a kanji make no difference.
        birth: the date of birth as written, or in words where it is unknown; empty where not given.
        sex: the code; empty where not given.
        address: folded: 一丁目２番３号 equals １－２－３.
    """

    name: str = field(repr=False)
    birth: str = field(repr=False)
    sex: str = field(repr=False)
    address: str = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether it tells one person from all others; 性別 need not be given, since the standard lets it be unknown."""
        return bool(self.name and self.birth and self.address)

    def digest(self, secret: bytes) -> bytes:
        """What the books keep instead of the items: HMAC-SHA256 under the secret of the city."""
        said = "\x1f".join(("person", self.name, self.birth, self.sex, self.address))
        return hmac.new(secret, said.encode(), hashlib.sha256).digest()

    def may_be(self, other: Person) -> bool:
        """Whether both can be one person whose name or address changed: the birth agrees, and one of name and address."""
        if self.birth != other.birth or (self.sex and other.sex and self.sex != other.sex):
            return False
        return self.name == other.name or (self.address != "" and self.address == other.address)


def person(spec: NumberingSpec, row: Mapping[str, Any]) -> Person:
    """The person of a row or a request; the items are those the specification names."""
    by = spec.kiban["person"]
    town = _joined(by["address"][:2], row) or _joined(by["town"], row)
    rest = _joined(by["address"][2:], row)
    return Person(
        characters.name_key(_joined(by["name"], row)),
        next((str(row[name]) for name in by["birth"] if row.get(name)), ""),
        _joined(by["sex"], row),
        characters.address_key(town + rest) if rest else "",
    )


def _joined(names: Sequence[str], row: Mapping[str, Any]) -> str:
    return "".join(str(row.get(name) or "") for name in names)
