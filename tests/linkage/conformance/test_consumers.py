"""The kit passes a consumer that does right, and finds what each careless one does wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from kiban import cli, linkage
from kiban.kernel import Problem
from kiban.linkage import CLEAR, UNKNOWN, Contract, Contracts, Message, decode
from kiban.linkage.conformance import (
    HttpSubject,
    ReplicaSubject,
    Result,
    Subject,
    consumer_cases,
    door,
    report,
    verify_consumer,
)

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.mark.parametrize("place", range(4))
def test_the_kit_of_kiban_passes_every_case_of_every_sample(
    samples: Contracts, place: int, home: Path
) -> None:
    contract = samples.contracts[place]
    results = verify_consumer(consumer_cases(contract), ReplicaSubject(home, contract, lambda: NOW))
    assert len(results) >= 25
    assert [(each.id, each.faults) for each in results if not each.passed] == []


@pytest.mark.parametrize("seed", range(2))
def test_it_passes_whatever_is_invented(contract: Contract, seed: int, home: Path) -> None:
    results = verify_consumer(consumer_cases(contract, seed), ReplicaSubject(home, contract, lambda: NOW))
    assert [(each.id, each.faults) for each in results if not each.passed] == []


def test_cases_are_data_told_apart_by_their_names(contract: Contract) -> None:
    cases = consumer_cases(contract)
    assert consumer_cases(contract) == cases
    assert len({case.id for case in cases}) == len(cases)
    assert all(case.title and case.why for case in cases)


class Careless:
    """A consumer of a vendor in a hurry: takes every message as it comes. What it does right can be switched on."""

    def __init__(self, contract: Contract, *does: str) -> None:
        self.contract, self.does = contract, frozenset(does)
        self.begin()

    def begin(self) -> None:
        self.held: dict[str, Message] = {}
        self.done: list[str] = []
        self.known: dict[str, str] = {}
        self.heard = NOW
        self.parts: dict[tuple[str, str], list[dict[str, object]]] = {}

    def deliver(self, messages: Sequence[bytes]) -> Sequence[str]:
        return [self.take(each) for each in messages]

    def take(self, data: bytes) -> str:
        try:
            message = decode(data)
        except Problem:
            return "refused"
        before = self.held.get(message.unit)
        if "flow" in self.does and message.flow != self.contract.flow:
            return "refused"
        if "validate" in self.does and linkage.validate(self.contract, message):
            return "quarantined"
        if before is not None and "late" in self.does and message.event <= before.event:
            return "repeated" if message.event == before.event else "late"
        if "gap" in self.does and message.previous > (before.event if before else 0):
            return "held"
        self.held[message.unit] = message
        self.known[message.unit] = message.protection
        self.done.append(message.id)
        for name, rows in message.parts.items():
            self.parts[name, message.unit] = [dict(row) for row in rows]
            if "cut" in self.does:
                for row in self.parts[name, message.unit]:
                    row.update({key: value[:20] for key, value in row.items() if isinstance(value, str)})
        return "applied"

    def rows(self, feed: str) -> Sequence[dict[str, object]]:
        return [row for (name, _), rows in self.parts.items() if name == feed for row in rows]

    def effects(self) -> Sequence[str]:
        return self.done

    def hear(self, beat: bytes, now: datetime) -> None:
        self.heard = datetime.fromisoformat(json.loads(beat)["at"])

    def protection(self, unit: str, now: datetime) -> str:
        if "hear" in self.does and not timedelta() <= now - self.heard <= self.contract.patience:
            return UNKNOWN
        return self.known.get(unit, CLEAR)

    def restart(self) -> None:
        if "forget" in self.does:
            self.begin()


def failed(contract: Contract, *does: str) -> set[str]:
    results = verify_consumer(consumer_cases(contract), Careless(contract, *does))
    return {each.id for each in results if not each.passed}


ALL = ("flow", "validate", "late", "gap", "hear")
LACKS = {
    "late": {"doubled", "late", "no-resurrection"},
    "gap": {"gap", "gap-closed", "shuffled"},
    "flow": {"outside"},
    "hear": {"cut-off", "late-heartbeat", "clock-back"},
    "validate": {
        "bad-item-missing-jumin",
        "bad-unit-jumin",
        "bad-required-jumin",
        "bad-code-jumin",
        "bad-too-long-jumin",
        "bad-period-jumin",
        "bad-half-width-jumin",
    },
}


@pytest.mark.parametrize(("lack", "wanted"), LACKS.items(), ids=LACKS)
def test_a_consumer_that_leaves_something_out_is_found(
    contract: Contract, lack: str, wanted: set[str]
) -> None:
    does = [each for each in ALL if each != lack]
    assert wanted <= failed(contract, *does)


def test_a_consumer_that_forgets_over_a_restart_is_found(contract: Contract) -> None:
    assert "restart" in failed(contract, *ALL, "forget")


def test_a_consumer_that_cuts_long_values_is_found(contract: Contract) -> None:
    assert {"longest-jumin", "longest-setai"} <= failed(contract, *ALL, "cut")


def test_a_consumer_that_weakens_protection_is_found(contract: Contract) -> None:
    assert "protection-not-weakened" in failed(contract, *ALL)


def test_a_consumer_that_takes_withheld_addresses_is_found(samples: Contracts) -> None:
    assert "not-withheld" in failed(samples.flow("resident-library.v1"), "flow", "late", "gap")


def test_no_fault_tells_whose_it_is(contract: Contract) -> None:
    cases = consumer_cases(contract)
    units = {decode(each).unit for each in cases[0].steps[0].messages}
    results = verify_consumer(cases, Careless(contract))
    told = " ".join(fault for each in results for fault in each.faults)
    assert told
    assert not any(unit in told for unit in units)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Callable[[Subject], str]]:
    """Opens doors of consumers."""
    servers = []

    def serve(subject: Subject) -> str:
        server = make_server("127.0.0.1", 0, door(subject), handler_class=Quiet)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_consumer_is_tried_over_http_as_it_is_in_the_same_process(
    contract: Contract, served: Callable[[Subject], str], home: Path
) -> None:
    cases = consumer_cases(contract)[:8]
    url = served(ReplicaSubject(home, contract, lambda: NOW))
    assert all(each.passed for each in verify_consumer(cases, HttpSubject(url)))
    careless = served(Careless(contract))
    assert verify_consumer(cases, HttpSubject(careless)) == verify_consumer(cases, Careless(contract))


def test_a_consumer_that_does_not_answer_is_not_said_to_have_failed(contract: Contract) -> None:
    with pytest.raises(Problem, match="subject-unreachable"):
        verify_consumer(consumer_cases(contract), HttpSubject("http://127.0.0.1:9"))
    with pytest.raises(Problem, match="subject-address"):
        HttpSubject("file:///etc/passwd")


def test_a_consumer_that_breaks_fails_the_case_and_the_next_goes_on(
    contract: Contract, served: Callable[[Subject], str]
) -> None:
    class Breaking(Careless):
        def effects(self) -> Sequence[str]:
            raise KeyError

    first, second = verify_consumer(consumer_cases(contract)[:2], HttpSubject(served(Breaking(contract))))
    assert "subject-failed" in first.faults[-1]
    assert not second.passed


def test_the_report_says_what_passed_and_what_not(contract: Contract) -> None:
    results = verify_consumer(consumer_cases(contract), Careless(contract))
    page = report(contract, results, "<b>ある社</b>の税システム", "利用側", NOW)
    assert "不適合" in page
    assert "&lt;b&gt;ある社" in page
    assert "2026-11-24 12:00" in page
    assert "国の適合確認試験に代わるものではない" in page
    assert page.count(">不合格</span>") == sum(not each.passed for each in results)
    assert '<p class="notice">適合' in report(contract, [Result("a", "題", "理由", ())], "x", "利用側", NOW)


def test_a_vendor_verifies_at_the_terminal(
    contract: Contract,
    served: Callable[[Subject], str],
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KIBAN_CONTRACTS", raising=False)
    good, page = served(ReplicaSubject(home, contract, lambda: NOW)), tmp_path / "report.html"
    with pytest.raises(SystemExit) as end:
        cli.main(["link", "verify", "resident-tax.v1", "--consumer", good, "--out", str(page)])
    assert not end.value.code
    assert "利用側：適合" in capsys.readouterr().out
    assert "適合" in page.read_text("utf-8")
    with pytest.raises(SystemExit) as end:
        cli.main(["link", "verify", "resident-tax.v1", "--consumer", served(Careless(contract)), "--json"])
    assert end.value.code == 1
    assert any(each["faults"] for each in json.loads(capsys.readouterr().out))
