"""What attackers try at the door, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.web.housing import Client

from kiban import web
from kiban.access import Staff
from kiban.kernel import Problem
from kiban.web.configured import django_settings

from .conftest import PASSWORD, Browser, Person, acts, codes


def test_whoever_tries_passwords_is_locked_out_from_every_address_and_the_owner_too(
    house: web.House, person: Any
) -> None:
    anna = person()
    for n in range(5):
        Browser(house, address=f"10.0.0.{n}").enter(anna, password=f"wrong {n}")
    told = Browser(house, address="10.0.1.1").enter(anna)
    assert "試行回数が上限に達した" in told.content.decode()
    assert acts(house, anna.number)[0] == ("lock-out", "refused")
    Client(house).work("900001").post("/operations/sign-in", {"act": "unlock", "number": anna.number})
    assert Browser(house).enter(anna).status_code == 302


def test_a_number_that_nobody_has_is_locked_out_in_the_same_words(house: web.House) -> None:
    nobody = Person("555555", "")
    for n in range(5):
        Browser(house, address=f"10.0.2.{n}").enter(nobody)
    assert "試行回数が上限に達した" in Browser(house).enter(nobody).content.decode()


def test_whoever_tries_many_numbers_from_one_address_is_locked_out(house: web.House, person: Any) -> None:
    for n in range(20):
        Browser(house, address="10.9.9.9").send("/account/login/", login=f"2{n:05}", password="Summer 2026!")
    anna = person()
    assert "試行回数が上限に達した" in Browser(house, address="10.9.9.9").enter(anna).content.decode()
    assert Browser(house, address="10.9.9.8").enter(anna).status_code == 302


def test_whoever_tries_codes_is_locked_out(house: web.House, person: Any) -> None:
    anna, browser = person(), Browser(house)
    browser.enter(anna)
    for n in range(6):
        answer = browser.send("/account/2fa/authenticate/", code=f"{n:06}")
    assert "試行回数が上限に達した" in answer.content.decode()
    assert (
        "上限に達した" in browser.send("/account/2fa/authenticate/", code=codes(anna.secret)).content.decode()
    )


@pytest.mark.parametrize("number", ["100001", "999999", "100099"])
def test_a_refusal_costs_one_hash_whether_or_not_there_is_such_an_account(
    house: web.House, person: Any, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    person("100001")
    done: list[str] = []
    before = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda *given: (done.append(""), before(*given))[1])
    Browser(house).send("/account/login/", login=number, password="wrong")
    assert len(done) == 1


def test_passwords_are_kept_by_scrypt_and_sessions_in_json() -> None:
    settings = django_settings("x" * 50)
    assert settings["PASSWORD_HASHERS"] == ["django.contrib.auth.hashers.ScryptPasswordHasher"]
    assert settings["SESSION_SERIALIZER"].endswith("JSONSerializer")


def test_the_secret_of_an_app_does_not_lie_open_in_the_database(person: Any) -> None:
    from allauth.mfa.models import Authenticator

    anna = person()
    kept = Authenticator.objects.get(user__number=anna.number).data["secret"]
    assert anna.secret not in kept
    assert Authenticator.objects.get(user__number=anna.number).wrap().validate_code(codes(anna.secret))


def test_a_form_from_elsewhere_is_refused(house: web.House, browser: Browser, person: Any) -> None:
    browser.sign_in_by_hand(person())
    for address in (
        "/account/sessions/end-all",
        "/account/logout/",
        "/account/password/change/",
        "/operations/sign-in",
    ):
        assert browser.django.post(address, {"csrfmiddlewaretoken": "x" * 64}).status_code == 403, address
    foreign = browser.django.post(
        "/account/sessions/end-all",
        {"csrfmiddlewaretoken": browser.token()},
        headers={"origin": "https://evil.example"},
    )
    assert foreign.status_code == 403
    assert browser.get("/account").status_code == 200


def test_a_session_that_was_foisted_on_somebody_is_not_hers_afterwards(
    house: web.House, browser: Browser, person: Any
) -> None:
    anna = person()
    browser.enter(anna)
    foisted = browser.django.cookies["kiban-session"].value  # as if an attacker had set it there
    browser.send("/account/2fa/authenticate/", code=codes(anna.secret))
    assert browser.django.cookies["kiban-session"].value != foisted
    thief = Browser(house)
    thief.django.cookies["kiban-session"] = foisted
    assert thief.get("/account").status_code == 302


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
    ],
)
def test_a_sign_in_leads_nowhere_else(browser: Browser, person: Any, wanted: str) -> None:
    anna = person()
    browser.enter(anna, next=wanted)
    answer = browser.send("/account/2fa/authenticate/", code=codes(anna.secret))
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\"))
    assert "evil" not in browser.send("/duty?next=" + wanted, choice="").headers.get("Location", "")


def test_a_forged_host_is_refused(house: web.House) -> None:
    assert Browser(house, host="evil.example").get("/account/login/").status_code == 400
    answer = Browser(house).django.get("/account/login/", headers={"x-forwarded-host": "evil.example"})
    assert "evil" not in answer.content.decode()


def test_cookies_go_to_no_script_and_no_other_site(browser: Browser, person: Any) -> None:
    browser.sign_in_by_hand(person())
    for name in ("kiban-session", "kiban-csrf"):
        cookie = browser.django.cookies[name]
        assert (bool(cookie["httponly"]), cookie["samesite"]) == (True, "Lax")
        assert cookie["max-age"] == "" or name == "kiban-csrf"
    safe = django_settings("x" * 50, secure=True)
    assert safe["SESSION_COOKIE_NAME"] == "__Host-kiban-session"
    assert safe["SESSION_COOKIE_SECURE"]
    assert safe["CSRF_COOKIE_SECURE"]


def test_no_page_stands_in_a_frame_or_stays_in_a_cache(browser: Browser) -> None:
    answer = browser.get("/account/login/")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
    assert "unsafe" not in answer["Content-Security-Policy"]


def test_fields_that_no_form_has_change_nothing(house: web.House, browser: Browser, person: Any) -> None:
    from kiban.web.signin.models import Account

    anna = person()
    before = Account.objects.values().get(number=anna.number)
    browser.enter(anna, is_active="0", number="900001", subject="0" * 32, user="900001")
    browser.send("/account/2fa/authenticate/", code=codes(anna.secret), user="900001", number="900001")
    more = {"oldpassword": PASSWORD, "password1": PASSWORD + "?", "password2": PASSWORD + "?"}
    browser.send(
        "/account/password/change/", **more, number="900001", is_active="0", asked_recovery_by="900001"
    )
    after = Account.objects.values().get(pk=before["id"])
    assert {name for name in before if before[name] != after[name]} == {"password", "last_login"}


def test_nobody_ends_or_removes_what_belongs_to_somebody_else(house: web.House, person: Any) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.usersessions.models import UserSession

    anna, berta = Browser(house), Browser(house)
    annas = person("100001")
    anna.sign_in_by_hand(annas)
    berta.sign_in_by_hand(person("100002"))
    anna.show_again(annas)
    hers = UserSession.objects.get(user__number="100002")
    assert anna.send("/account/sessions/end", session=str(hers.pk)).status_code == 404
    factor = Authenticator.objects.get(user__number="100002")
    assert anna.send(f"/account/2fa/webauthn/keys/{factor.pk}/remove/").status_code in (302, 404)
    assert Authenticator.objects.filter(pk=factor.pk).exists()
    assert berta.get("/account").status_code == 200


def test_a_session_ends_when_nobody_uses_it_and_after_half_a_day(
    house: web.House, browser: Browser, person: Any
) -> None:
    clock: Any = house.city.now  # type: ignore[union-attr]
    browser.sign_in_by_hand(person())
    for minutes in range(0, 12 * 60 - 25, 25):
        clock.ahead = timedelta(minutes=minutes)
        assert browser.get("/account").status_code == 200, minutes
    clock.ahead = timedelta(hours=12)
    assert browser.get("/account").status_code == 302
    clock.ahead = timedelta()
    browser.sign_in_by_hand(person())
    clock.ahead = timedelta(minutes=30)
    assert browser.get("/account").status_code == 302
    assert acts(house, "100001")[0] == ("signout", "done")


def test_the_last_factor_is_not_removed_and_the_second_factor_is_asked_before_any_change(
    browser: Browser, person: Any
) -> None:
    anna = person()
    browser.sign_in_by_hand(anna)
    asked = browser.get("/account/2fa/totp/deactivate/")
    assert browser.get(asked["Location"])["Location"].startswith("/account/2fa/reauthenticate/")
    from django.core.cache import cache

    cache.clear()
    browser.send(
        "/account/2fa/reauthenticate/", code=codes(anna.secret), next="/account/2fa/totp/deactivate/"
    )
    page = browser.get("/account/2fa/totp/deactivate/").content.decode()
    assert "最後の第二要素は削除できません" in page
    browser.send("/account/2fa/totp/deactivate/")
    assert "認証アプリ" in browser.get("/account/2fa/").content.decode().split("<table>")[1]


def test_where_the_line_cannot_be_written_nobody_signs_in(
    house: web.House, browser: Browser, person: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiban.access.audit import Audit

    def down(*_: Any, **__: Any) -> None:
        raise Problem("audit-unwritten", "the line cannot be written", fix="bring the database back")

    anna = person()
    browser.enter(anna)
    with monkeypatch.context() as patch:
        patch.setattr(Audit, "write", down)
        assert browser.send("/account/2fa/authenticate/", code=codes(anna.secret)).status_code == 503
    assert browser.get("/account").status_code == 302


def test_whoever_leaves_is_out_at_the_next_click_by_whatever_way_she_came(
    house: web.House, browser: Browser, person: Any
) -> None:
    assert house.city is not None
    today = datetime.now(UTC).date()
    staff = Staff("100098", "明日　退", "アス", date(2020, 4, 1))
    house.city.people.apply([staff], "test", datetime.now(UTC))
    eve, half = person("100098"), Browser(house)
    browser.sign_in_by_hand(eve)
    half.enter(eve)
    assert browser.get("/account").status_code == 200
    house.city.people.apply([replace(staff, end=today)], "test", datetime.now(UTC))
    assert browser.get("/account")["Location"] == "/account/login/"
    assert acts(house, "100098")[0] == ("forced-signout", "done")
    half.send("/account/2fa/authenticate/", code=codes(eve.secret))
    assert half.get("/account").status_code == 302


def test_a_passkey_of_somebody_who_left_is_refused_as_a_wrong_password_is(
    house: web.House, person: Any
) -> None:
    from allauth.account.internal.flows.login import perform_login
    from allauth.account.models import Login
    from allauth.core import context
    from django.contrib.sessions.backends.db import SessionStore
    from django.test import RequestFactory

    from kiban.web.house import NAME
    from kiban.web.signin.models import Account

    person("100099")  # left in 2021; perform_login is what every way of signing in ends in
    request: Any = RequestFactory().post("/", **{NAME: house})  # type: ignore[arg-type]
    request.session, request._messages = SessionStore(), []
    request._messages = type("Kept", (list,), {"add": lambda self, *given: self.append(given)})()
    request.user = type("Nobody", (), {"is_authenticated": False})()
    with context.request_context(request):
        answer = perform_login(request, Login(user=Account.objects.get(number="100099")))
    assert answer["Location"] == "/account/login/"
    assert request.session.get("_auth_user_id") is None
    assert acts(house, "100099")[0] == ("signin", "refused")


def test_a_number_of_proxies_that_does_not_fit_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    from kiban.web.application import _caller, _warn

    _warn.cache_clear()
    asked = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    with caplog.at_level("WARNING", "kiban.web"):
        for proxies in (1, 0, 0, 2):
            _caller(asked, proxies)
    assert [each.getMessage()[:41] for each in caplog.records] == [
        f"X-Forwarded-For does not fit --proxies {wrong}:" for wrong in (0, 2)
    ]
    assert "203.0.113.7" not in caplog.text


def test_behind_a_proxy_the_callers_address_counts_and_not_what_he_writes() -> None:
    from kiban.web.application import _caller

    asked = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.7"}
    assert _caller(asked, 0) == "10.0.0.1"
    assert _caller(asked, 1) == "203.0.113.7"
    assert _caller({**asked, "HTTP_X_FORWARDED_FOR": "x"}, 1) == "10.0.0.1"
    assert _caller(asked, 3) == "10.0.0.1"
