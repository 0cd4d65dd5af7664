"""Who has not heard of the platform in time says of nobody that there is no protection."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.linkage.flows import contract

from kiban import standard
from kiban.kernel import Problem
from kiban.linkage import Contract, Due, Protection, Replica
from kiban.linkage.beat import Beat, decode_beat, encode_beat
from kiban.linkage.consumer import Heard
from kiban.linkage.consumer.hearing import faded

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def replica(tmp_path: Path, library: standard.Library) -> Replica:
    made = Replica.open(tmp_path / "replica", contract(library))
    made.protect("A", "clear", 3, NOW)
    made.protect("B", "protected", 3, NOW)
    return made


def test_a_replica_that_never_heard_of_the_platform_protects_everybody(replica: Replica) -> None:
    assert replica.protection("A", NOW) == ("unknown", 3)
    assert replica.protection("B", NOW) == ("protected", 3)
    assert replica.protection_held("A") == ("clear", 3)


def test_it_goes_by_what_it_was_told_for_five_minutes_and_again_once_it_hears(replica: Replica) -> None:
    replica.hear(7, NOW, NOW)
    assert replica.protection("A", NOW + 5 * MINUTE) == ("clear", 3)
    assert replica.protection("A", NOW + 5 * MINUTE + timedelta(seconds=1)) == ("unknown", 3)
    replica.hear(7, NOW + 9 * MINUTE, NOW + 9 * MINUTE)
    assert replica.protection("A", NOW + 10 * MINUTE) == ("clear", 3)
    assert replica.protection("C", NOW + 10 * MINUTE) == ("unknown", -1)


def test_a_heartbeat_that_lay_long_on_its_way_says_nothing(replica: Replica) -> None:
    replica.hear(7, NOW - 20 * MINUTE, NOW)
    assert replica.protection("A", NOW)[0] == "unknown"
    assert replica.hear(8, NOW, NOW)
    assert not replica.hear(7, NOW - MINUTE, NOW + MINUTE)  # came again, behind a newer one
    assert replica.heard == Heard(8, NOW, NOW)


def test_a_clock_that_went_back_protects_until_the_next_heartbeat(replica: Replica) -> None:
    replica.hear(7, NOW, NOW)
    before = NOW - 60 * MINUTE
    assert replica.protection("A", before)[0] == "unknown"
    assert replica.hear(8, before, before)  # both clocks were wrong by an hour, and are right now
    assert replica.protection("A", before + MINUTE)[0] == "clear"
    assert replica.protection("A", NOW)[0] == "unknown"  # no hour of credit


def test_it_is_remembered_over_a_restart(replica: Replica) -> None:
    replica.hear(7, NOW, NOW)
    replica.close()
    with Replica.open(replica.file.parent, replica.contract) as again:
        assert again.protection("A", NOW + MINUTE) == ("clear", 3)


times = st.timedeltas(timedelta(hours=-3), timedelta(hours=3)).map(lambda span: NOW + span)


@given(at=times, here=times, now=times, state=st.sampled_from(("clear", "unknown", "protected")))
def test_whatever_the_clocks_say_clear_is_only_who_was_heard_of_within_the_patience(
    at: datetime, here: datetime, now: datetime, state: str
) -> None:
    found, version = faded((state, 4), Heard(9, at, here), now, 5 * MINUTE)
    assert version == 4 and (found == state or (state, found) == ("clear", "unknown"))
    if found == "clear":
        assert here <= now <= here + 5 * MINUTE and now <= at + 5 * MINUTE


def test_the_contract_says_for_how_long(library: standard.Library) -> None:
    flow: Contract = contract(library)
    assert replace(flow, ways=frozenset({"event", "file"})).patience == 5 * MINUTE
    daily = Due("delta", 360, "day", None, 30 * MINUTE)
    files = replace(flow, ways=frozenset({"file"}), due=(Due("full", 360, "month", 1, MINUTE), daily))
    assert files.patience == timedelta(days=1, minutes=30)
    assert replace(files, protection=Protection(True, {}, MINUTE)).patience == MINUTE


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"document":"kiban-heartbeat"}', encode_beat(Beat("a.v1", 1, "2026-10-01T12:00:00+09:00")),
     encode_beat(Beat("a.v1", 1, "noon"))],
)  # fmt: skip
def test_what_is_no_heartbeat_is_none(data: bytes) -> None:
    with pytest.raises(Problem, match="heartbeat"):
        decode_beat(data)
    told = Beat("a.v1", 1, NOW.isoformat())
    assert decode_beat(encode_beat(told)) == told
