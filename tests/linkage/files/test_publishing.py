"""What leaves as files is what was known after one event: whole, counted, within the receiver's limits, nothing substituted."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.linkage.files.conftest import DAY, EXAMPLE, cancel, contract, move_in, rename, unit, wide
from tests.store.conftest import CITY_HALL

from kiban import sets, store
from kiban.kernel import Problem, Problems
from kiban.linkage import Contract, Feed, Profile, Protection, Receiver
from kiban.linkage.files import CsvCodec, Protected, about_of, columns_of, publish_delta, publish_full
from kiban.linkage.files.about import digest_columns, key_columns
from kiban.linkage.files.companions import read_marks, read_protection
from kiban.standard import Library
from kiban.store import Store

Desks = Callable[..., Any]


def part(shelf: sets.Shelf, manifest: sets.Manifest, name: str, scratch: Path) -> bytes:
    [found] = [one for one in manifest.parts if one.name == name]
    with sets.part_file(shelf, manifest, found, scratch=scratch) as file:
        return file.read_bytes()


def rows_of(shelf: sets.Shelf, manifest: sets.Manifest, feed: str, scratch: Path) -> list[dict[str, str]]:
    """All rows of a feed as any reader of CSV sees them."""
    names = [one.name for one in manifest.parts if one.name.startswith(f"{feed}.")]
    texts = (part(shelf, manifest, name, scratch).decode() for name in names)
    return [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]


def stored_digest(city: Store, flow: Contract, feed_name: str) -> str:
    """The digest of the rows as PostgreSQL computes it."""
    feed = flow.feed(feed_name)
    found = store.row_digests(city, feed.register, feed.columns, feed.key, CITY_HALL)
    lines = [row for batch in found for row in batch.to_pylist()]
    sums: dict[int, list[int]] = {}
    for line in lines:
        one, two = sets.pieces(line["_digest"])
        held = sums.setdefault(line["_bucket"], [0, 0, 0])
        sums[line["_bucket"]] = [held[0] + 1, held[1] + one, held[2] + two]
    return sets.digest_of(tuple(sets.BucketSum(n, *held) for n, held in sorted(sums.items())))


def test_a_full_set_holds_all_groups_with_their_digests_and_opens_an_epoch(
    city: Store, flow: Contract, desk: Desks, shelf: sets.Shelf, scratch: Path
) -> None:
    for number in range(1, 8):
        last = move_in(city, number, f"住民　{wide(number)}郎")
    done = publish_full(desk(shelf), flow)
    assert done.made and (done.manifest.epoch, done.manifest.sequence) == (1, 0)
    assert (done.manifest.flow, done.manifest.as_of.valid, done.about.event) == ("jumin-zei.v1", DAY, last)
    assert [one.name for one in done.manifest.parts] == [
        *("jumin.0001.csv", "setai.0001.csv", "units.csv", "protection.csv", "about.json")
    ]
    assert [(said.name, said.rows) for said in done.about.feeds] == [("jumin", 7), ("setai", 1)]
    assert done.about.feeds[1].sums == {"setaininzu": 1}
    assert [said.digest for said in done.about.feeds] == [
        stored_digest(city, flow, name) for name in ("jumin", "setai")
    ]
    assert about_of(shelf, done.manifest, scratch) == done.about
    assert sets.verify(shelf, done.manifest, scratch=scratch, unsigned=True) == ()
    [first, *_] = rows_of(shelf, done.manifest, "jumin", scratch)
    assert (
        first["shimei"].startswith("住民") and first["valid_from"] == "2020-04-01" and first["valid_to"] == ""
    )


def test_rows_are_those_known_after_the_event_whatever_came_later(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path
) -> None:
    event = move_in(city, 1, "前　花子")
    rename(city, 1, "後　花子")
    move_in(city, 2)
    done = publish_full(desk(folder), flow, event=event)
    assert [row["shimei"] for row in rows_of(folder, done.manifest, "jumin", scratch)] == ["前　花子"]


def test_a_delta_carries_every_row_of_what_changed_and_names_what_ended(
    city: Store, flow: Contract, desk: Desks, shelf: sets.Shelf, scratch: Path
) -> None:
    for number in (1, 2, 3):
        move_in(city, number)
    full = publish_full(desk(shelf), flow)
    rename(city, 2, "新　花子")
    cancel(city, 3)
    move_in(city, 4)
    done = publish_delta(desk(shelf), flow)
    assert (done.manifest.kind, done.manifest.epoch, done.manifest.sequence, done.manifest.previous) == (
        *("delta", 1, 1, 0),
    )
    assert done.about.previous == full.about.event
    rows = rows_of(shelf, done.manifest, "jumin", scratch)
    assert sorted((row["atenabango"], row["valid_from"]) for row in rows) == [
        (unit(2), "2020-04-01"),
        (unit(2), "2024-04-01"),
        (unit(4), "2020-04-01"),
    ]
    said = read_marks(part(shelf, done.manifest, "units.csv", scratch))
    assert said.changed == {"jumin": {unit(2), unit(4)}}
    assert said.ended == {"jumin": {unit(3)}}
    assert rows_of(shelf, done.manifest, "setai", scratch) == []


def test_a_full_set_names_what_ended_since_the_set_before(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path
) -> None:
    move_in(city, 1)
    move_in(city, 2)
    publish_full(desk(folder), flow)
    cancel(city, 1)
    done = publish_full(desk(folder), flow)
    assert (done.manifest.epoch, done.about.feeds[0].rows) == (2, 1)
    assert read_marks(part(folder, done.manifest, "units.csv", scratch)).ended == {"jumin": {unit(1)}}


def test_a_delta_without_changes_is_a_set_and_one_without_an_epoch_is_refused(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf
) -> None:
    with pytest.raises(Problem, match="set-no-epoch"):
        publish_delta(desk(folder), flow)
    publish_full(desk(folder), flow)
    done = publish_delta(desk(folder), flow)
    assert done.made and done.about.rows == 0
    assert not publish_delta(desk(folder), flow).made


def test_no_file_is_larger_than_the_receiver_takes(
    city: Store, library: Library, desk: Desks, folder: sets.Shelf, scratch: Path
) -> None:
    for number in range(1, 24):
        move_in(city, number)
    by_rows = publish_full(desk(folder), contract(library, id="rows", receiver=Receiver(rows=5)))
    files = [one for one in by_rows.manifest.parts if one.name.startswith("jumin.")]
    assert [one.rows for one in files] == [5, 5, 5, 5, 3] and files[-1].name == "jumin.0005.csv"
    by_bytes = publish_full(desk(folder), contract(library, id="bytes", receiver=Receiver(bytes=700)))
    files = [one for one in by_bytes.manifest.parts if one.name.startswith("jumin.")]
    assert len(files) > 3 and max(one.bytes for one in files) <= 700 and sum(one.rows for one in files) == 23
    assert len(rows_of(folder, by_bytes.manifest, "jumin", scratch)) == 23
    with pytest.raises(Problem, match="file-limit"):
        publish_full(desk(folder), contract(library, id="tiny", receiver=Receiver(bytes=190)))
    assert sets.positions(folder, "tiny.v1") == []


def test_who_has_a_character_that_the_files_cannot_hold_is_held_back_and_named(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path
) -> None:
    profile = Profile("rei-sjis", "例", encoding="cp932", repertoire="cp932")
    move_in(city, 1)
    move_in(city, 2, "𠮷田　花子")
    done = publish_full(desk(folder, profile), flow)
    assert dict(done.held) == {("jumin", "shimei", "characters-outside"): (1, "U+20BB7 is outside of cp932")}
    assert (done.about.held, done.about.feeds[0].rows) == (1, 1)
    text = part(folder, done.manifest, "jumin.0001.csv", scratch)
    assert "渡邉".encode("cp932") in text and b"?" not in text
    assert read_marks(part(folder, done.manifest, "units.csv", scratch)).held == {unit(2)}
    rename(city, 2, "吉田　花子", since=date(2020, 4, 1))
    again = publish_delta(desk(folder, profile), flow)
    assert [row["shimei"] for row in csv_of(folder, again.manifest, scratch, "cp932")] == ["吉田　花子"]


def csv_of(shelf: sets.Shelf, manifest: sets.Manifest, scratch: Path, encoding: str) -> list[dict[str, str]]:
    return list(
        csv.DictReader(io.StringIO(part(shelf, manifest, "jumin.0001.csv", scratch).decode(encoding)))
    )


def test_a_profile_that_does_not_fit_the_city_refuses_the_set_with_every_fault(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf
) -> None:
    for number in range(1, 25):
        move_in(city, number)
    profile = Profile("rei-ascii", "例", encoding="ascii", repertoire="ascii")
    with pytest.raises(Problems) as refused:
        publish_full(desk(folder, profile), flow)
    assert {problem.code for problem in refused.value.problems} == {"characters-outside"}
    assert "jumin.shimei" in {problem.where for problem in refused.value.problems}
    assert "渡" not in str(refused.value) and unit(1) not in str(refused.value)
    assert sets.contents(folder).sets == ()


def test_protection_travels_unasked_and_withheld_items_stay_empty(
    city: Store, library: Library, desk: Desks, folder: sets.Shelf, scratch: Path
) -> None:
    flow = contract(library, protection=Protection(True, {"jumin": frozenset({"jusho_banchigohyoki"})}))
    event = move_in(city, 1)
    move_in(city, 2)
    known = Protected({unit(1): ("protected", event)}, "clear")
    done = publish_full(desk(folder, protected=lambda _contract, _event: known), flow)
    held = {
        row["atenabango"]: row["jusho_banchigohyoki"]
        for row in rows_of(folder, done.manifest, "jumin", scratch)
    }
    assert held == {unit(1): "", unit(2): "２番３号"}
    assert read_protection(part(folder, done.manifest, "protection.csv", scratch), "clear") == known


def test_where_nobody_can_tell_who_is_protected_everybody_is(
    city: Store, library: Library, desk: Desks, folder: sets.Shelf, scratch: Path
) -> None:
    flow = contract(library, protection=Protection(True, {"jumin": frozenset({"jusho_banchigohyoki"})}))
    move_in(city, 1)
    done = publish_full(desk(folder, protected=lambda _contract, _event: Protected()), flow)
    assert [row["jusho_banchigohyoki"] for row in rows_of(folder, done.manifest, "jumin", scratch)] == [""]
    assert done.about.protection == "unknown"


def test_a_contract_without_files_is_refused(library: Library, desk: Desks, folder: sets.Shelf) -> None:
    with pytest.raises(Problem, match="contract-way"):
        publish_full(desk(folder), contract(library, ways=frozenset({"event"})))


@pytest.mark.parametrize(
    "profile",
    [
        EXAMPLE,
        Profile("a", "例", header="none", quoting="needed", line_end="\n"),
        Profile(
            "b", "例", header="name", bom=True, delimiter="\t", open_from="0000-01-01", open_to="9999-12-31"
        ),
        Profile("c", "例", encoding="utf-16-le", list_separator="|"),
        Profile("d", "例", quoting="none", encoding="cp932", repertoire="cp932"),
    ],
    ids=lambda profile: profile.id,
)
def test_what_is_written_by_a_profile_reads_back_the_same(
    library: Library, profile: Profile, tmp_path: Path
) -> None:
    edition = library.edition("nonresident_addressee")
    group = max(edition.groups, key=lambda group: sum(item.repeats for item in group.items))
    feed = Feed(edition, group, group.items, group.key[0])
    schema = columns_of(feed)
    rows = []
    for number in range(40):
        row: dict[str, Any] = {}
        for place, f in enumerate(schema):
            if f.name in ("valid_from", "valid_to") or (number + place) % 3 == 0:
                row[f.name] = None
            elif pa.types.is_list(f.type):
                row[f.name] = ["山", "川"][: 1 + number % 2]
            elif pa.types.is_integer(f.type):
                row[f.name] = number - 20
            elif pa.types.is_string(f.type):
                row[f.name] = (
                    "、" if profile.quoting == "none" else ['","', "", '"', "髙﨑", " 空 "][number % 5]
                )
        rows.append(row)
    batch = pa.RecordBatch.from_pylist(rows, schema)
    codec = CsvCodec(profile)
    assert codec.unfit(feed, batch) == ()
    file = tmp_path / "file.csv"
    file.write_bytes(
        codec.head(feed) + codec.write(feed, batch.slice(0, 7)) + codec.write(feed, batch.slice(7))
    )
    assert pa.Table.from_batches(codec.read(feed, file)).combine_chunks().to_pylist() == rows
    file.write_bytes(codec.head(feed))
    assert pa.Table.from_batches(codec.read(feed, file)).num_rows == 0
    assert [column.name for column in key_columns(feed)] == list(feed.key) and digest_columns(feed)
