"""Commands that change, take in or give out registers leave their lines in the audit trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from kiban import cli
from kiban.cli import migrating


@pytest.fixture(scope="module")
def environ(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with databases.fresh() as database:
        given = {
            "KIBAN_HOME": str(tmp_path_factory.mktemp("acting") / "home"),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
        }
        assert kiban(given, "db", "apply", "resident").exit_code == 0
        yield given


def kiban(environ: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments), env=environ)


def lines(environ: dict[str, str], kind: str) -> list[tuple[str, str]]:
    """Outcome and content of the lines of a kind."""
    asked = kiban(environ, "audit", "lines", "--kind", kind, "--json")
    return [(each["結果"], each["内容"]) for each in json.loads(asked.stdout)]


def test_an_edition_brought_into_force_is_a_line_of_a_setting(environ: dict[str, str]) -> None:
    assert any(said == "成功" and "what=db-apply" in what for said, what in lines(environ, "setting"))


def test_rows_taken_in_are_a_line_and_rows_that_are_refused_are_one_that_failed(
    environ: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "resident" / "jumin"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"atenabango": ["000000000000900"]}), folder / "part-0.parquet")
    assert kiban(environ, "db", "load", str(tmp_path)).exit_code != 0
    refused, begun = lines(environ, "import")
    assert begun[0] == "成功" and refused[0] == "失敗" and "rows=1" in refused[1]


def test_rows_given_out_are_a_line(environ: dict[str, str], tmp_path: Path) -> None:
    assert (
        kiban(environ, "db", "export", "resident.jumin", "--out", str(tmp_path / "r.parquet")).exit_code == 0
    )
    [(said, what)] = lines(environ, "export")
    assert said == "成功" and "register=resident.jumin" in what


def test_a_migration_leaves_one_line_however_often_it_opens_the_registers(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    before = len(lines(environ, "import"))
    open_store = migrating._opener("hikkoshi", "import")
    for _ in range(2):
        with open_store() as opened:
            assert "resident" in opened.applied()
    told = lines(environ, "import")
    assert len(told) == before + 1 and "migration=hikkoshi" in told[0][1]
