"""The lane: every change of protection becomes a notice to each flow that carries the person, exactly once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.store.conftest import EAST, SINCE, move_in, person

from kiban import standard, store
from kiban.kernel import Actor, Period, Problem
from kiban.linkage import Contract
from kiban.linkage import protection as lanes
from kiban.linkage.protection import HOUSEHOLD, Lane, Notice, State, Unit
from kiban.store import Change, Store

from .conftest import NOW, READER, contract, measure, number, record, someone, suppression

Take = Callable[..., list[Notice]]
HOME = Unit(HOUSEHOLD, number("900"))


def told(notices: list[Notice]) -> set[tuple[str, str, str, int]]:
    return {(each.flow, each.unit.lstrip("0"), each.state, each.event) for each in notices}


def test_nobody_is_protected_where_nothing_says_so(lane: Lane, take: Take, city: Store) -> None:
    move_in(city, person("4"))
    assert take() == []
    assert lane.known([someone("4"), HOME]) == {someone("4"): State("clear", 0), HOME: State("clear", 0)}


def test_before_the_register_was_looked_through_everybody_is_unknown(
    city: Store, books: store.Books, contracts: tuple[Contract, ...]
) -> None:
    move_in(city, person("1"))
    lane = Lane(city, books, contracts, "resident", READER)
    assert lane.known([someone("1")]) == {someone("1"): State("unknown", 0)}
    with pytest.raises(Problem) as refused:
        lane.notices(0, NOW)
    assert refused.value.code == "protection-unprepared"


def test_of_events_that_are_not_taken_in_everything_is_unknown(lane: Lane, city: Store) -> None:
    event = record(city, *measure("1", "1"))
    assert lane.known([someone("1")], event) == {someone("1"): State("unknown", 0)}
    assert lane.known([someone("1")], event - 1) == {someone("1"): State("clear", 0)}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(measure("1", "1", "1"), id="provisional"),
        pytest.param(measure("1", "1", "2"), id="in force"),
        pytest.param(measure("1", "1", "3"), id="over but not ended"),
        pytest.param(measure("1", "2", "2", moshidesha_atenabango=number("1")), id="the applicant"),
        pytest.param([suppression("1", yokushitaisho_atenabango=number("1"))], id="suppression"),
        pytest.param(
            [suppression("1", yokushitaisho_atenabango=number("1"), ichijikaijofuragu="1")],
            id="lifted for minutes only",
        ),
        pytest.param(
            [suppression("1", yokushitaisho_setaibango=number("900"), yokushitani="2")], id="household"
        ),
        pytest.param([Change("resident.jumin", person("1", shiensochifuragu="1"), SINCE)], id="flag"),
        pytest.param([Change("resident.jumin", person("1", yokushifuragu="1"), SINCE)], id="other flag"),
        pytest.param(
            [Change("resident.jumin", person("1", shiensochifuragu="1"), Period(date(2027, 1, 1)))],
            id="from later on",
        ),
    ],
)
def test_each_ground_protects_and_is_told(lane: Lane, take: Take, city: Store, changes: list[Change]) -> None:
    event = record(city, *changes)
    notices = take()
    assert ("tax.v1", "1", "protected", event) in told(notices)
    assert ("home.v1", "900", "protected", event) in told(notices)
    assert not any(each.flow == "lib.v1" for each in notices), "that flow has no row of the person"
    assert lane.known([someone("1"), HOME]) == dict.fromkeys([someone("1"), HOME], State("protected", event))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param(measure("1", "1", "5"), id="rejected"),
        pytest.param(
            [suppression("1", yokushitaisho_atenabango=number("1"), yokushishubetsu="2")], id="lock"
        ),
        pytest.param([Change("resident.jumin", person("1", yokushifuragu=None), SINCE)], id="empty flag"),
    ],
)
def test_what_does_not_protect_is_told_to_nobody(
    lane: Lane, take: Take, city: Store, changes: list[Change]
) -> None:
    record(city, *changes)
    assert take() == []


def test_a_household_that_is_protected_protects_each_of_its_people(
    lane: Lane, take: Take, city: Store
) -> None:
    event = record(city, suppression("1", yokushitaisho_setaibango=number("900"), yokushitani="2"))
    units = {unit for flow, unit, _, _ in told(take()) if flow == "tax.v1"}
    assert units == {"1", "2", "3"}
    later = move_in(city, person("4"))
    assert told(take()) == {("tax.v1", "4", "protected", later)}
    assert event < later


def test_a_date_that_passes_ends_nothing(lane: Lane, take: Take, city: Store) -> None:
    ends = Period(date(2025, 1, 1), date(2026, 1, 1))
    event = record(city, *measure("1", "1", "2", since=ends))
    take()
    assert lane.known([someone("1")]) == {someone("1"): State("protected", event)}


def test_who_is_protected_anew_has_a_newer_version(lane: Lane, take: Take, city: Store) -> None:
    record(city, *measure("1", "1"))
    take()
    moved = move_in(city, person("1", jusho_banchigohyoki="５番"), Period(date(2026, 5, 1)))
    assert take() == [], "a move is no new protection"
    second = record(city, *measure("2", "1"))
    assert ("tax.v1", "1", "protected", second) in told(take())
    extended = record(city, measure("1", "1", shiensochishuryonengappi="2027-04-30")[0])
    assert ("tax.v1", "1", "protected", extended) in told(take())
    assert lane.known([someone("1")], moved)[someone("1")].event < second
    assert lane.known([someone("1")], second) == {someone("1"): State("protected", second)}


def test_on_and_off_within_one_batch_is_seen(lane: Lane, take: Take, city: Store) -> None:
    event = record(city, *measure("1", "1", "2"))
    record(city, measure("1", "1", "4")[0])
    assert ("tax.v1", "1", "protected", event) in told(take())
    assert lane.known([someone("1")]) == {someone("1"): State("protected", event)}


def test_the_same_batch_again_changes_nothing(lane: Lane, take: Take, city: Store) -> None:
    start, _ = store.last_event(city)
    event = record(city, *measure("1", "1"))
    batch = store.told_after(city, start, 10)
    lane.take(batch, NOW)
    first = lane.notices(event, NOW)
    assert first
    lane.take(batch, NOW)
    assert lane.notices(event, NOW) == first, "what is not published is told again"
    lane.published(first, NOW)
    assert lane.notices(event, NOW) == []
    with pytest.raises(Problem) as refused:
        lane.notices(event + 1, NOW)
    assert refused.value.code == "protection-behind"
    assert len({each.id for each in first}) == len(first)


def test_no_notice_is_lost_where_the_lane_is_ended_in_between(
    lane: Lane, city: Store, books: store.Books, contracts: tuple[Contract, ...]
) -> None:
    record(city, *measure("1", "1"))
    lane.catch_up(NOW)
    again = Lane(city, books, contracts, "resident", READER)
    assert sorted(each.flow for each in again.notices(0, NOW)) == ["home.v1", "tax.v1"]


def test_whoever_is_protected_when_it_begins_is_held_without_a_notice(
    city: Store, books: store.Books, contracts: tuple[Contract, ...]
) -> None:
    move_in(city, person("1"))
    event = record(city, *measure("1", "1"))
    lane = Lane(city, books, contracts, "resident", READER)
    assert lane.prepare(NOW) == 2
    assert lane.prepare(NOW) == 2
    assert lane.notices(0, NOW) == []
    assert lane.known([someone("1"), HOME]) == dict.fromkeys([someone("1"), HOME], State("protected", event))


def test_whose_measure_is_over_when_it_begins_is_clear(
    city: Store, books: store.Books, contracts: tuple[Contract, ...]
) -> None:
    move_in(city, person("1"))
    record(city, *measure("1", "1", "4"))
    lane = Lane(city, books, contracts, "resident", READER)
    assert lane.prepare(NOW) == 0
    assert lane.known([someone("1")]) == {someone("1"): State("clear", 0)}


def test_a_register_that_is_loaded_anew_is_looked_through_as_a_whole(
    lane: Lane, take: Take, city: Store, books: store.Books
) -> None:
    first = record(city, *measure("1", "1"))
    take()
    with books.transaction() as page:  # as if a protected person had come by a bulk load
        page.run("DELETE FROM protection_hold")
    [batch] = store.told_after(city, first - 1, 1)
    loaded = replace(batch, event=first + 1, touched=(), whole=("resident.jumin",))
    lane.take([loaded], NOW)
    notices = lane.notices(0, NOW)
    assert ("tax.v1", "1", "protected", first + 1) in told(notices)


def test_who_sees_some_wards_only_may_not_read_the_protection(
    city: Store, books: store.Books, contracts: tuple[Contract, ...]
) -> None:
    with pytest.raises(Problem) as refused:
        Lane(city, books, contracts, "resident", Actor("x", EAST, frozenset({EAST}), "試験"))
    assert refused.value.code == "protection-actor"


def test_an_edition_that_does_not_say_who_is_protected_is_refused(
    city: Store, books: store.Books, contracts: tuple[Contract, ...]
) -> None:
    with pytest.raises(Problem) as refused:
        Lane(city, books, contracts, "nonresident_addressee", READER)
    assert refused.value.code == "protection-unsaid"


def test_who_does_not_answer_within_five_minutes_is_flagged(
    lane: Lane, take: Take, city: Store, books: store.Books
) -> None:
    record(city, *measure("1", "1"))
    notices = take()
    soon, late = NOW + timedelta(minutes=4), NOW + timedelta(minutes=5)
    assert lanes.unacknowledged(books, soon) == ()
    assert [each.flow for each in lanes.unacknowledged(books, late)] == ["home.v1", "tax.v1"]
    [tax] = [each for each in notices if each.flow == "tax.v1"]
    lanes.acknowledge(books, tax.flow, [(tax.unit, "unknown", tax.event)], NOW)
    assert len(lanes.unacknowledged(books, late)) == 2, "who does not know has not acknowledged"
    lanes.acknowledge(books, tax.flow, [(tax.unit, "protected", tax.event)], NOW + timedelta(seconds=3))
    [home] = lanes.unacknowledged(books, late)
    assert (home.flow, home.notices, home.published, home.since) == ("home.v1", 1, 1, NOW)
    flows = {each.flow: each for each in lanes.status(books, late, flows=["lib.v1"])}
    assert (flows["tax.v1"].open, flows["tax.v1"].slowest) == (0, timedelta(seconds=3))
    assert (flows["home.v1"].open, flows["home.v1"].late, flows["lib.v1"].told) == (1, 1, 0)


def test_whoever_takes_an_event_in_only_the_publisher_tells_it_to_every_flow(
    lane: Lane, city: Store, books: store.Books
) -> None:
    """The API and the gate take events in, too, and know other contracts."""
    event = record(city, *measure("1", "1"))
    Lane(city, books, (), "resident", READER).catch_up(NOW)
    late = NOW + timedelta(minutes=5)
    assert [(each.flow, each.published) for each in lanes.unacknowledged(books, late)] == [("", 0)]
    assert lanes.unacknowledged(books, NOW) == ()
    notices = lane.notices(event, late)
    assert sorted(each.flow for each in notices) == ["home.v1", "tax.v1"]
    assert {each.decided_at for each in notices} == {NOW.isoformat()}, (
        "the time runs from when it became known"
    )
    assert [each.flow for each in lanes.unacknowledged(books, late)] == ["home.v1", "tax.v1"]


def test_an_acknowledgement_names_the_version_that_is_held(
    lane: Lane, take: Take, city: Store, books: store.Books
) -> None:
    record(city, *measure("1", "1"))
    [old] = [each for each in take() if each.flow == "tax.v1"]
    record(city, *measure("2", "1"))
    [new] = [each for each in take() if each.flow == "tax.v1"]
    late = NOW + timedelta(hours=1)
    lanes.acknowledge(books, "tax.v1", [(old.unit, "protected", old.event)], NOW)
    assert {each.flow: each.notices for each in lanes.unacknowledged(books, late)} == {
        "home.v1": 2,
        "tax.v1": 1,
    }
    lanes.acknowledge(books, "tax.v1", [(new.unit, "protected", new.event)], NOW)
    assert [each.flow for each in lanes.unacknowledged(books, late)] == ["home.v1"]


def test_a_notice_is_named_without_its_person(lane: Lane, take: Take, city: Store) -> None:
    record(city, *measure("1", "1"))
    assert all(each.unit not in each.id and len(each.id) == 32 for each in take())


def test_the_edition_in_force_says_who_is_protected(city: Store, library: standard.Library) -> None:
    assert city.edition("resident").protection == library.edition("resident").protection


def test_messages_and_full_sets_carry_the_state_after_their_event(
    lane: Lane, take: Take, city: Store, contracts: tuple[Contract, ...]
) -> None:
    tax, _, home = contracts
    one, two = number("1"), number("2")
    before, _ = store.last_event(city)
    event = record(city, *measure("1", "1"))
    assert lane.states(tax, [(one, event)]) == [("unknown", 0)]
    with pytest.raises(Problem) as refused:
        lane.changed(tax, event)
    assert refused.value.code == "protection-behind"
    take()
    pairs = [(one, event), (one, before), (two, event)]
    assert lane.states(tax, pairs) == [("protected", event), ("clear", 0), ("clear", 0)]
    assert lane.changed(tax, event) == {one: ("protected", event)}
    assert lane.changed(tax, before) == {}
    assert lane.changed(home, event) == {number("900"): ("protected", event)}


def test_a_number_that_is_a_persons_and_a_households_is_as_protected_as_either(
    lane: Lane, take: Take, city: Store, library: standard.Library
) -> None:
    edition = library.edition("resident")
    both = replace(
        contract(edition, "both", "jumin"),
        feeds=(
            *contract(edition, "both", "jumin").feeds,
            *contract(edition, "b", "setai", unit="setaibango").feeds,
        ),
    )
    move_in(city, person("900"))  # a person whose number is that of the household
    event = record(city, *measure("1", "1"))
    take()
    assert lane.known([someone("900")], event)[someone("900")].state == "clear"
    assert lane.states(both, [(number("900"), event)]) == [("protected", event)]
    assert lane.changed(both, event) == dict.fromkeys([number("1"), number("900")], ("protected", event))
