"""What the registers hold of a person, on paper (照会結果の印刷): its use is asked for and written down first; no certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from kiban.kernel import Actor, Problems
from kiban.store import Session
from kiban.web.counter.days import moment_text
from kiban.web.counter.finding import Found, present
from kiban.web.counter.history import Step
from kiban.web.counter.looked import Looked, looked_at, nothing_open
from kiban.web.counter.past import read_past
from kiban.web.counter.person import Person, of_the_day, read_person
from kiban.web.counter.registers import places
from kiban.web.counter.sheets import Leaf
from kiban.web.pages import errors, trail
from kiban.web.pages.working import Desk, needs

ROWS = 100
"""Rows of one register, or events, on paper at most; what is left out is told there."""
COPIES = 20
"""Copies of one print at most."""
_LONGEST = 200
PAST = "history"
"""What stands in the place of a register where the history is to be printed."""


@dataclass(frozen=True)
class Wish:
    """What is to be printed.

    Attributes:
        registers: those whose rows are wanted, as schema.table, and `PAST` for the history.
        reason: what it is for.
        copies: how many.
        blank: whether items without a value are printed, too.
        faults: field -> what is wrong with it; nothing is printed then.
    """

    registers: tuple[str, ...]
    reason: str
    copies: int
    blank: bool
    faults: Mapping[str, str] = field(default_factory=dict)


@needs("print")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: Desk, handle: str) -> HttpResponse:
    """Ask what is to be printed and what for; once that is sent, write the line, then show the paper."""
    looked = looked_at(request, handle, "print")
    request.grant.need("read", looked.roll.edition.id)
    offered = _offered(request, looked)
    wish = _wish(request, offered) if request.method == "POST" else None
    with request.city.store.session(_printer(request, wish)) as session:
        one = _head(request, session, looked)
        if one is None:
            return nothing_open(request, session, looked, "print")
        if wish is None or wish.faults:
            trail.leave(
                request, "read", business=looked.roll.edition.id, subjects=(looked.number,), page="print"
            )
            return _form(request, looked, one, offered, wish)
        person, steps = _read(request, session, looked, wish)
    refused = _leave(request, looked, wish, person, steps)
    return refused or _paper(request, looked, wish, person, steps)


def _head(request: Desk, session: Session, looked: Looked) -> Found | None:
    """The person as lists show her; None where no row of hers is open to who prints."""
    roll, city = looked.roll, request.city.store
    held = session.history(roll.register, looked.dates.known, **{roll.section.subject: looked.number})
    if not held:
        return None
    row = of_the_day(held, looked.dates.on)
    return present(city, session, roll, [row], looked.dates.on)[looked.number]


def _printer(request: Desk, wish: Wish | None) -> Actor:
    """Who the database is told prints: nothing gets to paper that may not be printed, nor what may not be read."""
    grant = request.grant
    actor, also = grant.actor("print"), ["read", *(["history"] if wish and PAST in wish.registers else [])]
    open_ = actor.businesses & grant.businesses("read")
    kept = (grant.hidden(action, business) for action in also for business in open_)
    return replace(actor, businesses=open_, hidden=actor.hidden.union(*kept))


def _offered(request: Desk, looked: Looked) -> dict[str, str]:
    """What can be printed: registers with their titles, and the history where it may be read."""
    actor = _printer(request, None)
    found = places(request.city.store, actor, looked.roll)
    hers = (place for place in found if f"{place.register}.{place.item}" not in actor.hidden)
    offered = {place.register: place.group.name for place in hers}
    may = request.grant.allows("history", looked.roll.edition.id)
    return {**offered, PAST: "履歴（異動と変更）"} if may else offered


def _wish(request: Desk, offered: Mapping[str, str]) -> Wish:
    given = request.POST.getlist("what")
    registers = tuple(name for name in offered if name in given)
    reason = " ".join(str(request.POST.get("reason", "")).split())
    copies = str(request.POST.get("copies", ""))
    number = int(copies) if copies.isascii() and copies.isdecimal() and len(copies) < 3 else 0
    faults = {}
    if not registers:
        faults["what"] = "印刷する内容を一つ以上選んでください。"
    if not 1 <= len(reason) <= _LONGEST:
        faults["reason"] = f"使用の目的を入力してください（{_LONGEST}文字まで）。"
    if not 1 <= number <= COPIES:
        faults["copies"] = f"部数は1から{COPIES}までの数字で入力してください。"
    return Wish(registers, reason, number, "blank" in request.POST, faults)


def _read(
    request: Desk, session: Session, looked: Looked, wish: Wish
) -> tuple[Person | None, tuple[Step, ...]]:
    """What is printed; the rows of who may print, without the items that are kept from her there."""
    dates, city = looked.dates, request.city.store
    registers = [each for each in wish.registers if each != PAST]
    person = read_person(
        city, session, looked.roll, looked.number, dates.on, dates.known, only=registers, most=ROWS
    )
    past = read_past(city, session, looked) if PAST in wish.registers else None
    return person, past.steps if past else ()


def _leave(
    request: Desk, looked: Looked, wish: Wish, person: Person | None, steps: Sequence[Step]
) -> HttpResponse | None:
    """Write the line of the print; the form again where the purpose is nothing that a line may hold."""
    assert person is not None  # her head was read in the same transaction
    dates = looked.dates
    told: dict[str, Any] = {
        "registers": ",".join(wish.registers),
        "items": _items(person.leaves, wish.blank),
        "events": min(len(steps), ROWS),
        "copies": wish.copies,
        "reason": wish.reason,
        "on": dates.on.isoformat(),
    }
    if dates.known is not None:
        told["known"] = dates.known.isoformat(timespec="minutes")
    try:
        trail.leave(request, "print", business=looked.roll.edition.id, subjects=person.subjects, **told)
    except Problems as refused:
        if {each.code for each in refused.problems} - {"audit-number", "audit-text"}:
            raise
        fault = {"reason": "使用の目的に、番号や使えない文字が含まれています。言葉で入力してください。"}
        again = Wish(wish.registers, wish.reason, wish.copies, wish.blank, fault)
        return _form(request, looked, person.head, _offered(request, looked), again)
    return None


def _items(leaves: Sequence[Leaf], blank: bool) -> int:
    """How many items are printed."""
    parts = [part for leaf in leaves for sheet in leaf.sheets for part in sheet.parts]
    return sum(not line.hidden and (blank or not line.empty) for part in parts for line in part.lines)


def _form(
    request: Desk, looked: Looked, one: Found, offered: Mapping[str, str], wish: Wish | None
) -> HttpResponse:
    chosen = wish.registers if wish else (looked.roll.register,)
    told = {
        **looked.told(request, one),
        "one": one,
        "choices": [(name, title, name in chosen) for name, title in offered.items()],
        "faults": wish.faults if wish else {},
        "reason": wish.reason if wish else "",
        "copies": (wish.copies or "") if wish else 1,
        "blank": bool(wish and wish.blank),
        "most": COPIES,
    }
    return render(request, "counter/print.html", told, status=422 if wish else 200)


def _paper(
    request: Desk, looked: Looked, wish: Wish, person: Person | None, steps: Sequence[Step]
) -> HttpResponse:
    assert person is not None
    told = {
        **looked.told(request, person.head),
        "one": person.head,
        "person": person,
        "household": person.household if looked.roll.register in wish.registers else (),
        "steps": steps[:ROWS],
        "left": max(len(steps) - ROWS, 0),
        "past": PAST in wish.registers,
        "wish": wish,
        "at": moment_text(request.city.now()),
        "number": errors.number(request),
    }
    return render(request, "counter/paper.html", told)
