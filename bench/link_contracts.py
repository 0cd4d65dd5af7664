"""Contracts at work: rows of a full set validated, messages validated, three hundred contracts read, a consumer tried by the kit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from bench import measure
from kiban import linkage, main, standard, store
from kiban.linkage import Contract, Feed, conformance

_BATCH = 65_536
_FLOWS = 300
_INVENTED = 2_000  # units whose messages and rows are repeated


def _rows(contract: Contract, feed: Feed) -> pa.RecordBatch:
    """Rows of invented residents, as they stand in a file."""
    last = {each.unit: each for each in linkage.sample(contract, 1, _INVENTED) if feed.name in each.parts}
    rows = [dict(row) for each in last.values() for row in each.parts[feed.name]]
    for row in rows:
        row |= {name: row[name] and date.fromisoformat(row[name]) for name in ("valid_from", "valid_to")}
    kinds = store.arrow_schema(feed.group)
    schema = pa.schema([kinds.field(name).with_nullable(True) for name in feed.columns])
    return pa.RecordBatch.from_pylist(rows, schema)


def _city(batch: pa.RecordBatch, feed: Feed, residents: int) -> Iterator[pa.RecordBatch]:
    """As many rows as a city has residents, each of a person of its own with a name of its own."""
    whole = pa.concat_batches([batch] * (_BATCH // batch.num_rows + 1)).slice(0, _BATCH)
    for first in range(0, residents, _BATCH):
        count = min(_BATCH, residents - first)
        numbers = [str(first + n).zfill(15) for n in range(count)]
        names = [f"青木　{chr(0x4E00 + n % 20_000)}{chr(0x4E00 + first // _BATCH)}" for n in range(count)]
        rows = whole.slice(0, count)
        for column, values in ((feed.unit.romaji, numbers), ("shimei", names)):
            place = rows.schema.get_field_index(column)
            rows = rows.set_column(place, rows.schema.field(place), pa.array(values, pa.string()))
        yield rows


def _many(folder: Path, library: standard.Library) -> int:
    text = (linkage.SAMPLES / "resident-tax.yaml").read_text("utf-8")
    for number in range(_FLOWS):
        named = text.replace("id: resident-tax\n", f"id: resident-tax-{number}\n", 1)
        (folder / f"{number:03}.yaml").write_text(named, "utf-8")
    return len(linkage.load_contracts([folder], library))


def run(residents: int) -> None:
    library = standard.library(main.edition_roots())
    contract = linkage.load_contracts([linkage.SAMPLES], library).flow("resident-tax.v1")
    feed = contract.feed("jumin")
    seconds, invented = 0.0, _rows(contract, feed)
    for batch in _city(invented, feed, residents):
        with measure.watched() as work:
            assert linkage.validate_rows(feed, batch) == ()
        seconds += work.seconds
    what = f"validate {residents:,} rows of {len(feed.columns)} columns under a contract"
    measure.result(what, seconds, "s")
    messages = linkage.sample(contract, 2, _INVENTED)
    with measure.watched() as work:
        assert not any(linkage.validate(contract, each) for each in messages)
    measure.result("validate messages under a contract", len(messages) / work.seconds, "messages/s")
    with tempfile.TemporaryDirectory(prefix="kiban-contracts-") as name:
        folder = Path(name)
        with measure.watched() as work:
            assert _many(folder, library) == _FLOWS
        measure.result(f"read and check {_FLOWS} contracts of 63 items", work.seconds, "s")
        cases = conformance.consumer_cases(contract)
        now = datetime(2026, 11, 24, tzinfo=UTC)
        subject = conformance.ReplicaSubject(folder / "kit", contract, lambda: now)
        with measure.watched() as work:
            results = conformance.verify_consumer(cases, subject)
        assert all(each.passed for each in results)
        measure.result(f"try a consumer in {len(cases)} cases", work.seconds, "s")
