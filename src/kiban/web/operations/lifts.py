"""Lifts of protection (一時解除): asked for by one, granted by another, over by themselves."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from kiban.kernel import Actor, Problem
from kiban.web.city import today
from kiban.web.operations.asked import Asked, Wrong
from kiban.web.operations.sheet import Field, moment
from kiban.web.pages.desk import Desk
from kiban.web.pages.trail import leave
from kiban.web.pages.working import needs

_BUSINESS = "resident"
_HOURS = ("1", "4", "8", "24")
_MOST = timedelta(hours=24)
_SHOWN = 200
_SAID = {
    "lift-unneeded": "その宛名番号の人は、支援措置等の対象ではありません。一時解除は要りません。",
    "lift-reason": "理由を1,000文字以内で入力してください。",
    "lift-same-person": "申請した本人、または解除を受ける本人は承認できません。他の職員に依頼してください。",
    "lift-granted": "既に承認されています。",
    "lift-over": "終わりの時刻を過ぎています。改めて申請してください。",
    "lift-unknown": "その申請はありません。",
    "lift-closed": "承認できるのは、対象者を照会できる職務の職員です。",
    "lift-long": "一時解除は24時間までです。",
}


@needs("lift-protection", _BUSINESS)
def lifts(request: Desk) -> HttpResponse:
    """What was asked for and granted, as far as the duty shows it; asks for a lift, or grants one."""
    if request.method != "POST":
        leave(request, "read", business=_BUSINESS, what="lifts")
        return _page(request)
    asked = Asked({name: str(value) for name, value in request.POST.items()}, today(request.city))
    try:
        told = _grant(request, asked) if asked.text("grant") else _ask(request, asked)
    except Wrong as wrong:
        return _page(request, str(wrong))
    except Problem as problem:
        if problem.code not in _SAID:
            raise
        leave(
            request,
            "lift",
            outcome="refused",
            business=_BUSINESS,
            act="grant" if asked.text("grant") else "ask",
            why=problem.code,
        )
        return _page(request, _SAID[problem.code])
    messages.success(request, told)
    return HttpResponseRedirect(request.path)


def _ask(request: Desk, asked: Asked) -> str:
    subject, whom, hours = asked.text("subject"), asked.text("whom"), asked.text("hours")
    reason = request.POST.get("reason", "").strip()
    if not subject or len(subject) > 64 or hours not in _HOURS:
        raise Wrong("宛名番号と期間を入力してください。")
    try:
        serves = request.city.people.staff(whom).serves(today(request.city))
    except Problem:
        serves = False
    if not serves:
        raise Wrong("解除を受ける職員の番号を確かめてください。")
    now = request.city.now()
    with request.city.store.session(_actor(request)) as session:
        number = session.ask_lift(subject, whom, reason, now, now + timedelta(hours=int(hours)), _MOST)
        # Within the transaction: where the line cannot be written, nothing was asked for.
        leave(
            request,
            "lift",
            business=_BUSINESS,
            subjects=(subject,),
            act="ask",
            lift=number,
            whom=whom,
            hours=int(hours),
        )
    return "一時解除を申請しました。他の職員の承認を待っています。"


def _grant(request: Desk, asked: Asked) -> str:
    number = asked.number("grant", 0)
    request.grant.need("read-protected", _BUSINESS)
    with request.city.store.session(_actor(request)) as session:
        session.grant_lift(number)
        found = [each for each in session.lifts() if each.number == number]
        subjects = tuple(each.subject for each in found)
        leave(request, "lift", business=_BUSINESS, subjects=subjects, act="grant", lift=number)
    return "一時解除を承認しました。終わりの時刻に、自動で元に戻ります。"


def _actor(request: Desk) -> Actor:
    return request.grant.actor("read", _BUSINESS)


def _page(request: Desk, wrong: str = "") -> HttpResponse:
    now, own = request.city.now(), request.acting.staff.number
    with request.city.store.session(_actor(request)) as session:
        found = session.lifts()
    may = request.grant.allows("read-protected", _BUSINESS)
    kept = {} if not wrong else {name: str(value) for name, value in request.POST.items()}
    told = {
        "wrong": wrong,
        "more": len(found) > _SHOWN,
        "reason": kept.get("reason", ""),
        "fields": [
            Field("subject", "宛名番号", value=kept.get("subject", "")),
            Field("whom", "解除を受ける職員の番号", value=kept.get("whom", own)),
            Field(
                "hours",
                "期間（今から）",
                options=tuple((each, f"{each}時間") for each in _HOURS),
                value=kept.get("hours", "1"),
            ),
        ],
        "lifts": [
            {
                "number": each.number,
                "subject": each.subject,
                "whom": each.whom,
                "reason": each.reason,
                "asked": f"{moment(each.asked_at)}　{each.asked_by}",
                "ends": moment(each.ends),
                "granted": f"{moment(each.granted_at)}　{each.granted_by}" if each.granted_by else "",
                "state": "有効"
                if each.stands(now)
                else "終了"
                if each.ends <= now
                else "開始前"
                if each.granted_by
                else "承認待ち",
                "open": may
                and not each.granted_by
                and each.ends > now
                and own not in (each.asked_by, each.whom),
            }
            for each in found[:_SHOWN]
        ],
    }
    return render(request, "operations/lifts.html", told, status=400 if wrong else 200)
