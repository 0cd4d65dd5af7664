"""What auditors ask on pages: the fields of each question, and its rows a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, time
from itertools import groupby
from typing import TypeVar

from kiban.access import audit
from kiban.kernel import ALL_WARDS, Actor, Problem
from kiban.web.city import City, today
from kiban.web.operations import asked as said
from kiban.web.operations.asked import Asked, Wrong
from kiban.web.operations.sheet import Field, Row, moment

PAGE = 50
_DAYS_ROWS = 200  # a page of a question that goes day by day ends with the day that reaches so many
_STAFF = 20  # a page of a question that goes member of staff by member of staff
_RESIDENTS = "resident"
_T = TypeVar("_T")
Answer = tuple[list[Row], Mapping[str, str] | None]


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        title: in Japanese.
        heads: of the columns.
        fields: of the form, besides the days.
        rows: answers it: rows, and what to send for the next page.
        intro: a sentence about it.
        days: how many days are asked for where nothing is said.
    """

    title: str
    heads: tuple[str, ...]
    fields: tuple[Field, ...]
    rows: Callable[[City, Asked], Answer]
    intro: str = ""
    days: int = 7


def who(city: City, asked: Asked) -> Answer:
    """Who looked at a person, or at whom somebody looked."""
    subject, actor = asked.text("subject"), asked.text("actor")
    if not subject and not actor:
        raise Wrong("宛名番号か職員番号を入力してください。")
    since, until = asked.moments()
    before = asked.numbers("before", 2)
    page = audit.analyses.looks(
        city.audit,
        subject=subject,
        actor=actor,
        since=since,
        until=until,
        before=(before[0], before[1]) if before else None,
        limit=PAGE,
    )
    names = _names(city, (each.actor for each in page.looks))
    rows: list[Row] = [
        (
            moment(e.at),
            names[e.actor],
            e.office,
            e.purpose,
            said.title_of(e.what),
            audit.OUTCOMES[e.outcome],
            said.some(e.subjects),
            f"{e.source}-{e.number}",
        )
        for e in page.looks
    ]
    return rows, asked.again(before=",".join(map(str, page.next))) if page.next else None


def lines(city: City, asked: Asked) -> Answer:
    """The lines themselves."""
    kind = asked.text("kind")
    return _lines(
        city,
        asked,
        lambda wanted, before: city.audit.lines(replace(wanted, kinds=(kind,) if kind else ()), before, PAGE),
    )


def lock_outs(city: City, asked: Asked) -> Answer:
    """Who was locked out."""
    return _lines(
        city, asked, lambda wanted, before: audit.analyses.lock_outs(city.audit, wanted, before, PAGE)
    )


def lifts(city: City, asked: Asked) -> Answer:
    """Lifts of protection."""
    return _lines(city, asked, lambda wanted, before: audit.analyses.lifts(city.audit, wanted, before, PAGE))


def night(city: City, asked: Asked) -> Answer:
    """Use at night, on weekends and on holidays."""
    hours = audit.analyses.Hours(asked.time("opens", time(8, 30)), asked.time("closes", time(17, 15)))
    holidays = audit.analyses.read_holidays(city.keeping / "holidays.csv" if city.keeping else None)
    since, until = asked.days()
    found = audit.analyses.outside(city.audit, since, until, hours, holidays)
    rows, after = _until_enough((each.day, each) for each in found)
    names = _names(city, (each.actor for each in rows))
    told: list[Row] = [
        (str(e.day), e.why, names[e.actor], f"{e.lines:,}", f"{e.lookups:,}", moment(e.first), moment(e.last))
        for e in rows
    ]
    return told, asked.again(since=after.isoformat()) if after else None


def failed(city: City, asked: Asked) -> Answer:
    """Failed sign-ins."""
    found = audit.analyses.failures(city.audit, *asked.moments())
    names = _names(city, (each.actor for each in found))
    return [
        (
            names[e.actor] or "（不明な名前）",
            e.address,
            f"{e.failures:,}",
            f"{e.lock_outs:,}",
            moment(e.first),
            moment(e.last),
        )
        for e in found
    ], None


def mass(city: City, asked: Asked) -> Answer:
    """Who looked at very many persons on a day."""
    since, until = asked.days()
    found = audit.analyses.busy(city.audit, since, until, asked.number("threshold", 200))
    rows, after = _until_enough((each.day, each) for each in found)
    names = _names(city, (each.actor for each in rows))
    told: list[Row] = [
        (str(e.day), names[e.actor], f"{e.subjects:,}", f"{e.lookups:,}", f"{e.searches:,}") for e in rows
    ]
    return told, asked.again(since=after.isoformat()) if after else None


def exports(city: City, asked: Asked) -> Answer:
    """What left the house."""
    found = audit.analyses.exports(city.audit, *asked.moments(), limit=200)
    names = _names(city, (each.entry.line.actor for each in found))
    return [("不明" if e.rows is None else f"{e.rows:,}", *_line(e.entry, names)) for e in found], None


def kin(city: City, asked: Asked) -> Answer:
    """Who looked at the own household, or at people of the own name at the own address."""
    since, until = asked.moments()
    edition = city.store.edition(_RESIDENTS)
    # Auditors see no register. What is read for them here shows them who is near and nothing else, and is witnessed.
    reader = Actor("kiban.audit", None, ALL_WARDS, "監査", frozenset({_RESIDENTS}), protected=True)
    staff = audit.analyses.Own(city.audit).numbers(asked.text("after"), _STAFF)
    found = []
    for number, subject in staff.items():
        with city.store.session(reader) as session:
            near = audit.analyses.kin(session, edition, subject, today(city))
        found += list(audit.analyses.kin_looks(city.audit, number, near, since, until))
    names = _names(city, (each.actor for each in found))
    rows: list[Row] = [
        (moment(e.at), names[e.actor], e.relation, e.subject, e.register, e.purpose, f"lookup-{e.number}")
        for e in found
    ]
    return rows, asked.again(after=list(staff)[-1]) if len(staff) == _STAFF else None


def _lines(city: City, asked: Asked, select: Callable[[audit.Wanted, int | None], audit.Lines]) -> Answer:
    since, until = asked.moments()
    wanted = audit.Wanted(
        since,
        until,
        outcome=asked.text("outcome"),
        actor=asked.text("actor"),
        subject=asked.text("subject"),
        request=asked.text("request"),
    )
    before = asked.numbers("before", 1)
    page = select(wanted, before[0] if before else None)
    names = _names(city, (each.line.actor for each in page.entries))
    rows: list[Row] = [_line(each, names) for each in page.entries]
    return rows, asked.again(before=str(page.next)) if page.next else None


def _line(entry: audit.Entry, names: Mapping[str, str]) -> Row:
    e = entry.line
    detail = "、".join(f"{name}={value}" for name, value in e.detail.items())
    return (
        moment(e.at),
        audit.kinds()[e.kind].title,
        audit.OUTCOMES[e.outcome],
        names[e.actor],
        e.office,
        e.purpose,
        e.address,
        e.business,
        said.some(e.subjects),
        detail,
        e.request,
        str(entry.number),
    )


def _names(city: City, actors: Iterable[str]) -> dict[str, str]:
    """Staff numbers with the names of the people, where they are on the staff."""
    found = {}
    for actor in set(actors):
        try:
            found[actor] = f"{actor}　{city.people.staff(actor).name}" if actor else ""
        except Problem as problem:
            if problem.code != "staff-unknown":
                raise
            found[actor] = actor
    return found


def _until_enough(found: Iterable[tuple[date, _T]]) -> tuple[list[_T], date | None]:
    """What is found, by whole days, until it is enough for a page; the day to go on with, None where nothing is left."""
    rows: list[_T] = []
    for day, of_day in groupby(found, key=lambda each: each[0]):
        if len(rows) >= _DAYS_ROWS:
            return rows, day
        rows += [each for _, each in of_day]
    return rows, None
