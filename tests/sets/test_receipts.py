"""A receiver says received, validated, applied, in this order and once; and what was due is held against what came."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kiban import sets
from kiban.kernel import AsOf, Problem, Problems

from .conftest import AT, DAY, codes, delta, draft, lose, rows


def receipt(manifest: sets.Manifest, state: str, **said: Any) -> sets.Receipt:
    usual: dict[str, Any] = {"set_id": manifest.set_id, "system": "zei-2", "state": state, "at": AT}
    if state == "applied" and not said.get("problems"):
        usual |= {"rows": manifest.rows, "digest": manifest.digest}
    return sets.Receipt(**usual | said)


def refused(shelf: sets.Shelf, said: sets.Receipt) -> str:
    with pytest.raises((Problem, Problems)) as caught:
        sets.file_receipt(shelf, said)
    return codes(getattr(caught.value, "problems", [caught.value]))[0]


@pytest.fixture
def manifest(shelf: sets.Shelf) -> sets.Manifest:
    return sets.publish(shelf, draft(), [rows("a.parquet", 0, 20)])


def test_receipts_go_from_received_to_applied_and_say_what_is_held_then(
    shelf: sets.Shelf, manifest: sets.Manifest, pem: Path
) -> None:
    signer = sets.read_signer(pem)
    filed = tuple(
        sets.file_receipt(shelf, receipt(manifest, state), signer)
        for state in ("received", "validated", "applied")
    )
    assert sets.receipts(shelf, manifest.set_id) == filed
    assert [one.digest for one in filed] == [None, None, manifest.digest]
    assert all(sets.receipt_fits(one) for one in filed)
    assert not sets.receipt_fits(dataclasses.replace(filed[2], rows=21))
    assert sets.file_receipt(shelf, receipt(manifest, "received"), signer) == filed[0]
    assert sets.contents(shelf).problems == ()


def test_no_state_is_skipped_said_twice_or_said_after_a_problem(
    shelf: sets.Shelf, manifest: sets.Manifest
) -> None:
    assert refused(shelf, receipt(manifest, "validated")) == "receipt-order"
    sets.file_receipt(shelf, receipt(manifest, "received"))
    assert refused(shelf, receipt(manifest, "received", at=AT + timedelta(seconds=1))) == "receipt-exists"
    assert refused(shelf, receipt(manifest, "applied")) == "receipt-order"
    sets.file_receipt(shelf, receipt(manifest, "validated", problems=("part-changed", "set-buckets")))
    assert refused(shelf, receipt(manifest, "applied")) == "receipt-order"
    other = receipt(manifest, "received", system="kokuho")
    sets.file_receipt(shelf, other)
    assert [(one.system, one.state, one.problems) for one in sets.receipts(shelf, manifest.set_id)] == [
        ("kokuho", "received", ()),
        ("zei-2", "received", ()),
        ("zei-2", "validated", ("part-changed", "set-buckets")),
    ]


def test_a_receipt_that_says_nonsense_is_refused(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    for state in ("received", "validated"):
        sets.file_receipt(shelf, receipt(manifest, state))
    assert refused(shelf, receipt(manifest, "applied", digest=None)) == "receipt-order"
    assert refused(shelf, receipt(manifest, "received", rows=1)) == "receipt-order"
    assert refused(shelf, receipt(manifest, "received", system="a/b")) == "document-field"
    assert refused(shelf, receipt(manifest, "received", set_id=draft().set_id)) == "set-missing"
    assert refused(shelf, receipt(manifest, "done")) == "document-field"


def test_a_receipt_copied_to_another_set_is_told(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    filed = sets.file_receipt(shelf, receipt(manifest, "received"))
    other = sets.publish(shelf, draft(epoch=2), [rows("a.parquet", 0, 3)])
    shelf.put(f"receipts/{other.set_id}/zei-2/1-received.json", sets.receipt_bytes(filed))
    with pytest.raises(Problem) as caught:
        sets.receipts(shelf, other.set_id)
    assert caught.value.code == "receipt-place"


def found(
    shelf: sets.Shelf, due: sets.Expectation, applied: sets.Manifest | None = None
) -> list[tuple[str, tuple[str, ...]]]:
    last = {"zei.kazei": applied} if applied else None
    return [(one.what, one.set_ids) for one in sets.expected([due], sets.contents(shelf), last)]


DUE = sets.Expectation("zei.kazei", DAY.valid, parts=1)


def test_a_set_that_came_whole_and_once_gives_no_finding(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    assert found(shelf, DUE) == found(shelf, DUE, applied=manifest) == []


def test_a_set_that_did_not_come_is_missing(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    for change in ({"as_of": date(2026, 10, 2)}, {"flow": "other"}, {"kind": "delta"}):
        assert found(shelf, dataclasses.replace(DUE, **change)) == [("missing", ())]


def test_a_set_that_came_twice_is_told_with_both_ids(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    again = sets.publish(shelf, draft(epoch=2), [rows("a.parquet", 0, 20)])
    assert found(shelf, DUE) == [("twice", (manifest.set_id, again.set_id))]


def test_a_set_that_came_in_part_is_told_however_it_is_partial(shelf: sets.Shelf) -> None:
    def cut() -> Iterator[pa.RecordBatch]:
        raise KeyError

    begun = draft()
    with pytest.raises(KeyError):
        sets.publish(shelf, begun, [rows("a.parquet", 0, 3), sets.Rows("b.parquet", cut)])
    assert found(shelf, DUE) == [("partial", (begun.set_id,))]
    sets.discard(shelf, begun)
    whole = sets.publish(shelf, draft(), [rows("a.parquet", 0, 3)])
    assert found(shelf, dataclasses.replace(DUE, parts=2)) == [("partial", (whole.set_id,))]
    lose(shelf, f"parts/{whole.set_id}/000001.parquet")
    assert found(shelf, DUE) == [("partial", (whole.set_id,))]


def test_a_set_older_than_what_was_applied_is_stale(shelf: sets.Shelf) -> None:
    later = sets.publish(shelf, draft(epoch=2), [rows("a.parquet", 0, 20)])
    late = sets.publish(shelf, draft(as_of=AsOf(date(2026, 9, 1))), [rows("a.parquet", 0, 19)])
    due = sets.Expectation("zei.kazei", date(2026, 9, 1))
    assert found(shelf, due, applied=later) == [("stale", (late.set_id,))]
    relabelled = sets.publish(shelf, draft(epoch=3, as_of=AsOf(date(2026, 9, 1))), [rows("a.parquet", 0, 18)])
    assert ("stale", (relabelled.set_id,)) in found(shelf, due, applied=later)
    repeated = sets.publish(shelf, delta(1), [rows("a.parquet", 0, 2)])
    assert found(shelf, sets.Expectation("zei.kazei", DAY.valid, "delta"), applied=later) == [
        ("stale", (repeated.set_id,))
    ]
