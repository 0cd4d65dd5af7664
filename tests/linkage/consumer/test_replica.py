"""What a consumer holds: each message with effect once, never an older state over a newer, never half of anything."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.killing import copies
from tests.linkage.flows import contract, message, resident

from kiban import sets, standard, store
from kiban.kernel import Problem
from kiban.linkage import Contract, Message, consumer
from kiban.linkage.consumer import Replica

NOW = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def flow(library: standard.Library) -> Contract:
    return contract(library)


@pytest.fixture
def replica(tmp_path: Path, flow: Contract) -> Iterator[Replica]:
    with Replica.open(tmp_path / "tax", flow) as opened:
        yield opened


def digest(replica: Replica) -> dict[str, list[str]]:
    """The digests of all rows of each feed, sorted."""
    found = {}
    for feed in replica.contract.feeds:
        columns = store.digest_columns(feed.group, feed.columns)
        rows = [row for batch in replica.batches(feed.name) for row in batch.to_pylist()]
        found[feed.name] = sorted(sets.row_digest(list(row.values()), columns) for row in rows)
    return found


def names(replica: Replica, unit: str) -> list[Any]:
    return [row["shimei"] for row in replica.rows("jumin", unit)]


def test_a_message_puts_all_rows_of_its_unit_in_the_place_of_the_old(
    replica: Replica, flow: Contract
) -> None:
    first = message(flow, "A", 5, 0)
    moved = {"jumin": [resident("A", "前", valid_to="2026-01-01"), resident("A", "後", "2026-01-01")]}
    second = message(flow, "A", 7, 5, moved)
    assert replica.take([first], NOW).applied == (first.id,)
    assert names(replica, "A") == ["名5"] and replica.version("A") == 5
    assert replica.take([second], NOW).applied == (second.id,)
    assert replica.rows("jumin", "A") == moved["jumin"]
    assert replica.take([message(flow, "A", 8, 7, {"jumin": []})], NOW).applied
    assert replica.rows("jumin", "A") == [] and replica.version("A") == 8


def test_a_repeat_is_quiet_and_another_message_of_its_event_is_noted(
    replica: Replica, flow: Contract
) -> None:
    sent = message(flow, "A", 5, 0)
    replica.take([sent], NOW)
    assert replica.take([sent, replace(sent, replay=True)], NOW).repeated == (sent.id, sent.id)
    other = message(flow, "A", 5, 0, {"jumin": [resident("A", "別")]})
    assert replica.take([other], NOW).late == (other.id,)
    assert names(replica, "A") == ["名5"]


def test_what_has_a_gap_before_it_waits_until_the_gap_is_filled(replica: Replica, flow: Contract) -> None:
    one, two, three = (message(flow, "A", *at) for at in ((5, 0), (7, 5), (9, 7)))
    assert replica.take([three, message(flow, "B", 8, 0)], NOW).held == (three.id,)
    assert names(replica, "B") == ["名8"]
    (waiting,) = replica.units_waiting()
    assert (waiting.unit, waiting.event, waiting.missing, waiting.reason) == ("A", 9, 7, None)
    assert replica.take([one], NOW).applied == (one.id,)
    assert replica.take([two], NOW).applied == (two.id, three.id)
    assert names(replica, "A") == ["名9"] and replica.units_waiting() == []


def test_bad_content_makes_only_its_unit_wait(replica: Replica, flow: Contract) -> None:
    bad = message(flow, "A", 5, 0, {"jumin": [resident("B")]})
    behind, other = message(flow, "A", 6, 5), message(flow, "B", 7, 0)
    taken = replica.take([bad, behind, other], NOW)
    assert taken.quarantined == ((bad.id, "message-unit"),)
    assert taken.held == (behind.id,) and taken.applied == (other.id,)
    (waiting,) = replica.units_waiting()
    assert (waiting.unit, waiting.reason, waiting.behind) == ("A", "message-unit", 1)
    assert replica.release("A", NOW).quarantined == ((bad.id, "message-unit"),)
    whole = message(flow, "A", 6, 0, {"jumin": [resident("A", "新")], "ido": []}, replay=True)
    assert replica.take([whole], NOW).applied == (whole.id,)
    assert names(replica, "A") == ["新"] and replica.units_waiting() == []


def test_a_mended_contract_releases_what_was_quarantined(tmp_path: Path, flow: Contract) -> None:
    strict = Replica.open(tmp_path, flow, lambda *_: [Problem("quality-rule", "refused")])
    one, two = message(flow, "A", 5, 0), message(flow, "A", 6, 5)
    strict.take([one, two], NOW)
    strict.close()
    with Replica.open(tmp_path, flow) as mended:
        assert mended.release("A", NOW).applied == (one.id, two.id)
        assert names(mended, "A") == ["名6"]


def test_a_whole_replay_mends_a_drifted_unit_but_is_never_put_over_a_newer_one(
    replica: Replica, flow: Contract
) -> None:
    replica.take([message(flow, "A", 5, 0, {"jumin": [resident("A", "ずれ")]})], NOW)
    whole = message(flow, "A", 5, 0, {"jumin": [resident("A", "正")], "ido": []}, replay=True)
    assert replica.take([whole], NOW).applied == (whole.id,)
    assert names(replica, "A") == ["正"]
    replica.take([message(flow, "A", 6, 5)], NOW)
    assert replica.take([whole], NOW).applied == ()
    assert names(replica, "A") == ["名6"]
    assert [effect.event for effect in replica.effects()] == [5, 6]


def chain(flow: Contract) -> list[Message]:
    """A run of messages of a few units, with tombstones, a part that only some carry, and one that is bad."""
    chance = random.Random(1)
    last: dict[str, int] = {}
    run = []
    for event in range(1, 40):
        unit = chance.choice("ABCDE")
        parts: dict[str, Any] = {"jumin": [] if chance.random() < 0.2 else [resident(unit, f"名{event}")]}
        if chance.random() < 0.3:
            moves = [{"idobango": f"I{event}", "atenabango": unit, "idojiyu": "11", "idonengappi": None}]
            parts["ido"] = moves
        if event == 30:
            parts = {"jumin": [resident("?")]}
        run.append(message(flow, unit, event, last.get(unit, 0), parts))
        last[unit] = event
    return run


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_any_shuffling_and_repetition_ends_in_the_same(
    tmp_path_factory: Any, flow: Contract, chance: random.Random, size: int
) -> None:
    run = chain(flow)
    with Replica.open(tmp_path_factory.mktemp("straight"), flow) as straight:
        straight.take(run, NOW)
        wanted = (
            digest(straight),
            [straight.version(u) for u in "ABCDE"],
            sorted(map(repr, straight.units_waiting())),
        )
        effects = sorted(effect.message for effect in straight.effects())
        sums = (straight.tally(0) or pytest.fail()).content
    mixed = run + chance.choices(run, k=20)
    chance.shuffle(mixed)
    with Replica.open(tmp_path_factory.mktemp("mixed"), flow) as shuffled:
        before: dict[str, int] = {}
        for start in range(0, len(mixed), size):
            shuffled.take(mixed[start : start + size], NOW)
            now = {unit: shuffled.version(unit) for unit in "ABCDE"}
            assert all(now[unit] >= before.get(unit, 0) for unit in now)
            before = now
        found = (
            digest(shuffled),
            [shuffled.version(u) for u in "ABCDE"],
            sorted(map(repr, shuffled.units_waiting())),
        )
        assert found == wanted
        assert sorted(effect.message for effect in shuffled.effects()) == effects
        assert (shuffled.tally(0) or pytest.fail()).content == sums


def test_protection_is_never_weakened_by_an_older_state(replica: Replica, flow: Contract) -> None:
    assert replica.protection_held("A") == ("unknown", -1)
    assert replica.protect("A", "protected", 5, NOW)
    assert not replica.protect("A", "clear", 4, NOW) and not replica.protect("A", "clear", 5, NOW)
    replica.take([message(flow, "A", 9, 0, protection="clear", protection_event=3)], NOW)
    assert replica.protection_held("A") == ("protected", 5)
    late = message(flow, "A", 8, 0, protection="protected", protection_event=8)
    replica.protect("A", "clear", 7, NOW)
    replica.take([late], NOW)
    assert replica.protection_held("A") == ("protected", 8)


def batch(flow: Contract, rows: list[dict[str, Any]]) -> pa.RecordBatch:
    days = dict.fromkeys(("valid_from", "valid_to"), date.fromisoformat)
    typed = [{n: days[n](v) if n in days and v else v for n, v in row.items()} for row in rows]
    feed = flow.feed("jumin")
    kinds = store.arrow_schema(feed.group)
    return pa.RecordBatch.from_pylist(
        typed, schema=pa.schema([kinds.field(name).with_nullable(True) for name in feed.columns])
    )


def test_a_full_set_shows_at_once_and_what_is_newer_stays(replica: Replica, flow: Contract) -> None:
    replica.take([message(flow, "A", 5, 0), message(flow, "B", 6, 0), message(flow, "C", 30, 25)], NOW)
    with replica.replacing(20, 1) as new:
        new.take("jumin", [batch(flow, [resident("A", "全"), resident("D", "全"), resident("E", "全")])])
        assert sorted(new.absent("jumin")) == ["B"]
        assert names(replica, "A") == ["名5"] and names(replica, "D") == []
        replica.take([message(flow, "D", 21, 0)], NOW)
    assert [names(replica, unit) for unit in "ABDE"] == [["全"], [], ["名21"], ["全"]]
    assert (replica.floor, replica.epoch, replica.version("A"), replica.version("D")) == (20, 1, 20, 21)
    assert replica.rows("jumin", "E") == [resident("E", "全")]
    late = message(flow, "A", 19, 5)
    assert replica.take([late], NOW).late == (late.id,)
    assert replica.take([message(flow, "C", 25, 3)], NOW).applied
    assert names(replica, "C") == ["名30"]


def test_a_set_that_fails_leaves_nothing_and_an_older_one_is_refused(
    replica: Replica, flow: Contract
) -> None:
    with pytest.raises(ZeroDivisionError), replica.replacing(20, 1) as new:
        new.take("jumin", [batch(flow, [resident("A")])])
        raise ZeroDivisionError
    assert names(replica, "A") == [] and replica.floor == 0
    with replica.replacing(20, 2), pytest.raises(Problem, match="set-underway"), replica.replacing(21, 2):
        pass
    with pytest.raises(Problem, match="set-stale"), replica.replacing(19, 2):
        pass


def test_a_folder_keeps_its_flow_and_its_items(
    replica: Replica, flow: Contract, library: standard.Library
) -> None:
    with pytest.raises(Problem, match="replica-elsewhere"):
        Replica.open(replica.file.parent, contract(library, "other"))
    with pytest.raises(Problem, match="replica-columns"):
        Replica.open(
            replica.file.parent, replace(flow, feeds=(*flow.feeds[:1], replace(flow.feeds[1], items=())))
        )
    with pytest.raises(Problem, match="message-elsewhere"):
        replica.take([message(flow, "A", 5, 0), message(contract(library, "other"), "A", 6, 5)], NOW)
    assert replica.version("A") == 0


_IMPORTS = """
from pathlib import Path
from tests.linkage.consumer.test_replica import NOW, batch, chain
from tests.linkage.flows import contract, resident
from kiban import main
from kiban.settings import Settings
from kiban.linkage import consumer
from kiban.linkage.consumer import Replica
"""
_WORK = """
flow = contract(main.library(given=Settings(home=Path("unused"))))
replica = Replica.open(Path(given[0]), flow)
print("ready", flush=True)
if given[1] == "take":
    for _ in range(100):
        for one in chain(flow):
            replica.take([one], NOW)
else:
    for epoch in range((replica.epoch or 0) + 1, 1000):
        with replica.replacing(100 + epoch, epoch) as new:
            new.take("jumin", [batch(flow, [resident(str(n), f"{epoch}") for n in range(500)])])
"""


@pytest.mark.parametrize("work", ["take", "replacing"])
def test_kill_9_leaves_no_half_state(tmp_path: Path, flow: Contract, work: str) -> None:
    chance = random.Random(1)
    with copies(_IMPORTS, _WORK) as start:
        for n in range(4):
            copy = start(tmp_path, work)
            assert copy.line() == "ready\n"
            time.sleep(chance.uniform(0.02, 0.3) if n else 0.1)
            assert copy.kill() == -signal.SIGKILL
            with Replica.open(tmp_path, flow) as left:
                if work == "take":
                    assert all(left.version(effect.unit) >= effect.event for effect in left.effects())
                else:
                    found = {tuple(names(left, str(number))) for number in range(500)}
                    assert len(found) == 1 and found == {(str(left.epoch),) if left.epoch else ()}
    if work == "take":
        with Replica.open(tmp_path, flow) as left, Replica.open(tmp_path / "straight", flow) as straight:
            straight.take(chain(flow), NOW)
            left.take(chain(flow), NOW)
            assert digest(left) == digest(straight)
            assert [e.event for e in left.effects()] == [e.event for e in straight.effects()]


def test_rows_read_by_another_process_are_the_same_as_here(
    replica: Replica, flow: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of its own reads many rows: two copies of SQLite in one would let go of each other's locks."""
    replica.take([message(flow, unit, 5, 0) for unit in "ABC"], NOW)
    here = {feed.name: pa.Table.from_batches(replica.batches(feed.name)) for feed in flow.feeds}
    monkeypatch.setattr("kiban.linkage.consumer.arrow._FEW", 0)
    there = {feed.name: pa.Table.from_batches(replica.batches(feed.name)) for feed in flow.feeds}
    assert here["jumin"].num_rows == 3
    for name, table in here.items():
        assert there[name].sort_by("atenabango").equals(table.sort_by("atenabango"))


def test_rows_that_cannot_be_read_to_their_end_are_no_rows(
    replica: Replica, flow: Contract, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    replica.take([message(flow, "A", 5, 0)], NOW)
    monkeypatch.setattr("kiban.linkage.consumer.arrow._FEW", 0)
    program = tmp_path / "reading.py"
    source = (Path(consumer.__file__).parent / "reading.py").read_text()
    program.write_text(source.replace("    main()\n", "    main()\n    sys.exit(1)\n"))
    monkeypatch.setattr("kiban.linkage.consumer.arrow._READING", program)
    with pytest.raises(Problem, match="replica-unreadable"):
        list(replica.batches("jumin"))
