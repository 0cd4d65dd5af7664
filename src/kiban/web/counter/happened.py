"""The pages of what happened to one person: her history, and each event on a page of its own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kiban import store
from kiban.kernel import Problem
from kiban.store import Session, Told
from kiban.web.counter import looked as whom
from kiban.web.counter import views
from kiban.web.counter.finding import Found, present
from kiban.web.counter.history import Changed, Difference, Step, Version, steps
from kiban.web.counter.looked import Looked, looked_at, nothing_open, place_of
from kiban.web.counter.past import Past, read_past, readers_of, tracks, versions_of
from kiban.web.counter.person import of_the_day
from kiban.web.counter.registers import head, places
from kiban.web.counter.timeline import picture
from kiban.web.pages import trail
from kiban.web.pages.working import Desk, needs

OTHERS = 100
"""Other persons of one event on its page."""


@dataclass(frozen=True)
class Other:
    """Somebody else whose rows the same event changed.

    Attributes:
        one: as lists show her.
        address: of the same event on her pages.
        registers: titles of the registers in which she was changed.
    """

    one: Found
    address: str
    registers: str


@needs("history")
@require_safe
def history(request: Desk, handle: str) -> HttpResponse:
    """How what is known of a person came about."""
    looked = looked_at(request, handle, "history")
    with request.city.store.session(request.grant.actor("history")) as session:
        past = read_past(request.city.store, session, looked)
        if past is None:
            return nothing_open(request, session, looked, "history")
    trail.leave(
        request, "history", business=looked.roll.edition.id, subjects=(looked.number,), page="history"
    )
    before = place_of(request, "before")
    found = [each for each in past.steps if not before or each.event < before]
    shown = found[: whom.STEPS]
    told = {
        **looked.told(request, past.one),
        "one": past.one,
        "steps": [{"step": each, "address": event_address(looked, each.event)} for each in shown],
        "next": looked.onwards("before", shown[-1].event) if len(found) > whom.STEPS else "",
        "picture": None if before else picture(tracks(past.versions), looked.dates.on),
    }
    return render(request, "counter/history.html", told)


@needs("history")
@require_safe
def event(request: Desk, handle: str, number: int) -> HttpResponse:
    """One event: what it changed of the person, item by item, its papers, and whom else it changed."""
    looked = looked_at(request, handle, "history")
    city = request.city.store
    with city.session(request.grant.actor("history")) as session:
        past = read_past(city, session, looked)
        if past is None:
            return nothing_open(request, session, looked, "history")
        step = next((each for each in past.steps if each.event == number), None)
        if step is None:
            raise Http404
        touched = next((each for each in store.told_after(city, number - 1, 1) if each.event == number), None)
        house = _of_household(city, session, looked, number, touched)
        others = _others(request, session, looked, number, touched)
    subjects = (looked.number, *(each.one.number for each in others))
    trail.leave(
        request, "history", business=looked.roll.edition.id, subjects=subjects, page="event", event=number
    )
    told = {
        **looked.told(request, past.one),
        "one": past.one,
        "step": step,
        "by": _name(request, step),
        "papers": _papers(past, number),
        "house": house,
        "others": others,
        "whole": touched is not None and bool(touched.whole),
    }
    return render(request, "counter/event.html", told)


def event_address(looked: Looked, number: int) -> str:
    """Where an event of a person is shown."""
    return reverse("counter-event", args=[looked.handle, number]) + looked.dates.query


def _name(request: Desk, step: Step) -> str:
    """The name of who recorded an event, where the staff list knows it."""
    with suppress(Problem):
        return request.city.people.staff(step.head.actor).name if step.head else ""
    return ""


def _papers(past: Past, number: int) -> list[Difference]:
    """What the registers say of the notification (届出、申出、通知、請求) behind an event."""
    found = []
    for version in past.versions:
        group, edition = version.place.group, version.place.edition
        if version.event == number:
            for name in head(edition, group).papers:
                if text := past.readers[edition.id].value(group, name, version.row).text:
                    found.append(Difference(group.item(name).name, "", text))
    return found


def _of_household(
    city: store.Store, session: Session, looked: Looked, number: int, touched: Told | None
) -> tuple[Changed, ...]:
    """What the event changed of households, as far as they are open to who looks."""
    versions: list[Version] = []
    for place in places(city, session.actor, looked.roll):
        keys = _keys(touched, place.register, place.item) if place.of_household else []
        versions += versions_of(session, place, keys) if keys else []
    readers = readers_of(city, session, versions, looked.dates)
    made = steps(versions, {}, readers, looked.number)
    return next((each.changes for each in made if each.event == number), ())


def _others(
    request: Desk, session: Session, looked: Looked, number: int, touched: Told | None
) -> list[Other]:
    """Whom else the event changed, as far as they are open to who looks."""
    roll, city = looked.roll, request.city.store
    name, changed = roll.section.subject, dict[str, list[str]]()
    for place in places(city, session.actor, roll):
        for key in [] if place.of_household else _keys(touched, place.register, place.item):
            changed.setdefault(key, []).append(place.group.name)
    wanted = sorted(changed.keys() - {looked.number})[:OTHERS]
    held = session.history(roll.register, looked.dates.known, **{name: wanted}) if wanted else []
    rows = {key: [row for row in held if row[name] == key] for key in wanted}
    shown = present(
        city,
        session,
        roll,
        [of_the_day(each, looked.dates.on) for each in rows.values() if each],
        looked.dates.on,
    )
    return [
        Other(one, _event_of(request, looked, key, number), "、".join(changed[key]))
        for key, one in shown.items()
    ]


def _keys(touched: Told | None, register: str, item: str) -> list[str]:
    """Whom an event changed in a register, by the item that names them."""
    found = (
        (each.subject.get(item) for each in touched.touched if each.register == register) if touched else ()
    )
    return list(dict.fromkeys(str(key) for key in found if key))


def _event_of(request: Desk, looked: Looked, key: str, number: int) -> str:
    """The same event on the pages of another person."""
    who = views.person_handle(request, looked.roll, key)
    return event_address(replace(looked, handle=who), number)
