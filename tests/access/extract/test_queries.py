"""Queries: read from files, refused with every fault at once, and answering what a plain filter would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban import store
from kiban.access import extract
from kiban.kernel import ALL_WARDS, Actor, AsOf, Problem, Problems
from kiban.standard import Item
from kiban.store import Bounds

from .conftest import JUMIN, Town

HALL = Actor("hall", None, ALL_WARDS, "試験", protected=True)
DAY, NOW = date(2026, 10, 1), datetime(2026, 10, 1, 3, tzinfo=UTC)
FILE = """\
title: 高齢者の一覧
business: resident
main: jumin
join:
  - {group: kojinbangokado, by: atenabango}
items:
  - atenabango
  - shimei
  - {age: seinengappi, on: fiscal-end}
  - kojinbangokado.jukikado_hakkojokyo
where:
  - {age: seinengappi, on: 年度末日, from: "65", unknown: without}
  - {item: juminjotai, named: 住登者}
  - {item: shimei, begins: 渡}
valid: today
wards: ["281018"]
order: [-atenabango]
output: {form: csv, encoding: cp932}
"""


def codes(refused: pytest.ExceptionInfo[Problems]) -> list[str]:
    return [each.code for each in refused.value.problems]


def test_a_file_that_an_official_wrote_is_read_and_written_again(tmp_path: Path) -> None:
    file = tmp_path / "query.yaml"
    file.write_text(FILE, encoding="utf-8")
    asked = extract.read_query(file)
    assert asked.query.fields[2] == extract.Field("", "seinengappi", "fiscal-end")
    assert asked.output.encoding == "cp932"
    again = tmp_path / "again.yaml"
    again.write_text(extract.text(asked), encoding="utf-8")
    assert extract.read_query(again) == asked
    assert extract.query_in(extract.plain(asked)) == asked


def test_every_fault_of_a_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "query.yaml"
    file.write_text(
        "main: jumin\nitem: [shimei]\nwhere:\n  - {item: shimei}\nlimit: many\nsplit: by-ward\n",
        encoding="utf-8",
    )
    with pytest.raises(Problems) as refused:
        extract.read_query(file)
    assert codes(refused) == [
        "field-missing",
        "condition-kind",
        "query-word",
        "query-number",
        "field-unknown",
    ]
    assert {each.where for each in refused.value.problems} >= {"query.yaml:4", "query.yaml:5", "query.yaml:2"}


def check(town: Town, body: dict[str, Any], hidden: frozenset[str] = frozenset()) -> None:
    extract.check(extract.query_in(body).query, town.store.edition("resident"), hidden, DAY, NOW)


def test_everything_that_the_edition_does_not_know_is_told_at_once(town: Town) -> None:
    body = {
        **JUMIN,
        "join": [{"group": "setai", "by": "atenabango"}, {"group": "nowhere", "by": "x"}],
        "items": ["shimeii", "kyuji.kyuji", {"age": "shimei", "on": "someday"}],
        "where": [
            {"item": "seinengappi", "from": "2000-01-01"},
            {"item": "juminjotai", "named": "無い"},
            {"item": "juminjotai", "is": "XX"},
            {"item": "seinengappi", "begins": "19", "unknown": "with"},
        ],
        "wards": ["灘区"],
        "known": "2999-01-01T00:00:00+09:00",
    }
    with pytest.raises(Problems) as refused:
        check(town, body)
    assert set(codes(refused)) == {
        "reference-unknown", "group-unknown", "item-unknown", "age-of-what", "day-unreadable", "condition-unknown-dates",
        "code-name-unknown", "condition-value", "condition-item", "ward-unknown", "known-unreadable",
    }  # fmt: skip


HIDDEN = frozenset({"resident.jumin.kojinbango", "resident.jumin.setaibango", "resident.jumin.setaiinjunjo"})


@pytest.mark.parametrize(
    "asked",
    [
        {"items": ["kojinbango"]},
        {"items": ["shimei"], "where": [{"item": "kojinbango", "empty": "yes"}]},
        {"items": ["shimei"], "order": ["kojinbango"]},
        {"totals": {"by": ["kojinbango"]}},
        {"totals": {"distinct": ["kojinbango"]}},
        {"totals": {"sum": ["setaiinjunjo"]}},
        {"items": ["shimei"], "join": [{"group": "setai", "by": "setaibango"}]},
    ],
)
def test_an_item_that_may_not_leave_is_refused_wherever_it_stands(town: Town, asked: dict[str, Any]) -> None:
    with pytest.raises(Problems) as refused:
        check(town, {**JUMIN, **asked}, HIDDEN)
    assert "item-hidden" in codes(refused)
    check(town, {**JUMIN, **asked})


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("2026-02-28", date(2026, 2, 28)),
        ("令和8年4月1日", date(2026, 4, 1)),
        ("today-1", date(2026, 9, 30)),
        ("今日", DAY),
        ("月末", None),
        ("今月末日", date(2026, 10, 31)),
        ("fiscal-start", date(2026, 4, 1)),
        ("年度末日", date(2027, 3, 31)),
        ("year-end+1", date(2027, 1, 1)),
        ("2026-02-30", None),
        ("today+99999", date(2300, 7, 16)),
    ],
)
def test_days_in_words(word: str, meant: date | None) -> None:
    if meant is None:
        with pytest.raises(Problem):
            extract.day(word, DAY)
    else:
        assert extract.day(word, DAY) == meant


Row = dict[str, Any]


@cache
def exported(city: store.Store) -> list[Row]:
    """Every row of the register today, as the export of the store gives them."""
    batches = store.export_arrow(city, "resident.jumin", AsOf(DAY), HALL)
    return [row for batch in batches for row in batch.to_pylist()]


def held(item: Item, kind: str, values: list[str]) -> Callable[[Row], bool]:
    """What a condition means, in plain words."""

    def test(row: Row) -> bool:
        value = None if row[item.romaji] is None else str(row[item.romaji])
        if kind in ("empty", "filled"):
            return (value is None) == (kind == "empty")
        if kind == "not":
            return value != values[0]
        if value is None:
            return False
        if kind == "between":
            low, high = values
            if item.type in extract.NUMBERS:
                return (not low or int(value) >= int(low)) and (not high or int(value) <= int(high))
            return (not low or value >= low) and (not high or value <= high)
        return value.startswith(values[0]) if kind == "begins" else value in values

    return test


def drawn(draw: Random, item: Item, rows: list[Row]) -> tuple[Item, str, list[str]]:
    """A condition on an item of the standard, with values as they stand in rows."""
    kinds = ["empty", "filled"]
    if not item.repeats:
        kinds += ["is", "not", "one-of", "between"] + ["begins"] * (item.type in ("X", "N"))
    kind = draw.choice(kinds)
    if kind in ("empty", "filled"):
        return item, kind, []
    known = sorted({str(row[item.romaji]) for row in rows if row[item.romaji] is not None}) or [
        item.sample or "1"
    ]
    values = [draw.choice(known) for _ in range({"one-of": 3, "between": 2}.get(kind, 1))]
    if kind == "begins":
        values = [values[0][: draw.randint(1, 3)]]
    if kind == "between" and draw.random() < 0.5:
        values[draw.randint(0, 1)] = ""
    return item, kind, values


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_whatever_is_asked_the_rows_are_those_of_a_plain_filter(town: Town, seed: int) -> None:
    group, rows = town.store.edition("resident").group("jumin"), exported(town.store)
    items = [item for item in group.items if item.type != "BLOB"]
    draw = Random(seed)
    shown = draw.sample(items, draw.randint(1, 6))
    asked = [drawn(draw, draw.choice(items), rows) for _ in range(draw.randint(0, 3))]
    where = []
    for item, kind, values in asked:
        condition: dict[str, Any] = {"item": item.romaji}
        if kind == "between":
            condition |= {key: value for key, value in zip(("from", "to"), values, strict=True) if value}
        else:
            condition[kind] = "yes" if not values else values if kind == "one-of" else values[0]
        if item.allows_unknown_date and values:
            condition["unknown"] = "without"
        where.append(condition)
    body = {**JUMIN, "items": [item.romaji for item in shown], "where": where, "valid": DAY.isoformat()}
    try:
        found = select(town, body)
    except Problems as refused:  # a value of a sample that is none, such as a day in words
        assert {each.code for each in refused.problems} <= {"condition-value", "day-unreadable", "query-text"}
        return
    tests = [held(*each) for each in asked]
    wanted = [[row[item.romaji] for item in shown] for row in rows if all(test(row) for test in tests)]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


def select(town: Town, body: dict[str, Any]) -> list[list[Any]]:
    query = extract.query_in(body).query
    extract.check(query, town.store.edition("resident"), (), DAY, NOW)
    planned = extract.plan(query, town.store.edition("resident"), _open(town), DAY, NOW)
    with town.store.session(HALL) as session:
        batches = list(session.select(planned.selection, Bounds(), {}))
    return [list(row.values()) for batch in batches for row in batch.to_pylist()]


def _open(town: Town) -> Any:
    """A grant to which everything is open."""

    class Open:
        def need(self, *_: str) -> None: ...

        def actor(self, *_: str) -> Actor:
            return HALL

    return Open()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(min_size=1, max_size=40)
    | st.sampled_from(["'; DELETE FROM kiban.event; --", "%s", "\\'", '"', "$$"])
)
def test_no_text_runs_anything_but_the_select(town: Town, text: str) -> None:
    """As a value it finds what equals it; as a name of anything it is refused."""
    before = count(town)
    for where in (
        {"item": "shimei", "is": text},
        {"item": "shimei", "begins": text},
        {"item": "shimei", "not": text},
    ):
        try:
            found = select(town, {**JUMIN, "items": ["shimei"], "where": [where], "valid": DAY.isoformat()})
        except Problems:
            continue
        same = [r["shimei"] for r in exported(town.store) if held(_NAME, *_kind(where))(r)]
        assert sorted(row[0] for row in found) == sorted(same)
    known = {item.romaji for item in town.store.edition("resident").group("jumin").items}
    for body in (
        {"items": [text]},
        {"items": ["shimei"], "order": [text]},
        {"totals": {"by": [text]}},
        {"main": text, "items": ["shimei"]},
    ):
        if text.strip().removeprefix("-") in known:
            continue
        with pytest.raises(Problems):
            select(town, {**JUMIN, **body})
    assert count(town) == before


def _kind(where: dict[str, str]) -> tuple[str, list[str]]:
    kind = next(key for key in where if key != "item")
    return kind, [where[kind].strip()]


class _Name:
    romaji, type = "shimei", "N"


_NAME: Any = _Name()


def count(town: Town) -> int:
    with town.store.owner() as connection:
        row = connection.execute("SELECT count(*) FROM kiban.event").fetchone()
    assert row is not None
    return int(row[0])


def test_the_example_of_the_handbook_is_a_query_that_can_be_run(town: Town, tmp_path: Path) -> None:
    handbook = (Path(__file__).parents[3] / "docs" / "extract.md").read_text(encoding="utf-8")
    file = tmp_path / "example.yaml"
    file.write_text(handbook.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")
    query = extract.read_query(file).query
    extract.check(query, town.store.edition("resident"), (), DAY, NOW)
