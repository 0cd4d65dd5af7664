"""Sessions of one person: how many, under which keys, and how they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.test import RequestFactory
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import session_mark
from kiban.web.house import NAME

from .conftest import PASSWORD, Browser, Person, acts, lines

CLEAR = '"cache", "storage"'


def key(browser: Browser) -> str:
    return str(browser.django.cookies["kiban-session"].value)


def alive(browser: Browser) -> bool:
    return bool(browser.get("/account").status_code == 200)


def test_one_session_too_many_ends_the_oldest(house: web.House, person: Any) -> None:
    assert house.city is not None
    anna, served = person(), replace(house, city=replace(house.city, sessions=2))
    browsers = [Browser(served) for _ in range(3)]
    for each in browsers:
        each.sign_in_by_hand(anna)
    assert [alive(each) for each in browsers] == [False, True, True]
    assert [each.line.detail for each in lines(house, actor=anna.number) if "why" in each.line.detail] == [
        {"act": "signout", "why": "many", "sessions": 1}
    ]


def test_whoever_shows_a_factor_again_has_a_new_key_and_keeps_her_session(
    house: web.House, browser: Browser, person: Any
) -> None:
    anna = person()
    browser.sign_in_by_hand(anna)
    before = key(browser)
    browser.show_again(anna)
    assert key(browser) != before
    thief = Browser(house)
    thief.django.cookies["kiban-session"] = before
    assert (alive(thief), alive(browser)) == (False, True)
    assert browser.get("/account/sessions/").content.decode().count("この端末") == 1
    assert {each.line.session for each in lines(house, actor=anna.number)[:2]} == {session_mark(before)}


def test_an_address_of_the_session_is_good_after_its_key_has_changed(house: web.House, person: Any) -> None:
    from django.http import Http404

    from kiban.web.counter import handles

    client = Client(house).sign_in("100001")
    request: Any = RequestFactory().get("/", **{NAME: house})  # type: ignore[arg-type]
    request.session = client.django.session
    from kiban.web.pages import sitting

    sitting.begin(request)
    handle = handles.seal(request, handles.PERSON, {"number": "x"})
    request.session.cycle_key()
    assert handles.unseal(request, handles.PERSON, handle) == {"number": "x"}
    request.session = Client(house).sign_in("100001").django.session
    with pytest.raises(Http404):
        handles.unseal(request, handles.PERSON, handle)


@pytest.mark.parametrize("act", ["end", "end-others", "end-all"])
def test_no_session_ends_elsewhere_before_a_factor_is_shown_again(
    house: web.House, browser: Browser, person: Any, act: str
) -> None:
    from allauth.usersessions.models import UserSession

    anna, other = person(), Browser(house)
    other.sign_in_by_hand(anna)
    browser.sign_in_by_hand(anna)
    page = browser.get("/account/sessions/").content.decode()
    assert "本人を確認して" in page and f"/account/sessions/{act}" not in page
    session = str(UserSession.objects.get(session_key=key(other)).pk)
    asked = browser.send(f"/account/sessions/{act}", session=session)
    assert asked["Location"] == "/account/reauthenticate/?next=%2Faccount%2Fsessions%2F"
    assert browser.get(asked["Location"])["Location"].startswith("/account/2fa/reauthenticate/")
    assert alive(other)
    assert browser.show_again(anna)["Location"] == "/account/sessions/"
    browser.send(f"/account/sessions/{act}", session=session)
    assert (alive(other), alive(browser)) == (False, act != "end-all")


def test_a_new_password_ends_all_other_sessions(house: web.House, browser: Browser, person: Any) -> None:
    anna, other = person(), Browser(house)
    other.sign_in_by_hand(anna)
    browser.sign_in_by_hand(anna)
    fields = {"oldpassword": PASSWORD, "password1": PASSWORD + "?", "password2": PASSWORD + "?"}
    browser.send("/account/password/change/", **fields)
    assert (alive(other), alive(browser)) == (False, True)


def test_when_a_factor_changes_one_is_asked_about_other_sessions(
    house: web.House, browser: Browser, person: Any
) -> None:
    anna, other = person(), Browser(house)
    other.sign_in_by_hand(anna)
    browser.sign_in_by_hand(anna)
    page = browser.get("/account/2fa/").content.decode()
    assert (
        "他に1台の端末でサインインしています" in page
        and "</button>" not in page.split("他に1台")[1].split("</div>")[0]
    )
    browser.show_again(anna)
    assert "他の端末をサインアウト</button>" in browser.get("/account/2fa/").content.decode()
    browser.send("/account/sessions/end-others")
    assert (alive(other), alive(browser)) == (False, True)
    assert "他の端末" not in browser.get("/account/2fa/").content.decode()


def test_a_form_is_not_kept_while_somebody_shows_her_factor(browser: Browser, person: Any) -> None:
    browser.sign_in_by_hand(person())
    browser.send("/account/2fa/webauthn/add/", credential="what a key said", name="x")
    assert "what a key said" not in str(dict(browser.django.session))
    browser.send("/account/sessions/end-all", more="what was typed")
    assert "what was typed" not in str(dict(browser.django.session))


def _by_herself(browser: Browser, house: web.House, anna: Person) -> Any:
    return browser.send("/account/logout/")


def _everywhere(browser: Browser, house: web.House, anna: Person) -> Any:
    browser.show_again(anna)
    return browser.send("/account/sessions/end-all")


def _after_an_hour(browser: Browser, house: web.House, anna: Person) -> Any:
    from datetime import timedelta

    house.city.now.ahead = timedelta(hours=1)  # type: ignore[union-attr]
    return browser.get("/account")


@pytest.mark.parametrize("leave", [_by_herself, _everywhere, _after_an_hour])
def test_a_browser_forgets_what_it_has_when_a_session_ends(
    house: web.House, browser: Browser, person: Any, leave: Any
) -> None:
    anna = person()
    browser.sign_in_by_hand(anna)
    assert "Clear-Site-Data" not in browser.get("/account").headers
    left = leave(browser, house, anna)
    assert left.headers["Clear-Site-Data"] == CLEAR
    told = "サインアウトしました" in browser.get("/account/login/").content.decode()
    assert told == (leave is not _by_herself)
    assert acts(house, anna.number)[0][0].startswith("signout")
    assert set(browser.django.cookies) == {"kiban-session", "kiban-csrf"}  # what is told lies in the session
