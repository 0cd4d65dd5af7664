"""What is due and does not come whole, once, in time and new is found: in all of many trials, and no sound set is blamed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.files.conftest import contract

from kiban import sets
from kiban.kernel import AsOf
from kiban.linkage import Contract, Due
from kiban.linkage.files import JAPAN, Finding, due, moments, watch
from kiban.standard import Library

PATIENCE = timedelta(minutes=5)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=JAPAN).astimezone(UTC)


def put(shelf: sets.Shelf, flow: Contract, came: datetime, day: date, **said: Any) -> sets.Manifest:
    """A full set that came at a moment; its files are its own."""
    there = sets.positions(shelf, flow.flow)
    given = {"known": came, "parts": ("jumin.0001.csv", "setai.0001.csv"), "text": str(came), **said}
    draft = sets.Draft(
        set_id=sets.new_set_id(came), flow=flow.flow, kind="full", epoch=(there[-1][0] if there else 0) + 1,
        as_of=AsOf(day, given["known"]), producer="001",
    )  # fmt: skip
    parts = [
        sets.Raw(name, 1, lambda name=name: [f"{name}{given['text']}".encode()]) for name in given["parts"]
    ]  # type: ignore[misc]
    made = sets.publish(shelf, draft, parts)
    assert shelf.folder is not None
    file = shelf.folder / "sets" / flow.flow / f"{made.epoch:010}-{made.sequence:010}.json"
    os.utime(file, (came.timestamp(), came.timestamp()))
    return made


def applied(shelf: sets.Shelf, manifest: sets.Manifest, when: datetime, system: str = "Z01") -> None:
    for state in ("received", "validated", "applied"):
        done: dict[str, Any] = {"rows": 1, "digest": "0" * 64} if state == "applied" else {}
        sets.file_receipt(
            shelf, sets.Receipt(set_id=manifest.set_id, system=system, state=state, at=when, **done)
        )


def sound(shelf: sets.Shelf, flow: Contract, day: date) -> sets.Manifest:
    came = at(day, 5, 50)
    made = put(shelf, flow, came, day)
    applied(shelf, made, came)
    return made


def kinds(findings: Any) -> list[str]:
    return [finding.what for finding in findings]


_DAY = timedelta(days=1)


@pytest.fixture
def since(flow: Contract) -> Iterator[Contract]:
    """The flow, in force from yesterday's yesterday on, so that earlier days ask for nothing."""
    yield replace(flow, effective=date(2026, 3, 30))


def spoil(trial: str, shelf: sets.Shelf, flow: Contract, day: date, draw: random.Random) -> set[str]:
    """Do one thing wrong on a day; what has to be found."""
    came = at(day, 5, draw.randrange(60))
    if trial == "missing":
        return {"missing"}
    if trial == "begun":
        put_half(shelf, flow, came, day)
        return {"partial"}
    if trial == "late":
        applied(shelf, put(shelf, flow, late := at(day, 6, 6 + draw.randrange(50)), day), late)
        return {"late"}
    if trial == "stale":
        old = at(day - _DAY, draw.randrange(6))
        applied(shelf, put(shelf, flow, came, day, known=old), came)
        return {"stale"}
    first = put(shelf, flow, came, day)
    applied(shelf, first, came)
    if trial == "partial":
        assert shelf.folder is not None
        draw.choice(sorted((shelf.folder / "parts" / first.set_id).glob("*.csv"))).unlink()
        return {"partial"}
    again = put(shelf, flow, came, day)
    applied(shelf, again, came)
    return {"repeated"}


def put_half(shelf: sets.Shelf, flow: Contract, came: datetime, day: date) -> None:
    """The first of two files, and then the publisher died."""

    class DiedError(Exception):
        pass

    def dies() -> Any:
        raise DiedError

    draft = sets.Draft(
        set_id=sets.new_set_id(came),
        flow=flow.flow,
        kind="full",
        epoch=9,
        as_of=AsOf(day, came),
        producer="001",
    )
    with pytest.raises(DiedError):
        sets.publish(
            shelf, draft, [sets.Raw("jumin.0001.csv", 1, lambda: [b"x"]), sets.Raw("setai.0001.csv", 1, dies)]
        )


TRIALS = ("missing", "begun", "partial", "late", "stale", "repeated")


@pytest.mark.parametrize("trial", TRIALS)
def test_each_of_many_faults_is_found_five_minutes_after_it_was_due(
    trial: str, since: Contract, tmp_path: Path
) -> None:
    """20 trials of each kind, at days of all sorts: 120 in all, with nothing else found."""
    draw = random.Random(trial)
    for number in range(20):
        shelf = sets.open_shelf(tmp_path / str(number), make=True)
        flow = replace(since, effective=date(2026, 1, 1) + _DAY * draw.randrange(300))
        today = flow.effective + _DAY
        sound(shelf, flow, flow.effective)
        wanted = spoil(trial, shelf, flow, today, draw)
        seen = due(flow, shelf, at(today, 6) + PATIENCE if trial != "late" else at(today, 7))
        assert set(kinds(seen)) == wanted, number
        assert all(one.moment is not None and one.moment.day == today for one in seen)


def test_what_came_whole_once_and_in_time_gives_no_finding(since: Contract, tmp_path: Path) -> None:
    shelf = sets.open_shelf(tmp_path, make=True)
    for place in range(5):
        day = since.effective + _DAY * place
        for minute in (0, 4):
            assert due(since, shelf, at(day, 6, minute)) == ()
        sound(shelf, since, day)
        assert due(since, shelf, at(day, 6, 5)) == ()


def test_the_same_files_again_under_another_day_are_told(since: Contract, tmp_path: Path) -> None:
    shelf = sets.open_shelf(tmp_path, make=True)
    first = since.effective
    for day in (first, first + _DAY):
        came = at(day, 5)
        applied(shelf, put(shelf, since, came, day, known=at(first, 5), text="same"), came)
    assert set(kinds(due(since, shelf, at(first + _DAY, 7)))) == {"stale", "repeated"}


def test_what_the_consumer_refused_or_has_not_applied_is_told(since: Contract, tmp_path: Path) -> None:
    shelf = sets.open_shelf(tmp_path, make=True)
    day = since.effective
    made = put(shelf, since, at(day, 5), day)
    assert due(since, shelf, at(day, 6, 4)) == ()
    [finding] = due(since, shelf, at(day, 6, 5))
    assert finding.what == "unapplied" and "反映していません" in finding.words and "take" in finding.advice
    sets.file_receipt(
        shelf,
        sets.Receipt(
            set_id=made.set_id, system="Z01", state="received", at=at(day, 6, 6), problems=("part-changed",)
        ),
    )
    [finding] = due(since, shelf, at(day, 6, 10))
    assert finding.what == "refused" and "part-changed" in finding.words


def test_a_set_passed_over_by_a_later_full_one_is_not_waited_for(since: Contract, tmp_path: Path) -> None:
    shelf = sets.open_shelf(tmp_path, make=True)
    day = since.effective
    put(shelf, since, at(day, 5), day)
    sound(shelf, since, day + _DAY)
    assert due(since, shelf, at(day + _DAY, 7)) == ()


def test_days_are_those_of_japan_and_months_end_on_their_last_day(library: Library) -> None:
    monthly = Due("full", 23 * 60 + 30, "month", 31, timedelta(minutes=5))
    weekly = Due("delta", 60, "monday", None, timedelta(minutes=5))
    flow = contract(library, due=(monthly, weekly), effective=date(2027, 12, 1))
    begin, end = datetime(2027, 12, 31, 14, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)
    found = [one for one in moments(flow, begin, end) if one.due is monthly]
    assert [one.day for one in found] == [date(2027, 12, 31), date(2028, 1, 31), date(2028, 2, 29)]
    assert found[0].at == datetime(2027, 12, 31, 14, 30, tzinfo=UTC)
    assert found[1].before == found[0].at
    weeks = [one for one in moments(flow, begin, end) if one.due is weekly]
    assert {one.day.weekday() for one in weeks} == {0} and len(weeks) == 9
    assert {one.at.astimezone(UTC).hour for one in weeks} == {16}
    assert [
        one for one in moments(replace(flow, until=date(2028, 2, 1)), begin, end) if one.day.month == 2
    ] == []


def test_a_watch_tells_each_finding_once_when_it_is_first_seen(since: Contract, tmp_path: Path) -> None:
    shelf = sets.open_shelf(tmp_path, make=True)
    day = since.effective
    clock = iter([at(day, 6), at(day, 6, 5), at(day, 6, 10), at(day, 6, 15)])
    looks = iter([True, True, True, False])

    def pause() -> bool:
        more = next(looks)
        if more and not sets.positions(shelf, since.flow) and len(told) == 1:
            put(shelf, since, at(day, 6, 9), day)
        return more

    told: list[tuple[datetime, Finding]] = []
    for one in watch([since], shelf, lambda: next(clock), pause):
        told.append(one)
    assert [(when, finding.what) for when, finding in told] == [
        (at(day, 6, 5), "missing"),
        (at(day, 6, 10), "late"),
        (at(day, 6, 15), "unapplied"),
    ]
