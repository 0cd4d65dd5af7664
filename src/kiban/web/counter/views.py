"""The pages of the counter: each reads the request, asks, writes its line of the trail, and shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kiban.access import recent
from kiban.kernel import Problem
from kiban.standard import Item
from kiban.web.city import today
from kiban.web.counter import handles, municipality, searching
from kiban.web.counter.asking import Asked, Understood, understand
from kiban.web.counter.finding import Found, Results, find
from kiban.web.counter.registers import Roll, rolls
from kiban.web.pages import trail
from kiban.web.pages.working import Desk, needs


@needs("search")
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: Desk) -> HttpResponse:
    """The search; what is sent is read, remembered and shown under an address of its own, so that going back works."""
    offered = searchable(request)
    register = str(request.POST.get("register", offered[0].register))
    roll = next((each for each in offered if each.register == register), offered[0])
    numbers = numbers_of(request, roll)
    if request.method != "POST":
        return _form(request, roll, offered, Understood(Asked(roll.register)), {})
    form = {name: str(request.POST.get(name, "")) for name in request.POST}
    said = understand(form, roll, numbers, _municipality(request, roll))
    if said.faults:
        return _form(request, roll, offered, said, form, status=422)
    if not said.asked.by_number or said.asked.number_item == roll.section.subject:
        remembered(request).remember(request.user.get_username(), said.asked.packed(), request.city.now())
    return HttpResponseRedirect(found_address(request, said.asked, hints=said.hints))


@needs("search")
@require_safe
def found(request: Desk, token: str) -> HttpResponse:
    """Those whom a search found."""
    kept = handles.unseal(request, handles.SEARCH, token)
    asked = Asked.unpacked(kept)
    roll = roll_named(request, asked.register)
    request.grant.need("search", roll.edition.id)
    if asked.by_number and asked.number_item not in numbers_of(request, roll):
        raise Problem("item-hidden", "the number is kept from the actor", fix="ask by another item")
    city, actor = request.city, request.grant.actor("search", roll.edition.id)
    with city.store.session(actor) as session:
        results = find(city.store, session, roll, asked, today(city), kept.get("after"))
    trail.leave(
        request,
        "search",
        business=roll.edition.id,
        subjects=tuple(one.number for one in results.found),
        fields=asked.fields,
        wards=asked.wards,
        hits=len(results.found),
        further="after" in kept,
    )
    one = results.only
    if one is not None and asked.number_item == roll.section.subject:
        return HttpResponseRedirect(person_address(request, roll, one.number))
    return render(
        request,
        "counter/found.html",
        _shown(request, roll, asked, results, kept.get("hints", "").splitlines()),
    )


@needs("search")
@require_POST
def forget(request: Desk) -> HttpResponse:
    """Forget the searches of this person."""
    remembered(request).forget(request.user.get_username())
    return HttpResponseRedirect(reverse("counter-search"))


def _form(
    request: Desk,
    roll: Roll,
    offered: list[Roll],
    said: Understood,
    form: Mapping[str, str],
    status: int = 200,
) -> HttpResponse:
    numbers = numbers_of(request, roll)
    kept = remembered(request).searches(request.user.get_username(), request.city.now())
    names = {each.register: each for each in offered}
    shown = [
        {
            "at": each.at,
            "words": searching.words(Asked.unpacked(each.asked), names[each.asked["register"]]),
            "address": found_address(request, Asked.unpacked(each.asked)),
        }
        for each in kept
        if each.asked.get("register") in names
    ]
    told = {
        "form": searching.fields(form, roll, numbers, said.faults),
        "rolls": offered,
        "roll": roll,
        "faults": said.faults,
        "recent": shown,
        "days": recent.DAYS,
        "wide": wide(request, roll),
        "detail": any(name != "box" for name in said.faults)
        or any(form.get(name) for name in form if name in searching.DETAIL),
    }
    return render(request, "counter/search.html", told, status=status)


def _shown(request: Desk, roll: Roll, asked: Asked, results: Results, hints: list[str]) -> dict[str, Any]:
    following = found_address(request, asked, results.next) if results.next else ""
    others = asked.wards == "own" and wide(request, roll)
    return {
        "roll": roll,
        "number_title": roll.group.item(roll.section.subject).name,
        "words": searching.words(asked, roll),
        "hints": hints,
        "rows": [{"one": one, "address": _leads(request, roll, one)} for one in results.found],
        "next": following,
        "widen": found_address(request, asked.widened()) if others else "",
        "own": asked.wards == "own" and request.acting.office.ward is not None,
    }


def _leads(request: Desk, roll: Roll, one: Found) -> str:
    """Where a person who was found can be opened, or asked for; empty where neither is allowed."""
    if not one.closed:
        return person_address(request, roll, one.number)
    if not request.grant.allows("ask-lift", roll.edition.id):
        return ""
    return reverse("counter-lift", args=[person_handle(request, roll, one.number)])


def searchable(request: Desk) -> list[Roll]:
    """The registers in which this person may search.

    Raises:
        Problem: `not-allowed` where there is none.
    """
    found = rolls(request.city.store, request.grant.businesses("search"))
    if not found:
        raise Problem("not-allowed", "no register may be searched", fix="kiban access explain says why")
    return found


def roll_named(request: Desk, register: str) -> Roll:
    """The register of this name, where this person may search in it.

    Raises:
        Http404: otherwise.
    """
    found = [each for each in searchable(request) if each.register == register]
    if not found:
        raise Http404
    return found[0]


def numbers_of(request: Desk, roll: Roll) -> dict[str, Item]:
    """The items by whose numbers this person may search, by romaji; that of the person first."""
    hidden = request.grant.hidden("search", roll.edition.id)
    names = [roll.section.subject, *roll.section.numbers]
    return {name: roll.group.item(name) for name in names if f"{roll.register}.{name}" not in hidden}


def wide(request: Desk, roll: Roll) -> bool:
    """Whether there are other wards for this person to ask for."""
    return bool(request.acting.office.ward) and request.grant.allows("other-wards", roll.edition.id)


def _municipality(request: Desk, roll: Roll) -> frozenset[str]:
    """The names that people write before an address of the city."""
    city, actor = request.city, request.grant.actor("search", roll.edition.id)

    def wards() -> set[str]:
        return {office.ward for office in city.people.offices() if office.ward}

    return municipality.names(city.store, actor, roll, wards, today(city))


def remembered(request: Desk) -> recent.Recent:
    """The searches of everybody, of which each sees her own."""
    return recent.Recent(request.city.access.books)


def found_address(request: Desk, asked: Asked, after: str | None = None, hints: Sequence[str] = ()) -> str:
    """Where a search is shown."""
    packed = asked.packed() | ({"after": after} if after else {})
    packed |= {"hints": "\n".join(hints)} if hints else {}
    return reverse("counter-found", args=[handles.seal(request, handles.SEARCH, packed)])


def person_address(request: Desk, roll: Roll, number: str) -> str:
    """Where a person is shown."""
    return reverse("counter-person", args=[person_handle(request, roll, number)])


def person_handle(request: Desk, roll: Roll, number: str) -> str:
    """What stands for a person in addresses of this session."""
    return handles.seal(request, handles.PERSON, {"register": roll.register, "number": number})
