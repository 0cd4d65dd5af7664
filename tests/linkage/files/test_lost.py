"""A consumer that lost everything is made anew from the newest full set, its deltas and the events after them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.linkage.files.conftest import EXAMPLE, NOW, cancel, move_in, rename, unit

from kiban import sets
from kiban.linkage import Contract, Replica
from kiban.linkage.files import CsvCodec, Intake, Protected, Source, publish_delta, publish_full, take_newest
from kiban.linkage.reconcile import compare, messages
from kiban.store import Store

Desks = Callable[..., Any]


def test_a_lost_consumer_ends_at_the_same_digest_as_one_that_never_failed(
    city: Store, flow: Contract, desk: Desks, shelf: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    intake = Intake(CsvCodec(EXAMPLE), scratch, lambda: NOW, unsigned=True)
    for number in range(1, 9):
        move_in(city, number)
    publish_full(desk(shelf), flow)
    with Replica.open(tmp_path / "lost", flow) as replica:
        take_newest(replica, shelf, intake)
    cancel(city, 1)
    publish_full(desk(shelf), flow)
    rename(city, 2, "改　花子")
    last = publish_delta(desk(shelf), flow)
    events = [(unit(3), rename(city, 3, "後　花子")), (unit(9), move_in(city, 9)), (unit(4), cancel(city, 4))]
    shutil.rmtree(tmp_path / "lost")
    source = Source(city, flow, Protected({}, "clear"), events[-1][1])
    told = [replace(one, replay=False, kind="異動") for one in messages(source, events)]
    with Replica.open(tmp_path / "lost", flow) as replica:
        early = replica.take([replace(one, previous=last.about.event) for one in told[:1]], NOW)
        assert len(early.held) == 1  # an event that came before the sets waits for them
        taken = take_newest(replica, shelf, intake)
        assert [(one.manifest.epoch, one.manifest.sequence) for one in taken] == [(2, 0), (2, 1)]
        replica.take(told, NOW)
        found = compare(source, replica, scratch)
        assert found.equal and found.under_way == 0
        assert all(one.digests[0] == one.digests[1] for one in found.feeds)
        assert replica.units_waiting() == []
