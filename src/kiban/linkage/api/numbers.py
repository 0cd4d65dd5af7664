"""The book of numbers: each is given out once, and each person has one. The database holds both, whoever asks at once."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from kiban.kernel import ATENABANGO_DIGITS, Problem, next_atenabango
from kiban.store import BookPage, Books


@dataclass(frozen=True)
class Rule:
    """The numbers that the city sets apart for 住登外者, in the method of the 宛名番号 (serial, modulus 11, weights 2 to 7).

    Attributes:
        first: first serial; residents' numbers have others.
        last: last serial.
        digits: length of a number, check digit included.
        remainder_one: the check digit where the remainder is 1; None to skip such serials, since the standard states none.
    """

    first: int
    last: int
    digits: int = ATENABANGO_DIGITS
    remainder_one: str | None = None


class Numbers:
    """The book. Safe to share between threads."""

    def __init__(self, books: Books, secret: bytes) -> None:
        self._books, self._secret = books, secret

    def set_rule(self, rule: Rule) -> None:
        """Set the numbers apart, or change what is still to come; numbers given out stay given out.

        Raises:
            Problem: `numbering-range` where no number lies in it; `serial-out-of-range`, `check-digit-rule`.
        """
        _, serial = next_atenabango(rule.first, digits=rule.digits, remainder_one=rule.remainder_one)
        if serial > rule.last:
            raise Problem(
                "numbering-range", "no number lies between the first and the last serial", fix="widen it"
            )
        with self._books.transaction() as page:
            page.run("DELETE FROM numbering_rule")
            page.run(
                "INSERT INTO numbering_rule VALUES (true, greatest(%s, (SELECT max(serial) + 1 FROM numbering_issued "
                "WHERE serial BETWEEN %s AND %s)), %s, %s, %s)",
                (rule.first, rule.first, rule.last, rule.last, rule.digits, rule.remainder_one),
            )

    def of(self, person: bytes) -> str | None:
        """The number of a person; None where none is noted."""
        with self._books.transaction() as page:
            return _number(page, person)

    def note(self, person: bytes, number: str, now: datetime) -> str:
        """Note the number of a person, unless one is noted already; the one that holds."""
        with self._books.transaction() as page:
            return _noted(page, person, number, now)

    def give(self, person: bytes, taken: Callable[[str], bool], now: datetime) -> str:
        """The number of a person, a new one where none is noted.

        Args:
            person: whose.
            taken: whether a number stands in a register already, however it came there.
            now: in UTC.

        Raises:
            Problem: `numbering-unset` where the city has set no numbers apart, `numbering-used-up`.
        """
        with self._books.transaction() as page:
            rules = page.rows("SELECT * FROM numbering_rule FOR UPDATE")  # one after the other
            known = _number(page, person)
            if known is not None:
                return known
            if not rules:
                raise Problem(
                    "numbering-unset",
                    "no numbers are set apart for 住登外者",
                    fix="kiban link numbers set --first SERIAL --last SERIAL",
                )
            number = _fresh(page, rules[0], taken, now)
            return _noted(page, person, number, now)

    def same_request(self, system: str, key: str, body: bytes, now: datetime) -> bool:
        """Whether a request is new, or the same as before under its key."""
        said = hmac.new(self._secret, f"request\x1f{system}\x1f{key}".encode(), hashlib.sha256).digest()
        digest = hashlib.sha256(body).digest()
        with self._books.transaction() as page:
            page.run(
                "INSERT INTO numbering_request VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (said, digest, now),
            )
            rows = page.rows("SELECT body FROM numbering_request WHERE request = %s", (said,))
        return bytes(rows[0]["body"]) == digest

    @contextmanager
    def alone(self, number: str) -> Iterator[None]:
        """Within the `with` block nobody else works on a number: the database holds its row for us."""
        with self._books.transaction() as page:
            page.run("INSERT INTO numbering_turn VALUES (%s) ON CONFLICT DO NOTHING", (number,))
            page.run("SELECT FROM numbering_turn WHERE number = %s FOR UPDATE", (number,))
            yield


def _number(page: BookPage, person: bytes) -> str | None:
    rows = page.rows("SELECT number FROM numbering_person WHERE person = %s", (person,))
    return str(rows[0]["number"]) if rows else None


def _noted(page: BookPage, person: bytes, number: str, now: datetime) -> str:
    page.run("INSERT INTO numbering_person VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", (person, number, now))
    held = _number(page, person)
    assert held is not None
    return held


def _fresh(page: BookPage, rule: dict[str, object], taken: Callable[[str], bool], now: datetime) -> str:
    serial, last, digits = (int(str(rule[name])) for name in ("next_serial", "last_serial", "digits"))
    one = rule["remainder_one"]
    while serial <= last:
        number, serial = next_atenabango(
            serial, digits=digits, remainder_one=None if one is None else str(one)
        )
        if serial > last:
            break
        if not taken(number):
            issued = page.run(
                "INSERT INTO numbering_issued VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (number, serial, now),
            )
            if issued:
                page.run("UPDATE numbering_rule SET next_serial = %s", (serial + 1,))
                return number
        serial += 1
    raise Problem(
        "numbering-used-up",
        "every number set apart is given out",
        fix="set more apart: kiban link numbers set",
    )
