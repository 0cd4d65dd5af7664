"""A protected person opened for a while (一時解除): one asks for it, another grants it, and it ends by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kiban.kernel import Problem
from kiban.store import Lift
from kiban.web.counter import handles, views
from kiban.web.counter.days import moment_text
from kiban.web.pages import trail
from kiban.web.pages.working import Desk, needs

MINUTES = {"30": "30分", "60": "1時間", "120": "2時間", "240": "4時間"}
"""For how long a lift may be asked; of Kiban's own, the longest is what the city allows."""
_LONGEST = timedelta(minutes=240)
_PAGE = 50
_WORDS = {
    "lift-unneeded": "この方自身は対象者ではありません（同じ世帯に対象者がいます）。対象者本人の番号で申請してください。",
    "lift-reason": "理由を入力してください（1,000文字まで）。",
    "lift-long": "時間を選び直してください。",
    "lift-same-person": "申請した人・使う人は、自分で承認できません。",
    "lift-granted": "すでに承認されています。",
    "lift-over": "申請の期限が過ぎています。申請し直してください。",
    "lift-unknown": "この申請はありません。",
    "lift-closed": "支援措置等の対象者を照会できる職務の人だけが承認できます。",
}


@dataclass(frozen=True)
class Row:
    """A lift as the list shows it.

    Attributes:
        lift: what the store says.
        asked: when it was asked for, in words.
        ends: until when, in words.
        state: in words.
        open: whether it opens somebody now.
        grantable: whether who looks may grant it.
    """

    lift: Lift
    asked: str
    ends: str
    state: str
    open: bool
    grantable: bool


@needs("ask-lift")
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: Desk, handle: str) -> HttpResponse:
    """Ask that a person is opened to who asks."""
    who = handles.unseal(request, handles.PERSON, handle)
    roll = views.roll_named(request, who["register"])
    business = roll.edition.id
    request.grant.need("ask-lift", business)
    told = {"choices": MINUTES, "number": who["number"], "fault": "", "reason": ""}
    if request.method != "POST":
        return render(request, "counter/lift.html", told)
    reason, minutes = str(request.POST.get("reason", "")).strip(), str(request.POST.get("minutes", ""))
    leave = partial(trail.leave, request, "lift", business=business, subjects=(who["number"],), act="asked")
    starts = request.city.now()
    ends = starts + timedelta(minutes=int(minutes) if minutes in MINUTES else 0)
    actor = request.grant.actor("ask-lift", business)
    try:
        with request.city.store.session(actor) as session:
            number = session.ask_lift(who["number"], actor.id, reason, starts, ends, _LONGEST)
            leave(lift=number, minutes=minutes)
    except Problem as problem:
        if problem.code not in _WORDS:
            raise
        leave(outcome="refused", why=problem.code)
        again = {**told, "fault": _WORDS[problem.code], "reason": reason}
        return render(request, "counter/lift.html", again, status=422)
    messages.success(
        request, "一時解除を申請しました。支援措置担当の承認を得てから、もう一度検索してください。"
    )
    return HttpResponseRedirect(reverse("counter-lifts"))


@needs("lifts")
@require_safe
def lifts(request: Desk) -> HttpResponse:
    """The lifts that this person asked for, got or may grant, the newest first."""
    now, actor = request.city.now(), request.grant.actor("lifts")
    may = request.grant.allows("grant-lift")
    with request.city.store.session(actor) as session:
        found = session.lifts()
    given = str(request.GET.get("before", ""))
    before = int(given) if given.isascii() and given.isdecimal() else None
    found = [lift for lift in found if before is None or lift.number < before]
    shown = found[:_PAGE]
    trail.leave(request, "read", subjects=tuple(dict.fromkeys(each.subject for each in shown)), page="lifts")
    rows = [
        Row(
            lift,
            moment_text(lift.asked_at),
            moment_text(lift.ends),
            "承認待ち"
            if lift.granted_by is None and now < lift.ends
            else ("解除中" if lift.stands(now) else "終了"),
            lift.stands(now),
            may
            and actor.protected
            and lift.granted_by is None
            and now < lift.ends
            and actor.id not in (lift.asked_by, lift.whom),
        )
        for lift in shown
    ]
    following = f"?before={shown[-1].number}" if len(found) > _PAGE else ""
    return render(request, "counter/lifts.html", {"rows": rows, "next": following})


@needs("grant-lift")
@require_POST
def grant(request: Desk, number: int) -> HttpResponse:
    """Grant what somebody else asked for."""
    actor = request.grant.actor("grant-lift")
    with request.city.store.session(actor) as session:
        subjects = tuple(each.subject for each in session.lifts() if each.number == number)
        try:
            session.grant_lift(number)
        except Problem as problem:
            if problem.code not in _WORDS:
                raise
            fault = problem.code
        else:
            fault = ""
            trail.leave(request, "lift", subjects=subjects, act="granted", lift=number)
    if fault:
        trail.leave(
            request, "lift", outcome="refused", subjects=subjects, act="granted", lift=number, why=fault
        )
        messages.error(request, _WORDS[fault])
    else:
        messages.success(request, "承認しました。期限が来ると自動的に元に戻ります。")
    return HttpResponseRedirect(reverse("counter-lifts"))
