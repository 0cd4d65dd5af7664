"""The kit looks at sets of a provider and lays sets before a consumer: ours pass, each careless one is caught."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from typer.testing import CliRunner

from kiban import cli, main, sets
from kiban.kernel import Problem
from kiban.linkage import Contract, Contracts, Protection, files
from kiban.linkage.conformance import (
    HttpSubject,
    Maker,
    ReplicaSubject,
    Result,
    door,
    verify_sets,
    verify_taking,
)
from kiban.linkage.conformance.making_sets import damaged
from kiban.linkage.conformance.sets_taken import CHECKS

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)


@pytest.fixture
def flow(samples: Contracts) -> Contract:
    return samples.flow("resident-tax.v1")


@pytest.fixture
def maker(samples: Contracts, flow: Contract, home: Path) -> Maker:
    (home / "making").mkdir(parents=True)
    return Maker(flow, main.codec(samples, flow), home / "making", NOW)


@pytest.fixture
def shelf(home: Path) -> sets.Shelf:
    return sets.open_shelf(home / "shelf", make=True)


def desk(maker: Maker) -> files.Intake:
    return files.Intake(maker.codec, maker.scratch, lambda: NOW, unsigned=True)


def failed(results: tuple[Result, ...]) -> set[str]:
    return {each.id for each in results if not each.passed}


def looked_at(maker: Maker, shelf: sets.Shelf, home: Path, contract: Contract | None = None) -> set[str]:
    folder = home / f"look{len(list(home.iterdir()))}"
    folder.mkdir()
    results = verify_sets(contract or maker.contract, shelf, desk(maker), folder)
    return failed(results)


def test_right_sets_of_a_provider_pass_and_its_shelf_stays_as_it_is(
    maker: Maker, shelf: sets.Shelf, home: Path
) -> None:
    maker.put(shelf, maker.rows(8), (1, 0))
    maker.put(shelf, maker.rows(9), (1, 1))
    before = shelf.sizes("")
    assert looked_at(maker, shelf, home) == set()
    assert shelf.sizes("") == before


def _nothing(maker: Maker, shelf: sets.Shelf) -> None:
    pass


def _lost(maker: Maker, shelf: sets.Shelf) -> None:
    damaged(shelf, maker.put(shelf, maker.rows(8), (1, 0))[0], lost=True)


def _changed(maker: Maker, shelf: sets.Shelf) -> None:
    damaged(shelf, maker.put(shelf, maker.rows(8), (1, 0))[0], lost=False)


def _gap(maker: Maker, shelf: sets.Shelf) -> None:
    maker.put(shelf, maker.rows(8), (1, 0))
    maker.put(shelf, maker.rows(9), (1, 2))


def _other_rows(maker: Maker, shelf: sets.Shelf) -> None:
    rows = maker.rows(8)
    maker.put(shelf, rows, (1, 0), other={name: some[1:] for name, some in rows.items()})


def _gone(maker: Maker, shelf: sets.Shelf) -> None:
    maker.put(shelf, maker.rows(8), (1, 0))
    maker.put(shelf, {name: some[: len(some) // 2] for name, some in maker.rows(8).items()}, (2, 0))


def _bad_value(maker: Maker, shelf: sets.Shelf) -> None:
    rows = {name: [dict(row) for row in some] for name, some in maker.rows(8).items()}
    rows["jumin"][0]["seibetsu"] = "Z"
    maker.put(shelf, rows, (1, 0))


def _other_contract(maker: Maker, shelf: sets.Shelf) -> None:
    feeds = tuple(feed for feed in maker.contract.feeds if feed.name == "jumin")
    replace(maker, contract=replace(maker.contract, feeds=feeds)).put(shelf, maker.rows(8), (1, 0))


CARELESS: dict[str, tuple[Callable[[Maker, sets.Shelf], None], set[str]]] = {
    "nothing was laid there": (_nothing, {"there"}),
    "a part is missing": (_lost, {"whole"}),
    "a byte has changed": (_changed, {"whole"}),
    "a delta follows nothing": (_gap, {"order"}),
    "digests are of other rows": (_other_rows, {"rows"}),
    "units vanish without a word": (_gone, {"ends"}),
    "a value is no code": (_bad_value, {"content"}),
    "a group is missing": (_other_contract, {"form"}),
}


@pytest.mark.parametrize(("made", "wanted"), CARELESS.values(), ids=CARELESS)
def test_each_careless_provider_is_caught(
    maker: Maker, shelf: sets.Shelf, home: Path, made: Callable[[Maker, sets.Shelf], None], wanted: set[str]
) -> None:
    made(maker, shelf)
    assert looked_at(maker, shelf, home) == wanted


def test_an_address_of_a_protected_person_is_found(maker: Maker, shelf: sets.Shelf, home: Path) -> None:
    maker.put(shelf, maker.rows(8), (1, 0))
    hides = Protection(True, {"jumin": frozenset({"jusho_choaza"})})
    strict = replace(maker.contract, protection=hides)
    assert looked_at(maker, shelf, home, strict) == set()  # nobody of them is protected
    from kiban.linkage.files import companions

    one = str(maker.rows(8)["jumin"][0]["atenabango"])
    known = files.Protected({one: ("protected", 3)}, "clear")
    written = companions.protection_csv
    companions.protection_csv = lambda _: written(known)  # type: ignore[assignment]
    try:
        maker.put(shelf, maker.rows(8), (2, 0))
    finally:
        companions.protection_csv = written
    assert looked_at(maker, shelf, home, strict) == {"protection"}


def test_our_own_consumer_passes(maker: Maker, shelf: sets.Shelf, home: Path) -> None:
    subject = ReplicaSubject(home, maker.contract, lambda: NOW)
    subject.begin()
    results = verify_taking(maker, shelf, lambda: subject.take(shelf, desk(maker)))
    assert [(each.id, each.faults) for each in results if not each.passed] == []
    assert {each.id for each in results} == CHECKS.keys()
    with pytest.raises(Problem, match="holds sets of the flow already"):
        verify_taking(maker, shelf, lambda: None)


class Hasty:
    """A consumer that says of every set that it applied it; what it does right can be switched on."""

    def __init__(self, maker: Maker, shelf: sets.Shelf, *does: str) -> None:
        self.maker, self.shelf, self.does = maker, shelf, does

    def take(self) -> None:
        for position in sets.positions(self.shelf, self.maker.contract.flow):
            manifest = sets.find(self.shelf, self.maker.contract.flow, *position)
            wrong = sets.verify(self.shelf, manifest, scratch=self.maker.scratch, unsigned=True)
            problems = tuple(each.code for each in wrong) if "verify" in self.does else ()
            held = (1, "0" * 64)
            if "digest" in self.does and not problems:
                said = files.about_of(self.shelf, manifest, self.maker.scratch)
                held = (said.rows, said.digest)
            states: tuple[Any, ...] = ("received",) if problems else ("received", "validated", "applied")
            for state in states:
                rows, digest = held if state == "applied" else (None, None)
                receipt = sets.Receipt(
                    set_id=manifest.set_id, system=self.maker.contract.consumer.id, state=state, at=NOW,
                    problems=problems, rows=rows, digest=digest,
                )  # fmt: skip
                if not any(
                    (one.system, one.state) == (receipt.system, state)
                    for one in sets.receipts(self.shelf, manifest.set_id)
                ):
                    sets.file_receipt(self.shelf, receipt)


def test_a_hasty_consumer_is_caught(maker: Maker, shelf: sets.Shelf, home: Path) -> None:
    wrong = failed(verify_taking(maker, shelf, Hasty(maker, shelf).take))
    assert wrong == CHECKS.keys() - {"repeated"}
    other = sets.open_shelf(home / "other", make=True)
    wrong = failed(verify_taking(maker, other, Hasty(maker, other, "verify", "digest").take))
    assert wrong == {"rows-other"}
    third = sets.open_shelf(home / "third", make=True)
    assert failed(verify_taking(maker, third, lambda: None)) == CHECKS.keys() - {"repeated", "gap", "stale"}


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def door_of(maker: Maker, shelf: sets.Shelf, home: Path) -> Iterator[str]:
    subject = ReplicaSubject(home, maker.contract, lambda: NOW)
    application = door(subject, lambda: subject.take(shelf, desk(maker)))
    with make_server("127.0.0.1", 0, application, handler_class=_Silent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_consumer_is_reached_by_its_door_and_by_the_command(
    maker: Maker, shelf: sets.Shelf, door_of: str
) -> None:
    HttpSubject(door_of).begin()
    command = ["link", "verify", maker.contract.flow, "--sets", str(shelf.place), "--json"]
    done = CliRunner().invoke(cli.app, [*command, "--consumer", door_of])
    assert done.exit_code == 0, done.output
    looked = CliRunner().invoke(
        cli.app, command
    )  # what was laid there for the test is not that of a good provider
    assert looked.exit_code == 1 and '"id": "whole"' in looked.output
