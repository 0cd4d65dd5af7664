"""Whatever is wrong with a set is told, all of it at once; what is right is told to be so by nothing at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kiban import sets
from kiban.kernel import Problem

from .conftest import codes, delta, draft, ledger, lose, make_key, rows
from .object_store import ObjectStore

PARTS = [rows("a.parquet", 0, 100), rows("b.parquet", 100, 100), rows("c.parquet", 200, 100)]


@pytest.fixture
def manifest(shelf: sets.Shelf, pem: Path) -> sets.Manifest:
    """A signed set of three parts."""
    return sets.publish(shelf, draft(), PARTS, signer=sets.read_signer(pem))


@pytest.fixture
def check(shelf: sets.Shelf, pem: Path, scratch: Path) -> Callable[..., list[str]]:
    """What is told of a set to a receiver that trusts its producer."""

    def checked(manifest: sets.Manifest, **how: Any) -> list[str]:
        usual: dict[str, Any] = {"scratch": scratch, "keys": sets.read_keys([pem])}
        return codes(sets.verify(shelf, manifest, **usual | how))

    return checked


def place(manifest: sets.Manifest, number: int) -> str:
    return f"parts/{manifest.set_id}/{number:06}.parquet"


def written_again(shelf: sets.Shelf, manifest: sets.Manifest, number: int, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    shelf.put(place(manifest, number), sink.getvalue().to_pybytes())


def test_a_set_that_is_right_gives_nothing_and_nothing_is_left_behind(
    shelf: sets.Shelf, manifest: sets.Manifest, check: Callable[..., list[str]], scratch: Path
) -> None:
    before = shelf.sizes("")
    assert check(manifest) == []
    assert shelf.sizes("") == before
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("at", [0, 4, 100, 1_000, -1, -4, -9])
def test_one_changed_byte_anywhere_in_a_part_is_told(
    shelf: sets.Shelf, manifest: sets.Manifest, check: Callable[..., list[str]], at: int
) -> None:
    data = bytearray(shelf.read(place(manifest, 2)) or b"")
    data[at] ^= 1
    shelf.put(place(manifest, 2), bytes(data))
    assert check(manifest) == ["part-changed"]


def test_everything_wrong_with_the_parts_is_told_at_once(
    shelf: sets.Shelf, manifest: sets.Manifest, check: Callable[..., list[str]]
) -> None:
    lose(shelf, place(manifest, 1))
    shelf.put(place(manifest, 2), (shelf.read(place(manifest, 2)) or b"")[:-1])
    written_again(shelf, manifest, 3, ledger(200, 99))
    shelf.put(place(manifest, 4), b"left over")
    assert check(manifest) == ["part-extra", "part-missing", "part-changed", "part-changed"]
    assert sets.contents(shelf).lacking[manifest.set_id] == ("a.parquet", "b.parquet", "c.parquet")
    with pytest.raises(Problem) as caught:
        list(sets.batches(shelf, manifest, scratch=Path("/tmp")))
    assert caught.value.code == "part-missing"


def lying(shelf: sets.Shelf, manifest: sets.Manifest, pem: Path, **said: Any) -> sets.Manifest:
    """A manifest that its producer signed although it is not true, in the place of the true one."""
    from kiban.sets import writing

    told = writing.signed(dataclasses.replace(manifest, **said), sets.read_signer(pem))
    shelf.put(
        f"sets/{manifest.flow}/{manifest.epoch:010}-{manifest.sequence:010}.json", sets.manifest_bytes(told)
    )
    return told


def test_a_producer_that_tells_other_rows_sums_or_digests_than_it_sent_is_found_out(
    shelf: sets.Shelf, manifest: sets.Manifest, check: Callable[..., list[str]], pem: Path
) -> None:
    one, two, three = manifest.parts
    assert manifest.buckets is not None
    moved = dataclasses.replace(one, rows=99), dataclasses.replace(two, rows=101), three
    assert check(lying(shelf, manifest, pem, parts=moved)) == ["part-rows", "part-rows"]
    cheaper = dataclasses.replace(one, sums=(("zei", one.sums[0][1] - 1),)), two, three
    assert check(lying(shelf, manifest, pem, parts=cheaper)) == ["part-sums"]
    first = manifest.buckets[0]
    other = (first._replace(one=first.one + 1), *manifest.buckets[1:])
    assert check(lying(shelf, manifest, pem, buckets=other)) == ["set-buckets"]


def test_parts_that_are_counted_wrongly_or_stand_twice_are_told(
    shelf: sets.Shelf, manifest: sets.Manifest, check: Callable[..., list[str]], pem: Path
) -> None:
    one, two, three = manifest.parts
    assert check(lying(shelf, manifest, pem, parts=(one, two))) == ["part-number"] * 2 + [
        "set-buckets",
        "part-extra",
        "set-buckets",
    ]
    four = tuple(dataclasses.replace(part, of=4) for part in manifest.parts)
    assert check(lying(shelf, manifest, pem, parts=four)) == ["part-number"] * 3
    assert check(lying(shelf, manifest, pem, parts=(two, one, three))) == ["part-number"] * 2
    twice = one, two, dataclasses.replace(one, number=3, name="c.parquet")
    assert check(lying(shelf, manifest, pem, parts=twice)) == ["part-repeated"] * 2 + ["part-changed"]


def test_a_signature_says_who_and_fits_what_is_said(
    shelf: sets.Shelf, manifest: sets.Manifest, check: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert check(manifest, keys=()) == ["signer-unknown"]
    assert check(manifest, keys=(), unsigned=True) == []
    assert check(manifest, keys=sets.read_keys([make_key(tmp_path / "other.pem")]), unsigned=True) == [
        "signer-unknown"
    ]
    assert check(dataclasses.replace(manifest, signature=None)) == ["set-unsigned"]
    assert check(dataclasses.replace(manifest, signature=None), unsigned=True) == []
    for said in (
        {"producer": "別のシステム"},
        {"edition": "kiban-2027.1"},
        {"buckets": manifest.buckets and manifest.buckets[1:]},
    ):
        assert check(dataclasses.replace(manifest, **said), unsigned=True)[0] == "set-signature"
    assert manifest.signature is not None
    forged = dataclasses.replace(manifest.signature, value="0" * 128)
    assert check(dataclasses.replace(manifest, signature=forged)) == ["set-signature"]


def test_a_receiver_without_room_is_told_so(object_store: ObjectStore, tmp_path: Path) -> None:
    shelf = object_store.shelf("no-room")
    manifest = sets.publish(shelf, draft(), PARTS)
    for look in (
        lambda: sets.verify(shelf, manifest, scratch=tmp_path / "nowhere"),
        lambda: sets.relation(shelf, manifest, folder=tmp_path / "nowhere"),
    ):
        with pytest.raises(Problem) as caught:
            look()
        assert caught.value.code == "scratch-not-writable"


def test_a_key_that_is_none_is_refused(tmp_path: Path, pem: Path) -> None:
    (tmp_path / "no.pem").write_text("no key")
    for path in (tmp_path / "no.pem", tmp_path / "nowhere.pem"):
        for read in (sets.read_signer, lambda one: sets.read_keys([one])):
            with pytest.raises(Problem) as caught:
                read(path)
            assert caught.value.code == "signing-key"
    assert repr(sets.read_signer(pem)) == f"Signer({sets.read_signer(pem).key})"


def test_a_stale_set_and_a_gap_before_it_are_told(shelf: sets.Shelf, check: Callable[..., list[str]]) -> None:
    def published(said: sets.Draft) -> sets.Manifest:
        return sets.publish(shelf, said, [rows("a.parquet", said.epoch * 1000 + said.sequence * 10, 5)])

    full, one, two, four = (published(said) for said in (draft(), delta(1), delta(2), delta(4)))

    def told(manifest: sets.Manifest, **how: Any) -> list[str]:
        return check(manifest, unsigned=True, keys=(), **how)

    assert [told(one) for one in (full, one, two, four)] == [[], [], [], ["sequence-gap"]]
    assert [told(two, after=after) for after in ((1, 0), (1, 1))] == [[], []]
    assert told(two, after=(1, 2)) == told(one, after=(1, 2)) == ["sequence-stale"]
    assert told(four, after=(1, 2)) == ["sequence-gap"]
    assert told(four, after=(1, 3)) == []
    skipping = published(delta(5, previous=1))
    assert told(skipping, after=(1, 1)) == []
    assert told(skipping, after=(1, 2)) == ["sequence-gap"]
    later = published(draft(epoch=2))
    assert told(later, after=(1, 2)) == []
    assert told(two) == told(full) == ["epoch-stale"]
    assert told(two, after=(3, 0)) == ["epoch-stale"]
    assert told(published(delta(1, epoch=3))) == ["sequence-gap"]
    assert told(later) == ["epoch-stale"]


def test_a_manifest_copied_to_another_place_is_no_set(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    for key in ("sets/zei.kazei/0000000002-0000000000.json", "sets/other/0000000001-0000000000.json"):
        assert shelf.create(key, sets.manifest_bytes(manifest))
    found = sets.contents(shelf)
    assert found.sets == (manifest,)
    assert codes(found.problems) == ["set-place", "set-place"]
    with pytest.raises(Problem) as caught:
        sets.find(shelf, "other", 1, 0)
    assert caught.value.code == "set-place"


def test_a_set_that_is_not_there_is_missing(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    for look in (lambda: sets.find(shelf, "zei.kazei", 1, 1), lambda: sets.published(shelf, draft().set_id)):
        with pytest.raises(Problem) as caught:
            look()
        assert caught.value.code == "set-missing"


def test_a_broken_manifest_hides_no_other_set(shelf: sets.Shelf, manifest: sets.Manifest) -> None:
    assert shelf.create("sets/zei.kazei/0000000002-0000000000.json", b"")
    assert shelf.create("parts/0/claim.json", b"{}")
    found = sets.contents(shelf)
    assert found.sets == (manifest,)
    assert codes(found.problems) == ["manifest-unreadable", "claim-unreadable"]


def test_a_part_that_is_no_parquet_file_although_it_is_said_to_be_is_told(
    shelf: sets.Shelf, check: Callable[..., list[str]], pem: Path, manifest: sets.Manifest
) -> None:
    raw = sets.publish(
        shelf,
        draft(epoch=2, key=(), columns=(), sums=()),
        [sets.Raw("a.parquet", 1, lambda: [b"no Parquet"])],
    )
    told = lying(shelf, raw, pem, parts=(dataclasses.replace(raw.parts[0], form="parquet"),))
    assert check(told) == ["part-unreadable"]
    with pytest.raises(Problem) as caught:
        sets.relation(shelf, raw, folder=Path("/tmp"))
    assert caught.value.code == "set-form"
