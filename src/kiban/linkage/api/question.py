"""A question to the read API, the same to whoever asks and whoever answers, so that an answer can be bound to it.

Who asks writes a few headers and a body, and computes one SHA-512 over them; the answer carries the same hash, computed
by who answers from what arrived. So an answer proves to which question it belongs (as in X-Road).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from kiban.kernel import Problem, Problems
from kiban.linkage.contracts.model import Feed

ID, PURPOSE, USER, CASE = "X-Kiban-Id", "X-Kiban-Purpose", "X-Kiban-User", "X-Kiban-Case"
KEYS, AFTER = "X-Kiban-Keys", "X-Kiban-After"
HEADERS = (ID, PURPOSE, USER, CASE, KEYS, AFTER)
"""What of the headers belongs to the question, in the order in which the hash takes it."""
HASH = "X-Kiban-Request-Hash"
MOST_KEYS, MOST_ROWS, USUAL_ROWS = 100, 1_000, 200
ID_FORM = "[0-9A-Za-z-]{16,64}"
MOST_USER = 60
"""Characters of an officer's name, so that it stands whole in the log of the registers beside the ID of the system."""
WORD_FORM = "([0-9A-Za-z._~-]|%[0-9A-Fa-f]{2}){1,900}"
"""How the headers are written: the ID plain, the others in percent-encoded UTF-8."""


@dataclass(frozen=True)
class Envelope:
    """A request as it travels; what it says of persons is no part of the printed form.

    Attributes:
        method: GET or POST.
        target: path and query string, as they stand in the request line.
        headers: the X-Kiban headers as sent, by the names of this module; empty text where absent.
        body: its bytes; empty for GET.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def said(self, system: str) -> bytes:
        """The bytes that the hash is of: lines of the same number and order for everybody."""
        lines = ["kiban-question-1", self.method, self.target, system]
        lines += [self.headers.get(name, "") for name in HEADERS]
        return "\n".join([*lines, hashlib.sha512(self.body).hexdigest()]).encode()

    def hash(self, system: str) -> str:
        """SHA-512 of the question of a system, hex."""
        return hashlib.sha512(self.said(system)).hexdigest()


@dataclass(frozen=True)
class Question:
    """What is asked, understood.

    Attributes:
        id: of the question, given by who asks.
        purpose: what for (事務).
        user: the officer.
        case: the case (事案) that it is asked for.
        fields: names of items, as many as the duty needs.
        keys: item -> the values of which it must have one.
        as_of: the day in the town; None for today.
        known: as known at which moment; None for now.
        after: the `next` of the page before; None for the first.
        limit: most rows of the answer.
    """

    id: str
    purpose: str
    user: str
    case: str
    fields: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]] = field(repr=False)
    as_of: date | None
    known: datetime | None
    after: str | None = field(repr=False)
    limit: int


def understand(envelope: Envelope, asked: Mapping[str, Any], feed: Feed) -> Question:
    """The question of a request.

    Args:
        envelope: the request.
        asked: what the body, or the query string and headers, ask: fields, keys, as_of, known, after, limit.
        feed: what the contract carries.

    Raises:
        Problems: `header-missing`, `header-unreadable`, `question-unknown`, `fields-missing`, `field-unknown`,
            `keys-missing`, `key-unknown`, `keys-many`, `day-unreadable`, `moment-unreadable`, `limit-unreadable`,
            `after-unreadable`.
    """
    problems: list[Problem] = []
    said = {name: _header(envelope.headers, name, problems) for name in (ID, PURPOSE, USER, CASE)}
    for name in asked.keys() - {"fields", "keys", "as_of", "known", "after", "limit"}:
        shown = name if name.isascii() and name.isidentifier() else "a name"
        problems.append(
            Problem("question-unknown", f"{shown} is nothing that can be asked", fix="leave it out")
        )
    fields = _fields(asked.get("fields"), feed, problems)
    keys = _keys(asked.get("keys"), feed, problems)
    as_of = _read(asked.get("as_of"), date.fromisoformat, "day-unreadable", "as_of", "YYYY-MM-DD", problems)
    known = _read(
        asked.get("known"), _moment, "moment-unreadable", "known", "ISO 8601 with its zone", problems
    )
    after, limit = asked.get("after"), asked.get("limit", USUAL_ROWS)
    if after is not None and not isinstance(after, str):
        problems.append(
            Problem("after-unreadable", "after is no text", fix="give the `next` of the page before")
        )
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_ROWS:
        problems.append(
            Problem("limit-unreadable", f"limit is no whole number of 1 to {MOST_ROWS}", fix="ask for less")
        )
    if problems:
        raise Problems(problems)
    return Question(said[ID], said[PURPOSE], said[USER], said[CASE], fields, keys, as_of, known, after, limit)


def _header(headers: Mapping[str, str], name: str, problems: list[Problem]) -> str:
    given = headers.get(name, "")
    if not given:
        problems.append(Problem("header-missing", f"the request has no {name}", name, _HEADERS[name]))
        return ""
    try:
        text = unquote_to_bytes(given).decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    form = ID_FORM if name == ID else WORD_FORM
    longest = MOST_USER if name == USER else 100
    fits = (
        re.fullmatch(form, given, re.ASCII) and text.strip() and len(text) <= longest and text.isprintable()
    )
    if not fits:
        problems.append(Problem("header-unreadable", f"{name} cannot be read", name, _HEADERS[name]))
    return text


_HEADERS = {
    ID: "give 16 to 64 letters, digits and hyphens that name this question, such as a UUID",
    PURPOSE: "say for which duty (事務) it is asked, in percent-encoded UTF-8 of at most 100 characters",
    USER: f"name the officer by the staff number, in percent-encoded UTF-8 of at most {MOST_USER} characters",
    CASE: "name the case (事案) by its number, in percent-encoded UTF-8 of at most 100 characters",
}


def _fields(given: Any, feed: Feed, problems: list[Problem]) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(name, str) for name in given):
        problems.append(
            Problem("fields-missing", "no fields are asked for", fix="name the items that the duty needs")
        )
        return ()
    if not set(given) <= set(feed.columns):
        fix = f"one of {', '.join(feed.columns)}"
        problems.append(Problem("field-unknown", "a field is none that the contract carries", fix=fix))
    return tuple(dict.fromkeys(given))


def key_items(feed: Feed) -> tuple[str, ...]:
    """The items by which rows are asked for: the unit, and those that identify a row."""
    return tuple(dict.fromkeys((feed.unit.romaji, *(item.romaji for item in feed.group.subject))))


def _keys(given: Any, feed: Feed, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    allowed = key_items(feed)
    if not isinstance(given, dict) or not given:
        fix = f"name values of {', '.join(allowed)}"
        problems.append(Problem("keys-missing", "the question does not say whose rows", fix=fix))
        return {}
    if not set(given) <= set(allowed):
        problems.append(
            Problem("key-unknown", "rows are not asked for by this item", fix=f"one of {', '.join(allowed)}")
        )
    found: dict[str, tuple[str, ...]] = {}
    for name, values in given.items():
        fits = isinstance(values, list) and values and all(isinstance(v, str) and _plain(v) for v in values)
        if not fits or len(values) > MOST_KEYS:
            what = f"the values of a key are not 1 to {MOST_KEYS} texts"
            problems.append(Problem("keys-many", what, fix="ask for fewer at once"))
        else:
            found[name] = tuple(dict.fromkeys(values))
    return found


def _plain(text: str) -> bool:
    return (
        1 <= len(text) <= 100
        and text.isprintable()
        and not any("\ud800" <= char <= "\udfff" for char in text)
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _read(given: Any, how: Any, code: str, name: str, form: str, problems: list[Problem]) -> Any:
    if given is None:
        return None
    try:
        return how(given)
    except (ValueError, TypeError, OverflowError):
        problems.append(Problem(code, f"{name} cannot be read", name, f"write it as {form}"))
        return None
