"""The end of a protection takes two people, the register and every subscriber; lists are checked when they are used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.conftest import SINCE, move_in, person

from kiban import store
from kiban.kernel import Period, Problem
from kiban.linkage import protection as lanes
from kiban.linkage.protection import HOUSEHOLD, Lane, Listed, Notice, State, Unit
from kiban.store import Store

from .conftest import NOW, acknowledge_all, measure, number, record, someone, suppression

Take = Callable[..., list[Notice]]
ONE = someone("1")
HOME = Unit(HOUSEHOLD, number("900"))


@pytest.fixture
def protected(lane: Lane, take: Take, city: Store, books: store.Books) -> int:
    """Person 1 is protected, and every subscriber has said so; the version."""
    event = record(city, *measure("1", "1"))
    acknowledge_all(books, take())
    return event


def state(lane: Lane) -> str:
    lane.catch_up(NOW)
    return lane.known([ONE])[ONE].state


def sign(lane: Lane, books: store.Books, version: int) -> lanes.Off:
    lanes.propose_off(lane, books, ONE, version, "mori", "本人の申出による終了", NOW)
    return lanes.confirm_off(lane, books, ONE, version, "hara", NOW)


def test_the_register_alone_ends_nothing(lane: Lane, city: Store, protected: int) -> None:
    record(city, measure("1", "1", "4")[0])
    assert state(lane) == "protected"
    assert lane.known([ONE]) == {ONE: State("protected", protected)}


def test_two_people_and_the_register_end_it_and_it_is_told(
    lane: Lane, city: Store, books: store.Books, protected: int, take: Take
) -> None:
    ended = record(city, measure("1", "1", "4")[0])
    first = lanes.propose_off(lane, books, ONE, protected, "mori", "本人の申出", NOW)
    assert first.waits == ("confirm",)
    assert state(lane) == "protected"
    done = lanes.confirm_off(lane, books, ONE, protected, "hara", NOW)
    assert (done.waits, done.released_after, done.confirmed_by) == ((), ended, "hara")
    assert lane.known([ONE]) == {ONE: State("clear", ended)}
    told = {(each.flow, each.state, each.event) for each in take()}
    assert told == {("tax.v1", "clear", ended), ("home.v1", "clear", ended)}, (
        "the household follows its last person"
    )
    assert lane.known([ONE], ended) == {ONE: State("protected", protected)}, (
        "messages of then say what they said"
    )
    later = record(city, *measure("9", "2"))
    lane.catch_up(NOW)
    assert lane.known([ONE], later) == {ONE: State("clear", ended)}


def test_signatures_before_the_register_wait_for_it(
    lane: Lane, city: Store, books: store.Books, protected: int
) -> None:
    assert sign(lane, books, protected).waits == ("register",)
    assert [each.waits for each in lanes.offs(books)] == [("register",)]
    record(city, measure("1", "1", "4")[0])
    assert lanes.release_due(lane, books, NOW) == [ONE, HOME]
    assert state(lane) == "clear"
    assert lanes.offs(books) == ()


def test_one_person_cannot_end_it_alone(lane: Lane, books: store.Books, protected: int) -> None:
    lanes.propose_off(lane, books, ONE, protected, "mori", "申出", NOW)
    lanes.propose_off(lane, books, ONE, protected, "mori", "申出", NOW)
    for act, code in (
        (lambda: lanes.confirm_off(lane, books, ONE, protected, "mori", NOW), "protection-same-person"),
        (lambda: lanes.propose_off(lane, books, ONE, protected, "hara", "申出", NOW), "protection-proposed"),
        (lambda: lanes.propose_off(lane, books, ONE, protected, "hara", " ", NOW), "protection-reason"),
        (lambda: lanes.propose_off(lane, books, someone("2"), 1, "hara", "申出", NOW), "protection-not-held"),
    ):
        with pytest.raises(Problem) as refused:
            act()
        assert refused.value.code == code
    assert state(lane) == "protected"


def test_nobody_confirms_what_was_not_proposed(lane: Lane, books: store.Books, protected: int) -> None:
    with pytest.raises(Problem) as refused:
        lanes.confirm_off(lane, books, ONE, protected, "hara", NOW)
    assert refused.value.code == "protection-unproposed"


def test_a_newer_protection_wins_over_signatures(
    lane: Lane, city: Store, books: store.Books, protected: int, take: Take
) -> None:
    assert sign(lane, books, protected).waits == ("register",)
    newer = record(city, *measure("2", "1"))
    record(city, measure("1", "1", "4")[0])
    assert lanes.release_due(lane, books, NOW) == []
    record(city, measure("2", "1", "4")[0])
    acknowledge_all(books, take())
    assert lanes.release_due(lane, books, NOW) == [], "what was signed was about the older one"
    with pytest.raises(Problem) as refused:
        lanes.confirm_off(lane, books, ONE, protected, "hara", NOW)
    assert refused.value.code == "protection-newer"
    assert sign(lane, books, newer).waits == ()


def test_a_protection_that_came_after_the_end_in_the_register_wins(
    lane: Lane, city: Store, books: store.Books, protected: int
) -> None:
    record(city, measure("1", "1", "4")[0])
    lanes.propose_off(lane, books, ONE, protected, "mori", "申出", NOW)
    record(city, *measure("2", "1"))
    with pytest.raises(Problem) as refused:
        lanes.confirm_off(lane, books, ONE, protected, "hara", NOW)
    assert refused.value.code == "protection-newer"
    assert state(lane) == "protected"


def test_it_waits_for_every_subscriber(lane: Lane, take: Take, city: Store, books: store.Books) -> None:
    event = record(city, *measure("1", "1"))
    notices = take()
    record(city, measure("1", "1", "4")[0])
    assert sign(lane, books, event).waits == ("subscribers",)
    acknowledge_all(books, notices)
    assert lanes.release_due(lane, books, NOW) == [ONE, HOME]


def test_a_household_stays_protected_while_one_of_its_people_is(
    lane: Lane, city: Store, books: store.Books, protected: int, take: Take
) -> None:
    record(city, *measure("2", "2"))
    acknowledge_all(books, take())
    record(city, measure("1", "1", "4")[0])
    sign(lane, books, protected)
    assert lane.known([ONE, HOME])[HOME].state == "protected"
    assert state(lane) == "clear"


# Lists


def test_what_changed_since_a_list_was_made_is_taken_out_and_named(lane: Lane, city: Store) -> None:
    lines = lanes.listed(lane, [ONE, someone("2"), someone("3")], NOW)
    record(city, *measure("1", "2"))
    found = lanes.gate(lane, lines, NOW)
    assert [line.unit for line in found.passed] == [ONE, someone("3")]
    [removed] = found.removed
    assert (removed.unit, removed.why, removed.now.state) == (someone("2"), "protected", "protected")
    assert found.problem is None


def test_who_was_released_since_the_list_was_made_is_taken_out_too(
    lane: Lane, city: Store, books: store.Books, protected: int
) -> None:
    lines = lanes.listed(lane, [ONE], NOW)
    record(city, measure("1", "1", "4")[0])
    sign(lane, books, protected)
    assert [each.why for each in lanes.gate(lane, lines, NOW).removed] == ["changed"]


def test_meguro_a_release_list_of_april_does_not_release_what_was_registered_in_may(
    lane: Lane, city: Store, books: store.Books, protected: int
) -> None:
    """目黒区、2025年5月: a list of expired cases of April still released one that was registered anew on 8 May."""
    expired = lanes.listed(lane, [ONE], NOW)
    record(city, *measure("2", "1", moshidenengappi="2026-05-08"))
    found = lanes.gate(lane, expired, NOW, takes=frozenset({"protected"}))
    assert found.passed == ()
    assert [(each.unit, each.why) for each in found.removed] == [(ONE, "changed")]
    with pytest.raises(Problem) as refused:
        lanes.propose_off(lane, books, ONE, expired[0].state.event, "mori", "期間満了", NOW)
    assert refused.value.code == "protection-newer"


def test_nara_a_notice_of_another_business_does_not_go_to_a_protected_address(
    lane: Lane, city: Store
) -> None:
    """奈良市、2025年9月: a child-benefit document gave the address away; the list was not held against the register."""
    benefits = lanes.listed(lane, [ONE, someone("2"), someone("3")], NOW)
    record(city, suppression("1", yokushitaisho_atenabango=number("3")))
    found = lanes.gate(lane, benefits, NOW)
    assert [line.unit for line in found.passed] == [ONE, someone("2")]
    known = lanes.listed(lane, [someone("3")], NOW)
    assert lanes.gate(lane, known, NOW).passed == (), "nor where the list knew it"


def test_nothing_passes_where_the_check_fails(
    lane: Lane, city: Store, books: store.Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = lanes.listed(lane, [ONE, someone("2")], NOW)

    def gone(*_: object) -> None:
        raise Problem("database-unreachable", "no connection")

    monkeypatch.setattr(store, "told_after", gone)
    found = lanes.gate(lane, lines, NOW)
    assert found.passed == () and len(found.removed) == 2
    assert {each.why for each in found.removed} == {"unknown"}
    assert found.problem is not None and found.problem.code == "database-unreachable"


def test_a_line_that_claims_more_than_was_known_does_not_pass(lane: Lane, protected: int) -> None:
    lines = [
        Listed(ONE, State("clear", 0)),
        Listed(ONE, State("unknown", 0)),
        Listed(someone("2"), State("clear", 7)),
    ]
    assert lanes.gate(lane, lines, NOW).passed == ()


STEPS = st.lists(
    st.sampled_from(["on 1", "on 2", "off 1", "off 2", "move", "sign", "list", "flag", "unflag"]), max_size=8
)


@given(STEPS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_was_protected_stays_so_until_two_have_signed(
    databases: object, city_template: str, library: object, steps: list[str]
) -> None:
    from tests.store.conftest import KEY

    from kiban import linkage

    from .conftest import READER, contract

    with (
        databases.fresh(city_template) as database,  # type: ignore[attr-defined]
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,  # type: ignore[arg-type]
        linkage.open_linkage(city) as books,
    ):
        move_in(city, person("1"))
        lane = Lane(city, books, [contract(library.edition("resident"), "tax", "jumin")], "resident", READER)  # type: ignore[attr-defined]
        lane.prepare(NOW)
        since, signed, lines = 0, False, lanes.listed(lane, [ONE], NOW)
        for step in steps:
            before = lane.standing([ONE], NOW)[ONE]
            what, _, bango = step.partition(" ")
            if what in ("on", "off"):
                since = max(since, record(city, *measure(bango, "1", "2" if what == "on" else "4")))
            elif what in ("move", "flag", "unflag"):
                flag = {"flag": "1"}.get(what, "0")
                period = Period(date(2026, 5, 1)) if what == "move" else SINCE
                move_in(city, person("1", shiensochifuragu=flag), period)
            elif what == "list":
                lines = lanes.listed(lane, [ONE], NOW)
            elif before.state == "protected":
                acknowledge_all(books, lane.notices(0, NOW))
                signed = not sign(lane, books, before.event).waits
            after = lane.standing([ONE], NOW)[ONE]
            assert after.event >= before.event, "a version never goes back"
            if before.state == "protected" and after.state == "clear":
                assert what == "sign" and signed
            passed = lanes.gate(lane, lines, NOW).passed
            assert bool(passed) == (after == lines[0].state and after.state == "clear")
