"""Files of the personnel section: all of them, or nothing."""

from __future__ import annotations

from datetime import date
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban.access import People
from kiban.access.people import COLUMNS
from kiban.kernel import Problems

from .conftest import AT, DAY

_runs = count(1)


def file(folder: Path, kind: str, *rows: str) -> tuple[str, Path]:
    path = folder / f"{kind}.csv"
    path.write_text("\n".join([",".join(COLUMNS[kind]), *rows]) + "\n", encoding="utf-8")
    return kind, path


def test_offices_staff_and_assignments_come_together(people: People, tmp_path: Path) -> None:
    files = [
        file(
            tmp_path,
            "assignments",
            "B1,resident-counter,b-east,2026-04-01,2027-03-31,",
            "B2,resident-counter,b-east,2026-11-01,2026-11-30,B1",
        ),
        file(
            tmp_path,
            "staff",
            "B1,基盤　花子,キバン　ハナコ,2020-04-01,,hr-1",
            "B2,基盤　次郎,キバン　ジロウ,2020-04-01,2027-03-31,",
        ),
        file(tmp_path, "offices", "b-east,市民課,課,east,281018,,"),
    ]
    assert len(people.take(files, "personnel", AT, duties={"resident-counter"}, dry_run=True)) == 5
    assert not people.may_sign_in("B1", DAY)
    assert len(people.take(files, "personnel", AT, duties={"resident-counter"})) == 5
    assert people.take(files, "personnel", AT) == []  # the same again changes nothing
    assert people.staff("B2").end == date(2027, 4, 1)  # the last day is a day of service
    assert people.acting("B2", DAY, "x").assignment.substitutes == "B1"


def test_every_fault_of_every_file_has_its_line(people: People, tmp_path: Path) -> None:
    files = [
        file(tmp_path, "offices", "c-1,市民課,係,east,281018,,", "c-2,,課,east,281018,,"),
        file(tmp_path, "staff", "C1,基盤,キバン,令和8年4月1日,,", "C2,,キバン,2020-04-01,,"),
        file(
            tmp_path,
            "assignments",
            "C1,resident-counter,c-1,2026-04-01,,",
            "C2,fishing,c-2,2026-04-01,2026-13-01,",
        ),
    ]
    with pytest.raises(Problems) as error:
        people.take(files, "personnel", AT, duties={"resident-counter"})
    assert [(each.code, each.where) for each in error.value.problems] == [
        ("office-kind", "offices.csv:2"),
        ("day-unreadable", "staff.csv:2"),
        ("day-unreadable", "assignments.csv:3"),
        ("office-unnamed", "offices.csv:3"),
        ("staff-unnamed", "staff.csv:3"),
    ]
    assert "基盤" not in str(error.value)


_rows = st.lists(
    st.tuples(
        st.sampled_from(["P1", "P2", "P3"]),
        st.sampled_from(["resident-counter", "resident-records", "fishing"]),
        st.sampled_from(["east", "old-branch", "nowhere"]),
        st.sampled_from(["2026-04-01", "2026-05-01", "2026-12-01", "soon", ""]),
        st.sampled_from(["", "2026-04-30", "2026-11-30", "2025-01-01"]),
        st.sampled_from(["", "", "P1", "P2", "P9"]),
    ),
    max_size=4,
)


@given(rows=_rows, hired=st.sets(st.sampled_from(["P1", "P2", "P3"])))
def test_whatever_comes_either_all_or_nothing(
    people: People, rows: list[tuple[str, ...]], hired: set[str]
) -> None:
    names = {name: f"{name}-{next(_runs)}" for name in ("P1", "P2", "P3", "P9")}
    given_rows = [[names.get(cell, cell) for cell in row] for row in rows]
    with TemporaryDirectory() as folder:
        staff = [f"{names[each]},基盤,キバン,2026-04-01,," for each in sorted(hired)]
        files = [
            file(Path(folder), "staff", *staff),
            file(Path(folder), "assignments", *map(",".join, given_rows)),
        ]
        try:
            done = people.take(files, "personnel", AT, duties={"resident-counter", "resident-records"})
        except Problems as error:
            assert error.problems
            done = None
    there = [name for name in names.values() if people.may_sign_in(name, DAY)]
    assigned = [each for name in names.values() for each in people.assignments(name)]
    if done is None:
        assert (there, assigned) == ([], [])
    else:
        assert sorted(there) == sorted(names[each] for each in hired)
        assert len(assigned) == len(rows) and len(done) == len(rows) + len(hired)
