"""Signing in: number and password, then always a second factor; by invitation at first."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kiban import web
from kiban.access import Staff
from kiban.kernel import Problem
from kiban.web.signin.lines import By

from .conftest import PASSWORD, Browser, acts, codes, lines


def test_number_password_and_code_open_the_city(house: web.House, browser: Browser, person: Any) -> None:
    anna = person()
    first = browser.enter(anna, next="/duty")
    assert first["Location"] == "/account/2fa/authenticate/"
    assert browser.get("/").status_code == 302  # not signed in yet
    second = browser.send("/account/2fa/authenticate/", code=codes(anna.secret))
    assert second["Location"] == "/duty"
    assert browser.get("/duty").status_code == 200
    assert acts(house, anna.number)[:3] == [("signin", "done"), ("totp", "done"), ("password", "done")]


def test_a_code_is_good_once(browser: Browser, house: web.House, person: Any) -> None:
    anna = person()
    browser.sign_in_by_hand(anna)
    other = Browser(house)
    other.enter(anna)
    again = other.send("/account/2fa/authenticate/", code=codes(anna.secret))
    assert "確認できませんでした" in again.content.decode()
    assert ("totp", "refused") in acts(house, anna.number)


def test_a_wrong_password_and_an_unknown_number_are_told_in_the_same_words(
    house: web.House, person: Any
) -> None:
    person("100001")

    def told(number: str) -> str:
        page = Browser(house).send("/account/login/", login=number, password="wrong").content.decode()
        return re.sub(r'value="[^"]*"', "", page)

    assert told("100001") == told("999999")
    assert "職員番号またはパスワードが正しくありません" in told("100001")
    assert acts(house)[0] == ("password", "refused")
    assert {each.line.actor for each in lines(house)[:4]} == {"", "100001"}  # what was typed is not written


def test_whoever_left_is_told_no_more_than_somebody_with_a_wrong_password(
    house: web.House, browser: Browser, person: Any
) -> None:
    assert house.city is not None
    gone = Staff("100099", "退職　済", "タイショク", date(2020, 4, 1), date(2021, 4, 1))
    house.city.people.apply([gone], "test", datetime.now(UTC))
    page = browser.enter(person("100099")).content.decode()
    assert "職員番号またはパスワードが正しくありません" in page


def test_by_invitation_a_password_and_a_second_factor_are_chosen_before_any_page_opens(
    house: web.House, browser: Browser
) -> None:
    from kiban.web.signin.accounts import Accounts
    from kiban.web.signin.models import Account

    assert house.city is not None
    Account.objects.filter(number="100002").delete()
    accounts, admin = Accounts(house.city), By("900001")
    accounts.make("100002", admin)
    code = accounts.invite("100002", admin)
    given = {"number": "100002", "code": code.lower(), "password": PASSWORD, "again": PASSWORD}
    answer = browser.send("/account/welcome", **given)
    assert answer["Location"] == "/account/2fa/"
    for address in ("/", "/duty", "/account", "/account/sessions/", "/account/password/change/"):
        assert browser.get(address)["Location"] == "/account/2fa/", address
    page = browser.get("/account/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret">(\w+)<', page)
    assert secret is not None
    before = browser.django.cookies["kiban-session"].value
    done = browser.send("/account/2fa/totp/activate/", code=codes(secret[1]))
    assert done["Location"] == "/account/2fa/"
    assert browser.django.cookies["kiban-session"].value != before
    assert browser.get("/duty").status_code == 200
    assert browser.get("/account/sessions/").content.decode().count("この端末") == 1
    said = [each.line.detail["what"] for each in lines(house, "setting")[:4]]
    assert said == ["factor-added", "password-chosen", "account-invited", "account-made"]
    again = Browser(house).send("/account/welcome", **given)
    assert "招待コードが正しくない" in again.content.decode()


@pytest.mark.parametrize("number", ["100002", "999999"])
def test_an_invitation_that_does_not_hold_is_refused_in_the_same_words(
    house: web.House, browser: Browser, number: str
) -> None:
    answer = browser.send(
        "/account/welcome", number=number, code="22222-22222-22222-22222", password=PASSWORD, again=PASSWORD
    )
    assert "職員番号または招待コードが正しくない" in answer.content.decode()


def test_an_invitation_ends_after_its_hours(house: web.House, browser: Browser) -> None:
    from kiban.web.signin.accounts import Accounts
    from kiban.web.signin.models import Account

    assert house.city is not None
    Account.objects.filter(number="100003").delete()
    accounts = Accounts(house.city)
    accounts.make("100003", By("900001"))
    code = accounts.invite("100003", By("900001"), hours=2)
    house.city.now.ahead = timedelta(hours=2)  # type: ignore[attr-defined]
    with pytest.raises(Problem, match="does not hold"):
        accounts.accept("100003", code, PASSWORD, By(""))


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("短い", "12"),
        ("password1234", "一般的すぎ"),
        ("my number is 100001", "職員番号を含める"),
        ("Ｋｉ-Ｂａｎ of the sea", "推測されやすい語"),
        ("海と山の試験市の夏", "推測されやすい語"),
    ],
)
def test_a_poor_password_is_refused(browser: Browser, password: str, words: str) -> None:
    answer = browser.send("/account/welcome", number="100001", code="x", password=password, again=password)
    page = answer.content.decode()
    assert words in page.split('id="id_password_error"')[1]


def test_nobody_signs_herself_up_or_resets_a_password_by_mail(browser: Browser) -> None:
    for address in ("signup/", "password/reset/", "email/", "password/set/", "inactive/", "3rdparty/signup/"):
        assert browser.get(f"/account/{address}").status_code == 404
