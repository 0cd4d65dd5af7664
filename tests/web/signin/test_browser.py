"""Sign-in in a real browser, by keyboard alone: invitation, passkey, app, sign-out everywhere; nothing that axe finds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kiban.web.signin.accounts import Accounts
from kiban.web.signin.clients import Clients
from kiban.web.signin.lines import By
from kiban.web.signin.models import Account
from kiban.web.signin.wishes import Wish

from .conftest import PASSWORD, Live, Person, acts, codes

CHROMIUM = Path("/usr/bin/chromium")
pytest.importorskip("playwright")
pytest.importorskip("axe_playwright_python")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
SHOTS = os.environ.get("KIBAN_SHOTS")
"""A folder for screenshots, for whoever wants to look at them."""
BY = By("900001")
_AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Tab:
    """A page of a browser whose owner uses no mouse."""

    def __init__(self, browser: Any, live: Live, *, passkeys: bool = False) -> None:
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ja-JP")
        self.page, self.live = self.context.new_page(), live
        self.devtools = self.context.new_cdp_session(self.page)
        if passkeys:
            self.devtools.send("WebAuthn.enable")
            made = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": _AUTHENTICATOR})
            self.authenticator = made["authenticatorId"]

    def open(self, path: str) -> None:
        self.page.goto(self.live.url + path)

    def reach(self, wanted: str) -> None:
        """Go by the key Tab to what has this name or these words."""
        script = """() => { const at = document.activeElement;
            return [at.id, at.name, at.textContent].filter(Boolean).join(" "); }"""
        for _ in range(400):
            self.page.keyboard.press("Tab")
            if wanted in self.page.evaluate(script):
                return
        raise AssertionError(f"{wanted} is not reached by keyboard")

    def fill(self, **fields: str) -> None:
        for name, text in fields.items():
            self.reach(f"id_{name}")
            self.page.keyboard.insert_text(text)

    def press(self, words: str) -> None:
        """Reach a button or a link, and use it; wait for the page it leads to."""
        self.reach(words)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def clean(self, name: str) -> None:
        """Nothing that axe finds; a picture for whoever looks."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        if SHOTS:
            self.page.screenshot(path=f"{SHOTS}/signin-{name}.png", full_page=True)

    def heading(self) -> str:
        return str(self.page.text_content("h1"))

    def sign_in(self, person: Person) -> None:
        self.open("/account/login/?next=/account")
        self.fill(login=person.number, password=PASSWORD)
        self.press("サインイン")
        self.fill(code=codes(person.secret))
        self.press("確認する")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    # Playwright keeps a loop in this thread, beside which the tests use Django as ever.
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def invited(live: Live) -> str:
    """The invitation of somebody without an account."""
    assert live.house.city is not None
    Account.objects.filter(number="100002").delete()
    accounts = Accounts(live.house.city)
    accounts.make("100002", BY)
    return accounts.invite("100002", BY)


def test_from_the_invitation_to_a_sign_in_by_passkey_alone(chromium: Any, live: Live, invited: str) -> None:
    tab = Tab(chromium, live, passkeys=True)
    tab.open("/account/welcome")
    tab.clean("1-welcome")
    tab.fill(number="100002", code=invited, password=PASSWORD, again=PASSWORD)
    tab.press("登録する")
    assert "第二要素" in tab.heading()
    tab.clean("2-no-factor")
    tab.press("パスキーを登録する")
    tab.clean("3-add-passkey")
    tab.fill(name="")
    tab.press("登録する")
    assert "パスキー1" in tab.page.text_content("main")
    tab.clean("4-factors")
    tab.press("業務の画面へ進む")
    assert tab.page.url.endswith("/duty?next=%2F") or "住民" in tab.page.text_content("main")
    tab.open("/account")
    tab.clean("5-account")
    tab.press("サインアウト")
    assert tab.heading() == "サインイン"
    tab.clean("6-login")
    tab.press("パスキーでサインイン")
    tab.open("/account")
    assert tab.heading() == "アカウント"
    assert acts(live.house, "100002")[:2] == [("signin", "done"), ("passkey", "done")]


def test_a_passkey_that_did_not_ask_for_its_owner_is_refused(chromium: Any, live: Live, invited: str) -> None:
    tab = Tab(chromium, live, passkeys=True)
    tab.open("/account/welcome")
    tab.fill(number="100002", code=invited, password=PASSWORD, again=PASSWORD)
    tab.press("登録する")
    tab.press("パスキーを登録する")
    tab.devtools.send(
        "WebAuthn.setUserVerified", {"authenticatorId": tab.authenticator, "isUserVerified": False}
    )
    tab.reach("登録する")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector(".wrong:not([hidden])")
    assert "確認できませんでした" in tab.page.text_content(".wrong:not([hidden])")
    tab.clean("7-refused")


def test_an_app_is_set_up_and_asked_for_and_everything_is_left_at_once(
    chromium: Any, live: Live, invited: str
) -> None:
    tab = Tab(chromium, live)
    tab.open("/account/welcome")
    tab.fill(number="100002", code=invited, password=PASSWORD, again=PASSWORD)
    tab.press("登録する")
    tab.press("認証アプリを登録する")
    tab.clean("8-app")
    person = Person("100002", str(tab.page.text_content("#authenticator_secret")))
    tab.fill(code=codes(person.secret))
    tab.press("登録する")
    assert "認証アプリ" in tab.page.text_content("main table")
    fresh_code()
    other = Tab(chromium, live)
    other.open("/account/login/")
    other.fill(login="100002", password="wrong password")
    other.press("サインイン")
    other.clean("9-wrong")
    other.fill(login="100002", password=PASSWORD)
    other.press("サインイン")
    other.clean("10-code")
    other.fill(code=codes(person.secret))
    other.press("確認する")
    other.open("/account/sessions/")
    assert other.page.locator("tbody tr").count() == 2
    other.clean("11-sessions")
    other.press("本人を確認して、端末をサインアウトする")
    fresh_code()
    other.fill(code=codes(person.secret))
    other.press("確認する")
    other.clean("11-sessions-fresh")
    other.press("すべての端末からサインアウト")
    assert other.heading() == "サインイン"
    tab.open("/account")
    assert tab.heading() == "サインイン"


def fresh_code() -> None:
    """A code is good once; another half minute begins."""
    from django.core.cache import cache

    cache.clear()


def test_a_vendors_system_asks_and_gets_its_answer_through_the_policy_of_the_page(
    chromium: Any, live: Live, person: Any
) -> None:
    from urllib.parse import urlencode

    back = "http://127.0.0.1:9/back"  # nobody answers there: the browser has to be let go
    assert live.house.city is not None
    client, _ = Clients(live.house.city).register(Wish("他社のシステム", (back,)), BY)
    anna, tab = person("100001"), Tab(chromium, live)
    asked = {
        "client_id": client,
        "redirect_uri": back,
        "response_type": "code",
        "scope": "openid profile",
        "state": "s" * 32,
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    tab.open("/identity/o/authorize?" + urlencode(asked))
    tab.fill(login=anna.number, password=PASSWORD)
    tab.press("サインイン")
    tab.fill(code=codes(anna.secret))
    tab.press("確認する")
    assert "他社のシステム" in tab.heading()
    tab.clean("12-consent")
    left: list[str] = []
    tab.page.on("request", lambda request: left.append(request.url))
    tab.reach("提供して続ける")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_event("requestfailed")
    assert any(each.startswith(back + "?code=") for each in left)


def test_the_pages_of_administrators_are_as_usable(chromium: Any, live: Live, person: Any) -> None:
    tab = Tab(chromium, live)
    tab.sign_in(person("900001"))
    tab.open("/duty?next=/operations/sign-in")
    tab.clean("13-accounts")
    assert "サインインの管理" in tab.heading()
    tab.press("サインインを連携するシステム")
    tab.clean("14-clients")
    for address in ("/account/password/change/", "/account/logout/"):
        tab.open(address)
        tab.clean("15-" + address.split("/")[2])
    tab.open("/account/2fa/totp/deactivate/")
    tab.clean("16-again")
    fresh_code()
