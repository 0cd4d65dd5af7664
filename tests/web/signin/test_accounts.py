"""Administrators: invitations, recovery by two, forced sign-out, systems; each step a line, and nobody for herself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.web.housing import Client
from typer.testing import CliRunner

from kiban import web
from kiban.kernel import Problem
from kiban.web.signin.accounts import Accounts
from kiban.web.signin.lines import By

from .conftest import PASSWORD, Browser, Person, acts, lines

ANNA, BERTA = By("900001"), By("900002")


@pytest.fixture
def accounts(house: web.House) -> Accounts:
    assert house.city is not None
    return Accounts(house.city)


def test_a_recovery_takes_two_who_are_not_the_person(
    accounts: Accounts, house: web.House, browser: Browser, person: Callable[..., Person]
) -> None:
    carol = person("100002")
    browser.sign_in_by_hand(carol)
    accounts.ask_recovery("100002", ANNA)
    for who, code in ((ANNA, "recovery-same"), (By("100002"), "recovery-own")):
        with pytest.raises(Problem) as refused:
            accounts.confirm_recovery("100002", who)
        assert refused.value.code == code
    assert browser.get("/account").status_code == 200  # nothing happened yet
    code = accounts.confirm_recovery("100002", BERTA)
    assert browser.get("/account").status_code == 302
    assert "正しくありません" in browser.enter(carol).content.decode()
    given = {"number": "100002", "code": code, "password": PASSWORD + "!", "again": PASSWORD + "!"}
    assert browser.send("/account/welcome", **given)["Location"] == "/account/2fa/"
    assert browser.get("/duty")["Location"] == "/account/2fa/"  # the factors are gone, too
    steps = [each.line for each in lines(house) if each.line.detail["act"] == "recover"][:2]
    assert [(each.actor, each.detail["step"]) for each in steps] == [
        ("900002", "confirmed"),
        ("900001", "asked"),
    ]


def test_what_was_asked_too_long_ago_or_never_is_not_confirmed(
    accounts: Accounts, house: web.House, person: Callable[..., Person]
) -> None:
    from datetime import timedelta

    person("100002")
    with pytest.raises(Problem, match="nobody asked"):
        accounts.confirm_recovery("100002", BERTA)
    accounts.ask_recovery("100002", ANNA)
    house.city.now.ahead = timedelta(hours=25)  # type: ignore[union-attr, attr-defined]
    with pytest.raises(Problem, match="nobody asked"):
        accounts.confirm_recovery("100002", BERTA)


def test_nobody_asks_for_herself_or_switches_her_own_account(
    accounts: Accounts, person: Callable[..., Person]
) -> None:
    person("900001")
    for act in (accounts.ask_recovery, lambda number, who: accounts.switch(number, who, on=False)):
        with pytest.raises(Problem, match=r"nobody .* her own account"):
            act("900001", ANNA)


def test_an_invitation_is_no_way_around_a_recovery(accounts: Accounts, person: Callable[..., Person]) -> None:
    person("100001")
    with pytest.raises(Problem, match="has chosen a password"):
        accounts.invite("100001", ANNA)


def test_a_forced_sign_out_ends_every_session_at_the_next_click(
    accounts: Accounts, house: web.House, browser: Browser, person: Callable[..., Person]
) -> None:
    carol = person("100002")
    other = Browser(house)
    browser.sign_in_by_hand(carol)
    other.sign_in_by_hand(carol)
    assert accounts.sign_out("100002", ANNA) == 2
    assert browser.get("/account").status_code == other.get("/account").status_code == 302
    assert acts(house, "900001")[0] == ("forced-signout", "done")


def test_whoever_is_disabled_is_out_and_stays_out(
    accounts: Accounts, browser: Browser, person: Callable[..., Person]
) -> None:
    carol = person("100002")
    browser.sign_in_by_hand(carol)
    accounts.switch("100002", ANNA, on=False)
    assert browser.get("/account").status_code == 302
    assert "正しくありません" in browser.enter(carol).content.decode()
    accounts.switch("100002", ANNA, on=True)
    assert browser.enter(carol).status_code == 302


def test_an_administrator_does_it_on_a_page(client: Client, house: web.House) -> None:
    from kiban.web.signin.models import Account

    Account.objects.filter(number="100003").delete()
    client.work("900001")
    assert "支援　三奈" in client.get("/operations/sign-in").content.decode()
    page = client.post("/operations/sign-in", {"act": "make", "number": "100003"}).content.decode()
    assert re.search(r'class="code-text">(\w{5}-){4}\w{5}<', page)
    line = lines(house, "setting", "900001")[0].line
    assert (line.office, line.duty, line.detail["what"]) == ("hall-it", "accounts", "account-invited")
    again = client.post("/operations/sign-in", {"act": "make", "number": "100003"}, follow=True)
    assert "アカウントは既にあります" in again.content.decode()


def test_a_recovery_goes_through_the_pages_of_two(house: web.House, person: Callable[..., Person]) -> None:
    person("100002")
    anna, berta = Client(house).work("900001"), Client(house).work("900002")
    anna.post("/operations/sign-in", {"act": "ask", "number": "100002"})
    same = anna.post("/operations/sign-in", {"act": "confirm", "number": "100002"}, follow=True)
    assert "申請した管理者は承認できません" in same.content.decode()
    assert (
        "code-text"
        in berta.post("/operations/sign-in", {"act": "confirm", "number": "100002"}).content.decode()
    )


def test_whoever_is_no_administrator_sees_none_of_it(client: Client) -> None:
    client.work("100001")
    for address in ("/operations/sign-in", "/operations/clients"):
        assert client.get(address).status_code == 403
        assert client.post(address, {"act": "make", "number": "100003"}).status_code == 403


def test_a_system_is_registered_on_a_page_and_its_secret_is_shown_once(client: Client) -> None:
    client.work("900001")
    form = {"name": "頁の試験", "redirects": "https://page.example/back", "scopes": ["profile"]}
    page = client.post("/operations/clients", form).content.decode()
    assert "client_secret" in page
    assert "client_secret" not in client.get("/operations/clients").content.decode()
    for address in (
        "http://page.example/",
        "https://*.example/",
        "https://a@b.example/",
        "https://x/#y",
        "javascript:1",
    ):
        answer = client.post("/operations/clients", {**form, "redirects": address}).content.decode()
        assert "戻り先のアドレスが正しくありません" in answer, address


def test_the_command_line_makes_and_recovers_accounts(databases: Any, tmp_path: Any) -> None:
    from django.db import connections

    from kiban.cli.account import app
    from kiban.cli.oidc import app as oidc
    from kiban.web.signin import place

    before = dict(connections["default"].settings_dict)
    with databases.fresh() as database:
        environ = {
            "KIBAN_HOME": str(tmp_path / "home"),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
        }
        run = CliRunner()
        unknown = run.invoke(app, ["make", "100001"], env=environ)
        assert isinstance(unknown.exception, Problem)
        assert unknown.exception.code == "staff-unknown"
        made = run.invoke(oidc, ["client", "add", "税", "--redirect", "https://tax.example/"], env=environ)
        assert "client_secret" in made.stdout
        assert "税" in run.invoke(oidc, ["client", "list"], env=environ).stdout
        stranger = run.invoke(app, ["recover", "100001", "--by", "900001"], env=environ)
        assert stranger.exception.code == "recover-not-allowed"  # type: ignore[union-attr]
    connections.close_all()
    place.connect({})
    for settings in (connections.settings["default"], connections["default"].settings_dict):
        settings.update(before)
