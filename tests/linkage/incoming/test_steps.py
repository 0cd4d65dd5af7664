"""Whatever is claimed of whatever is known: the steps make it true, change nothing else, and are then none."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kiban.kernel import Period
from kiban.linkage.incoming import END, Step
from kiban.linkage.incoming.steps import Claim, changes, steps
from kiban.standard import Group, Item
from kiban.store import Change, Row

FIRST, DAYS = date(2026, 1, 1), 12
Timeline = list[dict[str, Any] | None]


def item(romaji: str, key: bool = False) -> Item:
    return Item(romaji, romaji, romaji, "人", key, False, ("", "", ""), "X", 9, None, None, None, "任意")


HISTORY = item("rirekibango", key=True)
ITEMS = (item("bango", key=True), HISTORY, item("a"), item("b"), item("c"))
PEOPLE = Group("hito", "人", "register", "city", ITEMS, HISTORY)


def day(number: int) -> date:
    return FIRST + timedelta(number)


def runs(timeline: Timeline) -> list[tuple[int, int, dict[str, Any]]]:
    found: list[tuple[int, int, dict[str, Any]]] = []
    for number, row in enumerate(timeline):
        if row is not None and found and found[-1][1] == number and found[-1][2] == row:
            found[-1] = (found[-1][0], number + 1, row)
        elif row is not None:
            found.append((number, number + 1, row))
    return found


def known(timeline: Timeline) -> list[Row]:
    """A timeline as the register keeps it; what reaches the last day goes on for ever."""
    return [
        {**row, "valid": Period(day(low), None if high == DAYS else day(high)), "event": low + 1}
        for low, high, row in runs(timeline)
    ]


def written(timeline: Timeline) -> list[dict[str, Any]]:
    """A timeline as a message writes it."""
    return [
        {**row, "valid_from": str(day(low)), "valid_to": None if high == DAYS else str(day(high))}
        for low, high, row in runs(timeline)
    ]


def after(timeline: Timeline, made: list[Change]) -> Timeline:
    """What the register says when the changes are recorded."""
    result = list(timeline)
    for change in made:
        assert change.valid is not None
        row = change.row and {each.romaji: change.row.get(each.romaji) for each in ITEMS}
        for number in range(DAYS):
            if (change.valid.start or FIRST) <= day(number) < (change.valid.end or date.max):
                result[number] = row
    return result


ROW = st.fixed_dictionaries({"a": st.sampled_from("xy"), "b": st.sampled_from("xy"), "c": st.just("z")})
LINES = st.lists(st.one_of(st.none(), ROW), min_size=DAYS, max_size=DAYS)
Lines = list[dict[str, str] | None]


def timeline(rows: Lines, **more: Any) -> Timeline:
    return [None if row is None else {"bango": "1", "rirekibango": 1, **row, **more} for row in rows]


@given(LINES, LINES, st.lists(st.integers(0, DAYS), max_size=3))
def test_the_steps_make_a_claim_true_and_nothing_else(ours: Lines, theirs: Lines, turns: list[int]) -> None:
    before, claimed = timeline(ours), timeline(theirs, c="other")
    claim = Claim(PEOPLE, ["a", "b"], written(claimed), None)
    cuts = sorted(map(day, turns))
    told: list[Step] = steps(claim, known(before), cuts)
    end = after(before, changes(PEOPLE, "tiny.hito", told, known(before)))
    last = max((number for number, row in enumerate(claimed) if row is not None), default=-1)
    for now, was, said, number in zip(end, before, claimed, range(DAYS), strict=True):
        if said is not None:
            assert now is not None and (now["a"], now["b"]) == (said["a"], said["b"])
            assert now["c"] == (was["c"] if was else None), "an item that is not claimed stays"
        elif number > last >= 0:
            assert now is None, "behind its last row the unit has ended"
        else:
            assert now == was
    assert steps(claim, known(end), cuts) == []


@given(LINES, st.integers(0, DAYS - 1))
def test_a_unit_without_rows_has_ended_from_its_day(ours: Lines, turn: int) -> None:
    before = timeline(ours)
    claim = Claim(PEOPLE, ["a", "b"], [], day(turn))
    told = steps(claim, known(before))
    assert {each.kind for each in told} <= {END}
    end = after(before, changes(PEOPLE, "tiny.hito", told, known(before)))
    assert end == [*before[:turn], *[None] * (DAYS - turn)]
    assert steps(claim, known(end)) == []
