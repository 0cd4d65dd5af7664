"""Systems are registered, listed, given new secrets and ended at the terminal; a secret is shown once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kiban.cli import serve
from kiban.cli.link import app
from kiban.kernel import Problem, Problems


@pytest.fixture
def environ(databases: Any, tmp_path: Path) -> Iterator[dict[str, str]]:
    with databases.fresh() as database:
        yield {
            "KIBAN_HOME": str(tmp_path / "home"),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
        }


def run(environ: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environ)


def secret_of(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    [line] = [line for line in result.stdout.splitlines() if line.startswith("client_secret")]
    return line.split()[1]


def test_a_system_from_its_registration_to_its_end(environ: dict[str, str]) -> None:
    first = secret_of(run(environ, "systems", "add", "L01", "図書館カード", "--numbering", "--seconds", "60"))
    listed = run(environ, "systems", "list", "--json").stdout
    assert first not in listed
    [row] = json.loads(listed)
    assert (row["ID"], row["状態"], row["トークン"]) == ("L01", "有効", "60秒")
    assert row["付与"] == "031:app_submit/v10/jutogaishaatenabangofuban:Create"
    assert secret_of(run(environ, "systems", "rotate", "L01", "--overlap", "1")) != first
    assert run(environ, "systems", "revoke", "L01").exit_code == 0
    [row] = json.loads(run(environ, "systems", "list", "--json").stdout)
    assert row["状態"] == "失効"
    gone = run(environ, "systems", "revoke", "L01")
    assert isinstance(gone.exception, Problem) and gone.exception.code == "system-unknown"


def test_what_is_wrong_with_a_registration_is_told(environ: dict[str, str]) -> None:
    wrong = run(environ, "systems", "add", "図", "名", "--seconds", "601", "--basic-until", "2020-01-01")
    assert isinstance(wrong.exception, Problems)
    assert [p.code for p in wrong.exception.problems] == ["system-id", "token-life", "basic-over"]


def test_numbers_are_set_apart(environ: dict[str, str]) -> None:
    said = run(environ, "numbers", "set", "--first", "1", "--last", "100", "--digits", "8")
    assert said.exit_code == 0 and "8 digits" in said.stdout
    wrong = run(environ, "numbers", "set", "--first", "6", "--last", "6", "--digits", "8")
    assert isinstance(wrong.exception, Problem) and wrong.exception.code == "numbering-range"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_it_does_not_listen_to_others_without_tls(environ: dict[str, str], host: str) -> None:
    refused = CliRunner().invoke(serve.app, ["--host", host], env=environ)
    assert isinstance(refused.exception, Problem) and refused.exception.code == "serve-open"
