"""Extracts at the terminal: a query is checked, run as a member of staff, and its files lie in a folder."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.store.conftest import KEY, fill, settle
from tests.store.people import live
from typer.testing import CliRunner, Result

from kiban import access, main, store
from kiban.access import Assignment, Office, Staff, extract
from kiban.cli import serving
from kiban.cli.extract import app
from kiban.kernel import Problem, Problems
from kiban.settings import Settings
from kiban.store import Store

Run = Callable[..., Result]
QUERY = "business: resident\nmain: jumin\nitems: [atenabango, shimei]\norder: [atenabango]\n"
BEGAN = date(2020, 4, 1)


@pytest.fixture(scope="module")
def environ(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    home = tmp_path_factory.mktemp("home") / "home"
    home.mkdir()
    (home / "actor.key").write_bytes(KEY)
    (home / "actor.key").chmod(0o600)
    library = main.library(given=Settings(home=Path("unused")))
    template = databases.template("people", lambda database: fill(database, library, settle, live))
    with databases.fresh(template) as database:
        with (
            Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
            access.open_access(city, access.seal(home / "access.key")) as opened,
        ):
            parts = (
                Office("hall", "市役所", "city"),
                Staff("7", "統計　七海", "トウケイ", BEGAN),
                Assignment("7", "euc", "hall", BEGAN),
            )
            opened.people.apply(parts, "test", serving.now())
        yield {
            "KIBAN_HOME": str(home),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
        }


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments], env=environ)


@pytest.fixture
def query(tmp_path: Path) -> Path:
    file = tmp_path / "names.yaml"
    file.write_text(QUERY, encoding="utf-8")
    return file


def test_a_query_is_checked_and_its_faults_are_told(run: Run, query: Path) -> None:
    assert run("check", query).exit_code == 0
    assert run("check", query, "--staff", "7").exit_code == 0
    query.write_text(QUERY.replace("shimei", "kojinbango"), encoding="utf-8")
    assert run("check", query).exit_code == 0
    refused = run("check", query, "--staff", "7").exception
    assert isinstance(refused, Problems)
    assert [each.code for each in refused.problems] == ["item-hidden"]


def test_an_extract_is_made_as_a_member_of_staff(run: Run, query: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = run("run", query, "--staff", "7", "--reason", "統計のため", "--out", out)
    assert made.exit_code == 0, made.exception
    assert sorted(each.name for each in out.iterdir()) == ["all.csv", "manifest.json"]
    with (out / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 12
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["staff"], manifest["duty"], manifest["reason"]) == ("7", "euc", "統計のため")
    assert manifest["job"] in run("list", "--staff", "7").output
    assert "統計のため" in run("show", manifest["job"], "--staff", "7").output
    again = run("run", query, "--staff", "7", "--reason", "統計のため", "--out", out).exception
    assert isinstance(again, Problem)
    assert again.code == "out-exists"


def test_nobody_extracts_without_a_duty(run: Run, query: Path, tmp_path: Path) -> None:
    refused = run("run", query, "--staff", "8", "--reason", "x", "--out", tmp_path / "out").exception
    assert isinstance(refused, Problem)
    assert refused.code == "staff-unknown"


def test_a_worker_killed_at_work_leaves_no_file_and_another_makes_it_whole(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    slow = (
        "import kiban.access.extract.worker as w, time, kiban.cli\n"
        "write = w.write\n"
        "def slowly(*a):\n    made = write(*a); print('half', flush=True); time.sleep(60); return made\n"
        "w.write = slowly\nkiban.cli.main(['extract', 'work'])\n"
    )
    with serving.opened() as (given, city, opened, _):
        held = extract.Extracts(opened, city, given.home / "extracts", serving.now)
        acting = opened.people.acting("7", extract.today(serving.now()), "統計事務")
        asked = extract.query_in({"business": "resident", "main": "jumin", "items": ["shimei"]})
        handle = held.ask(asked, opened.policies.grant(acting), "試験")
        paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        killed = subprocess.Popen([sys.executable, "-c", slow], stdout=subprocess.PIPE, env=paths)
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"half\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        killed.stdout.close()
        assert [each.name for each in held.folder.iterdir() if each.name.startswith(handle)] == [
            f"{handle}-1.half"
        ]
        assert held.desk.job(handle, "7").state == "running"
        with opened.books.transaction() as page:  # a minute later
            page.run(
                "UPDATE extract_job SET beat_at = beat_at - interval '2 minutes' WHERE job = %s", (handle,)
            )
        worker = extract.Worker(opened, city, held.folder, serving.now)
        assert worker.next()
        job = held.desk.job(handle, "7")
        assert (job.state, job.rows, job.attempt) == ("done", 11, 2)
        worker.sweep()
        assert [each.name for each in held.folder.iterdir() if each.name.startswith(handle)] == [
            f"{handle}-2"
        ]
