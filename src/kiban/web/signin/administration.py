"""Pages for administrators: accounts and their recovery by two, systems that sign people in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kiban.kernel import Problem, Problems
from kiban.web.pages.working import Desk, needs
from kiban.web.signin import lines
from kiban.web.signin.accounts import STATES, Accounts
from kiban.web.signin.clients import Clients
from kiban.web.signin.lines import By
from kiban.web.signin.wishes import SCOPES, Wish

_PAGE = 50


@dataclass(frozen=True)
class Act:
    """Something that an administrator does with an account.

    Attributes:
        title: in Japanese.
        action: of the policies, which has to be allowed.
        do: what is done; a text that is shown once, or None.
    """

    title: str
    action: str
    do: Callable[[Accounts, str, By], str | None]


def _made(accounts: Accounts, number: str, who: By) -> str:
    accounts.make(number, who)
    return accounts.invite(number, who)


def _out(accounts: Accounts, number: str, who: By) -> None:
    accounts.sign_out(number, who)


ACTS = {
    "make": Act("アカウントを作成して招待", "accounts", _made),
    "invite": Act(
        "新しい招待コードを発行", "accounts", lambda accounts, number, who: accounts.invite(number, who)
    ),
    "disable": Act("停止", "accounts", lambda accounts, number, who: accounts.switch(number, who, on=False)),
    "enable": Act(
        "停止を解除", "accounts", lambda accounts, number, who: accounts.switch(number, who, on=True)
    ),
    "unlock": Act(
        "ロックアウトを解除", "accounts", lambda accounts, number, who: accounts.unlock(number, who)
    ),
    "sign-out": Act("強制サインアウト", "accounts", _out),
    "ask": Act("再発行を申請", "recover", lambda accounts, number, who: accounts.ask_recovery(number, who)),
    "confirm": Act(
        "再発行を承認", "recover", lambda accounts, number, who: accounts.confirm_recovery(number, who)
    ),
}
"""By the names that forms send."""
_FITTING = {
    "none": ("make",),
    "ready": ("sign-out", "unlock", "ask", "disable"),
    "asked": ("confirm", "sign-out", "disable"),
    "invited": ("invite", "disable"),
    "uninvited": ("invite", "disable"),
    "disabled": ("enable",),
    "left": ("sign-out",),
}
_WORDS = {
    "staff-unknown": "この職員番号の職員は登録されていません。",
    "staff-left": "この職員は本日在職していません。",
    "account-there": "アカウントは既にあります。",
    "account-unknown": "アカウントがありません。",
    "account-disabled": "停止中のアカウントです。",
    "account-set": "既にパスワードが設定されています。再発行を申請してください。",
    "account-own": "自分のアカウントは変更できません。",
    "recovery-own": "自分の再発行はできません。他の管理者に依頼してください。",
    "recovery-unasked": "24時間以内の申請がありません。",
    "recovery-same": "申請した管理者は承認できません。別の管理者が承認してください。",
    "client-redirect": "戻り先のアドレスが正しくありません（https://… の完全な形。#・*・利用者名は不可）。",
    "client-own-public": "秘密を保持できないシステムは、本人の同意を求めてください。",
    "client-unnamed": "名称を入力してください。",
    "client-unknown": "登録されていません。",
    "client-public": "秘密を持たないシステムです。",
}


@needs("accounts")
@require_http_methods(["GET", "POST"])
def accounts(request: Desk) -> HttpResponse:
    """The staff with their accounts, a page at a time; a form on the page changes one, by POST, so that no address says whom."""
    shown = None
    if request.method == "POST":
        shown = _changed(request)
        if shown is None:
            return HttpResponseRedirect(request.get_full_path())
    room = Accounts(request.city)
    after = request.GET.get("after", "")[:64]
    people = request.city.people.page(after, None, _PAGE + 1)
    more, people = people[_PAGE:], people[:_PAGE]
    known = {each.number: each for each in room.listed(after, _PAGE * 2)}
    rows = [
        {
            "person": each,
            "state": STATES[known[each.number].state] if each.number in known else "なし",
            "last": known[each.number].last if each.number in known else None,
            "acts": [
                (name, ACTS[name].title)
                for name in _FITTING[known[each.number].state if each.number in known else "none"]
                if request.grant.allows(ACTS[name].action)
            ],
        }
        for each in people
    ]
    told = {"rows": rows, "next": people[-1].number if more else "", "shown": shown}
    return render(request, "account/administration.html", told)


def _changed(request: Desk) -> dict[str, str] | None:
    """Do what a form asks; what is to be shown once, or None."""
    act, number = ACTS.get(request.POST.get("act", "")), request.POST.get("number", "")
    if act is None:
        raise Problem(
            "page-unreadable", "the form asks for what there is not", fix="use the buttons of the page"
        )
    request.grant.need(act.action)
    try:
        code = act.do(Accounts(request.city), number, lines.by(request))
    except (Problem, Problems) as problem:
        _told(request, problem)
        return None
    messages.success(request, f"{act.title}：処理しました。")
    return {"number": number, "code": code} if code else None


def _told(request: Desk, problem: Problem | Problems) -> None:
    for each in problem.problems if isinstance(problem, Problems) else [problem]:
        if each.code not in _WORDS:
            raise problem
        messages.error(request, _WORDS[each.code])


class Registering(forms.Form):
    """A system to be registered."""

    name = forms.CharField(label="名称", max_length=100)
    redirects = forms.CharField(
        label="サインイン後の戻り先",
        widget=forms.Textarea({"rows": 2}),
        help_text="1行に一つ。完全に一致する場合だけ戻ります。",
    )
    after = forms.CharField(
        label="サインアウト後の戻り先", widget=forms.Textarea({"rows": 2}), required=False
    )
    farewell = forms.CharField(label="サインアウトの通知先（バックチャネル）", max_length=500, required=False)
    scopes = forms.MultipleChoiceField(
        label="提供する情報",
        choices=[(name, title) for name, title in SCOPES.items() if name != "openid"],
        widget=forms.CheckboxSelectMultiple,
        initial=["profile"],
        required=False,
    )
    own = forms.BooleanField(label="市のシステム（本人の同意を求めない）", required=False)
    public = forms.BooleanField(label="秘密を保持できない（アプリ・画面だけのシステム）", required=False)


@needs("accounts")
@require_http_methods(["GET", "POST"])
def clients(request: Desk) -> HttpResponse:
    """Systems that sign people in here."""
    room, who, shown, form = Clients(request.city), lines.by(request), None, Registering()
    if request.method == "POST":
        try:
            if "remove" in request.POST:
                room.remove(request.POST["remove"], who)
                return HttpResponseRedirect(reverse("signin_clients"))
            if "renew" in request.POST:
                shown = (request.POST["renew"], room.renew(request.POST["renew"], who))
            else:
                form = Registering(request.POST)
                shown = room.register(_wish(form.cleaned_data), who) if form.is_valid() else None
        except (Problem, Problems) as problem:
            _told(request, problem)
    told = {
        "clients": room.registered(),
        "form": form if form.errors or not shown else Registering(),
        "shown": shown,
    }
    return render(request, "account/clients.html", told)


def _wish(given: dict[str, Any]) -> Wish:
    def addresses(name: str) -> tuple[str, ...]:
        return tuple(each.strip() for each in given[name].splitlines() if each.strip())

    return Wish(
        given["name"],
        addresses("redirects"),
        addresses("after"),
        tuple(given["scopes"]),
        given["own"],
        given["public"],
        farewell=given["farewell"].strip(),
    )
