"""What auditors ask: who was at work at night, who failed to sign in, who looked at too many, and at whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiban.access import Access, audit
from kiban.access.audit import Audit, Line, Wanted, analyses
from kiban.kernel import JAPAN, Problem, Problems

Look = Callable[..., None]
SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def japan(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=JAPAN)


@pytest.fixture
def trail(installed: Access) -> Audit:
    return installed.audit


def write(trail: Audit, kind: str, actor: str, at: datetime, **said: Any) -> None:
    trail.write(Line(**{"kind": kind, "outcome": "done", "actor": actor, "at": at, **said}))


def test_use_at_night_on_weekends_and_holidays_is_told_by_day_and_actor(trail: Audit, look: Look) -> None:
    write(trail, "read", "night-1", japan(16, 8, 29))  # Monday
    look("night-1", "1", at=japan(16, 8, 30))
    look("night-1", "1", at=japan(16, 17, 15))
    write(trail, "read", "night-1", japan(21, 12))  # Saturday
    look("night-1", "1", at=japan(23, 12))  # 勤労感謝の日
    found = analyses.outside(
        trail, date(2026, 11, 16), date(2026, 11, 24), analyses.Hours(), analyses.read_holidays()
    )
    assert [(e.day.day, e.why, e.lines, e.lookups) for e in found if e.actor == "night-1"] == [
        (16, "夜間", 1, 1),
        (21, "土曜日", 1, 0),
        (23, "勤労感謝の日", 0, 1),
    ]


def test_a_year_without_known_holidays_is_not_guessed(trail: Audit) -> None:
    with pytest.raises(Problem, match="holidays-unknown"):
        list(
            analyses.outside(
                trail, date(2030, 1, 1), date(2030, 1, 2), analyses.Hours(), analyses.read_holidays()
            )
        )


def test_the_national_holidays_of_2026_are_eighteen() -> None:
    names = analyses.read_holidays().names
    assert len(names) == 18
    assert names[date(2026, 5, 6)] == "休日"  # 3 May is a Sunday
    assert names[date(2026, 9, 22)] == "休日"  # between two holidays


def test_a_city_gives_its_own_days(tmp_path: Path) -> None:
    file = tmp_path / "holidays.csv"
    file.write_text("国民の祝日・休日月日,国民の祝日・休日名称\n2026/12/29,年末年始\n", encoding="utf-8-sig")
    assert analyses.read_holidays(file).why(date(2026, 12, 29)) == "年末年始"
    file.write_text("国民の祝日・休日月日,国民の祝日・休日名称\n2026-02-30,無い日\nx,y\n")
    with pytest.raises(Problems) as refused:
        analyses.read_holidays(file)
    assert [each.where for each in refused.value.problems] == [f"{file}:2", f"{file}:3"]


@pytest.mark.parametrize(("opens", "closes"), [(time(8, 20), time(17)), (time(17), time(8))])
def test_hours_are_quarters_in_their_order(opens: time, closes: time) -> None:
    with pytest.raises(Problem, match="audit-hours"):
        analyses.Hours(opens, closes)


def test_failed_sign_ins_and_lock_outs_are_counted_by_actor_and_address(trail: Audit) -> None:
    for n in range(5):
        write(
            trail,
            "signin",
            "f-1",
            japan(2, 9, n),
            outcome="refused",
            address="192.0.2.1",
            detail={"act": "password"},
        )
    write(
        trail,
        "signin",
        "f-1",
        japan(2, 9, 6),
        outcome="refused",
        address="192.0.2.1",
        detail={"act": "lock-out"},
    )
    write(trail, "signin", "f-1", japan(2, 9, 7), address="192.0.2.2", detail={"act": "password"})
    [found] = [e for e in analyses.failures(trail, SINCE, UNTIL) if e.actor == "f-1"]
    assert (found.address, found.failures, found.lock_outs) == ("192.0.2.1", 5, 1)
    assert (found.first, found.last) == (japan(2, 9), japan(2, 9, 6))
    [locked] = analyses.lock_outs(trail, Wanted(actor="f-1")).entries
    assert locked.line.at == japan(2, 9, 6)


def test_mass_search_counts_different_persons_from_a_threshold_on(trail: Audit, look: Look) -> None:
    for n in range(6):
        look("mass-1", f"p{n}", "p0", at=japan(4, 10, n), asked='{"search": {"name": "x"}}')
    look("mass-2", "p0", at=japan(4, 10))

    def found(threshold: int) -> list[tuple[str, int, int, int]]:
        days = analyses.busy(trail, date(2026, 11, 4), date(2026, 11, 5), threshold)
        return [(e.actor, e.subjects, e.lookups, e.searches) for e in days]

    assert found(6) == [("mass-1", 6, 6, 6)]
    assert found(7) == []
    assert found(1) == [("mass-1", 6, 6, 6), ("mass-2", 1, 1, 0)]


def test_who_looked_at_somebody_is_told_whole_in_pages(trail: Audit, look: Look) -> None:
    for n in range(7):
        look(f"w{n}", "whose", at=japan(5, 9, n))
        write(trail, "print", f"w{n}", japan(5, 9, n) + timedelta(seconds=30), subjects=("whose", "other"))
    look("w9", "other")
    seen: list[tuple[str, str]] = []
    before: tuple[int, int] | None = None
    while True:
        page = analyses.looks(trail, subject="whose", before=before, limit=3)
        seen += [(each.actor, each.source) for each in page.looks]
        before = page.next
        if before is None:
            break
    assert seen == [(f"w{n}", source) for n in reversed(range(7)) for source in ("line", "lookup")]


def test_whom_somebody_looked_at(trail: Audit, look: Look) -> None:
    look("curious", "a", "b", at=japan(6, 9))
    found = analyses.looks(trail, actor="curious").looks
    assert [(e.source, e.what, e.subjects) for e in found] == [("lookup", "resident.jumin", ("a", "b"))]
    with pytest.raises(Problem, match="audit-nobody"):
        analyses.looks(trail)


def test_exports_of_unknown_size_come_before_the_largest(trail: Audit) -> None:
    for rows in (5, 900, "many"):
        write(trail, "extract", "x-1", japan(7, 9), detail={"rows": rows})
    write(trail, "export", "x-1", japan(7, 9), detail={})
    found = [e.rows for e in analyses.exports(trail, SINCE, UNTIL) if e.entry.line.actor == "x-1"]
    assert found == [None, None, 900, 5]


def test_lifts_of_protection_are_listed(trail: Audit) -> None:
    write(trail, "lift", "l-1", japan(8, 9), subjects=("77",), detail={"act": "ask"})
    write(trail, "lift", "l-2", japan(8, 10), subjects=("77",), outcome="refused", detail={"act": "grant"})
    found = analyses.lifts(trail, Wanted(subject="77")).entries
    assert [(e.line.actor, e.line.outcome) for e in found] == [("l-2", "refused"), ("l-1", "done")]


def test_looks_at_somebody_near_are_named_by_relation(trail: Audit, look: Look) -> None:
    look("k-1", "spouse", "stranger", at=japan(9, 9))
    look("k-1", "stranger", at=japan(9, 10))
    look("k-2", "spouse", at=japan(9, 11))
    near = {"self": "本人", "spouse": "同一世帯"}
    found = list(analyses.kin_looks(trail, "k-1", near, SINCE, UNTIL))
    assert [(e.subject, e.relation) for e in found] == [("spouse", "同一世帯")]


def test_who_of_the_staff_is_which_person_is_noted_with_a_line(trail: Audit) -> None:
    own = analyses.Own(trail)
    own.note({"1001": "000000000000900", "1002": "000000000000901"}, "auditor", japan(10, 9))
    own.note({"1002": ""}, "auditor", japan(10, 10))
    assert list(own.everybody()) == [("1001", "000000000000900")]
    lines = trail.lines(Wanted(actor="auditor", kinds=("setting",))).entries
    assert [e.line.detail["staff"] for e in lines] == [1, 2]


def test_a_walk_that_left_no_line_is_told(trail: Audit) -> None:
    mark = audit.session_mark("a walk")
    for kind, outcome in (("search", "done"), ("read", "done"), ("read", "refused")):
        write(trail, kind, "walker", japan(11, 9), outcome=outcome, session=mark)
    wanted = Wanted(session=mark)
    assert audit.missing(trail, wanted, ["search", "read", "read:refused"]) == []
    assert audit.missing(trail, wanted, ["search", "search", "print"]) == ["print:done", "search:done"]
