"""The commands of files and reconcile: a city publishes, a tax office takes, a folder is mirrored; drift is named and mended."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.linkage.files.conftest import cancel, move_in, rename, unit
from tests.store.conftest import KEY
from typer.testing import CliRunner

from kiban import cli, linkage
from kiban.store import Store

Run = Callable[..., tuple[int, str]]
FLOW = "resident-tax.v1"


@pytest.fixture
def run(city: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `kiban link …` on the city of this test, with the sample contracts."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    key = home / "actor.key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    for name, value in {
        "KIBAN_HOME": home,
        "KIBAN_DATABASE": city.server.owner_dsn,
        "KIBAN_DATABASE_APP": city.server.app_dsn,
        "KIBAN_CONTRACTS": linkage.SAMPLES,
    }.items():
        monkeypatch.setenv(name, str(value))

    def ran(*arguments: object) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["link", *map(str, arguments)], prog_name="kiban")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.exit_code, done.stdout

    return ran


def test_from_the_city_to_the_tax_office_and_back_to_equality(city: Store, run: Run, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        move_in(city, number)
    move_in(city, 4, "保護　花子", shiensochifuragu="1")
    code, said = run("files", "publish", FLOW)
    assert code == 0 and "resident-tax.v1/1-0 全件" in said and "作成しました" in said
    assert "すでにあります" in run("files", "publish", FLOW)[1]
    rename(city, 2, "新　花子")
    cancel(city, 3)
    assert "resident-tax.v1/1-1 差分" in run("files", "publish", FLOW, "--delta")[1]
    replica = tmp_path / "tax"
    code, said = run("files", "take", FLOW, "--replica", replica, "--unsigned")
    assert code == 0 and "提供側と一致" in said and said.count("反映しました") == 2
    assert "新しいセットはありません" in run("files", "take", FLOW, "--replica", replica, "--unsigned")[1]
    code, said = run("files", "list", FLOW)
    assert code == 0 and said.count("反映済") == 2 and unit(1) not in said
    code, said = run("reconcile", FLOW, "--replica", replica)
    assert code == 0 and "届けたとおりに保有されています" in said
    with sqlite3.connect(replica / "replica.sqlite") as connection:
        connection.execute("UPDATE jumin SET shimei = '違' WHERE atenabango = ?", (unit(1),))
    connection.close()
    code, said = run("reconcile", FLOW, "--replica", replica)
    assert code == 1 and "値が異なる 1行 shimei" in said and unit(1) not in said
    assert unit(1) in run("reconcile", FLOW, "--replica", replica, "--show-keys")[1]
    code, said = run("reconcile", FLOW, "--replica", replica, "--repair")
    assert code == 0 and "1単位を送り直しました" in said
    contract = linkage.load_contracts([linkage.SAMPLES], city.library).flow(FLOW)
    with linkage.Replica.open(replica, contract) as held:
        assert held.protection_held(unit(4))[0] == "protected"
        assert held.protection_held(unit(1)) == ("clear", 0)


def test_what_is_due_is_told_with_what_to_do(city: Store, run: Run) -> None:
    code, said = run("files", "due", FLOW)
    assert code == 1 and "届いていません" in said and "kiban link files publish" in said


def test_a_set_goes_to_a_partner_s_folder_and_comes_from_one(
    city: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move_in(city, 1)
    run("files", "publish", FLOW)
    code, said = run("files", "send", FLOW, "--to", tmp_path / "partner")
    assert code == 0 and said.splitlines()[-1].endswith(".end")
    monkeypatch.setenv("KIBAN_SHELF", str(tmp_path / "other"))
    code, said = run("files", "fetch", FLOW, "--from", tmp_path / "partner")
    assert code == 0 and "取り込みました" in said
    assert "取込み済み" in run("files", "fetch", FLOW, "--from", tmp_path / "partner")[1]
    assert "反映しました" in run("files", "take", FLOW, "--replica", tmp_path / "r", "--unsigned")[1]
    monkeypatch.setenv("KIBAN_SHELF", str(tmp_path / "third"))
    next((tmp_path / "partner").glob("*_jumin_*")).unlink()
    code, said = run("files", "fetch", FLOW, "--from", tmp_path / "partner")
    assert code == 1 and "足りない" in said


@pytest.mark.parametrize("command", ["publish", "take", "due", "watch", "list", "send", "fetch"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    code, said = run("files", command, "--help")
    assert code == 0 and len(said.splitlines()) > 8
