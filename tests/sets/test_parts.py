"""Parts are Arrow batches, Parquet files or bytes of any form; what does not fit is refused, and then there is no set."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kiban import sets
from kiban.kernel import Problem, Problems

from .conftest import SCHEMA, codes, delta, draft, ledger, published, rows, yen


def test_parts_of_other_forms_are_taken_byte_by_byte(shelf: sets.Shelf, scratch: Path) -> None:
    csv = "番号,税\r\n1,100\r\n".encode("cp932")
    parts = [
        sets.Raw("課税.csv", 1, lambda: [csv[:5], csv[5:]], {"zei": 100}),
        sets.Raw("ZEI.DAT", 0, lambda: [], {"zei": 0}),
        sets.Raw("無し", 2, lambda: [b"\0" * 80, b"\xff" * 80], {"zei": -(2**63)}),
    ]
    manifest = published(shelf, *parts, key=(), columns=())
    assert [(p.form, p.rows, p.bytes, p.sha256) for p in manifest.parts] == [
        ("bytes", 1, len(csv), hashlib.sha256(csv).hexdigest()),
        ("bytes", 0, 0, hashlib.sha256(b"").hexdigest()),
        ("bytes", 2, 160, hashlib.sha256(b"\0" * 80 + b"\xff" * 80).hexdigest()),
    ]
    assert (manifest.digest, manifest.totals) == (None, {"zei": 100 - 2**63})
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
    assert sorted(key.rpartition("/")[2] for key in shelf.sizes(f"parts/{manifest.set_id}")) == [
        "000001.csv", "000002.DAT", "000003", "claim.json",
    ]  # fmt: skip


def test_a_part_of_another_form_may_bring_its_rows_for_the_digest(shelf: sets.Shelf, scratch: Path) -> None:
    table = ledger(0, 50)
    raw = sets.Raw("a.txt", 50, lambda: [b"whatever"], batches=lambda: table.to_batches(max_chunksize=20))
    manifest, same = published(shelf, raw), published(shelf, rows("a.parquet", 0, 50), flow="other")
    assert (manifest.digest, manifest.totals) == (same.digest, same.totals)
    checks: dict[str, Any] = {"scratch": scratch, "unsigned": True}
    assert sets.verify(shelf, manifest, **checks) == ()
    assert sets.verify(shelf, manifest, decode=lambda _part, _file: table.to_batches(), **checks) == ()
    found = sets.verify(shelf, manifest, decode=lambda _part, _file: ledger(1, 49).to_batches(), **checks)
    assert codes(found) == ["part-rows", "set-buckets"]
    with pytest.raises(Problem) as caught:
        published(shelf, dataclasses.replace(raw, rows=51), flow="third")
    assert caught.value.code == "part-rows"
    with pytest.raises(Problem) as caught:
        published(shelf, dataclasses.replace(raw, batches=None), flow="third")
    assert caught.value.code == "part-unreadable"


def test_a_set_without_parts_says_that_there_was_nothing(shelf: sets.Shelf, scratch: Path) -> None:
    published(shelf)
    manifest = sets.publish(shelf, delta(1), [])
    assert (manifest.rows, manifest.buckets, manifest.totals) == (0, (), {"zei": 0})
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
    assert list(sets.batches(shelf, manifest, scratch=scratch)) == []


def test_a_part_without_rows_keeps_its_columns(shelf: sets.Shelf, scratch: Path) -> None:
    manifest = published(shelf, rows("a.parquet", 0, 0))
    assert (manifest.rows, manifest.buckets) == (0, ())
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
    assert pa.Table.from_batches(sets.batches(shelf, manifest, scratch=scratch), SCHEMA).equals(ledger(0, 0))


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([rows("a", 0, 3), rows("a", 3, 3)], "part-repeated"),
        ([sets.Rows("a", lambda: ledger(0, 3).drop_columns(["koku"]).to_batches())], "part-unreadable"),
        ([sets.Rows("a", list)], "part-unreadable"),
        ([sets.File(Path("/nowhere/a.parquet"))], "part-unreadable"),
    ],
)
def test_a_part_that_does_not_fit_is_refused_and_there_is_no_set(
    shelf: sets.Shelf, parts: Any, code: str
) -> None:
    with pytest.raises(Problem) as caught:
        published(shelf, *parts)
    assert caught.value.code == code
    assert sets.contents(shelf).sets == ()


def test_the_same_rows_in_two_parts_are_refused(shelf: sets.Shelf) -> None:
    with pytest.raises(Problems) as caught:
        published(shelf, rows("a", 0, 3), rows("b", 0, 3))
    assert codes(caught.value.problems) == ["part-repeated", "part-repeated"]
    assert sets.contents(shelf).sets == ()


def test_a_folder_of_parquet_files_is_published_in_one_call(
    shelf: sets.Shelf, tmp_path: Path, scratch: Path
) -> None:
    source = tmp_path / "nendo=1999" / "zei[*]?' kazei"
    source.mkdir(parents=True)
    for place, name in enumerate(("0002.parquet", "0001 '.parquet")):
        pq.write_table(ledger(place * 100, 100), source / name)
    (source / "rows.csv").write_text("not a part")
    said = draft(columns=())
    manifest = sets.publish_folder(shelf, said, source)
    assert [part.name for part in manifest.parts] == ["0001 '.parquet", "0002.parquet"]
    assert manifest.columns == sets.columns_of(SCHEMA)
    assert manifest.totals == {"zei": yen(0, 200)}
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
    assert sets.publish_folder(shelf, said, source) == manifest


def test_a_folder_with_files_of_two_kinds_or_none_is_refused(folder: sets.Shelf, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    with pytest.raises(Problem) as caught:
        sets.publish_folder(folder, draft(), source)
    assert caught.value.code == "parts-missing"
    pq.write_table(ledger(0, 1), source / "a.parquet")
    pq.write_table(ledger(1, 1).drop_columns(["koku"]), source / "b.parquet")
    with pytest.raises(Problems) as several:
        sets.publish_folder(folder, draft(), source)
    assert codes(several.value.problems) == ["part-columns"]
    (source / "b.parquet").write_bytes(b"PAR1")
    with pytest.raises(Problem) as caught:
        sets.publish_folder(folder, draft(), source)
    assert caught.value.code == "part-unreadable"
    assert folder.sizes("") == {}


def test_a_type_without_a_digest_is_refused_by_name() -> None:
    schema = pa.schema([("a", pa.float64()), ("b", pa.string()), ("c", pa.timestamp("us"))])
    with pytest.raises(Problems) as caught:
        sets.columns_of(schema)
    assert [(p.code, p.where) for p in caught.value.problems] == [("set-columns", "a"), ("set-columns", "c")]


def test_a_set_can_be_made_of_another_one_that_is_read_meanwhile(shelf: sets.Shelf, scratch: Path) -> None:
    draw = random.Random(1)
    texts = [draw.randbytes(16).hex() for _ in range(400_000)]  # more than goes out in one piece
    table = pa.table({"bango": texts})
    first = published(
        shelf,
        sets.Rows("a", table.to_batches),
        key=("bango",),
        columns=sets.columns_of(table.schema),
        sums=(),
    )
    assert first.bytes > 2**20 * 5
    copy = draft(epoch=2, key=first.key, columns=first.columns, sums=())
    second = sets.publish(shelf, copy, [sets.Rows("b", lambda: sets.batches(shelf, first, scratch=scratch))])
    assert (second.digest, second.rows) == (first.digest, first.rows)
    assert sets.verify(shelf, second, scratch=scratch, unsigned=True) == ()


def test_a_large_part_whose_source_fails_leaves_nothing_of_itself(shelf: sets.Shelf) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [bytes(2**20)] * 20
        raise KeyError

    said = draft(key=(), columns=(), sums=())
    with pytest.raises(KeyError):
        sets.publish(shelf, said, [sets.Raw("a", 1, pieces)])
    assert [*shelf.sizes("")] == [f"parts/{said.set_id}/claim.json"]
    if shelf.folder is not None:
        assert [path.name for path in shelf.folder.rglob("*") if path.is_file()] == ["claim.json"]
