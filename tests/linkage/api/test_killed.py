"""A numbering that is killed at any moment leaves nobody with two numbers and no row twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg

from kiban.linkage import api
from kiban.linkage.api import Rule
from kiban.store import Books, Store

from .conftest import REGISTER, SECRET

ROOT = Path(__file__).parents[3]
LINES_BEFORE = (3, 12)  # so many answers, then SIGKILL in the middle of the next ones


def test_killed_numberings_go_on_where_they_were(city: Store, books: Books) -> None:
    api.Numbers(books, SECRET).set_rule(Rule(90_000_000_000_000, 90_000_000_999_999))
    given: dict[str, set[str]] = {}
    for kill_after in (*LINES_BEFORE, None):
        for n, number in numbered(city, kill_after):
            given.setdefault(n, set()).add(number)
    assert len(given) == 28
    assert all(len(numbers) == 1 for numbers in given.values())
    with psycopg.connect(city.server.owner_dsn) as connection:
        rows = connection.execute(f"SELECT atenabango, rirekibango FROM {REGISTER}").fetchall()
    assert sorted(rows) == sorted((number, 1) for numbers in given.values() for number in numbers)


def numbered(city: Store, kill_after: int | None) -> list[tuple[str, str]]:
    """What a process answered before it was killed (None: before it ended)."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command: list[Any] = [sys.executable, Path(__file__).with_name("numberer.py")]
    command += [city.server.owner_dsn, city.server.app_dsn, "0"]
    said: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if len(said) == kill_after:
                process.kill()
                break
        said += process.stdout.readlines()
    assert kill_after is not None or process.returncode == 0
    return [
        (n, number) for n, _, number in (line.strip().partition(" ") for line in said) if len(number) == 15
    ]
