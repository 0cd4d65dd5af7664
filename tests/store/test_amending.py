"""Many events at once keep every rule that an event recorded alone keeps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from kiban import store
from kiban.kernel import AsOf, Period, Problem, Problems
from kiban.store import Amendment, Change, Query, Store

from .conftest import CITY_HALL, EAST_CLERK, SINCE, move_in, person
from .people import assert_sound, everything, moving, owner_runs

JUMIN = "resident.jumin"
TODAY = AsOf(date(2026, 10, 1))
MOVED = date(2026, 9, 1)


def amendment(
    city: Store,
    register: str,
    added: Sequence[tuple[int, Mapping[str, Any], Period]] = (),
    closed: Sequence[tuple[int, Mapping[str, Any], Period]] = (),
) -> Amendment:
    """An amendment from rows, each with the number of its event and its period."""
    table = city.table(register)
    schema = store.arrow_schema(table.group)

    def told(rows: Sequence[tuple[int, Mapping[str, Any], Period]], names: Sequence[str]) -> pa.Table:
        fields = [pa.field("#event", pa.int64()), *(schema.field(name).with_nullable(True) for name in names)]
        ends = [{"valid_from": valid.start, "valid_to": valid.end} for _, _, valid in rows]
        made = [{**row, **end, "#event": number} for (number, row, _), end in zip(rows, ends, strict=True)]
        return pa.Table.from_pylist(made, schema=pa.schema(fields))

    ends = ("valid_from", "valid_to") if table.has_periods else ()
    return Amendment(register, told(added, schema.names), told(closed, [*table.subject, *ends]))


def head(city: Store) -> int:
    [(event,)] = owner_runs(city, "SELECT event FROM kiban.head")
    return int(event)


def record(
    city: Store, subjects: Sequence[str], *amendments: Amendment, last: int | None = None, **more: Any
) -> int:
    names = [one.register for one in amendments]
    with store.amending(city, names, CITY_HALL, head(city) if last is None else last) as work:
        return work.record("移行差分", subjects, amendments, **more)


def moved(row: dict[str, Any], number: int) -> tuple[list[Any], list[Any]]:
    """What closes a person's open row on the day of a move, and what it adds."""
    new = row | {"rirekibango": row["rirekibango"] + 1, "jusho_banchigohyoki": "９番９号"}
    added = [(number, row, Period(SINCE.start, MOVED)), (number, new, Period(MOVED))]
    return [(number, row, SINCE)], added


def test_each_subject_has_an_event_of_its_own_and_one_outbox_row_in_the_order_given(city: Store) -> None:
    people = [person(str(n)) for n in (1, 2, 3)]
    for row in people[:2]:
        move_in(city, row)
    before = head(city)
    closed, added = zip(*(moved(row, number) for number, row in enumerate(people[:2])), strict=True)
    rows = [*added[0], *added[1], (2, people[2], SINCE)]
    last = record(
        city,
        [row["atenabango"] for row in people],
        amendment(city, JUMIN, rows, [*closed[0], *closed[1]]),
        valid=MOVED,
    )
    assert last == before + 3
    told = owner_runs(
        city,
        "SELECT e.event, e.subject, e.kind, e.valid, e.actor, o.message -> 'registers' FROM kiban.event e "
        f"JOIN kiban.outbox o USING (event) WHERE e.event > {before} ORDER BY e.event",
    )
    assert told == [
        (before + n, row["atenabango"], "移行差分", MOVED, "hall", [JUMIN]) for n, row in enumerate(people, 1)
    ]
    with city.session(EAST_CLERK) as session:
        history = session.history(JUMIN, atenabango=people[1]["atenabango"])
        [new] = session.read(JUMIN, TODAY, atenabango=people[2]["atenabango"])
    assert [(row["event"], row["valid"], row["jusho_banchigohyoki"]) for row in history] == [
        (before + 2, Period(SINCE.start, MOVED), "２番３号"),
        (before + 2, Period(MOVED), "９番９号"),
    ]
    assert new["event"] == last
    assert_sound(city)


def test_a_run_leaves_what_the_same_events_recorded_one_by_one_leave(
    city: Store, databases: Any, city_template: str
) -> None:
    people = [person(str(n)) for n in (1, 2)]
    with (
        databases.fresh(city_template) as other,
        Store(
            store.Server(other.owner_dsn, other.app_dsn), city.library, b"a key of tests, thirty-two bytes!"
        ) as alone,
    ):
        for held in (city, alone):
            for row in people:
                move_in(held, row)
        closed, added = zip(*(moved(row, number) for number, row in enumerate(people)), strict=True)
        names = [row["atenabango"] for row in people]
        record(city, names, amendment(city, JUMIN, [*added[0], *added[1]], [*closed[0], *closed[1]]))
        for row, ends, starts in zip(people, closed, added, strict=True):
            changes = [Change(JUMIN, None, valid, {"atenabango": row["atenabango"]}) for _, _, valid in ends]
            changes += [Change(JUMIN, new, valid) for _, new, valid in starts]
            with alone.session(CITY_HALL) as session:
                session.record("移行差分", row["atenabango"], changes)

        def left(held: Store) -> Any:
            told = "SELECT event, business, kind, subject, payload, content, message "
            events = owner_runs(
                held, told + "FROM kiban.event JOIN kiban.outbox USING (event, business, kind, subject)"
            )
            for event in events:
                for change in event[4].get("changes", []):
                    change.pop("search", None)  # what finds a row follows from the row
            rows = everything(held)[JUMIN]
            entries = owner_runs(held, "SELECT s::text FROM resident.jumin_search s ORDER BY 1")
            return (
                events,
                [{**row, "known_from": 0, "known_to": row["known_to"] == "infinity"} for row in rows],
                entries,
            )

        assert left(city) == left(alone)


def test_new_rows_are_found_by_search_and_known_before_as_before(city: Store) -> None:
    row = person("1")
    move_in(city, row)
    [(known,)] = owner_runs(city, "SELECT recorded_at FROM kiban.head")
    other = row | {"shimei": "髙橋　一郎", "shimei_furigana": "タカハシ　イチロウ"}
    record(city, [row["atenabango"]], amendment(city, JUMIN, [(0, other, SINCE)], [(0, row, SINCE)]))
    with city.session(CITY_HALL) as session:
        [hit] = session.search(JUMIN, Query(TODAY.valid, name="高橋")).hits
        [then] = session.read(JUMIN, AsOf(TODAY.valid, known), atenabango=row["atenabango"])
    assert (hit.subject, then["shimei"]) == (row["atenabango"], row["shimei"])
    assert_sound(city)


def test_a_household_and_its_head_name_each_other_within_one_event(city: Store) -> None:
    head_of = person("1", setaibango="901".zfill(15))
    with city.session(CITY_HALL) as session:
        [household] = session.history("resident.setai", setaibango="900".zfill(15))
    kept = {name: value for name, value in household.items() if name in city.table("resident.setai").items}
    house = kept | {
        "setaibango": "901".zfill(15),
        "setainushi_atenabango": head_of["atenabango"],
        "setainushimisetteifuragu": "0",
    }
    changes = [
        amendment(city, JUMIN, [(0, head_of, SINCE)]),
        amendment(city, "resident.setai", [(0, house, SINCE)]),
    ]
    record(city, [head_of["atenabango"]], *changes)
    assert_sound(city)


def test_rows_of_a_log_are_added_and_never_closed(city: Store) -> None:
    row = person("1")
    move_in(city, row)
    record(
        city,
        [row["atenabango"]],
        amendment(city, "resident.ido", [(0, moving("I1", row["atenabango"]), Period(None))]),
    )
    assert_sound(city)
    again = amendment(
        city, "resident.ido", (), [(0, {"idobango": "I1", "atenabango": row["atenabango"]}, Period(None))]
    )
    with pytest.raises(Problem, match="append-only"):
        record(city, [row["atenabango"]], again)


def _late(city: Store) -> tuple[list[str], list[Amendment], int | None]:
    """A household that only a later event adds."""
    with city.session(CITY_HALL) as session:
        [household] = session.history("resident.setai", setaibango="900".zfill(15))
    kept = {name: value for name, value in household.items() if name in city.table("resident.setai").items}
    house = kept | {"setaibango": "901".zfill(15)}
    rows = amendment(city, JUMIN, [(0, person("2", setaibango="901".zfill(15)), SINCE)])
    return ["2", "901"], [rows, amendment(city, "resident.setai", [(1, house, SINCE)])], None


def _business(city: Store) -> tuple[list[str], list[Amendment], int | None]:
    other = "nonresident_addressee.jutogaisha_atena_kihon_joho"
    return ["1"], [amendment(city, JUMIN, [(0, person("2"), SINCE)]), amendment(city, other)], None


_REFUSED: dict[str, Any] = {
    "reference-missing": _late,
    "business-mismatch": _business,
    "row-missing": lambda city: (["1"], [amendment(city, JUMIN, (), [(0, person("1"), Period(MOVED))])], None),
    "period-overlap": lambda city: (["1"], [amendment(city, JUMIN, [(0, person("1"), Period(MOVED))])], None),
    "event-between": lambda city: (["2"], [amendment(city, JUMIN, [(0, person("2"), SINCE)])], head(city) - 1),
    "event-empty": lambda city: (["1", "2"], [amendment(city, JUMIN, [(0, person("2"), SINCE)])], None),
    "event-mismatch": lambda city: (["2"], [amendment(city, JUMIN, [(1, person("2"), SINCE)])], None),
    "event-unreadable": lambda city: ([""], [amendment(city, JUMIN, [(0, person("2"), SINCE)])], None),
    "code-unknown": lambda city: (["2"], [amendment(city, JUMIN, [(0, person("2", seibetsu="?"), SINCE)])], None),
    "value-missing": lambda city: (["2"], [amendment(city, JUMIN, [(0, person("2", zokugara1=None), SINCE)])], None),
}  # fmt: skip


@pytest.mark.parametrize("code", _REFUSED)
def test_what_breaks_a_rule_is_refused_by_name_and_changes_nothing(city: Store, code: str) -> None:
    move_in(city, person("1"))
    before, rows = head(city), everything(city)
    subjects, amendments, last = _REFUSED[code](city)
    with pytest.raises((Problem, Problems)) as refused:
        record(city, subjects, *amendments, last=last)
    assert set(re.findall(r"\[([a-z-]+)\]$", str(refused.value), re.MULTILINE)) == {code}
    assert "渡邉" not in str(refused.value)
    assert (head(city), everything(city)) == (before, rows)
    move_in(city, person("3"))  # the chain is free again, and every trigger is on
    assert_sound(city)


def test_work_goes_on_after_its_own_events_and_stops_at_those_of_others(city: Store) -> None:
    with store.amending(city, [JUMIN], CITY_HALL, head(city)) as work:
        for number in ("1", "2"):
            work.record("移行差分", [number], [amendment(city, JUMIN, [(0, person(number), SINCE)])])
        with city.session(CITY_HALL) as session:
            ward = session.history("resident.gyoseiku", gyoseikukodo="281018")[0]
            kept = {
                name: value for name, value in ward.items() if name in city.table("resident.gyoseiku").items
            }
            session.record("設定", "city", [Change("resident.gyoseiku", kept, Period(None))])
        work.record(
            "移行差分", ["3"], [amendment(city, JUMIN, [(0, person("3"), SINCE)])]
        )  # another register's
        move_in(city, person("4"))
        with pytest.raises(Problem, match="event-between"):
            work.record("移行差分", ["5"], [amendment(city, JUMIN, [(0, person("5"), SINCE)])])
    assert_sound(city)


def test_only_whoever_serves_the_whole_city_amends(city: Store) -> None:
    with pytest.raises(Problem, match="ward-outside"), store.amending(city, [JUMIN], EAST_CLERK, 0):
        pass


def test_a_database_of_before_learns_of_runs_when_it_is_installed_again(city: Store) -> None:
    owner_runs(city, "ALTER TABLE kiban.head DROP COLUMN opened_last")
    city.install()
    record(city, ["1"], amendment(city, JUMIN, [(0, person("1"), SINCE)]))
    assert_sound(city)


def test_the_past_of_registers_tells_loads_others_and_where_a_work_began(city: Store) -> None:
    schema = store.arrow_schema(city.table(JUMIN).group)
    row = person("1") | {"valid_from": SINCE.start, "valid_to": None}
    batch = pa.RecordBatch.from_pylist(
        [row], schema=pa.schema([field.with_nullable(True) for field in schema])
    )
    load = store.import_arrow(city, [store.Part(JUMIN, "a", 1, lambda: [batch])], CITY_HALL)
    fresh = store.past(city, [JUMIN, "resident.setai"], "hall", "移行差分", MOVED)
    assert (fresh.head, fresh.loads, fresh.others, fresh.before, fresh.begun) == (
        load,
        {JUMIN: load},
        {},
        load,
        False,
    )
    closed, added = moved(person("1"), 0)
    first = record(city, ["1"], amendment(city, JUMIN, added, closed), valid=MOVED)
    begun = store.past(city, [JUMIN], "hall", "移行差分", MOVED)
    assert (begun.before, begun.known, begun.begun, begun.newest) == (load, fresh.known, True, MOVED)
    assert begun.own.split(":")[0] == str(first)
    later = store.past(city, [JUMIN], "hall", "移行差分", MOVED + timedelta(days=7))
    assert (later.before, later.begun, later.newest) == (first, False, MOVED)
    move_in(city, person("2"), actor=EAST_CLERK)
    lived = store.past(city, [JUMIN], "hall", "移行差分", MOVED)
    assert (lived.others, lived.own) == ({JUMIN: 1}, begun.own)


def test_digests_of_every_period_as_known_before_are_those_of_before(city: Store) -> None:
    move_in(city, person("1"))
    [(known,)] = owner_runs(city, "SELECT recorded_at FROM kiban.head")

    def digests(moment: Any) -> list[Any]:
        names = store.arrow_schema(city.table(JUMIN).group).names
        found = store.row_digests(city, JUMIN, names, ["atenabango", "valid_from"], CITY_HALL, moment)
        return sorted(map(repr, pa.Table.from_batches(found).to_pylist()))

    before = digests(None)
    closed, added = moved(person("1"), 0)
    record(city, ["1"], amendment(city, JUMIN, added, closed))
    assert digests(known) == before != digests(None)
    with pytest.raises(psycopg.Error):
        owner_runs(city, "UPDATE resident.jumin SET closed_by = NULL")
