"""What a person at the terminal sees: help that teaches, problems with a remedy, no stack trace."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from kiban import cli
from kiban.kernel import Problem

COMMANDS = [*get_command(cli.app).commands]  # type: ignore[attr-defined]


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, list(arguments), prog_name="kiban")
    return done.exit_code, done.output


def leave(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    return end.value.code, capsys.readouterr().err


@pytest.fixture
def failing() -> Iterator[dict[str, BaseException]]:
    """A command `fail` that raises what the test puts under `with`."""
    raising: dict[str, BaseException] = {}

    @cli.app.command("fail")
    def _fail() -> None:
        raise raising["with"]

    yield raising
    cli.app.registered_commands.pop()


def test_the_help_names_every_command_and_where_to_start() -> None:
    code, text = run("--help")
    assert code == 0
    assert "Start here" in text
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_below_it_explains_itself(name: str) -> None:
    code, text = run(name, "--help")
    assert code == 0
    assert "--install-completion" not in text
    module = sys.modules[f"kiban.cli.{name}"]
    for below in getattr(get_command(module.app), "commands", {}):
        code, text = run(name, below, "--help")
        assert (code, "Usage: kiban" in text) == (0, True), text


def test_help_imports_neither_the_database_nor_the_data_frames() -> None:
    script = (
        "import sys\nfrom kiban import cli\ntry:\n cli.main(['--help'])\nexcept SystemExit:\n"
        " print(*{'psycopg', 'pyarrow', 'polars', 'numpy', 'yaml'} & sys.modules.keys(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == "\n"


def test_a_command_that_does_not_exist_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = leave(capsys, "dbb")
    assert code == 2
    assert "No such command 'dbb'. Did you mean 'db'?" in text


def test_a_problem_is_told_with_its_remedy(
    capsys: pytest.CaptureFixture[str], failing: dict[str, BaseException]
) -> None:
    failing["with"] = Problem("tax-negative", "tax is below zero", fix="check the assessment")
    assert leave(capsys, "fail") == (1, "tax is below zero [tax-negative]\n  fix: check the assessment\n")


def test_an_interruption_is_one_line(
    capsys: pytest.CaptureFixture[str], failing: dict[str, BaseException]
) -> None:
    failing["with"] = KeyboardInterrupt()
    code, text = leave(capsys, "fail")
    assert (code, text.strip()) == (130, "interrupted")


def test_a_mistake_of_ours_gets_a_number_and_a_closed_log_file(
    capsys: pytest.CaptureFixture[str],
    failing: dict[str, BaseException],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("KIBAN_HOME", str(tmp_path / "home"))
    failing["with"] = RuntimeError("the name 山田太郎 is in here")
    code, text = leave(capsys, "fail")
    (log,) = (tmp_path / "home" / "log").iterdir()
    assert code == 70
    assert log.stem.removeprefix("error-") in text
    assert str(log) in text
    assert "山田" not in text
    assert "Traceback" not in text
    assert "RuntimeError: the name 山田太郎" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_mistake_is_logged_even_where_the_home_is_wrong(
    capsys: pytest.CaptureFixture[str],
    failing: dict[str, BaseException],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("KIBAN_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    failing["with"] = RuntimeError("oops")
    code, text = leave(capsys, "fail")
    assert code == 70
    assert len(list(tmp_path.rglob("error-*.log"))) == 1
    assert str(tmp_path) in text


def test_the_database_goes_up_tells_where_it_is_and_goes_down(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setenv("KIBAN_HOME", str(home))
    assert run("db", "status") == (0, f"There is no database in {home}. `kiban db up` makes one.\n")
    code, text = run("db", "up")
    assert code == 0
    assert f"passfile={home}/pgpass" in text
    assert "password=" not in text
    assert "state    running" in run("db", "status")[1]
    command = [sys.executable, "-c", "from kiban import cli; cli.main()", "db", "psql"]
    for options, role in (([], "kiban_app"), (["--owner"], "kiban_owner")):
        done = subprocess.run(
            [*command, *options, "--", "-XAtc", "SELECT current_user"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == f"{role}\n"
        assert ("show no rows" in done.stderr) == (role == "kiban_app")
    assert run("db", "down") == (0, "The database is stopped.\n")
    assert "state    stopped" in run("db", "status")[1]


def test_a_server_of_the_city_is_not_started_by_us(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIBAN_DATABASE", "host=db.example password=geheim")
    monkeypatch.setenv("KIBAN_DATABASE_APP", "host=db.example")
    code, text = leave(capsys, "db", "up")
    assert code == 1
    assert "database-elsewhere" in text
    assert "geheim" not in text


def test_the_environment_of_the_tests_has_no_settings() -> None:
    assert [name for name in os.environ if name.startswith("KIBAN_")] == []


def test_a_demonstration_that_would_fill_the_disk_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KIBAN_HOME", str(tmp_path))
    code, text = leave(capsys, "demo", "--residents", "2000000000")
    assert code == 1 and "[disk-full]" in text and "GiB of disk" in text
    assert list(tmp_path.iterdir()) == []
