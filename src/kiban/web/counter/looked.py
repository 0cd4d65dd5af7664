"""Whom a page of the counter is about, and as of when; and what is told where nothing of her is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from kiban.store import Session
from kiban.web.counter import handles, views
from kiban.web.counter.days import Dates, dates
from kiban.web.counter.finding import Found
from kiban.web.counter.letters import drawn
from kiban.web.counter.registers import Roll
from kiban.web.pages import errors, trail
from kiban.web.pages.working import Desk

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
            for name in ("person", "history", "characters", "print")
        }
        business = self.roll.edition.id
        may = {f"may_{each}": request.grant.allows(each, business) for each in ("history", "print")}
        title = self.roll.group.item(self.roll.section.subject).name
        told = {"dates": self.dates, "links": links, "handle": self.handle, **may}
        name = one.names[0][0] if one and one.names else ""
        return {**told, "number_title": title, "drawn": drawn(name, folder)}


def looked_at(request: Desk, handle: str, action: str) -> Looked:
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


def place_of(request: Desk, name: str) -> int:
    """Where a page begins, as its address says; 0 for the first."""
    given = str(request.GET.get(name, ""))
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else 0


def nothing_open(request: Desk, session: Session, looked: Looked, kind: str) -> HttpResponse:
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
