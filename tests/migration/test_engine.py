"""Stages run like a build: what is done stands, what is cut leaves nothing, and a rerun gives the same bytes."""

from __future__ import annotations

import errno
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from tests.killing import copies

from kiban import migration
from kiban.kernel import Problem
from kiban.migration import Context, Outcome, Plan, Stage, Work
from kiban.migration.digests import folder_digest


def no_store() -> NoReturn:
    raise AssertionError("no stage here opens the database")


def work_in(folder: Path) -> Work:
    return Work(folder, no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "input.txt").write_text("一", encoding="utf-8")
    return Plan(
        "p",
        "試し",
        "281000",
        date(2026, 10, 1),
        48,
        tmp_path / "project",
        tmp_path / "unload",
        (),
        (),
        (),
        (),
        (),
    )


def copying(name: str, *needs: str, runs: list[str] | None = None, closed: bool = False) -> Stage:
    def run(context: Context) -> Outcome:
        if runs is not None:
            runs.append(name)
        texts = [(folder / "out.txt").read_text(encoding="utf-8") for folder in context.inputs.values()]
        texts = texts or [(context.plan.folder / "input.txt").read_text(encoding="utf-8")]
        (context.out / "out.txt").write_text(name + "".join(texts), encoding="utf-8")
        return Outcome({"length": len("".join(texts))}, migration.gate(["閉じています。"] if closed else []))

    reads: Callable[[Plan], list[Path]] = lambda plan: [] if needs else [plan.folder / "input.txt"]  # noqa: E731
    return Stage(name, name, needs, run, reads=reads, parts=lambda _: None)


def test_what_is_done_is_not_done_again_until_its_inputs_change(plan: Plan, tmp_path: Path) -> None:
    runs: list[str] = []
    stages = [copying("a", runs=runs), copying("b", "a", runs=runs)]
    work = work_in(tmp_path / "work")
    migration.run(stages, plan, work)
    again = migration.run(stages, plan, work)
    assert runs == ["a", "b"]
    assert [one.fresh for one in again] == [False, False]
    (plan.folder / "input.txt").write_text("二", encoding="utf-8")
    assert [one.state for one in migration.status(stages, plan, work)] == ["stale", "stale"]
    migration.run(stages, plan, work)
    assert runs == ["a", "b"] * 2


def test_a_stage_whose_output_stays_the_same_lets_the_next_one_stand(plan: Plan, tmp_path: Path) -> None:
    runs: list[str] = []
    first, second = copying("a", runs=runs), copying("b", "a", runs=runs)
    work = work_in(tmp_path / "work")
    migration.run([first, second], plan, work)
    migration.run([replace(first, version="2"), second], plan, work)
    assert runs == ["a", "b", "a"]


def test_a_closed_gate_stops_the_run_and_stays_closed(plan: Plan, tmp_path: Path) -> None:
    runs: list[str] = []
    stages = [copying("a", runs=runs, closed=True), copying("b", "a", runs=runs)]
    for _ in range(2):
        results = migration.run(stages, plan, work_in(tmp_path / "work"))
        assert [one.stage.name for one in results] == ["a"]
        assert results[0].gate is not None and results[0].gate.reasons == ("閉じています。",)
    assert runs == ["a"]


def test_behind_a_closed_gate_stages_that_look_go_on_and_others_wait(plan: Plan, tmp_path: Path) -> None:
    runs: list[str] = []
    stages = [
        copying("a", runs=runs, closed=True),
        replace(copying("b", "a", runs=runs), looks=True),
        copying("c", "a", runs=runs),
        replace(copying("d", "c", runs=runs), looks=True),
        replace(copying("e", "b", runs=runs), looks=True, wants=("c",)),
    ]
    results = migration.run(stages, plan, work_in(tmp_path / "work"))
    assert runs == ["a", "b", "e"] and [one.stage.name for one in results] == runs
    assert [one.state for one in migration.status(stages, plan, work_in(tmp_path / "work"))] == [
        "done", "done", "open", "open", "done",
    ]  # fmt: skip
    runs.clear()
    stages[0] = replace(copying("a", runs=runs), version="2")
    migration.run(stages, plan, work_in(tmp_path / "work"))
    assert runs == ["a", "b", "c", "d", "e"], "e is made again, now that what it wants is there"


def test_one_stage_alone_needs_those_before_it(plan: Plan, tmp_path: Path) -> None:
    stages = [copying("a"), copying("b", "a")]
    with pytest.raises(Problem, match=r"a is not done") as refused:
        migration.run(stages, plan, work_in(tmp_path / "work"), only="b")
    assert refused.value.code == "stage-before"
    migration.run(stages, plan, work_in(tmp_path / "work"), only="a")
    assert migration.run(stages, plan, work_in(tmp_path / "work"), only="b")[-1].fresh


def test_a_full_disk_is_a_problem_and_leaves_nothing(plan: Plan, tmp_path: Path) -> None:
    def full(context: Context) -> Outcome:
        (context.out / "half").write_text("x", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device")

    stages = [copying("a"), Stage("b", "b", ("a",), full)]
    with pytest.raises(Problem) as refused:
        migration.run(stages, plan, work_in(tmp_path / "work"))
    assert refused.value.code == "disk-full"
    assert list((tmp_path / "work" / "stages" / "b").iterdir()) == []
    assert migration.status(stages, plan, work_in(tmp_path / "work"))[0].state == "done"


def test_two_runs_do_not_share_a_work_folder(plan: Plan, tmp_path: Path) -> None:
    def second(context: Context) -> Outcome:
        with pytest.raises(Problem) as refused:
            migration.run([copying("a")], plan, work_in(tmp_path / "work"))
        return Outcome({"code": refused.value.code})

    results = migration.run([Stage("b", "b", (), second)], plan, work_in(tmp_path / "work"))
    assert results[0].summary == {"code": "work-busy"}


IMPORTS = """
import time
from datetime import UTC, date, datetime
from pathlib import Path
from kiban import migration
from kiban.migration import Outcome, Plan, Stage, Work
"""
SCRIPT = """
[folder] = given
top = Path(folder)
def run(context):
    for at in range(20):
        (context.out / f"{at}.txt").write_text(str(at) * 1000)
        time.sleep(0.002)
    return Outcome({"n": 20})
stages = [Stage("a", "a", (), run), Stage("b", "b", ("a",), run), Stage("c", "c", ("b",), run)]
plan = Plan("p", "t", "281000", date(2026, 10, 1), 48, top, top, (), (), (), (), ())
print("ready", flush=True)
work = Work(top / "work", lambda: None, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
for one in migration.run(stages, plan, work):
    print(one.output)
"""


def test_a_run_killed_anywhere_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole, cut, killed = tmp_path / "whole", tmp_path / "cut", 0
    whole.mkdir()
    cut.mkdir()
    with copies(IMPORTS, SCRIPT) as start:
        for wait in (0.01, 0.05, 0.09, 0.02):
            copy = start(cut)
            assert copy.line() == "ready\n"
            time.sleep(wait)
            killed += copy.kill() == -signal.SIGKILL
        ended = [list(iter(start(folder).line, "")) for folder in (whole, cut)]
    assert killed >= 1
    assert len(ended[0]) == 4 and ended[1] == ended[0]
    assert folder_digest(cut / "work" / "stages") == folder_digest(whole / "work" / "stages")
