"""People of the city: staff, offices, duties; read, and the changes that cannot wait for the personnel system."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from kiban.access import OFFICE_KINDS, Assignment, Staff
from kiban.kernel import Problem, Problems
from kiban.web.city import today
from kiban.web.operations.asked import Asked, Wrong
from kiban.web.operations.sheet import Field, Link, Row, Sheet, day, moment, show
from kiban.web.pages.desk import Desk
from kiban.web.pages.trail import leave
from kiban.web.pages.working import needs

_PAGE = 50
_TABS = (
    Link("職員", "/operations/accounts"),
    Link("組織", "/operations/accounts/offices"),
    Link("サインイン", "/operations/sign-in"),
    Link("他システム", "/operations/clients"),
)
_KINDS = {"staff": "職員", "assignment": "職務", "office": "組織"}
_SAID = {
    "assignment-overlap": "同じ所属の同じ職務が、期間の重なる形で既にあります。",
    "assignment-outside": "その日には、在職していないか、所属がありません。",
    "substitute-wider": "代理される職員に、その期間、同じ所属の同じ職務がありません。",
    "substitute-self": "自分自身の代理はできません。",
    "period-order": "終わりの日が、始まりの日より前です。",
    "staff-unknown": "その職員番号の職員はいません。",
}


@needs("accounts")
def people(request: Desk) -> HttpResponse:
    """The staff, by number."""
    after = request.GET.get("after", "")[:64]
    leave(request, "read", business="accounts", what="staff")
    found = request.city.people.page(after, None, _PAGE)
    rows: list[Row] = [
        (
            Link(each.number, f"/operations/accounts/{each.number}"),
            each.name,
            each.kana,
            day(each.start),
            day(each.end),
        )
        for each in found
    ]
    more = f"/operations/accounts?after={found[-1].number}" if len(found) == _PAGE else ""
    heads = ("職員番号", "氏名", "フリガナ", "在職の始まり", "終わり（翌日）")
    return show(request, Sheet("職員", heads, rows, tabs=_TABS, more=more))


@needs("accounts")
def offices(request: Desk) -> HttpResponse:
    """The offices that are there today."""
    leave(request, "read", business="accounts", what="offices")
    found = request.city.people.offices(today(request.city))
    names = {each.id: each.name for each in found}
    rows: list[Row] = [
        (each.id, each.name, OFFICE_KINDS[each.kind], names.get(each.parent or "", "－"), each.ward or "－")
        for each in found
    ]
    return show(request, Sheet("組織", ("ID", "名称", "種別", "上の組織", "区のコード"), rows, tabs=_TABS))


@needs("accounts")
def person(request: Desk, number: str) -> HttpResponse:
    """A member of staff with all duties and their history; gives a duty, or ends one."""
    try:
        found = request.city.people.staff(number)
    except Problem as problem:
        if problem.code != "staff-unknown":
            raise
        raise Http404 from None
    if request.method == "POST":
        return _changed(request, found)
    leave(request, "read", business="accounts", what="person", of=found.number)
    return _page(request, found)


def _page(request: Desk, found: Staff, wrong: str = "") -> HttpResponse:
    policies, on = request.city.policies, today(request.city)
    names = {each.id: each.name for each in request.city.people.offices()}
    duties = {each.id: each.title for each in policies.duties.values()}
    told = {
        "tabs": _TABS,
        "staff": found,
        "own": found.number == request.acting.staff.number,
        "wrong": wrong,
        "duties": [
            {
                "id": each.id,
                "title": duties.get(each.duty, each.duty),
                "office": names.get(each.office, each.office),
                "start": day(each.start),
                "end": day(each.end),
                "substitutes": each.substitutes or "－",
                "open": each.end is None or each.end > on,
            }
            for each in request.city.people.assignments(found.number)
        ],
        "fields": [
            Field("duty", "職務", options=tuple(duties.items())),
            Field(
                "office",
                "所属",
                options=tuple((each.id, each.name) for each in request.city.people.offices(on)),
            ),
            Field("start", "始まりの日", "date", value=on.isoformat()),
            Field("end", "終わりの日（その日まで、空欄は期限なし）", "date"),
            Field("substitutes", "代理される職員の番号（代理でなければ空欄）"),
        ],
        "history": [
            (moment(each.at), each.by, _KINDS[each.kind], each.key)
            for each in request.city.people.history("staff", found.number)
        ],
        "today": on.isoformat(),
    }
    return render(request, "operations/person.html", told, status=400 if wrong else 200)


def _changed(request: Desk, found: Staff) -> HttpResponse:
    """Give a duty or end one. Nobody changes what concerns herself; who may sign in with what is not changed here."""
    if found.number == request.acting.staff.number:
        leave(request, "setting", outcome="refused", business="accounts", what="own-duty", of=found.number)
        return _page(request, found, "自分の職務は変更できません。他のアカウント管理者に依頼してください。")
    asked = Asked({name: str(value) for name, value in request.POST.items()}, today(request.city))
    try:
        change = _ending(request, found, asked) if asked.text("ends") else _beginning(found, asked)
        request.city.people.apply(
            [change], request.acting.staff.number, request.city.now(), duties=request.city.policies.duties
        )
        leave(
            request,
            "setting",
            business="accounts",
            what="end-duty" if asked.text("ends") else "give-duty",
            of=found.number,
        )
    except Wrong as wrong:
        return _page(request, found, str(wrong))
    except Problems as problems:
        leave(request, "setting", outcome="refused", business="accounts", what="duty", of=found.number)
        return _page(
            request,
            found,
            "".join(_SAID.get(each.code, f"変更できません（{each.code}）。") for each in problems.problems),
        )
    messages.success(request, "変更しました。")
    return HttpResponseRedirect(request.path)


def _beginning(found: Staff, asked: Asked) -> Assignment:
    last = _day(asked, "end") if asked.text("end") else None
    end = date.fromordinal(last.toordinal() + 1) if last else None
    return Assignment(
        found.number,
        asked.text("duty"),
        asked.text("office"),
        _day(asked, "start"),
        end,
        asked.text("substitutes") or None,
    )


def _ending(request: Desk, found: Staff, asked: Asked) -> Assignment:
    for each in request.city.people.assignments(found.number):
        if str(each.id) == asked.text("ends"):
            return replace(each, end=max(today(request.city), each.start))
    raise Wrong("その職務は、この職員にありません。")


def _day(asked: Asked, name: str) -> date:
    try:
        found = date.fromisoformat(asked.text(name))
    except ValueError:
        raise Wrong("日付は 2026-11-24 のように入力してください。") from None
    if not date(1900, 1, 1) <= found <= date(9000, 1, 1):
        raise Wrong("日付を確かめてください。")
    return found
