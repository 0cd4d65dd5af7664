"""`kiban link broker, publish, consume, pause, quarantine` at the terminal."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiban import linkage, main, sets, store
from kiban.cli import main as kiban
from kiban.kernel import ALL_WARDS, Actor
from kiban.linkage.broker import Broker
from kiban.settings import Settings


@pytest.fixture
def at(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with the sample contracts, signed, and the registers in force."""
    folder = home.parent / "contracts"
    folder.mkdir()
    key = folder / "key.pem"
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes(*pem))
    text = (linkage.SAMPLES / "resident-tax.yaml").read_text(encoding="utf-8")
    (folder / "resident-tax.yaml").write_text(text.replace("2026-04-01", "2020-04-01"), encoding="utf-8")
    monkeypatch.setenv("KIBAN_HOME", str(home))
    monkeypatch.setenv("KIBAN_CONTRACTS", str(folder))
    (contract,) = main.contracts(Settings(home=home, contracts=(folder,)))
    assert contract.path is not None
    linkage.signature_file(contract.path).write_text(linkage.sign(contract, sets.read_signer(key)))
    with main.open_store(Settings(home=home)) as opened:
        for business in ("resident", "nonresident_addressee"):
            store.apply(
                opened,
                opened.library.edition(business),
                Actor("hall", None, ALL_WARDS, "試験", protected=True),
            )
    yield key
    Broker(home).destroy()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        kiban(["link", *arguments])
    told = capsys.readouterr()
    assert end.value.code == 0, told.err
    return told.out


def test_a_flow_at_the_terminal(
    at: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "まだない" in run(capsys, "broker", "status")
    assert "稼働中" in run(capsys, "broker", "up")
    assert json.loads(run(capsys, "broker", "status", "--json"))["state"] == "running"
    assert "全件セット待ち" in run(capsys, "publish", "--once", "--key", str(at))
    run(capsys, "files", "publish", "resident-tax.v1")
    assert "未処理の事象 0" in run(capsys, "publish", "--once", "--key", str(at))
    credentials = tmp_path / "zei.json"
    run(capsys, "broker", "credentials", "ZEI", str(credentials))
    assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
    told = run(
        capsys,
        "consume",
        "resident-tax.v1",
        "--once",
        "--folder",
        str(tmp_path / "tax"),
        "--credentials",
        str(credentials),
    )
    assert "適用 0件" in told
    assert "配信を止めた" in run(capsys, "pause", "resident-tax.v1")
    assert "停止中" in run(capsys, "publish", "--once", "--key", str(at))
    assert "配信を再開した" in run(capsys, "resume", "resident-tax.v1")
    assert json.loads(run(capsys, "quarantine", "list", "--json")) == []
    assert "事象" in run(capsys, "quarantine", "release", "resident-tax.v1", "1", "--key", str(at))
    assert "0件を再送した" in run(capsys, "replay", "resident-tax.v1", "0", "1", "--key", str(at))
    assert "停止中" in run(capsys, "broker", "down")
    with pytest.raises(SystemExit):
        kiban(["link", "pause", "other.v1"])
    assert "flow-unknown" in capsys.readouterr().err
