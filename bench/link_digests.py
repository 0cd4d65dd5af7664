"""A consumer's copy of the residents, as the sample contract carries them, beside the registers; seeded drift found and mended.

`SEEDED=0` leaves the drift out.
"""

from __future__ import annotations

import os
import random
import sqlite3
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import city, measure
from kiban import linkage, main, store
from kiban.linkage import files, reconcile

NOW = datetime(2026, 10, 1, tzinfo=UTC)
_SEEDED = int(os.environ.get("SEEDED", "1000"))


def run(residents: int) -> None:
    """Fill a replica, compare it whole, tamper with one item of a thousand rows, find and mend them."""
    given = city.given(residents)
    with (
        city.loaded(residents) as opened,
        tempfile.TemporaryDirectory(prefix="kiban-link-", dir=given.home) as name,
    ):
        folder = Path(name)
        server = main.cluster(given).status().pid or 0
        sample = main.contracts(given, [linkage.SAMPLES]).flow("resident-tax.v1")
        feed = sample.feed("jumin")
        contract = replace(sample, feeds=(feed,))
        event, _ = store.last_event(opened)
        source = files.Source(opened, contract, files.Protected({}, linkage.CLEAR), event)
        with linkage.Replica.open(folder / "replica", contract) as replica:
            with measure.watched(server) as filled, replica.replacing(event, 1) as taking:
                taking.take(feed.name, source.batches(feed))
            measure.result(
                f"fill a replica with {taking.rows[feed.name]:,} rows of {len(feed.columns)} columns",
                filled.seconds,
                "s",
            )
            with measure.watched(server) as compared:
                found = reconcile.compare(source, replica, folder)
            assert found.equal and found.under_way == 0
            measure.result("digests of both sides compared, equal", compared.seconds, "s", at_most=60)
            measure.result("compare, memory with the server", compared.peak_mib, "MiB", at_most=4096)
            if not _SEEDED:
                return
            seeded = _tamper(replica, feed, residents)
            with measure.watched(server) as located:
                found = reconcile.compare(source, replica, folder)
            assert {(one.unit, *one.items) for one in found.drifted} == seeded
            measure.result(
                f"{len(seeded):,} seeded changes of one item, all named by row and item", located.seconds, "s"
            )
            with measure.watched(server) as mended:
                assert reconcile.repair(
                    source, replica, found, reconcile.into(source, replica, lambda: NOW), folder
                ).equal
            measure.result("mended, and compared again: equal", mended.seconds, "s")


def _tamper(replica: linkage.Replica, feed: linkage.Feed, residents: int) -> set[tuple[str, str]]:
    """Change one text item of each of many residents who have one row."""
    draw = random.Random(1)
    items = [
        item.romaji
        for item in feed.items
        if item.romaji not in feed.key and item.type in ("X", "N") and not item.repeats
    ]
    unit = feed.unit.romaji
    seeded = set()
    with sqlite3.connect(replica.file) as connection:
        single = connection.execute(
            f'SELECT "{unit}" FROM jumin GROUP BY 1 HAVING count(*) = 1 LIMIT {20 * _SEEDED}'
        ).fetchall()
        for (one,) in draw.sample(single, min(_SEEDED, len(single), residents // 10)):
            item = draw.choice(items)
            statement = f'UPDATE jumin SET "{item}" = coalesce("{item}", \'\') || \'違\' WHERE "{unit}" = ?'
            connection.execute(statement, (one,))
            seeded.add((one, item))
    connection.close()
    return seeded
