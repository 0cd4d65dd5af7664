"""The counter as CLERKS clerks use it for DURATION seconds, each signed in and thinking between pages, under granian."""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import requests

from bench import city, measure
from kiban import access, web
from kiban.access import Assignment, Office, Staff
from kiban.cli import served
from kiban.kernel import ALL_WARDS, Actor
from kiban.store import Store

_DURATION = float(os.environ.get("DURATION", "600"))
_WARM = float(os.environ.get("WARM", "10"))
"""Seconds before the first figure counts: a service that has just begun reads its pages and opens its connections."""
_CLERKS = int(os.environ.get("CLERKS", "50"))
_WORKERS = os.environ.get("WORKERS", "2")
_THINK = (1.0, 5.0)
_HALL = Actor("bench", None, ALL_WARDS, "計測", protected=True)
_KILO = 1024


def run(residents: int) -> None:
    """Latencies of searches and of pages of persons by CLERKS clerks at once, what they weigh, and how many went wrong."""
    with city.loaded(residents) as opened:
        home = city.given(residents).home
        cookies = _clerks(opened, home)
        people = _people(opened)
        with _served(home) as url:
            clerks = [_Clerk(url, cookie, people, seed) for seed, cookie in enumerate(cookies)]
            since = time.monotonic() + _WARM
            until = since + _DURATION
            with ThreadPoolExecutor(_CLERKS) as pool:
                done = list(pool.map(lambda clerk: clerk.work(since, until), clerks))
    for kind, goals in (("search", (150, 300)), ("person", (150, 300)), ("history", (None, None))):
        taken = sorted(each for figures in done for each in figures.taken[kind])
        if not taken:
            continue
        for share, goal in ((0.5, None), (0.95, goals[0]), (0.99, goals[1])):
            value = taken[min(len(taken) - 1, int(len(taken) * share))]
            measure.result(f"{kind} page, {_CLERKS} clerks, p{share * 100:.0f}", value, "ms", at_most=goal)
        measure.result(f"{kind} pages", len(taken), "pages")
    measure.result("pages that went wrong", sum(figures.wrong for figures in done), "pages", at_most=0)
    heaviest = max(figures.heaviest for figures in done) + _styles()
    measure.result("heaviest page with its styles", heaviest / _KILO, "KiB", at_most=200)
    for told in {each for figures in done for each in figures.told}:
        print(f"  {told}")


@dataclass
class _Figures:
    taken: dict[str, list[float]] = field(
        default_factory=lambda: {"search": [], "person": [], "history": [], "form": []}
    )
    wrong: int = 0
    heaviest: int = 0
    told: set[str] = field(default_factory=set)


class _Clerk:
    """One clerk with a browser of her own."""

    def __init__(self, url: str, cookie: str, people: list[dict[str, Any]], seed: int) -> None:
        self._url, self._people, self._chance = url, people, random.Random(seed)
        self._browser = requests.Session()
        self._browser.headers["Accept"] = "text/html"
        self._browser.cookies.set("kiban-session", cookie)
        self._figures, self._since = _Figures(), 0.0

    def work(self, since: float, until: float) -> _Figures:
        """Search, open a person, look at a history, and think in between; what went wrong counts from the first page on."""
        self._since = since
        time.sleep(self._chance.uniform(0, _THINK[1]))  # nobody begins in the same moment
        form = self._ask("GET", "/people", "form")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        assert token, f"no form: {form.status_code} {form.url}"
        while time.monotonic() < until:
            try:
                self._serve_somebody(token[1])
            except (requests.RequestException, AssertionError) as error:
                self._figures.wrong += 1
                self._figures.told.add(f"{type(error).__name__}: {str(error)[:200]}")
        return self._figures

    def _serve_somebody(self, token: str) -> None:
        somebody = self._chance.choice(self._people)
        page = self._ask("POST", "/people", "search", {**self._typed(somebody), "csrfmiddlewaretoken": token})
        self._think()
        handles = re.findall(r'href="(/people/at/[^"/?]+)"', page.text)
        if not handles:
            assert (
                "見つかりません" in page.text or "支援措置等" in page.text or "/people/found/" in page.text
            ), "a page of nothing"
            return
        if "/people/at/" not in page.url:
            page = self._ask("GET", self._chance.choice(handles), "person")
            self._think()
        if self._chance.random() < 0.3 and "/history" in page.text:
            self._ask("GET", re.findall(r'href="(/people/at/[^"/?]+/history)', page.text)[0], "history")
            self._think()

    def _typed(self, somebody: dict[str, Any]) -> dict[str, str]:
        how = self._chance.random()
        wide = {"wards": "all"} if self._chance.random() < 0.3 else {}
        if how < 0.3:
            return {"box": somebody["atenabango"], "wards": "all"}
        if how < 0.65:
            kana = somebody["shimei_furigana"]
            return {"box": kana[: self._chance.randint(4, len(kana))], **wide}
        return {"box": somebody["shimei"], **wide}

    def _ask(
        self, method: str, address: str, kind: str, form: dict[str, str] | None = None
    ) -> requests.Response:
        """One page, with the addresses that lead to it; a search by number ends at the person, whose page counts for itself."""
        began = time.perf_counter()
        answer = self._browser.request(
            method,
            self._url + address,
            data=form,
            headers={"Referer": self._url},
            allow_redirects=False,
            timeout=60,
        )
        while answer.is_redirect:
            onwards = answer.headers["Location"]
            if kind == "search" and onwards.startswith("/people/at/"):
                self._note(kind, began)
                kind, began = "person", time.perf_counter()
            answer = self._browser.get(self._url + onwards, allow_redirects=False, timeout=60)
        self._note(kind, began)
        assert answer.status_code in (200, 403), f"{kind}: {answer.status_code}"
        assert answer.status_code == 200 or "支援措置等" in answer.text, f"{kind}: refused"
        self._figures.heaviest = max(self._figures.heaviest, len(answer.content))
        return answer

    def _note(self, kind: str, began: float) -> None:
        if time.monotonic() >= self._since:
            self._figures.taken[kind].append((time.perf_counter() - began) * 1000)

    def _think(self) -> None:
        time.sleep(self._chance.uniform(*_THINK))


def _clerks(opened: Store, home: Path) -> list[str]:
    """Clerks of the ward offices, each signed in at work; the keys of their sessions."""
    secret = web.web_secret(home / "web.secret")
    with access.open_access(opened, access.seal(home / "access.key")) as given:
        with opened.session(_HALL) as session:
            wards = [
                row["gyoseikukodo"]
                for row in session.sql("SELECT gyoseikukodo FROM resident.gyoseiku ORDER BY 1")
            ]
        began = date(2020, 4, 1)
        offices = [
            Office("hall", "市役所", "city"),
            *(Office(f"w{w}", "区役所", "ward", "hall", w) for w in wards),
        ]
        numbers = [f"B{n:05}" for n in range(_CLERKS)]
        staff = [Staff(number, "計測　職員", "ケイソク　ショクイン", began) for number in numbers]
        duties = [
            Assignment(number, "resident-counter", f"w{wards[n % len(wards)]}", began)
            for n, number in enumerate(numbers)
        ]
        known = {office.id for office in given.people.offices()}
        if "hall" not in known:
            given.people.apply([*offices, *staff, *duties], "bench", datetime.now(UTC))
        elif missing := [each for each in staff if not given.people.assignments(each.number)]:
            wanted = {each.number for each in missing}
            given.people.apply(
                [*missing, *(d for d in duties if d.staff in wanted)], "bench", datetime.now(UTC)
            )
        assignments = {number: given.people.assignments(number)[0].id for number in numbers}
    web.install_accounts(opened, secret)
    found: list[str] = []
    maker = threading.Thread(target=lambda: found.extend(_sessions(assignments)))
    maker.start()
    maker.join()
    assert len(found) == _CLERKS
    return found


def _sessions(assignments: dict[str, int]) -> Iterator[str]:
    """Sessions as a sign-in with two factors and the choice of a duty leave them."""
    from django.conf import settings  # noqa: PLC0415 - only where Django is set up
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: PLC0415 - only where Django is set up
    from django.contrib.sessions.backends.db import SessionStore  # noqa: PLC0415 - only where Django is set up
    from django.db import connections  # noqa: PLC0415 - only where Django is set up

    from kiban.web.signin.models import Account  # noqa: PLC0415 - only where Django is set up

    for number, assignment in assignments.items():
        account, _ = Account.objects.get_or_create(number=number)
        session = SessionStore()
        session[SESSION_KEY] = str(account.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = account.get_session_auth_hash()
        session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": 0}]
        session["account_authentication_methods_user"] = str(account.pk)
        session["kiban.assignment"] = [assignment, "住民基本台帳事務"]
        session.save()
        yield str(session.session_key)
    connections.close_all()


def _people(opened: Store) -> list[dict[str, Any]]:
    """Residents drawn by their places, evenly over the register."""
    with opened.session(_HALL) as session:
        return session.sql(
            "SELECT atenabango, shimei, shimei_furigana FROM resident.jumin TABLESAMPLE SYSTEM (5) REPEATABLE (1) "
            "WHERE closed_by IS NULL AND valid_to = 'infinity' AND shimei IS NOT NULL AND length(shimei_furigana) > 4 LIMIT 20000"
        )


@contextmanager
def _served(home: Path) -> Iterator[str]:
    """`kiban serve` in processes of its own; the address."""
    environ = {**os.environ, "KIBAN_HOME": str(home)}
    options = ["--workers", _WORKERS, "--title", "計測市"]
    with served.served(options, environ, home / "pages.log") as port:
        yield f"http://localhost:{port}"


def _styles() -> int:
    folder = Path(web.__file__).parent / "pages" / "static"
    return sum(path.stat().st_size for path in folder.rglob("*.css"))
