"""`kiban sets` says in words what lies on a shelf, what is wrong with a set, and in what two of them differ."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from kiban import cli, sets
from kiban.cli import sets_words
from kiban.kernel import AsOf

AT = datetime(2026, 10, 1, tzinfo=UTC)
SOURCE = Path(sets.__file__).parent


def run(*arguments: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["sets", *map(str, arguments)], prog_name="kiban")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout


def leave(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[object, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["sets", *map(str, arguments)])
    return end.value.code, capsys.readouterr().err


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "key.pem"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(*encoding))
    return path


def publish(place: Path, epoch: int, amounts: list[int], pem: Path) -> sets.Manifest:
    table = pa.table(
        {"bango": [f"{n:03}" for n in range(len(amounts))], "zei": pa.array(amounts, pa.int64())}
    )
    draft = sets.Draft(
        **{
            "set_id": sets.new_set_id(AT),
            "flow": "zei.kazei",
            "kind": "full",
            "epoch": epoch,
            "as_of": AsOf(date(2026, 10, 1)),
        },
        **{
            "producer": "税務システム",
            "key": ("bango",),
            "columns": sets.columns_of(table.schema),
            "sums": ("zei",),
        },
    )  # type: ignore[arg-type]
    shelf = sets.open_shelf(place, make=True)
    return sets.publish(
        shelf, draft, [sets.Rows("a.parquet", table.to_batches)], signer=sets.read_signer(pem)
    )


@pytest.fixture
def place(tmp_path: Path, pem: Path) -> Path:
    """A shelf with two sets that differ in one amount and one row."""
    publish(tmp_path / "shelf", 1, [100, 200, 300], pem)
    publish(tmp_path / "shelf", 2, [100, 250], pem)
    return tmp_path / "shelf"


def test_a_shelf_is_listed_with_one_line_for_each_set(place: Path) -> None:
    code, text = run("list", place)
    assert code == 0
    assert [line.split("\t")[:7] for line in text.splitlines()[2:]] == [
        ["zei.kazei", "1-0", "全件", "2026-10-01", "3", "1/1", "あり"],
        ["zei.kazei", "2-0", "全件", "2026-10-01", "2", "1/1", "あり"],
    ]
    assert [line["件数"] for line in json.loads(run("list", place, "--json")[1])] == ["3", "2"]
    assert run("list", place, "--flow", "other")[1].splitlines()[2:] == []


def test_what_is_no_whole_set_is_told_under_the_list(place: Path) -> None:
    shelf = sets.open_shelf(place)
    found = sets.contents(shelf)
    (place / f"parts/{found.sets[0].set_id}/000001.parquet").unlink()
    (place / "sets/zei.kazei/0000000003-0000000000.json").write_text("{}")

    def broken() -> list[pa.RecordBatch]:
        raise KeyboardInterrupt

    begun = sets.Draft(
        set_id=sets.new_set_id(AT),
        flow="jumin",
        kind="full",
        epoch=1,
        as_of=AsOf(date(2026, 10, 1)),
        producer="x",
    )
    with pytest.raises(KeyboardInterrupt):
        sets.publish(shelf, begun, [sets.Rows("a", broken)])
    code, text = run("list", place)
    assert code == 1
    assert [line for line in text.splitlines() if line.startswith("→")] == [
        f"→ jumin 1-0（全件、基準日 2026-10-01）：作成の途中で、まだ発行されていない（ID {begun.set_id}）",
        "→ zei.kazei 1-0（全件、基準日 2026-10-01）：分割1個が届いていない（a.parquet）",
        "→ sets/zei.kazei/0000000003-0000000000.json：マニフェストを読み取れない [manifest-unreadable]",
    ]
    assert run("discard", place, begun.set_id) == (0, "片付けました。\n")
    assert "作成の途中" not in run("list", place)[1]


def test_a_set_is_shown_in_words_with_its_parts_and_receipts(place: Path) -> None:
    shelf = sets.open_shelf(place)
    manifest = sets.contents(shelf).sets[1]
    for state in ("received", "validated", "applied"):
        done = state == "applied"
        sets.file_receipt(
            shelf,
            sets.Receipt(
                set_id=manifest.set_id, system="kokuho", state=state, at=AT, rows=2 if done else None,  # type: ignore[arg-type]
                digest=manifest.digest if done else None,
            ),
        )  # fmt: skip
    code, text = run("show", place, "zei.kazei")
    assert code == 0
    assert "zei.kazei 2-0（全件、基準日 2026-10-01）" in text
    assert "件数       2件（1分割" in text
    assert "合計       zei 350円" in text
    assert f"受領証 kokuho 反映済 {AT.isoformat()} 2件、要約は一致" in text
    for which in ("zei.kazei/2-0", manifest.set_id):
        assert run("show", place, which) == (0, text)
    assert run("show", place, "zei.kazei", "--json")[1].encode() == sets.manifest_bytes(manifest)


def test_a_right_set_is_said_to_be_right_and_by_whose_key(place: Path, pem: Path) -> None:
    code, text = run("verify", place, "zei.kazei", "--key", pem, "--after", "1-0")
    assert code == 0
    assert (
        f"不備はありません。1分割 2件を計算し直しました。署名の鍵は {sets.read_signer(pem).key[:16]}…" in text
    )


def test_every_fault_of_a_set_is_said_in_japanese_and_the_exit_code_tells(place: Path) -> None:
    manifest = sets.contents(sets.open_shelf(place)).sets[0]
    (place / f"parts/{manifest.set_id}/000001.parquet").write_bytes(b"x")
    code, text = run("verify", place, "zei.kazei/1-0")
    assert code == 1
    assert [re.search(r"\[(.*)\]", line)[1] for line in text.splitlines() if line.startswith("→")] == [  # type: ignore[index]
        "signer-unknown",
        "epoch-stale",
        "part-changed",
    ]
    assert "不備は3件です。このセットは使えません。" in text
    code, text = run("verify", place, "zei.kazei/1-0", "--json")
    assert [problem["code"] for problem in json.loads(text)["problems"]] == [
        "signer-unknown",
        "epoch-stale",
        "part-changed",
    ]


def test_two_sets_are_compared_by_row_and_field(place: Path, tmp_path: Path, pem: Path) -> None:
    code, text = run("compare", place, "zei.kazei/1-0", "zei.kazei/2-0")
    assert code == 1
    assert text.splitlines()[-4:] == [
        "異なります。左 3件、右 2件。",
        "右にない 1件、項目が異なる 1件",
        "→ 001 項目が異なる：zei",
        "→ 002 右にない",
    ]
    assert (
        "（ほか1件。--most で増やせます）"
        in run("compare", place, "zei.kazei/1-0", "zei.kazei/2-0", "--most", "1")[1]
    )
    publish(tmp_path / "other", 7, [100, 250], pem)
    code, text = run("compare", place, "zei.kazei", "zei.kazei/7-0", "--other", tmp_path / "other")
    assert (code, text.splitlines()[-1]) == (0, "同じです。左右とも2件で、ダイジェストが一致しました。")
    assert json.loads(run("compare", place, "zei.kazei", "zei.kazei", "--json")[1])["equal"]


def test_a_name_that_fits_no_set_is_told_with_a_remedy(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for which, code in (
        *(("zei.kazei/9-0", "set-missing"), ("other", "set-missing"), (sets.new_set_id(AT), "set-missing")),
        *(("../etc", "set-name"), ("zei.kazei/9", "set-name")),
    ):
        status, text = leave(capsys, "show", place, which)
        assert (status, f"[{code}]" in text, "fix:" in text) == (1, True, True), text
    assert "[shelf-missing]" in leave(capsys, "list", place / "nowhere")[1]
    assert "[set-name]" in leave(capsys, "verify", place, "zei.kazei", "--after", "3")[1]
    assert "[set-missing]" in leave(capsys, "discard", place, sets.new_set_id(AT))[1]


def test_every_code_that_a_check_can_tell_has_its_japanese() -> None:
    texts = [
        (SOURCE / f"{name}.py").read_text(encoding="utf-8") for name in ("verify", "manifest", "contents")
    ]
    told = {code for text in texts for code in re.findall(r'Problem\(\s*"([a-z-]+)"', text)}
    elsewhere = {
        "shelf-unreadable",
        "scratch-not-writable",
        "set-form",
        "set-missing",
    }  # raised, and told as they are
    assert told - elsewhere <= sets_words.SAID.keys()
    assert len(told) >= 15
