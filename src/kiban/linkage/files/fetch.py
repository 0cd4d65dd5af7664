"""Takes the files of a partner's folder in as a set of the shelf: only whole ones, each once, with digests of our own where none came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from kiban import sets
from kiban.kernel import AsOf, Problem
from kiban.linkage.contracts.model import Contract
from kiban.linkage.files import about, companions, edge, spool
from kiban.linkage.files.about import About
from kiban.linkage.files.codec import RecordCodec
from kiban.linkage.files.edge import Arrived, Names, Place
from kiban.linkage.files.withhold import Protected

_SEQUENCES = 1_000_000
"""A partner without events of its own has versions all the same: they grow with epoch and sequence."""


@dataclass(frozen=True)
class Fetched:
    """What became of the files of one set.

    Attributes:
        arrival: the files.
        manifest: of the set they became, or were before; None where they are not complete.
        made: whether this call made it.
    """

    arrival: Arrived
    manifest: sets.Manifest | None
    made: bool = False


def fetch(
    names: Names,
    place: Place,
    shelf: sets.Shelf,
    codec: RecordCodec,
    scratch: Path,
    now: Callable[[], datetime],
    day: date,
    *,
    signer: sets.Signer | None = None,
) -> list[Fetched]:
    """Take every complete set of a flow in that is not on the shelf yet. What is not complete is told, and left.

    Args:
        names: how files are called.
        place: the partner's folder; nothing is changed there.
        shelf: where to.
        codec: reads the files, where the partner gave no digests.
        scratch: for the files meanwhile. It holds personal data: mode 0700.
        now: the moment, in UTC.
        day: for which day the sets are due.
        signer: who answers that these files came from there.

    Raises:
        Problem: `profile-completeness`, `edge-unreadable`, `file-unreadable`, `file-header`, `shelf-…`.
    """
    done: list[Fetched] = []
    for arrival in edge.arrived(names, place):
        if arrival.position in sets.positions(shelf, names.contract.flow):
            manifest = sets.find(shelf, names.contract.flow, *arrival.position)
            done.append(Fetched(arrival, manifest))
        elif arrival.lacking:
            done.append(Fetched(arrival, None))
        else:
            with TemporaryDirectory(dir=scratch) as room:
                files = edge.fetched_files(arrival, names, place, Path(room))
                manifest = _published(
                    arrival, files, names.contract, shelf, codec, now, day, signer, Path(room)
                )
            done.append(Fetched(arrival, manifest, made=True))
    return done


def _published(
    arrival: Arrived,
    files: dict[str, Path],
    contract: Contract,
    shelf: sets.Shelf,
    codec: RecordCodec,
    now: Callable[[], datetime],
    day: date,
    signer: sets.Signer | None,
    room: Path,
) -> sets.Manifest:
    feeds = {part: file for part, file in files.items() if part not in about.COMPANIONS}
    rows, said, units = _read(arrival, feeds, contract, codec, shelf, room)
    if arrival.companions:
        said = about.read_about(files[about.ABOUT].read_bytes())
    else:
        files[about.UNITS] = room / spool.written(room, about.UNITS, companions.units_csv(units)).name
        nobody = companions.protection_csv(Protected())
        files[about.PROTECTION] = room / spool.written(room, about.PROTECTION, nobody).name
        files[about.ABOUT] = room / spool.written(room, about.ABOUT, [about.about_bytes(said)]).name
    draft = sets.Draft(
        set_id=sets.new_set_id(now()),
        flow=contract.flow,
        kind="full",
        epoch=arrival.position[0],
        as_of=AsOf(day, now()),
        producer=contract.provider.id,
    )
    if arrival.kind == "delta":
        sequence = arrival.position[1]
        draft = replace(draft, kind="delta", sequence=sequence, previous=sequence - 1)
    order = [*feeds, *about.COMPANIONS]
    parts = [
        sets.Raw(name, rows.get(name, 0), lambda path=files[name]: _chunks(path))  # type: ignore[misc]
        for name in order
    ]
    return sets.publish(shelf, draft, parts, signer=signer)


def _read(
    arrival: Arrived,
    feeds: dict[str, Path],
    contract: Contract,
    codec: RecordCodec,
    shelf: sets.Shelf,
    room: Path,
) -> tuple[dict[str, int], About, companions.Marks]:
    """Count and digest what came."""
    rows: dict[str, int] = {}
    said = []
    changed: dict[str, frozenset[str]] = {}
    for feed in contract.feeds:
        seen: set[str] = set()
        with about.digester(feed) as digester:
            figures = []
            for part, file in feeds.items():
                if part.partition(".")[0] != feed.name:
                    continue
                rows[part] = 0
                for batch in codec.read(feed, file):
                    figures.append(digester.of_table(pa.Table.from_batches([batch])))
                    rows[part] += batch.num_rows
                    seen.update(pc.unique(batch.column(feed.unit.romaji)).to_pylist())
        said.append(about.said(feed, sets.together(figures)))
        changed[feed.name] = frozenset(seen) if arrival.kind == "delta" else frozenset()
    event = arrival.position[0] * _SEQUENCES + arrival.position[1]
    marks = companions.Marks(changed, {}, frozenset())
    previous = _before(contract, shelf, arrival, room)
    return rows, About(contract.flow, contract.digest, event, previous, "unknown", 0, tuple(said)), marks


def _before(contract: Contract, shelf: sets.Shelf, arrival: Arrived, room: Path) -> int:
    earlier = [place for place in sets.positions(shelf, contract.flow) if place < arrival.position]
    if not earlier:
        return 0
    manifest = sets.find(shelf, contract.flow, *earlier[-1])
    try:
        return about.about_of(shelf, manifest, room).event
    except Problem as problem:
        if problem.code != "about-missing":
            raise
        return 0


def _chunks(path: Path) -> Iterable[bytes]:
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            yield piece
