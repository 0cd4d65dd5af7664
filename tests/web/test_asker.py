"""A consumer with evidence of its own: every question and answer stands in both ledgers, and they say the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import make_server

import pytest

from kiban.kernel import Problem
from kiban.linkage import evidence
from kiban.linkage.api import Asker, Why
from kiban.linkage.evidence import BookLedger, FileLedger

from .conftest import Live, _Quiet
from .test_link import asked, number
from .test_numbering_api import city_down

WHY = Why("利用カードの発行", "職員１", "令和8-123")
FLOW = "resident-library.v1"
__all__ = ["city_down"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[FileLedger]:
    opened = FileLedger.open(tmp_path / "evidence.sqlite", "L01")
    yield opened
    opened.close()


def asker(served: Live, write: Any, **changed: Any) -> Asker:
    contract = replace(served.contract, **changed)
    given = served.library
    return Asker(served.url, contract, given.client_id, given.secret, write, served.clock)


@pytest.fixture
def matched(served: Live, ledger: FileLedger) -> Any:
    """What differs between the two ledgers, of what was asked in this test."""
    books, before = BookLedger(served.books), BookLedger(served.books).head()[0]

    def differences() -> list[tuple[str, str]]:
        items = {entry.line.item for entry in ledger.entries()} | {e.line.item for e in books.entries(before)}
        day = evidence.day_of(evidence.stamp(served.clock()))
        found = evidence.match(books, ledger, day, [FLOW]).differences
        return [(each.what, each.sender) for each in found if each.item in items]

    return differences


def test_both_sides_have_the_same_lines_before_anybody_uses_the_answer(
    served: Live, ledger: FileLedger, matched: Any
) -> None:
    consumer = asker(served, ledger.append)
    for n in (1, 2, 3):
        told = consumer.ask("jumin", asked(n), WHY)
        assert [row["unit"] for row in told["rows"]] == [number(n)]
    assert [(e.line.direction, e.line.outcome) for e in ledger.entries()] == [
        ("sent", "offered"), ("received", "accepted"),
    ] * 3  # fmt: skip
    assert matched() == []


def test_a_refused_question_stands_on_both_sides_and_its_reason_is_told(
    served: Live, ledger: FileLedger, matched: Any
) -> None:
    consumer = asker(served, ledger.append)
    for wrong in ({"fields": []}, asked(1, known="2999-01-01T00:00:00Z"), asked(1, after="x")):
        with pytest.raises(Problem) as refused:
            consumer.ask("jumin", wrong, WHY)
        assert refused.value.code in ("fields-missing", "known-future", "after-unreadable")
    assert matched() == []


def test_a_question_that_found_no_service_shows_as_unmatched(
    served: Live, ledger: FileLedger, matched: Any, city_down: Any
) -> None:
    with pytest.raises(Problem, match="503"):
        asker(served, ledger.append).ask("jumin", asked(1), WHY)
    assert matched() == [("sent-not-received", "L01")]


def test_without_evidence_nothing_is_asked(served: Live) -> None:
    def full(_: Any) -> None:
        raise Problem("database-full", "the disk is full")

    before = BookLedger(served.books).head()
    with pytest.raises(Problem, match="database-full"):
        asker(served, full).ask("jumin", asked(1), WHY)
    assert BookLedger(served.books).head() == before


def test_a_wrong_secret_and_a_service_that_is_gone_are_told(served: Live, ledger: FileLedger) -> None:
    given = served.library
    wrong = Asker(served.url, served.contract, given.client_id, "x" * 43, ledger.append, served.clock)
    with pytest.raises(Problem, match="invalid-client"):
        wrong.ask("jumin", asked(1), WHY)
    gone = Asker(
        "http://127.0.0.1:1", served.contract, given.client_id, given.secret, ledger.append, served.clock
    )
    with pytest.raises(Problem, match="service-unreachable"):
        gone.ask("jumin", asked(1), WHY)
    with pytest.raises(Problem, match="service-insecure"):
        Asker(
            "http://api.example", served.contract, given.client_id, given.secret, ledger.append, served.clock
        )
    assert ledger.head()[0] == 0


def test_an_answer_to_another_system_is_not_used(served: Live, ledger: FileLedger) -> None:
    other = replace(served.contract.consumer, id="X01")
    with pytest.raises(Problem, match="answer-unbound"):
        asker(served, ledger.append, consumer=other).ask("jumin", asked(1), WHY)
    assert [entry.line.direction for entry in ledger.entries()] == ["sent"]


def test_nothing_is_asked_where_a_service_sends_on_to(ledger: FileLedger, served: Live) -> None:
    asked: list[str] = []

    def onwards(environ: dict[str, Any], start: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start("302 Found", [("Location", "/elsewhere")])
        return [b""]

    with make_server("127.0.0.1", 0, onwards, handler_class=_Quiet) as server:
        Thread(target=server.serve_forever, args=(0.05,)).start()
        url = f"http://127.0.0.1:{server.server_port}"
        given = served.library
        with pytest.raises(Problem, match="HTTP 302"):
            Asker(url, served.contract, given.client_id, given.secret, ledger.append, served.clock).ask(
                "jumin", {}, WHY
            )
        server.shutdown()
    assert asked == ["/oauth/token"]
