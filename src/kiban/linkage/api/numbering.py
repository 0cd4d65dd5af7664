"""The numbering API on the register of 住登外者: who is known keeps the number, who is not gets the next one, once.

The order of steps makes a crash harmless: the number of a person is noted before the event that writes the row, and
whoever asks again for the same person finds the number, then the row, or writes it. Rows are written under a lock on
their number, so that of requests at one instant one writes and the others read what it wrote.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import orjson

from kiban.kernel import ALL_WARDS, Actor, AsOf, Period, Problem
from kiban.linkage.api.checking import E_CHARACTERS, E_RELATED, Fault, Values, check
from kiban.linkage.api.numbers import Numbers
from kiban.linkage.api.people import Person, person
from kiban.linkage.api.spec import NumberingSpec
from kiban.store import Change, Query, Row, Session, Store

_UNIT = "atenabango"


@dataclass(frozen=True)
class Answer:
    """What the numbering API answers.

    Attributes:
        status: of HTTP: 200, 400 or 503.
        body: in the form that the document lists; holds numbers of persons, so it is no part of the printed form.
        problem: why it is a 503, for the log; None otherwise.
    """

    status: int
    body: Mapping[str, Any] = field(repr=False)
    problem: Problem | None = None


class Numbering:
    """The API. Safe to share between threads.

    Args:
        spec: the specification.
        opened: the registers; the edition of the specification has to be in force.
        numbers: the book of numbers.
        secret: under which persons are noted, of 32 bytes or more.
        now: the time in UTC.
    """

    def __init__(
        self,
        spec: NumberingSpec,
        opened: Store,
        numbers: Numbers,
        secret: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self.spec, self._store, self._numbers, self._secret, self._now = spec, opened, numbers, secret, now

    def answer(self, body: object, system: str, key: str | None = None) -> Answer:
        """Answer a request.

        Args:
            body: what was sent, as read from JSON.
            system: who asks: 業務ID or 独自施策システム等ID.
            key: what names the request, where it has such a name: sent again under it, it is the same request.
        """
        try:
            values, faults = check(self.spec, body)
            if key is not None and not (1 <= len(key) <= 100 and key.isascii() and key.isprintable()):
                faults.append(Fault(E_CHARACTERS, self.spec.kiban["messages"]["key"]))
            if faults:
                return self._refused(faults)
            self._need_edition()
            if key is not None and not self._numbers.same_request(system, key, _canonical(body), self._now()):
                return self._refused([self._fault("reused")])
            return self._numbered(values, system, key)
        except _Refused as refused:
            return self._refused([refused.fault])
        except Problem as problem:
            return Answer(503, self.spec.frame("failed"), problem)

    def _numbered(self, values: Values, system: str, key: str | None) -> Answer:
        actor = Actor(
            f"{system}:{values['sosashaid']}", None, ALL_WARDS, self.spec.official["title"], protected=True
        )
        asked = person(self.spec, values)
        if values[self.spec.step] != self.spec.steps[0]:
            return self._done([self._written(self._given(values, asked, actor), values, actor, system)])
        found = self._known(asked, actor) if asked.complete else []
        if len(found) > 1:
            with self._store.session(actor) as session:
                return self._done([self._latest(session, number) for number in found])
        number = found[0] if found else self._new(asked, actor, system, key)
        return self._done([self._written(number, values, actor, system)])

    def _known(self, asked: Person, actor: Actor) -> list[str]:
        """The numbers of a person: the one noted, else those of the register, which are then candidates."""
        noted = self._numbers.of(asked.digest(self._secret))
        if noted is not None:
            return [noted]
        found = self._search(asked, actor)
        if len(found) == 1:
            return [self._numbers.note(asked.digest(self._secret), found[0], self._now())]
        return found

    def _search(self, asked: Person, actor: Actor) -> list[str]:
        """The numbers under which the register holds a person; one that was joined to another (名寄せ) counts as that."""
        with self._store.session(actor) as session:
            query, after = _query(asked, self._now().date()), None
            found: dict[str, None] = {}
            while True:
                page = session.search(self.spec.register, query, after)
                rows = self._rows(session, [hit.subject for hit in page.hits])
                for row in rows:
                    if person(self.spec, row) == asked:
                        found[_joined(row) or row[_UNIT]] = None
                after = page.next
                if after is None:
                    return sorted(found)

    def _rows(self, session: Session, numbers: list[str]) -> list[Row]:
        """The latest row of each number."""
        latest: dict[str, Row] = {}
        for row in session.history(self.spec.register, None, **{_UNIT: numbers}) if numbers else ():
            held = latest.get(row[_UNIT])
            if held is None or (row["rirekibango"], row["event"]) >= (held["rirekibango"], held["event"]):
                latest[row[_UNIT]] = row
        return list(latest.values())

    def _new(self, asked: Person, actor: Actor, system: str, key: str | None) -> str:
        """A number for a person who is not known. Who lacks one of the items is told apart by the request alone."""
        if asked.complete:
            whose = asked.digest(self._secret)
        elif key is not None:
            said = f"request\x1f{system}\x1f{key}".encode()
            whose = hmac.new(self._secret, said, hashlib.sha256).digest()
        else:
            whose = secrets.token_bytes(32)
        return self._numbers.give(whose, lambda number: self._taken(number, actor), self._now())

    def _taken(self, number: str, actor: Actor) -> bool:
        """Whether any register of the city has a row of this number, at any time."""
        with self._store.session(actor) as session:
            return any(session.history(name, None, **{_UNIT: number}) for name in self._registers())

    def _registers(self) -> list[str]:
        return [name for name, table in self._store.tables().items() if table.subject[:1] == (_UNIT,)]

    def _given(self, values: Values, asked: Person, actor: Actor) -> str:
        """The number that a request names, which has to be this person's."""
        number = values[_UNIT]
        chosen = values[self.spec.step] == self.spec.steps[2]
        with self._store.session(actor) as session:
            rows = self._rows(session, [number])
            if not rows and not chosen:
                rows = [
                    row
                    for name in self._registers()
                    for row in session.read(name, AsOf(self._now().date()), **{_UNIT: number})
                    if "shimei" in row
                ]
        if not rows:
            raise _Refused(self._fault("absent"))
        if not any(person(self.spec, row).may_be(asked) for row in rows):
            raise _Refused(self._fault("stranger"))
        if asked.complete:
            found = self._search(asked, actor)
            if number in found:  # one of several that stand there already, which an officer has chosen
                return number
            if found or self._numbers.note(asked.digest(self._secret), number, self._now()) != number:
                raise _Refused(self._fault("other"))
        return number

    def _written(self, number: str, values: Values, actor: Actor, system: str) -> Row:
        """The row of a number: as it is where the request says nothing new, otherwise as an event has written it."""
        new = values[self.spec.step] == self.spec.steps[0]
        items = {name: value for name, value in values.items() if name != self.spec.step}
        with self._numbers.alone(number), self._store.session(actor) as session:
            rows = self._rows(session, [number])
            if rows and new:
                return (self._rows(session, [_joined(rows[0]) or number]) or rows)[0]
            if rows and _same(rows[0], items):
                return rows[0]
            row = {**items, _UNIT: number, "rirekibango": rows[0]["rirekibango"] + 1 if rows else 1}
            day = date.fromisoformat(values["sosanengappi"])
            session.record(
                self.spec.kiban["kinds"][values[self.spec.step]],
                number,
                [Change(self.spec.register, row, Period(day))],
                valid=day,
                note={"origin": system},
            )
            return row

    def _latest(self, session: Session, number: str) -> Row:
        return self._rows(session, [number])[0]

    def _need_edition(self) -> None:
        """Refuse to write into a register that has no place for what the API carries."""
        in_force = self._store.edition(self.spec.edition.id).edition
        if in_force != self.spec.edition.edition:
            raise Problem(
                "numbering-edition",
                f"the register follows {in_force}, which lacks items of the numbering API",
                self.spec.register,
                f"kiban db apply 031 --edition {self.spec.edition.edition}",
            )

    def _done(self, rows: list[Row]) -> Answer:
        names = self.spec.official["answer"]
        result = [{name: row[name] for name in names} for row in rows]
        metadata = {"title": self.spec.official["title"], "detail": self.spec.official["done"]}
        links = {"self": {"href": self.spec.path}}
        return Answer(200, {"metadata": metadata, "_links": links, "result": result})

    def _refused(self, faults: list[Fault]) -> Answer:
        errors = [{"code": fault.code, "message": fault.message} for fault in dict.fromkeys(faults)]
        return Answer(400, self.spec.frame("refused", errors=errors))

    def _fault(self, message: str) -> Fault:
        return Fault(E_RELATED, self.spec.kiban["messages"][message])


class _Refused(Exception):  # noqa: N818 - a refusal, no error of ours
    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


def _query(asked: Person, today: date) -> Query:
    """What finds a person in the search of the register, and perhaps others."""
    try:
        birth = date.fromisoformat(asked.birth)
    except ValueError:  # unknown in part, or words
        return Query(today, name=asked.name, wards="all", limit=200)
    return Query(today, name=asked.name, birth=(birth, birth), wards="all", limit=200)


def _joined(row: Row) -> str | None:
    """The number to which that of a row was joined (名寄せ); numbers are linked, never rewritten."""
    return row.get("nayosesakiatenabango") if row.get("nayosemotofuragu") == "1" else None


def _same(row: Row, items: Mapping[str, str]) -> bool:
    """Whether a row holds just these values."""
    ours = {"rirekibango", _UNIT}
    held = {name: value for name, value in row.items() if isinstance(value, str) and name not in ours}
    return held == {name: value for name, value in items.items() if name not in ours}


def _canonical(body: object) -> bytes:
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
