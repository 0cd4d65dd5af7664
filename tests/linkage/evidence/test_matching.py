"""The two sides of a flow are matched each day, and a day is told in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import store
from kiban.linkage import evidence
from kiban.linkage.evidence import BookLedger, FileLedger

from .test_ledgers import DAY, NOON, line

FLOWS = frozenset({"jumin-tax.v1"})


@pytest.fixture
def consumer(tmp_path: Path) -> Iterator[FileLedger]:
    opened = FileLedger.open(tmp_path / "evidence.sqlite", "TAX")
    yield opened
    opened.close()


@pytest.fixture
def platform(books: store.Books) -> BookLedger:
    return BookLedger(books)


def found(platform: BookLedger, consumer: FileLedger) -> tuple[int, list[tuple[str, str]]]:
    matched = evidence.match(platform, consumer, DAY, FLOWS)
    return matched.pairs, sorted((each.what, each.item) for each in matched.differences)


def test_what_both_sides_say_the_same_of_is_a_pair(platform: BookLedger, consumer: FileLedger) -> None:
    platform.append([line("a"), line("b"), line("b")])
    consumer.append([line("b", direction="received", outcome="repeated"), line("a", direction="received")])
    consumer.append([line("b", direction="received", outcome="applied")])
    assert found(platform, consumer) == (2, [])


def test_each_difference_is_named(platform: BookLedger, consumer: FileLedger) -> None:
    platform.append([line("lost"), line("changed"), line("fine"), line("other", flow="jumin-lib.v1")])
    consumer.append([line("fine", direction="received"), line("foreign", direction="received")])
    consumer.append([line("changed", direction="received", digest="0" * 64)])
    assert found(platform, consumer) == (
        1,
        [("different", "changed"), ("received-not-sent", "foreign"), ("sent-not-received", "lost")],
    )
    [foreign] = [
        each for each in evidence.match(platform, consumer, DAY, FLOWS).differences if each.item == "foreign"
    ]
    assert (foreign.sender, foreign.written_by, foreign.number) == ("platform", "TAX", 2)


def test_a_message_that_was_sent_with_two_contents_is_told(
    platform: BookLedger, consumer: FileLedger
) -> None:
    both = [line("a"), line("a", digest="0" * 64)]
    platform.append(both)
    consumer.append([line("a", direction="received"), line("a", digest="0" * 64, direction="received")])
    assert found(platform, consumer) == (0, [("different", "a")])


def test_a_question_and_its_answer_are_two_things_of_one_id(
    platform: BookLedger, consumer: FileLedger
) -> None:
    consumer.append([line("r", way="api"), line("r", way="api", direction="received", digest="1" * 64)])
    platform.append([line("r", way="api", direction="received")])
    assert found(platform, consumer) == (1, [("received-not-sent", "r")])
    platform.append([line("r", way="api", digest="1" * 64)])
    assert found(platform, consumer) == (2, [])


def test_what_comes_after_an_outage_is_no_longer_missing(platform: BookLedger, consumer: FileLedger) -> None:
    platform.append([line("a")])
    assert found(platform, consumer) == (0, [("sent-not-received", "a")])
    consumer.append([line("a", NOON + timedelta(days=3), direction="received")])
    assert found(platform, consumer) == (1, [])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans()), max_size=30))
def test_a_match_is_the_same_from_both_sides(told: list[tuple[int, bool, bool]]) -> None:
    one, other = (FileLedger.open(Path(":memory:"), side) for side in ("platform", "TAX"))
    for item, at_platform, changed in told:
        digest = ("1" if changed else "0") * 64
        here = line(str(item), direction="sent" if at_platform else "received", digest=digest)
        (one if at_platform else other).append([here])
    there, back = (evidence.match(a, b, DAY, FLOWS) for a, b in ((one, other), (other, one)))
    assert there.pairs == back.pairs
    assert {(d.what, d.item) for d in there.differences} == {(d.what, d.item) for d in back.differences}
    assert there.pairs + len(there.differences) == len({item for item, _, _ in told})


def test_a_day_is_told_by_flow_and_way(platform: BookLedger, books: store.Books) -> None:
    platform.append([line("a"), line("b"), line("b", outcome="applied", direction="received")])
    platform.append([line("s", way="file", count=500), line("old", NOON - timedelta(days=1))])
    file, event = sorted(evidence.summary(books, DAY), key=lambda each: -each.rows)
    assert (file.way, file.sent, file.rows, file.outcomes) == ("file", 1, 500, {"offered": 1})
    assert (event.way, event.sent, event.received, event.rows) == ("event", 2, 1, 2)
    assert event.outcomes == {"applied": 1, "offered": 2}
    assert evidence.summary(books, DAY + timedelta(days=1)) == ()
