"""What is taken of files is what was published: whole, in its order, once; everything else is refused and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.files.conftest import EXAMPLE, NOW, cancel, contract, move_in, rename, unit, wide

from kiban import sets
from kiban.kernel import Problem, Problems
from kiban.linkage import Contract, Protection, Replica
from kiban.linkage.files import (
    CsvCodec,
    Intake,
    Protected,
    position,
    publish_delta,
    publish_full,
    take_newest,
    take_set,
)
from kiban.standard import Library
from kiban.store import Store

Desks = Callable[..., Any]


@pytest.fixture
def replica(flow: Contract, tmp_path: Path) -> Iterator[Replica]:
    with Replica.open(tmp_path / "replica", flow) as opened:
        yield opened


@pytest.fixture
def intake(scratch: Path) -> Intake:
    return Intake(CsvCodec(EXAMPLE), scratch, lambda: NOW, unsigned=True)


def names(replica: Replica) -> dict[str, str]:
    """Whose record says what, in all of its periods."""
    found = [row for batch in replica.batches("jumin") for row in batch.to_pylist()]
    found.sort(key=lambda row: (row["atenabango"], row["valid_from"]))
    return {f"{int(row['atenabango'])}@{row['valid_from']}": row["shimei"] for row in found}


def states(shelf: sets.Shelf, manifest: sets.Manifest) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.state, one.problems) for one in sets.receipts(shelf, manifest.set_id)]


def test_a_full_set_is_taken_and_answered_by_the_digest_of_what_is_held(
    city: Store, flow: Contract, desk: Desks, shelf: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    for number in (1, 2, 3):
        event = move_in(city, number, f"住民　{wide(number)}郎")
    done = publish_full(desk(shelf), flow)
    taken = take_set(replica, shelf, done.manifest, intake)
    assert (taken.repeated, taken.rows, taken.equal) == (False, 4, True)
    assert taken.digest == done.about.digest
    assert (replica.floor, replica.epoch, position(replica)) == (event, 1, (1, 0))
    assert names(replica) == {f"{n}@2020-04-01": f"住民　{wide(n)}郎" for n in (1, 2, 3)}
    receipts = sets.receipts(shelf, done.manifest.set_id)
    assert [(one.state, one.problems) for one in receipts] == [
        *(("received", ()), ("validated", ()), ("applied", ())),
    ]
    assert (receipts[-1].rows, receipts[-1].digest) == (4, done.about.digest)


def test_deltas_follow_in_their_order_and_end_at_the_same_digest_as_a_new_full_set(
    city: Store, flow: Contract, desk: Desks, shelf: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    for number in (1, 2, 3):
        move_in(city, number)
    publish_full(desk(shelf), flow)
    rename(city, 2, "改　花子")
    cancel(city, 3)
    publish_delta(desk(shelf), flow)
    move_in(city, 3, "再　花子")
    rename(city, 1, "新　花子")
    publish_delta(desk(shelf), flow)
    taken = take_newest(replica, shelf, intake)
    assert [one.manifest.sequence for one in taken] == [0, 1, 2]
    assert names(replica) == {
        **{"1@2020-04-01": "渡邉　花子", "1@2024-04-01": "新　花子"},
        **{"2@2020-04-01": "渡邉　花子", "2@2024-04-01": "改　花子", "3@2020-04-01": "再　花子"},
    }
    again = publish_full(desk(shelf), flow)
    assert again.about.digest == taken[-1].digest
    assert take_newest(replica, shelf, intake)[0].equal
    assert take_newest(replica, shelf, intake) == []


def test_a_set_that_was_applied_is_acknowledged_quietly(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    move_in(city, 1)
    done = publish_full(desk(folder), flow)
    first = take_set(replica, folder, done.manifest, intake)
    again = take_set(replica, folder, done.manifest, replace(intake, clock=lambda: NOW.replace(hour=9)))
    assert (again.repeated, again.digest) == (True, first.digest)
    assert len(sets.receipts(folder, done.manifest.set_id)) == 3


def test_what_is_out_of_order_is_refused_and_leaves_no_receipt(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    move_in(city, 1)
    full = publish_full(desk(folder), flow).manifest
    deltas = []
    for number in (2, 3):
        move_in(city, number)
        deltas.append(publish_delta(desk(folder), flow).manifest)
    assert refused(replica, folder, deltas[0], intake) == {"set-no-epoch"}
    take_set(replica, folder, full, intake)
    assert refused(replica, folder, deltas[1], intake) == {"sequence-gap"}
    take_set(replica, folder, deltas[0], intake)
    assert refused(replica, folder, full, intake) == {"sequence-stale"}
    move_in(city, 4)
    publish_full(desk(folder), flow)
    assert refused(replica, folder, deltas[1], intake) == {"epoch-stale"}
    move_in(city, 5)
    late = publish_delta(desk(folder), flow).manifest
    assert refused(replica, folder, late, intake) == {"epoch-other"}
    assert states(folder, deltas[1]) == states(folder, late) == []
    assert sorted(names(replica)) == ["1@2020-04-01", "2@2020-04-01"]


def refused(replica: Replica, shelf: sets.Shelf, manifest: sets.Manifest, intake: Intake) -> set[str]:
    with pytest.raises((Problem, Problems)) as found:
        take_set(replica, shelf, manifest, intake)
    problems = found.value.problems if isinstance(found.value, Problems) else [found.value]
    return {problem.code for problem in problems}


def test_a_set_with_a_lost_or_changed_part_is_refused_for_good(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    move_in(city, 1)
    manifest = publish_full(desk(folder), flow).manifest
    assert folder.folder is not None
    file = folder.folder / "parts" / manifest.set_id / "000001.csv"
    data = file.read_bytes()
    file.write_bytes(data.replace("花子".encode(), "太郎".encode()))
    assert refused(replica, folder, manifest, intake) == {"part-changed"}
    file.write_bytes(data)
    assert refused(replica, folder, manifest, intake) == {"set-refused"}
    assert states(folder, manifest) == [("received", ("part-changed",))]
    assert replica.epoch is None and names(replica) == {}


def test_rows_that_are_not_those_of_the_digests_are_refused(
    city: Store,
    flow: Contract,
    desk: Desks,
    folder: sets.Shelf,
    replica: Replica,
    intake: Intake,
    tmp_path: Path,
) -> None:
    """A provider whose files say something else than its digests: the bytes are as published, and wrong."""
    move_in(city, 1)
    right = publish_full(desk(folder), flow).manifest
    assert folder.folder is not None
    parts = []
    for part in right.parts:
        data = (
            folder.folder / "parts" / right.set_id / f"{part.number:06}{Path(part.name).suffix}"
        ).read_bytes()
        data = data.replace("花子".encode(), "太郎".encode())
        parts.append(sets.Raw(part.name, part.rows, lambda data=data: [data]))  # type: ignore[misc]
    draft = sets.Draft(
        set_id=sets.new_set_id(NOW), flow=right.flow, kind="full", epoch=2, as_of=right.as_of, producer="001"
    )
    wrong = sets.publish(folder, draft, parts)
    assert refused(replica, folder, wrong, intake) == {"set-buckets"}
    assert states(folder, wrong) == [("received", ()), ("validated", ("set-buckets",))]
    assert names(replica) == {}


def test_a_set_of_another_contract_is_refused(
    city: Store,
    library: Library,
    flow: Contract,
    desk: Desks,
    folder: sets.Shelf,
    intake: Intake,
    tmp_path: Path,
) -> None:
    move_in(city, 1)
    manifest = publish_full(desk(folder), flow).manifest
    narrower = contract(library, feeds=(flow.feeds[0],))
    with Replica.open(tmp_path / "narrow", narrower) as replica:
        assert refused(replica, folder, manifest, intake) >= {"set-other-feeds"}
    fewer = replace(flow.feeds[1], items=flow.feeds[1].items[:2])
    with Replica.open(tmp_path / "fewer", contract(library, feeds=(flow.feeds[0], fewer))) as replica:
        assert refused(replica, folder, manifest, intake) == {"set-refused"}


def test_nobody_signed_or_a_stranger_did_is_refused_until_the_key_is_known(
    city: Store,
    flow: Contract,
    desk: Desks,
    folder: sets.Shelf,
    replica: Replica,
    intake: Intake,
    tmp_path: Path,
) -> None:
    from tests.sets.conftest import make_key

    key = make_key(tmp_path / "provider.pem")
    move_in(city, 1)
    bare = publish_full(desk(folder), flow).manifest
    assert refused(replica, folder, bare, replace(intake, unsigned=False)) == {"set-unsigned"}
    move_in(city, 2)
    signed = publish_full(desk(folder, signer=sets.read_signer(key)), flow).manifest
    assert refused(replica, folder, signed, replace(intake, unsigned=False)) == {"signer-unknown"}
    known = replace(intake, unsigned=False, keys=sets.read_keys([key]))
    assert take_set(replica, folder, signed, known).equal


def test_what_is_absent_without_a_tombstone_is_kept_and_proposed(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    for number in range(1, 6):
        move_in(city, number)
    publish_full(desk(folder), flow)
    take_newest(replica, folder, intake)
    other = sets.open_shelf("memory:")
    cancel(city, 5)
    unnamed = publish_full(desk(other), flow).manifest  # the first set of its shelf: it knows of no end
    moved = replace(unnamed, epoch=2)
    [second] = [copied(other, unnamed, folder, moved)]
    assert refused(replica, folder, second, intake) == {"absence-many"}
    assert "5@2020-04-01" in names(replica) and position(replica) == (1, 0)
    taken = take_set(replica, folder, second, replace(intake, absent_most=Fraction(1, 5)))
    assert taken.absent == {"jumin": (unit(5),)} and not taken.equal
    assert "5@2020-04-01" in names(replica) and unit(5) not in repr(taken)


def test_absence_that_an_officer_accepted_is_removed(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    move_in(city, 1)
    move_in(city, 2)
    publish_full(desk(folder), flow)
    take_newest(replica, folder, intake)
    other = sets.open_shelf("memory:")
    cancel(city, 2)
    unnamed = publish_full(desk(other), flow).manifest
    second = copied(other, unnamed, folder, replace(unnamed, epoch=2))
    taken = take_set(replica, folder, second, replace(intake, absence_accepted=True))
    assert taken.equal and list(names(replica)) == ["1@2020-04-01"]


def copied(
    source: sets.Shelf, manifest: sets.Manifest, target: sets.Shelf, draft: sets.Manifest
) -> sets.Manifest:
    """The same parts as a set at another position of another shelf."""
    parts = []
    for part in manifest.parts:
        data = source.read(f"parts/{manifest.set_id}/{part.number:06}{Path(part.name).suffix}") or b""
        parts.append(sets.Raw(part.name, part.rows, lambda data=data: [data]))  # type: ignore[misc]
    said = sets.Draft(
        set_id=sets.new_set_id(NOW),
        flow=draft.flow,
        kind="full",
        epoch=draft.epoch,
        as_of=draft.as_of,
        producer="001",
    )
    return sets.publish(target, said, parts)


def test_what_ended_is_removed_without_a_question(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    move_in(city, 1)
    move_in(city, 2)
    publish_full(desk(folder), flow)
    take_newest(replica, folder, intake)
    cancel(city, 2)
    publish_full(desk(folder), flow)
    [taken] = take_newest(replica, folder, intake)
    assert taken.equal and taken.absent == {} and list(names(replica)) == ["1@2020-04-01"]


def test_who_was_held_back_keeps_what_is_held(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, scratch: Path
) -> None:
    profile = replace(EXAMPLE, encoding="cp932", repertoire="cp932")
    intake = Intake(CsvCodec(profile), scratch, lambda: NOW, unsigned=True)
    move_in(city, 1)
    move_in(city, 2)
    publish_full(desk(folder, profile), flow)
    take_newest(replica, folder, intake)
    rename(city, 2, "𠮷田　花子")
    publish_delta(desk(folder, profile), flow)
    [delta] = take_newest(replica, folder, intake)
    assert delta.held == 1 and names(replica)["2@2020-04-01"] == "渡邉　花子"
    publish_full(desk(folder, profile), flow)
    [full] = take_newest(replica, folder, intake)
    assert full.held == 1 and full.absent == {} and not full.equal
    assert names(replica)["2@2020-04-01"] == "渡邉　花子"


def test_protection_is_known_before_the_rows_and_never_weakened(
    city: Store, library: Library, desk: Desks, folder: sets.Shelf, intake: Intake, tmp_path: Path
) -> None:
    flow = contract(library, protection=Protection(True))
    event = move_in(city, 1)
    move_in(city, 2)
    known = Protected({unit(1): ("protected", event)}, "clear")
    publish_full(desk(folder, protected=lambda _contract, _event: known), flow)
    with Replica.open(tmp_path / "replica", flow) as replica:
        replica.protect(unit(2), "protected", event + 9, NOW)
        take_newest(replica, folder, intake)
        assert replica.protection(unit(1), NOW) == ("protected", event)
        assert replica.protection(unit(2), NOW) == ("protected", event + 9)
        assert replica.protection(unit(3), NOW) == ("unknown", -1)
        move_in(city, 3)
        publish_delta(desk(folder, protected=lambda _contract, _event: known), flow)
        take_newest(replica, folder, intake)
        assert replica.protection(unit(3), NOW) == ("clear", 0)


def test_who_breaks_the_rules_of_the_contract_waits_and_all_others_are_taken(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    """A provider whose rows are not those of the standard: one resident's code is none, another's number has a letter too many."""
    for number in range(1, 6):
        move_in(city, number)
    right = publish_full(desk(folder), flow)
    take_newest(replica, folder, intake)
    rename(city, 1, "新　花子")
    wrong = spoilt(city, flow, desk, folder, ("shiensochifuragu", "ん"), ("seinengappi", "西暦"))
    taken = take_set(replica, folder, wrong, intake)
    assert (taken.quarantined, taken.equal, taken.absent) == (2, False, {})
    assert names(replica)["1@2024-04-01"] == "新　花子" and len(replica.rows("jumin", unit(3))) == 1
    assert replica.rows("jumin", unit(2))[0]["shiensochifuragu"] == "0"
    assert replica.rows("jumin", unit(3))[0]["seinengappi"] == "1990-05-17"
    assert right.about.rows + 1 == taken.rows


def test_a_set_of_which_too_much_breaks_the_rules_is_refused(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, replica: Replica, intake: Intake
) -> None:
    for number in range(1, 30):
        move_in(city, number)
    wrong = spoilt(city, flow, desk, folder, *[("shiensochifuragu", "ん")] * 25)
    assert "characters-wrong" in refused(replica, folder, wrong, intake) or states(folder, wrong)[1][1]
    assert names(replica) == {}


def spoilt(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, *changes: tuple[str, str]
) -> sets.Manifest:
    """A full set as a provider publishes it whose rows of residents 2, 3 … have wrong values; its digests are those of its rows."""
    import pyarrow as pa

    from kiban import store

    wrong = {unit(number): change for number, change in enumerate(changes, 2)}

    def rows(*asked: Any, **how: Any) -> Iterator[pa.RecordBatch]:
        for batch in whole(*asked, **how):
            lines = [
                line | ({wrong[key][0]: wrong[key][1]} if (key := line.get("atenabango")) in wrong else {})
                for line in batch.to_pylist()
            ]
            yield pa.RecordBatch.from_pylist(lines, batch.schema)

    whole = store.known_rows
    store.known_rows = rows  # type: ignore[assignment]
    try:
        return publish_full(desk(folder), flow).manifest
    finally:
        store.known_rows = whole


def test_both_sides_write_the_same_evidence_before_a_set_passes(
    city: Store,
    flow: Contract,
    desk: Desks,
    folder: sets.Shelf,
    replica: Replica,
    intake: Intake,
    tmp_path: Path,
) -> None:
    """Where evidence cannot be written, no set exists, and none takes effect; what was written on both sides is matched."""
    from contextlib import closing

    from kiban.linkage import evidence

    def full_disk(_lines: Any) -> None:
        raise Problem("evidence-full", "no room")

    move_in(city, 1)
    with (
        closing(evidence.FileLedger.open(tmp_path / "ours", "kiban")) as ours,
        closing(evidence.FileLedger.open(tmp_path / "theirs", "Z01")) as theirs,
    ):
        with pytest.raises(Problem, match="evidence-full"):
            publish_full(desk(folder, evidence=full_disk), flow)
        assert sets.contents(folder).sets == ()
        done = publish_full(desk(folder, evidence=ours.append), flow)
        with pytest.raises(Problem, match="evidence-full"):
            take_set(replica, folder, done.manifest, replace(intake, evidence=full_disk))
        assert names(replica) == {}
        take_set(replica, folder, done.manifest, replace(intake, evidence=theirs.append))
        found = evidence.match(ours, theirs, done.manifest.as_of.valid, {flow.flow})
        assert (found.pairs, found.differences) == (1, ())


@pytest.mark.parametrize(
    ("stated", "share"), [(None, Fraction(1, 1000)), ('"0.05"', Fraction(1, 20)), ('"2"', None)]
)
def test_the_contract_states_how_much_may_be_absent(
    stated: str | None, share: Fraction | None, library: Library, tmp_path: Path
) -> None:
    from kiban import linkage
    from kiban.linkage.files import stated_absence

    text = (linkage.SAMPLES / "resident-tax.yaml").read_text(encoding="utf-8")
    if stated is not None:
        line = f"customProperties:\n  - {{property: x-absence, value: {stated}}}\n"
        text = text.replace("customProperties:\n", line, 1)
    (tmp_path / "tax.yaml").write_text(text, encoding="utf-8")
    if share is None:
        with pytest.raises(Problems, match="x-absence"):
            linkage.load_contracts([tmp_path], library)
    else:
        found = linkage.load_contracts([tmp_path], library).flow("resident-tax.v1")
        assert stated_absence(found) == share
