"""The audit trail at the terminal: sealed, verified, signed, asked; who asks leaves a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from kiban.cli.audit import app
from kiban.kernel import Problem


@pytest.fixture(scope="module")
def environ(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with databases.fresh() as database:
        given = {
            "KIBAN_HOME": str(tmp_path_factory.mktemp("audit") / "home"),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
        }
        assert run(given, "lines").exit_code == 0
        with psycopg.connect(database.owner_dsn) as connection:
            connection.execute(
                "INSERT INTO kiban.lookup (looked_at, actor, ward, purpose, register, asked, found) "
                "VALUES (now() - interval '2 days', '=1001', '281018', '試験', 'resident.jumin', '{}', '{900,901}')"
            )
        yield given


def run(environ: dict[str, str], *arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environ, input=text)


def answered(result: Result) -> Any:
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_the_trail_is_sealed_signed_and_verified_and_a_change_is_named(
    environ: dict[str, str], tmp_path: Path
) -> None:
    day = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
    assert "封印した" in run(environ, "seal").stdout
    root = run(environ, "root", day, "--out", str(tmp_path))
    assert answered(root)["day"] == day
    whole = run(environ, "verify", "--root", str(tmp_path / f"{day}.json"))
    assert whole.exit_code == 0 and "誤りはない" in whole.stdout
    with psycopg.connect(environ["KIBAN_DATABASE"]) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE kiban.lookup SET actor = 'x'")
    broken = run(environ, "verify")
    assert broken.exit_code == 1 and "look-up 1" in broken.stdout and "audit-changed" in broken.stdout
    with psycopg.connect(environ["KIBAN_DATABASE"]) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE kiban.lookup SET actor = '=1001'")
    assert run(environ, "verify").exit_code == 0


def test_who_looked_is_told_and_the_question_is_written_down(environ: dict[str, str]) -> None:
    [row] = [
        each
        for each in answered(run(environ, "who", "-", "--json", text="900\n"))
        if "lookup" in each["番号"]
    ]
    assert (row["職員等"], row["操作・台帳"], row["対象"]) == ("=1001", "resident.jumin", "900、901")
    asked = answered(run(environ, "lines", "--kind", "read", "--json"))
    assert any(each["対象"] == "900" and "what=who" in each["内容"] for each in asked)


def test_a_spreadsheet_takes_no_cell_for_a_formula(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "whom.csv"
    assert run(environ, "whom", "=1001", "--csv", str(file)).exit_code == 0
    assert "'=1001" in file.read_text(encoding="utf-8-sig")
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("command", ["night", "failed", "mass", "kin", "exports", "lifts"])
def test_every_question_is_answered_with_a_list(environ: dict[str, str], command: str) -> None:
    days = ("--since", "2026-11-16", "--until", "2026-11-24")
    if command == "kin":
        asked = run(environ, command, *days, "--json")
        assert isinstance(asked.exception, Problem) and asked.exception.code == "business-unknown"
    else:
        assert isinstance(answered(run(environ, command, *days, "--json")), list)


def test_staff_numbers_are_noted_from_a_file(environ: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("職員番号,宛名番号\n1001,900\n", encoding="utf-8-sig")
    assert "1人" in run(environ, "own", str(file)).stdout
    file.write_text("番号\n1001\n")
    wrong = run(environ, "own", str(file))
    assert isinstance(wrong.exception, Problem) and wrong.exception.code == "own-file"
