"""A set exists when its manifest does, on a folder, in memory and on S3 alike; nothing that is there is ever replaced."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kiban import sets
from kiban.kernel import Problem, Problems

from .conftest import DAY, SCHEMA, codes, delta, draft, ledger, published, rows, yen


def test_a_set_is_what_its_producer_gave(shelf: sets.Shelf, scratch: Path) -> None:
    manifest = published(shelf)
    assert [(p.number, p.of, p.name, p.rows, dict(p.sums)) for p in manifest.parts] == [
        (1, 2, "a.parquet", 200, {"zei": yen(0, 200)}),
        (2, 2, "b.parquet", 50, {"zei": yen(200, 50)}),
    ]
    assert (manifest.rows, manifest.totals) == (250, {"zei": yen(0, 250)})
    assert sets.contents(shelf) == sets.Contents((manifest,), (), {}, ())
    assert sets.find(shelf, "zei.kazei", 1, 0) == sets.published(shelf, manifest.set_id) == manifest
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
    assert pa.Table.from_batches(sets.batches(shelf, manifest, scratch=scratch)).equals(ledger(0, 250))


def test_the_digests_of_a_set_are_those_of_its_rows_whoever_computes_them(shelf: sets.Shelf) -> None:
    manifest = published(shelf)
    found: dict[int, list[int]] = {}
    for row in ledger(0, 250).to_pylist():
        number = sets.bucket([row["bango"], row["nendo"]], manifest.key_columns)
        one, two = sets.pieces(sets.row_digest(list(row.values()), manifest.columns))
        line = found.setdefault(number, [0, 0, 0])
        found[number] = [line[0] + 1, line[1] + one, line[2] + two]
    assert manifest.buckets == tuple(sets.BucketSum(number, *found[number]) for number in sorted(found))
    text = "".join(f"{number} {' '.join(map(str, found[number]))}\n" for number in sorted(found))
    assert manifest.digest == hashlib.sha256(text.encode()).hexdigest()


def test_the_same_rows_in_other_parts_and_batches_have_the_same_digest(shelf: sets.Shelf) -> None:
    one = published(shelf)
    other = published(shelf, rows("x.parquet", 100, 150, 9), rows("y.parquet", 0, 100), flow="other")
    assert one.digest == other.digest
    assert sets.differing_buckets(one, other) == ()


def test_the_same_draft_and_rows_give_the_same_bytes(tmp_path: Path) -> None:
    said = draft()
    both = []
    for name in ("one", "other"):
        shelf = sets.open_shelf(tmp_path / name, make=True)
        sets.publish(shelf, said, [rows("a.parquet", 0, 300_000, 65_536)])
        files = (path for path in sorted((tmp_path / name).rglob("*")) if path.is_file())
        both.append({path.relative_to(tmp_path / name): path.read_bytes() for path in files})
    assert both[0] == both[1]
    assert {str(path.parts[0]) for path in both[0]} == {"parts", "sets"}


def test_a_position_is_taken_once_and_the_loser_leaves_nothing(shelf: sets.Shelf, scratch: Path) -> None:
    first = published(shelf)
    before = shelf.sizes("")
    with pytest.raises(Problem) as caught:
        published(shelf, rows("a.parquet", 0, 3))
    assert caught.value.code == "set-exists"
    assert shelf.sizes("") == before
    assert sets.verify(shelf, first, scratch=scratch, unsigned=True) == ()


def test_an_id_is_used_once_wherever_it_is_used(shelf: sets.Shelf) -> None:
    first = published(shelf)
    for said in ({"flow": "other"}, {"epoch": 2}, {"producer": "別のシステム"}):
        with pytest.raises(Problem) as caught:
            published(shelf, set_id=first.set_id, **said)
        assert caught.value.code == "set-exists"
    assert sets.contents(shelf) == sets.Contents((first,), (), {}, ())


def test_publishing_again_gives_back_the_set_that_is_there(shelf: sets.Shelf) -> None:
    said = draft()
    first = sets.publish(shelf, said, [rows("a.parquet", 0, 20)])
    before = shelf.sizes("")
    assert sets.publish(shelf, said, [rows("a.parquet", 0, 20)]) == first
    assert shelf.sizes("") == before


class Cut(Exception):  # noqa: N818
    """A producer that fails."""


def broken(name: str) -> sets.Rows:
    def batches() -> Iterator[pa.RecordBatch]:
        yield from ledger(0, 100).to_batches()
        raise Cut

    return sets.Rows(name, batches)


def test_an_interrupted_set_is_not_seen_goes_on_where_it_stopped_and_can_be_taken_away(
    shelf: sets.Shelf, scratch: Path
) -> None:
    said = draft()
    opened: list[str] = []

    def counted(name: str, first: int) -> sets.Rows:
        def batches() -> list[pa.RecordBatch]:
            opened.append(name)
            return list(ledger(first, 10).to_batches())

        return sets.Rows(name, batches)

    with pytest.raises(Cut):
        sets.publish(shelf, said, [counted("a.parquet", 0), broken("b.parquet")])
    left = sets.contents(shelf)
    assert (left.sets, left.unfinished, left.problems) == ((), (said,), ())
    manifest = sets.publish(shelf, said, [counted("a.parquet", 0), counted("b.parquet", 10)])
    assert opened == ["a.parquet", "b.parquet"]
    assert sets.contents(shelf) == sets.Contents((manifest,), (), {}, ())
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
    with pytest.raises(Problem) as caught:
        sets.discard(shelf, said)
    assert caught.value.code == "set-exists"

    other = delta(1)
    with pytest.raises(Cut):
        sets.publish(shelf, other, [counted("a.parquet", 0), broken("b.parquet")])
    sets.discard(shelf, other)
    assert sets.contents(shelf) == sets.Contents((manifest,), (), {}, ())
    assert not [key for key in shelf.sizes("") if other.set_id in key]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"sequence": 1}, ["set-sequence"]),
        ({"kind": "delta"}, ["set-sequence"]),
        ({"kind": "delta", "sequence": 2, "previous": 2}, ["set-sequence"]),
        ({"key": ("bango", "bango", "x"), "sums": ("koku", "zei", "zei")}, ["set-columns"] * 4),
        ({"key": ()}, ["set-columns"]),
        ({"flow": "../../etc", "epoch": 0, "set_id": "1", "producer": ""}, ["document-field"] * 4),
        ({"producer": "a\ud800"}, ["document-field"]),
        ({"flow": "a/b"}, ["document-field"]),
        ({"kind": "other"}, ["document-field"]),
    ],
)
def test_a_draft_that_says_nonsense_is_refused_with_everything_wrong_in_it(
    shelf: sets.Shelf, said: Any, expected: list[str]
) -> None:
    with pytest.raises((Problem, Problems)) as caught:
        published(shelf, **said)
    assert codes(getattr(caught.value, "problems", [caught.value])) == expected
    assert shelf.sizes("") == {}


def test_two_sets_are_compared_by_their_manifests_then_by_their_rows(
    shelf: sets.Shelf, scratch: Path
) -> None:
    left = published(shelf)
    changed = ledger(0, 249).to_pylist()
    changed[17]["zei"], changed[33]["koku"] = 1, None
    table = pa.Table.from_pylist(changed, SCHEMA)
    right = published(shelf, sets.Rows("a.parquet", table.to_batches), epoch=2)
    assert 1 <= len(sets.differing_buckets(left, right)) <= 3
    found = sets.compare_sets((shelf, left), (shelf, right), folder=scratch)
    assert [(line["key"][0], line["what"], line["fields"]) for line in found.differences.to_pylist()] == [
        (f"{17:015}", "differs", ["zei"]),
        (f"{33:015}", "differs", ["koku"]),
        (f"{249:015}", "missing", []),
    ]
    assert sets.compare_sets((shelf, left), (shelf, left), folder=scratch).equal
    other = published(shelf, key=("bango",), flow="other")
    with pytest.raises(Problem) as caught:
        sets.compare_sets((shelf, left), (shelf, other), folder=scratch)
    assert caught.value.code == "sets-incomparable"


def test_a_set_of_the_day_keeps_both_of_its_dates(shelf: sets.Shelf) -> None:
    published(shelf)
    assert sets.find(shelf, "zei.kazei", 1, 0).as_of == DAY


def test_parts_taken_away_while_others_are_written_make_no_half_set(shelf: sets.Shelf, scratch: Path) -> None:
    said = draft()

    def while_discarded() -> list[pa.RecordBatch]:
        sets.discard(shelf, said)
        return list(ledger(10, 10).to_batches())

    with pytest.raises(Problems) as caught:
        sets.publish(shelf, said, [rows("a.parquet", 0, 10), sets.Rows("b.parquet", while_discarded)])
    assert codes(caught.value.problems) == ["part-missing"]
    assert sets.contents(shelf).sets == ()
    manifest = sets.publish(shelf, said, [rows("a.parquet", 0, 10), rows("b.parquet", 10, 10)])
    assert sets.verify(shelf, manifest, scratch=scratch, unsigned=True) == ()
