"""A full set of a city: produced from the registers, validated and applied by CONSUMERS consumers (default 1); then a delta."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import city, measure
from kiban import linkage, main, sets, store
from kiban.linkage import files

FLOW = "resident-tax.v1"
_CONSUMERS = int(os.environ.get("CONSUMERS", "1"))
NOW = datetime(2026, 10, 1, tzinfo=UTC)


def run(residents: int) -> None:
    """Publish and take the sample contract of the resident register, whose limits split the set."""
    given = city.given(residents)
    with (
        city.loaded(residents) as opened,
        tempfile.TemporaryDirectory(prefix="kiban-link-", dir=given.home) as name,
    ):
        folder = Path(name)
        server = main.cluster(given).status().pid or 0
        known = main.contracts(given, [linkage.SAMPLES])
        contract = known.flow(FLOW)
        items = sum(len(feed.items) for feed in contract.feeds)
        shelf = sets.open_shelf(folder / "sets", make=True)
        desk = replace(
            main.desk(given, opened, known, contract, lambda: NOW, to=shelf), folder=folder / "making"
        )
        with measure.watched(server) as protected:
            event, _ = store.last_event(opened)
            count = len(main.protected(opened, known, contract, event, NOW).states)
        measure.result(f"who is protected: {count:,} units looked up", protected.seconds, "s")
        desk = replace(desk, protected=lambda flow, at: main.protected(opened, known, flow, at, NOW))
        with measure.watched(server) as published:
            full = files.publish_full(desk, contract)
        measure.result(
            f"publish a full set of {full.about.rows:,} rows, {items} items, {len(full.manifest.parts)} parts",
            published.seconds,
            "s",
        )
        measure.result("publish, size", full.manifest.bytes / 2**20, "MiB")
        measure.result("publish, memory with the server", published.peak_mib, "MiB", at_most=4096)
        taken = [_take(folder, known, contract, shelf, full, n) for n in range(_CONSUMERS)]
        measure.result("produced, validated and applied", published.seconds + taken[0], "s", at_most=600)
        if _CONSUMERS > 1:
            whole = published.seconds + sum(taken)
            measure.result(f"published once, taken by {_CONSUMERS} consumers one after another", whole, "s")
        with measure.watched(server) as delta:
            files.publish_delta(desk, contract)
        measure.result("publish a delta without changes", delta.seconds, "s")


def _take(
    folder: Path,
    known: linkage.Contracts,
    contract: linkage.Contract,
    shelf: sets.Shelf,
    full: files.Published,
    number: int,
) -> float:
    """One consumer takes the set; seconds. Its copy goes afterwards: one at a time fits on the disk."""
    (folder / "scratch").mkdir(exist_ok=True)
    with linkage.Replica.open(folder / "replica", contract) as replica:
        intake = files.Intake(main.codec(known, contract), folder / "scratch", lambda: NOW, unsigned=True)
        with measure.watched() as taken:
            done = files.take_set(replica, shelf, full.manifest, intake)
        assert done.equal and done.digest == full.about.digest
    shutil.rmtree(folder / "replica")
    if number == 0:
        measure.result("validate, apply, and digest what is held", taken.seconds, "s")
        measure.result("take, memory", taken.peak_mib, "MiB", at_most=4096)
    return taken.seconds
