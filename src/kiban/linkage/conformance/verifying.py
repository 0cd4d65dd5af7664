"""Runs cases against a subject, and says in words what was not as the contract asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import orjson

from kiban.kernel import Problem
from kiban.linkage.conformance.case import Case
from kiban.linkage.conformance.subject import Subject
from kiban.linkage.message import Row

_WORDS = {
    **{"applied": "反映", "repeated": "重複", "late": "遅着（反映しない）", "held": "待ち"},
    **{"quarantined": "隔離", "refused": "拒否"},
}


@dataclass(frozen=True)
class Result:
    """What came of a case, or of a check.

    Attributes:
        id: of the case.
        title: what was tried, in Japanese.
        why: what goes wrong where it does not pass, in Japanese.
        faults: what was not as it has to be, in Japanese; empty where it passed. No values.
    """

    id: str
    title: str
    why: str
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything was as it has to be."""
        return not self.faults


def verify_consumer(
    cases: Iterable[Case], subject: Subject, progress: Callable[[Case], object] = lambda _case: None
) -> tuple[Result, ...]:
    """Run cases, each on an empty consumer.

    Args:
        cases: those of `consumer_cases`.
        subject: the consumer under test. What it raises as a Problem is a fault of the case; the next one goes on.
        progress: is called before each case.

    Raises:
        Problem: `subject-unreachable`: nothing can be said of a consumer that does not answer.
    """
    found = []
    for case in cases:
        progress(case)
        try:
            faults = tuple(_run(case, subject))
        except Problem as problem:
            if problem.code == "subject-unreachable":
                raise
            faults = (f"試験を続けられなかった：{problem.what}（{problem.code}）",)
        found.append(Result(case.id, case.title, case.why, faults))
    return tuple(found)


def _run(case: Case, subject: Subject) -> Iterable[str]:
    subject.begin()
    for number, step in enumerate(case.steps, 1):
        if step.restart:
            subject.restart()
        outcomes = subject.deliver(step.messages)
        yield from _outcomes(number, step.outcomes, outcomes)
    for feed, rows in case.rows.items():
        yield from _rows(feed, rows, subject.rows(feed))
    if case.effects is not None:
        yield from _effects(case.effects, subject.effects())
    for beat, now in case.beats:
        subject.hear(beat, now)
    for unit, states in case.protection.items():
        if (state := subject.protection(unit, case.asked)) not in states:
            yield f"支援措置の状態が {state} になっている（{'・'.join(sorted(states))} でなければならない）"


def _outcomes(number: int, wanted: Sequence[str | None], told: Sequence[str]) -> Iterable[str]:
    if len(told) != len(wanted):
        yield f"{number}回目の配信：{len(wanted)}件に対して{len(told)}件の答え"
        return
    wrong = [(place, a, b) for place, (a, b) in enumerate(zip(wanted, told, strict=True), 1) if a and a != b]
    for place, a, b in wrong[:3]:
        yield f"{number}回目の配信の{place}件目：「{_WORDS[a or '']}」のはずが「{_WORDS.get(b, b)}」"
    if len(wrong) > 3:
        yield f"{number}回目の配信：ほか{len(wrong) - 3}件"


def _rows(feed: str, wanted: Sequence[Row], held: Sequence[Row]) -> Iterable[str]:
    a, b = ({_written(row) for row in rows} for rows in (wanted, held))
    if len(held) != len(b):
        yield f"{feed}：同じ行が重なっている"
    if a == b:
        return
    yield f"{feed}：あるべき行{len(wanted)}件のうち{len(a - b)}件がなく、あってはならない行が{len(b - a)}件ある"
    names = sorted({name for row in (*wanted, *held) for name in row})
    differing = [
        name for name in names if {str(r.get(name)) for r in wanted} != {str(r.get(name)) for r in held}
    ]
    if differing and a - b and b - a:
        yield f"{feed}：値の異なる項目 {'、'.join(differing[:10])}"


def _written(row: Row) -> bytes:
    return orjson.dumps(dict(row), option=orjson.OPT_SORT_KEYS)


def _effects(wanted: frozenset[str], told: Sequence[str]) -> Iterable[str]:
    if len(told) != len(set(told)):
        yield f"二度効いた変更が{len(told) - len(set(told))}件ある"
    if missing := len(wanted - set(told)):
        yield f"効いていない変更が{missing}件ある"
    if more := len(set(told) - wanted):
        yield f"効いてはならない変更が{more}件効いた"
