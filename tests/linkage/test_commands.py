"""`kiban link evidence`, `protection` and `incoming` at the terminal: what an official reads, and with what it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from tests.store.conftest import CITY_HALL, KEY, SINCE, move_in, person
from typer.testing import CliRunner

from kiban import cli, linkage, store
from kiban.cli import linking
from kiban.kernel import Problem, Problems
from kiban.linkage import evidence
from kiban.store import Change, Store

from .evidence.test_ledgers import line
from .incoming.conftest import KIHON, donor
from .protection.conftest import measure, number, record

DAY, NOON = date(2026, 4, 1), datetime(2026, 4, 1, 3, tzinfo=UTC)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(city: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command of `kiban link` in the small city, as an account."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "actor.key").write_bytes(KEY)
    (home / "actor.key").chmod(0o600)
    monkeypatch.setenv("KIBAN_HOME", str(home))
    monkeypatch.setenv("KIBAN_DATABASE", city.server.owner_dsn)
    monkeypatch.setenv("KIBAN_DATABASE_APP", city.server.app_dsn)
    monkeypatch.setenv("KIBAN_CONTRACTS", str(linkage.SAMPLES))

    def call(*arguments: object, account: str = "mori") -> tuple[int, str]:
        monkeypatch.setattr(linking, "person", lambda: account)
        done = CliRunner().invoke(cli.app, ["link", *map(str, arguments)], prog_name="kiban")
        if isinstance(done.exception, Problem | Problems):
            return 1, str(done.exception)
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    yield call


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def test_evidence_is_shown_signed_verified_and_matched(
    run: Run, city: Store, pem: Path, tmp_path: Path
) -> None:
    with linkage.open_linkage(city) as books:
        sent = [line(item, NOON, flow="resident-tax.v1", who="ZEI") for item in ("a", "b")]
        evidence.BookLedger(books).append(sent)
    file = tmp_path / "zei.sqlite"
    other = evidence.FileLedger.open(file, "ZEI")
    other.append([line("a", NOON, flow="resident-tax.v1", direction="received")])
    code, text = run("evidence", "show", DAY)
    assert code == 0 and "resident-tax.v1\t事象\t2\t0\t2\toffered 2" in text
    code, text = run("evidence", "match", DAY, file, "ZEI")
    assert code == 1 and "一致 1件" in text
    assert "送ったが、受け取りの記録がない\tresident-tax.v1\t事象\tb\tplatform\tplatform\t2" in text
    other.append([line("b", NOON, flow="resident-tax.v1", direction="received")])
    assert run("evidence", "match", DAY, file, "ZEI") == (
        0,
        f"{DAY} の突合：一致 2件\n相違\tフロー\t方法\tID\t送り手\t記録した側\t行\n",
    )
    assert "evidence-day-open" in run("evidence", "root", "2999-01-01", "--key", pem)[1]
    code, text = run("evidence", "root", DAY, "--key", pem)
    assert code == 0
    code, text = run("evidence", "verify", "--key", pem, "--given", text.splitlines()[-1])
    assert (code, text) == (0, "2行を確かめた（うち2行は日次の署名の下にある）。誤りはない\n")
    assert run("evidence", "verify", "--file", file, "--side", "ZEI")[0] == 0
    assert "evidence-side" in run("evidence", "verify", "--file", file, "--side", "LIB")[1]
    assert "evidence-file" in run("evidence", "verify", "--file", tmp_path / "none", "--side", "LIB")[1]


def test_two_accounts_end_a_protection(run: Run, city: Store) -> None:
    move_in(city, person("1"))
    event = record(city, *measure("1", "1"))
    record(city, measure("1", "1", "4")[0])
    one = number("1")
    code, _ = run("protection", "status")
    assert code == 0
    record(city, *measure("1", "1"))
    code, text = run("protection", "propose", one, "--version", event, "--reason", "本人の申出")
    assert code == 1 and "protection-newer" in text
    newest = event + 2
    record(city, measure("1", "1", "4")[0])
    code, text = run("protection", "propose", one, "--version", newest, "--reason", "本人の申出")
    assert code == 0 and "二人目の署名を待っている" in text
    assert "protection-same-person" in run("protection", "confirm", one, "--version", newest)[1]
    code, text = run("protection", "confirm", one, "--version", newest, account="hara")
    assert code == 0 and "署名 mori・hara" in text
    assert "支援措置の開始を確認していない連携先がある" in text, "nobody has acknowledged the new protection"
    assert "支援措置の開始を確認していない連携先がある" in run("protection", "status")[1]


def test_a_list_is_marked_when_it_is_made_and_checked_when_it_is_used(
    run: Run, city: Store, tmp_path: Path
) -> None:
    for each in ("1", "2"):
        move_in(city, person(each))
    made, marked, ok = (tmp_path / name for name in ("list.csv", "marked.csv", "ok.csv"))
    made.write_text(f"atenabango,meisai\n{number('1')},児童手当\n{number('2')},児童手当\n", encoding="utf-8")
    assert "list-unmarked" in run("protection", "check", made, "--out", ok)[1]
    assert run("protection", "mark", made, marked)[0] == 0
    assert marked.read_text(encoding="utf-8").splitlines()[1] == f"{number('1')},児童手当,clear,0"
    assert run("protection", "check", marked, "--out", ok)[0] == 0
    assert ok.read_text() == marked.read_text()
    record(city, *measure("1", "2"))
    code, text = run("protection", "check", marked, "--out", ok)
    assert code == 1 and f"→ {number('2')}：支援措置等の対象である" in text
    assert number("2") not in ok.read_text()
    assert "list-takes" in run("protection", "check", marked, "--out", ok, "--takes", "all")[1]
    made.write_text("meisai\n児童手当\n", encoding="utf-8")
    assert "list-unit" in run("protection", "mark", made, marked)[1]


def message(**items: Any) -> bytes:
    samples = linkage.load_contracts([linkage.SAMPLES], _library())
    contract = samples.flow("donor-nonresident.v1")
    [feed] = contract.feeds
    row = {name: donor("1").get(name) for name in feed.columns} | {
        "valid_from": "2020-04-01",
        "valid_to": None,
    }
    made = linkage.Message(
        contract.flow, contract.digest, number("1"), 1, 0, "2026-10-01T00:00:00+00:00",
        "住所変更", "2026-10-01", None, "clear", 0, {feed.name: [{**row, **items}]},
    )  # fmt: skip
    return linkage.encode(made) + b"\n"


def _library() -> Any:
    from kiban import main

    return main.library()


def test_what_comes_in_is_taken_shown_and_decided(
    run: Run,
    city: Store,
    signed: Callable[..., Any],
    key_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with city.session(CITY_HALL) as session:
        session.record("付番", "1", [Change(KIHON, donor("1"), SINCE)])
    flow, file = "donor-nonresident.v1", tmp_path / "in.jsonl"
    file.write_bytes(message(jusho_choaza="虎ノ門一丁目", jusho_yubinbango="1050001"))
    assert "contract-unsigned" in run("incoming", "apply", flow, file)[1]
    signed()
    monkeypatch.setenv("KIBAN_CONTRACTS", str(tmp_path / "contracts"))
    assert "contract-unsigned" in run("incoming", "apply", flow, file)[1]
    trusted = tmp_path / "home" / "trusted"
    trusted.mkdir()
    (trusted / "city.pem").write_bytes(key_file.read_bytes())
    assert "authority-unreadable" in run("incoming", "apply", flow, file)[1]
    map_ = tmp_path / "authority.csv"
    map_.write_text(f"register,item,valid_from,valid_to,master\n{KIHON},*,,,F01\n", encoding="utf-8")
    code, text = run("incoming", "apply", flow, file, "--authority", map_)
    assert (code, text) == (0, "職員の確認待ち：1件\n")
    assert run("incoming", "apply", flow, file, "--authority", map_) == (0, "受領済み：1件\n")
    code, text = run("incoming", "list", flow)
    place = text.splitlines()[-1].split("\t")[0]
    assert "訂正" in text and "住所_町字" in text
    code, text = run("incoming", "show", flow, place)
    assert "住所_町字\t霞が関二丁目\t虎ノ門一丁目" in text
    found = re.search(r"--seen (\w+)", text)
    assert found is not None
    assert "proposal-stale" in run("incoming", "accept", flow, place, "--seen", "0" * 32)[1]
    assert "item-unknown" in run("incoming", "accept", flow, place, "--seen", found[1], "--set", "x=1")[1]
    code, text = run("incoming", "accept", flow, place, "--seen", found[1])
    assert code == 0 and text.startswith("反映した（事象 ")
    assert (
        "proposal-unknown" in run("incoming", "reject", flow, place, "--seen", found[1], "--reason", "否")[1]
    )
    assert run("evidence", "verify")[1].startswith("2行を確かめた")


def test_a_flow_begins_empty_and_what_is_old_is_forgotten(run: Run, city: Store, tmp_path: Path) -> None:
    folder = tmp_path / "card"
    code, text = run("begin", "resident-library.v1", "--folder", folder)
    event, _ = store.last_event(city)
    assert code == 0 and f"事象 {event} より後の変更を送る" in text
    contract = linkage.load_contracts([linkage.SAMPLES], city.library).flow("resident-library.v1")
    with linkage.Replica.open(folder, contract) as replica:
        assert (replica.floor, replica.epoch) == (event, 0)
    assert "flow-begun" in run("begin", "resident-library.v1")[1]
    assert "flow-has-files" in run("begin", "resident-tax.v1")[1]
    assert run("thin", "2999-01-01") == (0, f"事象 {event} までの送付の記録 0行を消した\n")
    assert run("thin", "2999-01-01", "--folder", folder)[0] == 2
    code, text = run("thin", "2999-01-01", "--folder", folder, "--flow", "resident-library.v1")
    assert code == 0 and "電文の記録 0行を消した" in text
