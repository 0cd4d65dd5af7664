"""Where the way back begins and ends: what refuses it, and that a cut one leaves nothing that looks whole."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.killing import copies
from typer.testing import CliRunner

from kiban import cli, migration, store
from kiban.cli import migrating
from kiban.kernel import Problem
from kiban.migration.back import rekey
from kiban.migration.records import written

from .migrated import STAGES, Case, Migrated
from .moving import library
from .returning import CLERK, City, contents, move, protected

_IMPORTS = """
import json
from pathlib import Path
from tests.migration.migrated import work_in
from tests.migration.moving import library
from kiban import migration, store
"""
_RUN = """
project, inputs, out = Path(given[0]), json.loads(given[1]), Path(given[2])
plan = migration.load_plan(project, project.parent / "unload", library())
def tell(step, done, total):
    print(step, done, flush=True)
with work_in(out, store.Server(*given[3:])).open_store() as there:
    migration.go_back(plan, {name: Path(path) for name, path in inputs.items()}, there, out, tell)
"""


def test_a_way_back_that_is_killed_leaves_nothing_that_looks_whole(
    city: City, migrated: Migrated, tmp_path: Path
) -> None:
    move(city, city.people(juminjotai="1")[0])
    protected(city, city.people(juminjotai="1")[1])
    city.go_back(tmp_path / "whole")
    out = tmp_path / "out"
    reached = city.store.server
    inputs = json.dumps({name: str(path) for name, path in city.inputs.items()})
    with copies(_IMPORTS, _RUN) as start:
        for lines in (1, 2, 3):
            copy = start(migrated.project, inputs, out, reached.owner_dsn, reached.app_dsn)
            assert all(copy.line() for _ in range(lines))
            assert copy.kill() == -signal.SIGKILL and not out.exists()
    city.go_back(out)
    assert contents(out) == contents(tmp_path / "whole")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_way_back_is_refused_where_it_cannot_begin(city: City, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "a").touch()
    with pytest.raises(Problem, match="out-not-empty"):
        city.go_back(full)
    with pytest.raises(Problem, match="stage-before"):
        migration.go_back(city.plan, {}, city.store, tmp_path / "out", lambda *_: None)
    with pytest.raises(Problem, match="back-not-loaded"):
        migration.go_back(
            replace(city.plan, id="another"), city.inputs, city.store, tmp_path / "out", lambda *_: None
        )
    newer = library().edition("resident", "kiban-2026.2")
    store.apply(city.store, newer, CLERK, reviewed=store.plan(city.store, newer).digest)
    with pytest.raises(Problem, match="back-edition"):
        city.go_back(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nobody_goes_back_beyond_the_day_that_officials_have_set(migrated: Migrated) -> None:
    plan = migration.load_plan(migrated.project)
    assert plan.return_until is None
    migration.check_day(plan, date.max)
    limited = migrated.project / "limited.yaml"
    text = (migrated.project / "plan.yaml").read_text(encoding="utf-8")
    limited.write_text(f"{text}\nreturn_until: 2026-10-12\n", encoding="utf-8")
    plan = migration.load_plan(limited)
    limited.unlink()
    migration.check_day(plan, date(2026, 10, 12))
    with pytest.raises(Problem, match="return-over") as refused:
        migration.check_day(plan, date(2026, 10, 12) + timedelta(days=1))
    assert "officials" in refused.value.what and "--beyond" in (refused.value.fix or "")
    assert "return_until" not in plan.as_data()  # it may be moved without anything being done again


def told_by(monkeypatch: pytest.MonkeyPatch, case: Case, *arguments: str | Path) -> tuple[int, str]:
    """What the command says, with the stages and the database of a test."""
    monkeypatch.setattr(migration, "STAGES", STAGES[:-1])
    monkeypatch.setattr(migrating, "_opener", lambda *_: case.work.open_store)
    project, work = case.plan.folder, case.work.folder
    command = ["migrate", "back", project, "--unload", case.plan.unload, "--work", work, *arguments]
    done = CliRunner().invoke(cli.app, [str(one) for one in command], prog_name="kiban")
    return done.exit_code, done.output if done.exception is None or done.exit_code == 3 else str(
        done.exception
    )


def test_the_command_says_what_went_back_and_what_is_left_to_do(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = told_by(monkeypatch, case, "--out", tmp_path / "none")
    assert code == 0 and "0件のレコードにして返しました" in text and "rekey.csv）は0件です" in text
    code, text = told_by(monkeypatch, case, "--out", tmp_path / "all", "--all")
    assert code == 0 and "1バイトも違わずに戻りました" in text
    with case.work.open_store() as opened:
        city = City(case.plan, {}, opened)
        move(city, city.people(juminjotai="1")[0], biko="控え")
    code, text = told_by(monkeypatch, case, "--out", tmp_path / "one")
    assert code == 3 and "rekey.csv）は1件です" in text and "住民" in text
    code, text = told_by(monkeypatch, case, "--out", tmp_path / "more", "--all")
    assert code == 3 and "JK-SHURYO-YMD：値が違う" in text and "[not-held]" in text
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0  # it holds people


def test_the_command_refuses_after_the_last_day_unless_officials_have_decided_so(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = replace(case.plan, return_until=date(2000, 1, 1))
    monkeypatch.setattr(migration, "load_plan", lambda *_: over)
    code, text = told_by(monkeypatch, case, "--out", tmp_path / "late")
    assert code == 1 and "return-over" in text and not (tmp_path / "late").exists()
    assert told_by(monkeypatch, case, "--out", tmp_path / "late", "--beyond")[0] == 0
    assert told_by(monkeypatch, case, "--out", tmp_path / "proof", "--all")[0] == 0  # a proof changes nothing


def test_every_reason_is_said_in_words() -> None:
    codes = {
        written.MISSING,
        written.OUTSIDE,
        written.NEGATIVE,
        written.WIDE,
        *("char-unencodable", "field-overflow", "code-several", "code-unknown", "number-form", "list-form"),
        *("date-form", "date-era", "year-era", "time-form"),
    }
    assert codes <= rekey.REASONS.keys()
