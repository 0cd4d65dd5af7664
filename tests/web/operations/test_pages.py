"""Those who audit and run the city: each sees the pages of the own duty, nobody else does, and every look is written down."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL
from tests.web.housing import Client

from kiban import linkage, web
from kiban.access import audit
from kiban.access.audit import Wanted
from kiban.kernel import JAPAN, AsOf, Problem

AUDITOR, RUNNER, MANAGER, CLERK = "900003", "900004", "900001", "100001"
SUBJECT = "1".zfill(15)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def city(house: web.House) -> web.City:
    assert house.city is not None
    return house.city


@pytest.fixture
def auditor(client: Client) -> Client:
    return client.work(AUDITOR)


PAGES = {
    "/operations/audit": AUDITOR,
    "/operations/audit/lines": AUDITOR,
    "/operations/audit/kin": AUDITOR,
    "/operations/link": RUNNER,
    "/operations/migrations": RUNNER,
    "/operations/standards": RUNNER,
    "/operations/accounts": MANAGER,
    "/operations/accounts/offices": MANAGER,
}


@pytest.mark.parametrize(("address", "whose"), PAGES.items())
def test_a_page_is_seen_by_whose_duty_it_is_and_by_no_clerk(client: Client, address: str, whose: str) -> None:
    assert client.work(whose).get(address).status_code == 200
    assert client.work(CLERK).get(address).status_code == 403


@pytest.mark.parametrize(
    "question", ["lines", "who", "night", "failed", "lock-outs", "mass", "kin", "exports", "lifts"]
)
def test_every_question_has_a_form_and_an_answer_and_leaves_a_line(
    auditor: Client, house: web.House, question: str
) -> None:
    address = f"/operations/audit/{question}"
    assert "初めの日" in text(auditor.get(address))
    asked = {"subject": SUBJECT, "since": "2026-11-01", "until": "2026-11-24"}
    answer = auditor.post(address, asked)
    assert answer.status_code == 200, text(answer)
    [last, *_] = city(house).audit.lines(Wanted(actor=AUDITOR)).entries
    assert (last.line.business, last.line.detail["what"], last.line.subjects) == (
        "audit",
        question,
        (SUBJECT,),
    )
    assert last.line.duty == "audit" and last.line.session


def test_who_looked_at_a_person_is_found_and_no_number_stands_in_an_address(
    auditor: Client, house: web.House
) -> None:
    with city(house).store.session(CITY_HALL) as session:
        assert session.read("resident.jumin", AsOf(datetime.now(UTC).date()), atenabango=SUBJECT)
    page = text(auditor.post("/operations/audit/who", {"subject": SUBJECT}))
    assert "resident.jumin" in page and SUBJECT in page
    assert f"={SUBJECT}" not in page and f"/{SUBJECT}" not in page


def test_pages_follow_each_other_and_an_empty_answer_says_so(auditor: Client, house: web.House) -> None:
    now = datetime.now(UTC)
    for n in range(70):
        city(house).audit.write(audit.Line("print", "done", "paging", now, request=f"P{n:02}"))
    first = text(auditor.post("/operations/audit/lines", {"actor": "paging"}))
    assert "P69" in first and "P20" in first and "P19" not in first and "次のページ" in first
    mark = first.split('name="before" value="')[1].split('"')[0]
    second = text(auditor.post("/operations/audit/lines", {"actor": "paging", "before": mark}))
    assert "P19" in second and "P00" in second and "次のページ" not in second
    assert "該当するものはありません" in text(auditor.post("/operations/audit/lines", {"actor": "nobody"}))


@pytest.mark.parametrize(
    "asked",
    [
        {"since": "yesterday"},
        {"since": "2026-11-24", "until": "2026-11-01"},
        {"since": "2020-01-01", "until": "2026-01-01"},
        {"before": "x"},
        {"actor": "a\x01b"},
        {"actor": "1" * 12},
        {"subject": "9" * 65},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_told_beside_the_form(auditor: Client, asked: dict[str, str]) -> None:
    answer = auditor.post("/operations/audit/lines", asked)
    assert answer.status_code == 400
    assert 'role="alert"' in text(answer)


def test_the_trail_is_verified_on_the_page(auditor: Client, house: web.House) -> None:
    keeping = city(house).keeping
    assert keeping is not None
    ledger, keeper, now = audit.Ledger(city(house).audit), audit.keeper(keeping), datetime.now(UTC)
    audit.seal_trail(ledger, keeper, now)
    yesterday = (now.astimezone(JAPAN) - timedelta(days=1)).date()
    if not ledger.roots():
        audit.sign_day(ledger, keeper, yesterday, now)
    assert "誤りはありません" in text(auditor.post("/operations/audit/verify"))
    given = auditor.get(f"/operations/audit/roots/{yesterday}")
    assert given.json()["day"] == str(yesterday)
    assert auditor.get("/operations/audit/roots/2020-01-01").status_code == 404


def test_a_packet_is_shown_as_it_was_handed_over_and_nothing_else_is(
    client: Client, house: web.House
) -> None:
    migrations = city(house).migrations
    assert migrations is not None
    packet = migrations / "juki" / "packet"
    packet.mkdir(parents=True, exist_ok=True)
    (packet / "packet.html").write_text("<p>確認書</p>")
    (packet / "secret.txt").write_text("x")
    runner = client.work(RUNNER)
    assert "juki" in text(runner.get("/operations/migrations"))
    shown = runner.get("/operations/migrations/juki/packet.html")
    assert "確認書" in text(shown) and "sandbox" in shown["Content-Security-Policy"]
    for other in (
        "juki/secret.txt",
        "juki/packet.pdf",
        "../packet.html",
        "%2e%2e/packet.html",
        "other/packet.html",
    ):
        assert runner.get(f"/operations/migrations/{other}").status_code == 404


def test_editions_are_listed_with_their_items_and_compared(client: Client) -> None:
    runner = client.work(RUNNER)
    assert "適用中" in text(runner.get("/operations/standards"))
    page = text(runner.get("/operations/standards/resident/kiban-2026.1"))
    assert "atenabango" in page and "次のページ" in page
    pair = {"old": "resident/kiban-2026.1", "new": "resident/kiban-2026.2"}
    assert "影響" in text(runner.post("/operations/standards/difference", pair))
    other = {**pair, "new": "nonresident_addressee/kiban-api-2.0"}
    assert runner.post("/operations/standards/difference", other).status_code == 400
    assert runner.post("/operations/standards/difference", {**pair, "new": "x"}).status_code == 404


def test_a_server_without_the_key_says_that_it_cannot_verify(house: web.House) -> None:
    without = replace(house, city=replace(city(house), keeping=None, migrations=None))
    auditor = Client(without).work(AUDITOR)
    assert "ここでは検証できません" in text(auditor.get("/operations/audit"))
    assert auditor.post("/operations/audit/verify").status_code == 404
    assert "設定されていません" in text(Client(without).work(RUNNER).get("/operations/migrations"))


def test_the_linkage_says_that_it_is_not_set_up_instead_of_an_empty_list(client: Client) -> None:
    assert "連携が設定されていません" in text(client.work(RUNNER).get("/operations/link"))


def test_flows_are_told_with_what_is_to_be_done_and_a_dead_back_end_is_no_empty_list(
    house: web.House,
) -> None:
    opened = city(house).store
    with linkage.open_linkage(opened) as books:
        contracts = linkage.load_contracts([linkage.SAMPLES], opened.library)
        views = linkage.status.views(opened, books, list(contracts)[:1], None, datetime.now(UTC))

    def runner(flows: Any) -> Client:
        return Client(replace(house, city=replace(city(house), flows=flows))).work(RUNNER)

    page = text(runner(lambda: views).get("/operations/link"))
    assert views[0].contract.title in page and "変更の配信がまだ始まっていません" in page

    def dead() -> Any:
        raise Problem("database-unreachable", "the database does not answer", fix="wait")

    answer = runner(dead).get("/operations/link")
    assert answer.status_code == 503 and "該当者がいないのではありません" in text(answer)


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), Problem("shelf-unreadable", "no shelf", fix="see it")],
    ids=["mistake", "problem"],
)
def test_a_page_that_fails_leaves_a_line_with_the_number_that_it_shows(
    house: web.House, error: Exception
) -> None:
    def broken() -> Any:
        raise error

    answer = (
        Client(replace(house, city=replace(city(house), flows=broken))).work(RUNNER).get("/operations/link")
    )
    assert answer.status_code in (500, 503)
    [last, *_] = city(house).audit.lines(Wanted(actor=RUNNER, kinds=("error",))).entries
    assert last.line.detail["problem"] == getattr(error, "code", "mistake")
    assert last.line.request and last.line.request in text(answer)


def test_a_duty_is_given_and_ended_with_its_lines(client: Client, house: web.House) -> None:
    manager = client.work(MANAGER)
    today = datetime.now(UTC).astimezone(JAPAN).date()
    last = today + timedelta(days=30)
    given = {"duty": "euc", "office": "east-residents", "start": str(today), "end": str(last)}
    assert manager.post(f"/operations/accounts/{CLERK}", given).status_code == 302
    [found] = [each for each in city(house).people.assignments(CLERK) if each.duty == "euc"]
    assert found.end == last + timedelta(days=1)
    assert manager.post(f"/operations/accounts/{CLERK}", {"ends": str(found.id)}).status_code == 302
    lines = city(house).audit.lines(Wanted(actor=MANAGER, kinds=("setting",))).entries
    whats = [each.line.detail["what"] for each in lines if "what" in each.line.detail]
    assert whats[:2] == [  # the newest; others of the process may have been here before
        "end-duty",
        "give-duty",
    ]
    assert {each.line.detail.get("act") for each in lines} >= {"people"}


@pytest.mark.parametrize(
    "asked",
    [
        {"duty": "king", "office": "hall", "start": "2026-11-24"},
        {"ends": "999999"},
        {"duty": "euc", "office": "x", "start": "soon"},
    ],
)
def test_a_change_that_cannot_be_is_refused_and_told(client: Client, asked: dict[str, str]) -> None:
    answer = client.work(MANAGER).post(f"/operations/accounts/{CLERK}", asked)
    assert answer.status_code == 400 and 'role="alert"' in text(answer)


def test_nobody_gives_herself_a_duty(client: Client, house: web.House) -> None:
    manager = client.work(MANAGER)
    given = {"duty": "audit", "office": "hall", "start": "2026-11-24"}
    assert manager.post(f"/operations/accounts/{MANAGER}", given).status_code == 400
    assert all(each.duty == "accounts" for each in city(house).people.assignments(MANAGER))
    [last, *_] = city(house).audit.lines(Wanted(actor=MANAGER, kinds=("setting",))).entries
    assert last.line.outcome == "refused"


def test_a_number_that_nobody_has_is_no_page(client: Client) -> None:
    assert client.work(MANAGER).get("/operations/accounts/424242").status_code == 404


def test_names_are_shown_as_text(client: Client, house: web.House) -> None:
    city(house).audit.write(
        audit.Line("print", "done", "tester", datetime.now(UTC), purpose="<script>alert(1)</script>")
    )
    page = text(client.work(AUDITOR).post("/operations/audit/lines", {"actor": "tester"}))
    assert "<script>alert" not in page and "&lt;script&gt;" in page
