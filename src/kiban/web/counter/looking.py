"""The pages of one person: what the registers hold, and the characters of the names."""

from __future__ import annotations

from dataclasses import replace

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kiban.kernel import AsOf
from kiban.web.counter import looked as whom
from kiban.web.counter import views
from kiban.web.counter.finding import names_of, present
from kiban.web.counter.happened import event_address
from kiban.web.counter.history import Step
from kiban.web.counter.letters import letters
from kiban.web.counter.looked import looked_at, nothing_open, place_of
from kiban.web.counter.past import heads_of
from kiban.web.counter.person import of_the_day, read_person, read_rows
from kiban.web.counter.registers import places
from kiban.web.pages import trail
from kiban.web.pages.working import Desk, needs

EVENTS = 5
"""Events on the page of a person; the others stand in her history."""


@needs("read")
@require_safe
def person(request: Desk, handle: str) -> HttpResponse:
    """All that the registers hold of a person."""
    looked = looked_at(request, handle, "read")
    actor = request.grant.actor("read")
    with request.city.store.session(actor) as session:
        found = read_person(
            request.city.store, session, looked.roll, looked.number, looked.dates.on, looked.dates.known
        )
        if found is None:
            return nothing_open(request, session, looked, "read")
    trail.leave(request, "read", business=looked.roll.edition.id, subjects=found.subjects, page="person")
    household = [
        {
            "one": one,
            "address": views.person_address(request, looked.roll, one.number) + looked.dates.query,
            "self": one.number == looked.number,
        }
        for one in found.household
    ]
    told = {**looked.told(request, found.head), "person": found, "one": found.head, "household": household}
    if told["may_history"]:
        heads = heads_of(request.city.store, found.events[:EVENTS])
        told["events"] = [
            {"step": Step(each, heads.get(each), ()), "address": event_address(looked, each)}
            for each in found.events[:EVENTS]
        ]
    return render(request, "counter/person.html", told)


@needs("read")
@require_safe
def rows(request: Desk, handle: str, register: str) -> HttpResponse:
    """Every row that one register holds of a person."""
    looked = looked_at(request, handle, "read")
    actor, city = request.grant.actor("read"), request.city
    place = next((each for each in places(city.store, actor, looked.roll) if each.register == register), None)
    if place is None:
        raise Http404
    with city.store.session(actor) as session:
        at = AsOf(looked.dates.on, looked.dates.known)
        leaf = read_rows(city.store, session, place, looked.roll, looked.number, at)
        if leaf is None:
            return nothing_open(request, session, looked, "read")
    trail.leave(request, "read", business=place.edition.id, subjects=(looked.number,), page=place.group.id)
    first = place_of(request, "after")
    following = looked.onwards("after", first + whom.STEPS) if len(leaf.sheets) > first + whom.STEPS else ""
    shown = replace(leaf, sheets=leaf.sheets[first : first + whom.STEPS])
    return render(request, "counter/rows.html", {**looked.told(request), "leaf": shown, "next": following})


@needs("read")
@require_safe
def characters(request: Desk, handle: str) -> HttpResponse:
    """The characters of the names of a person, one by one."""
    looked = looked_at(request, handle, "read")
    city, roll = request.city, looked.roll
    actor = request.grant.actor("read", roll.edition.id)
    with city.store.session(actor) as session:
        held = session.history(roll.register, looked.dates.known, **{roll.section.subject: looked.number})
        if not held:
            return nothing_open(request, session, looked, "read")
        row = of_the_day(held, looked.dates.on)
        one = present(city.store, session, roll, [row], looked.dates.on)[looked.number]
    trail.leave(request, "read", business=roll.edition.id, subjects=(looked.number,), page="characters")
    folder = city.home / "characters" if city.home else None
    names = [
        {"name": name, "kana": kana, "letters": letters(name, folder)} for name, kana in names_of(roll, row)
    ]
    return render(
        request, "counter/characters.html", {**looked.told(request, one), "one": one, "names": names}
    )
