"""The pages of one person: what the registers hold, how it came about, and the characters of the names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from kiban import store
from kiban.kernel import Actor, AsOf, Period
from kiban.store import Session
from kiban.web.counter import handles, views
from kiban.web.counter.days import Dates, dates
from kiban.web.counter.finding import Found, names_of, present
from kiban.web.counter.history import Version, steps
from kiban.web.counter.labels import labels
from kiban.web.counter.letters import drawn, letters
from kiban.web.counter.person import of_the_day, read_person, read_rows
from kiban.web.counter.registers import Place, Roll, places
from kiban.web.counter.sheets import Reader, period_text
from kiban.web.counter.timeline import picture
from kiban.web.pages import errors, trail
from kiban.web.pages.working import Desk, needs

STEPS = 20
"""Events, or rows of one register, on a page."""


@dataclass(frozen=True)
class Looked:
    """Whom a handle stands for, and as of when.

    Attributes:
        handle: of this session.
        roll: where the person is found.
        number: the 宛名番号.
        dates: as of when.
    """

    handle: str
    roll: Roll
    number: str
    dates: Dates

    def onwards(self, name: str, place: int) -> str:
        """The address of the next page, which begins at a place."""
        return f"{self.dates.query or '?'}{'&' if self.dates.query else ''}{name}={place}"

    def told(self, request: Desk, one: Found | None = None) -> dict[str, Any]:
        """What every page of the person shows."""
        folder = request.city.home / "characters" if request.city.home else None
        links = {
            name: reverse(f"counter-{name}", args=[self.handle]) + self.dates.query
            for name in ("person", "history", "characters")
        }
        may = request.grant.allows("history", self.roll.edition.id)
        title = self.roll.group.item(self.roll.section.subject).name
        told = {"dates": self.dates, "links": links, "handle": self.handle, "may_history": may}
        name = one.names[0][0] if one and one.names else ""
        return {**told, "number_title": title, "drawn": drawn(name, folder)}


@needs("read")
@require_safe
def person(request: Desk, handle: str) -> HttpResponse:
    """All that the registers hold of a person."""
    looked = _looked(request, handle, "read")
    actor = request.grant.actor("read")
    with request.city.store.session(actor) as session:
        found = read_person(
            request.city.store, session, looked.roll, looked.number, looked.dates.on, looked.dates.known
        )
        if found is None:
            return _nothing(request, session, looked, "read")
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
    return render(request, "counter/person.html", told)


@needs("read")
@require_safe
def rows(request: Desk, handle: str, register: str) -> HttpResponse:
    """Every row that one register holds of a person."""
    looked = _looked(request, handle, "read")
    actor, city = request.grant.actor("read"), request.city
    place = next((each for each in places(city.store, actor, looked.roll) if each.register == register), None)
    if place is None:
        raise Http404
    with city.store.session(actor) as session:
        at = AsOf(looked.dates.on, looked.dates.known)
        leaf = read_rows(city.store, session, place, looked.roll, looked.number, at)
        if leaf is None:
            return _nothing(request, session, looked, "read")
    trail.leave(request, "read", business=place.edition.id, subjects=(looked.number,), page=place.group.id)
    first = _place(request, "after")
    following = looked.onwards("after", first + STEPS) if len(leaf.sheets) > first + STEPS else ""
    shown = replace(leaf, sheets=leaf.sheets[first : first + STEPS])
    return render(request, "counter/rows.html", {**looked.told(request), "leaf": shown, "next": following})


@needs("history")
@require_safe
def history(request: Desk, handle: str) -> HttpResponse:
    """How what is known of a person came about."""
    looked = _looked(request, handle, "history")
    actor, city = request.grant.actor("history"), request.city
    with city.store.session(actor) as session:
        versions = _versions(session, actor, places(city.store, actor, looked.roll), looked.number)
        if not any(version.place.register == looked.roll.register for version in versions):
            return _nothing(request, session, looked, "history")
        readers = _readers(city.store, session, versions, looked.dates)
        numbers = {v.event for v in versions} | {v.closed_by for v in versions if v.closed_by is not None}
        heads = store.event_heads(city.store, numbers)
        if looked.dates.known is not None:
            heads = {each: told for each, told in heads.items() if told.recorded_at <= looked.dates.known}
            versions = [_as_known(v, heads.keys()) for v in versions if v.event in heads]
        one = _head(city.store, session, looked, versions)
    trail.leave(
        request, "history", business=looked.roll.edition.id, subjects=(looked.number,), page="history"
    )
    before = _place(request, "before")
    found = [
        each
        for each in reversed(steps(versions, heads, readers, looked.number))
        if not before or each.event < before
    ]
    told = {
        **looked.told(request, one),
        "one": one,
        "steps": found[:STEPS],
        "next": looked.onwards("before", found[STEPS - 1].event) if len(found) > STEPS else "",
        "picture": None if before else picture(_tracks(versions), looked.dates.on),
    }
    return render(request, "counter/history.html", told)


@needs("read")
@require_safe
def characters(request: Desk, handle: str) -> HttpResponse:
    """The characters of the names of a person, one by one."""
    looked = _looked(request, handle, "read")
    city, roll = request.city, looked.roll
    actor = request.grant.actor("read", roll.edition.id)
    with city.store.session(actor) as session:
        held = session.history(roll.register, looked.dates.known, **{roll.section.subject: looked.number})
        if not held:
            return _nothing(request, session, looked, "read")
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


def _place(request: Desk, name: str) -> int:
    """Where a page begins, as its address says; 0 for the first."""
    given = str(request.GET.get(name, ""))
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0


def _looked(request: Desk, handle: str, action: str) -> Looked:
    """Whom a handle of this session stands for.

    Raises:
        Http404: where it is of another session, or of a register that is closed to who looks.
        Problem: `not-allowed`.
    """
    who = handles.unseal(request, handles.PERSON, handle)
    roll = views.roll_named(request, who["register"])
    request.grant.need(action, roll.edition.id)
    form = {name: str(request.GET.get(name, "")) for name in ("on", "known")}
    return Looked(handle, roll, who["number"], dates(form, request.city.now()))


def _nothing(request: Desk, session: Session, looked: Looked, kind: str) -> HttpResponse:
    """No row is open to who looks: she is protected, or of another ward, or was not yet known at that moment."""
    protected = session.protected(looked.number)
    trail.leave(
        request,
        kind,
        outcome="refused",
        business=looked.roll.edition.id,
        subjects=(looked.number,),
        reason="protected" if protected else "none",
    )
    if protected:
        what = "支援措置等の対象者のため、表示できません"
        fix = (
            "証明書の交付や照会には応じず、所属の支援措置担当に連絡してください。"
            "本人の手続に必要なときは、支援措置担当の承認を得て一時解除を行ってから、もう一度検索してください。"
        )
        return errors.page(request, 403, what, fix, "protected")
    what = "表示できる記録がありません"
    fix = "他の区の方か、この時点では記録のない方です。検索からやり直すか、他の区の照会ができる職務に切り替えてください。"
    return errors.page(request, 404, what, fix, "nothing-open")


def _versions(session: Session, actor: Actor, found: list[Place], number: str) -> list[Version]:
    """Every row of hers that was ever known, without what is hidden."""
    versions = []
    for place in found:
        open_items = [
            i.romaji for i in place.group.items if f"{place.register}.{i.romaji}" not in actor.hidden
        ]
        if place.of_household or place.item not in open_items:
            continue
        for row in session.since(place.register, 0, open_items, (place.item, [number])):
            versions.append(Version.of(place, row))
    return versions


def _head(city: store.Store, session: Session, looked: Looked, versions: list[Version]) -> Found:
    """The person as what is known says; her number alone where nothing was known yet."""
    own = [v for v in versions if v.place.register == looked.roll.register and v.closed_by is None]
    if not own:
        return Found(looked.number)
    rows = [dict(v.row, valid=v.period) for v in own]
    row = of_the_day(rows, looked.dates.on)
    return present(city, session, looked.roll, [row], looked.dates.on)[looked.number]


def _readers(city: store.Store, session: Session, versions: list[Version], dates: Dates) -> dict[str, Reader]:
    readers = {}
    for edition in {v.place.edition.id: v.place.edition for v in versions}.values():
        names: dict[str, dict[str, str]] = {}
        for group in {
            v.place.group.id: v.place.group for v in versions if v.place.edition == edition
        }.values():
            of_group = [v.row for v in versions if v.place.group.id == group.id]
            for romaji, told in labels(city, session, edition, group, of_group, dates.on).items():
                names.setdefault(romaji, {}).update(told)
        readers[edition.id] = Reader(edition, session.actor.hidden, dates.on, names)
    return readers


def _as_known(version: Version, events: Any) -> Version:
    """The version as it was known when only these events were."""
    if version.closed_by is None or version.closed_by in events:
        return version
    return Version(version.place, {**version.row, "closed_by": None}, version.period)


def _tracks(versions: list[Version]) -> list[tuple[str, list[tuple[Period, str]]]]:
    """For each register its periods as they are known."""
    tracks: dict[str, list[tuple[Period, str]]] = {}
    for version in versions:
        if version.period is not None and version.closed_by is None:
            tracks.setdefault(version.place.group.name, []).append(
                (version.period, period_text(version.period))
            )
    return list(tracks.items())
