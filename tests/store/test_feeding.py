"""What linkage carries: events in their order, and the rows that were known after each."""

from __future__ import annotations

from datetime import date

from tests.store.conftest import CITY_HALL, NADA_CLERK, SINCE, move_in, person

from kiban import store
from kiban.kernel import Period
from kiban.store import Change, Store

_ITEMS = ["atenabango", "shimei", "seinengappi", "rirekibango"]


def test_events_are_told_in_their_order_with_whose_rows_they_changed(city: Store) -> None:
    start, _ = store.last_event(city)
    with city.session(CITY_HALL) as session:
        first = session.record("転入", "1", [Change("resident.jumin", person("1"), SINCE)], valid=SINCE.start)
        second = session.record(
            "転入", "2", [Change("resident.jumin", person("2"), SINCE)], note={"origin": "L01"}
        )
    one, two = store.told_after(city, start, 10)
    assert (one.event, two.event) == (first, second)
    assert one.kind == "転入" and one.valid == date(2020, 4, 1) and one.whole == ()
    assert one.touched == (store.Touch("resident.jumin", {"atenabango": "1".zfill(15)}),)
    assert two.note == {"origin": "L01"}
    assert [told.event for told in store.told_after(city, start, 1)] == [first]
    assert store.told_after(city, second, 10) == []


def test_a_change_of_edition_names_registers_as_a_whole(city: Store) -> None:
    applied = store.told_after(city, 0, 100)[0]
    assert applied.kind == "edition" and applied.touched == () and "resident.jumin" in applied.whole


def test_rows_are_those_known_after_each_event(city: Store) -> None:
    moved = Period(date(2024, 7, 1))
    number = {"atenabango": "1".zfill(15)}
    with city.session(CITY_HALL) as session:
        first = session.record("転入", "1", [Change("resident.jumin", person("1"), SINCE)])
        second = session.record(
            "氏名変更", "1", [Change("resident.jumin", person("1", "山田　花子", rirekibango=2), moved)]
        )
        third = session.record("取消", "1", [Change("resident.jumin", None, SINCE, number)])
    with city.session(CITY_HALL) as session:
        found = session.after_events(
            "resident.jumin",
            [(first, number), (second, number), (third, number), (second, {"atenabango": "9".zfill(15)})],
            _ITEMS,
        )
    assert [[(row["shimei"], row["valid_from"], row["valid_to"]) for row in rows] for rows in found] == [
        [("渡邉　花子", "2020-04-01", None)],
        [("渡邉　花子", "2020-04-01", "2024-07-01"), ("山田　花子", "2024-07-01", None)],
        [],
        [],
    ]
    assert set(found[0][0]) == {*_ITEMS, "valid_from", "valid_to"}
    assert found[0][0]["seinengappi"] == "1990-05-17" and found[0][0]["rirekibango"] == 1


def test_rows_of_other_wards_are_not_told(city: Store) -> None:
    number = {"atenabango": "1".zfill(15)}
    with city.session(CITY_HALL) as session:
        first = session.record("転入", "1", [Change("resident.jumin", person("1"), SINCE)])
    with city.session(NADA_CLERK) as session:
        assert session.after_events("resident.jumin", [(first, number)], _ITEMS) == [[]]


def test_rows_since_an_event_are_those_known_after_it_and_those_that_came_later(city: Store) -> None:
    first = move_in(city, person("1"))
    second = move_in(city, person("1", shiensochifuragu="1"), Period(date(2026, 1, 1)))
    move_in(city, person("2"))
    numbers = ["1".zfill(15)]
    with city.session(CITY_HALL) as session:
        items = ["atenabango", "shiensochifuragu"]
        told = session.since("resident.jumin", first, items, ("atenabango", numbers))
        flagged = session.since("resident.jumin", 0, items, but={"shiensochifuragu": ["0", ""]})
        later = session.since("resident.jumin", second, items, ("atenabango", numbers))
    assert [(row["shiensochifuragu"], row["valid_from"], row["valid_to"]) for row in later] == [
        ("0", "2020-04-01", "2026-01-01"),
        ("1", "2026-01-01", None),
    ]
    assert (told[0]["event"], told[0]["closed_by"]) == (first, second)
    assert len(told) == 3
    assert [row["event"] for row in flagged] == [second]
