"""The wiring: the only place where settings, businesses and the machinery meet."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from kiban import businesses, linkage, migration, sets, settings, standard, store
from kiban.kernel import ALL_WARDS, Actor, Problem
from kiban.linkage import evidence, files, protection
from kiban.settings import Settings

_NODES = 3  # of a broker of the city's own: a message lies on so many
_READER = Actor("linkage.files", None, ALL_WARDS, "データ連携", protected=True)


def library(
    roots: Iterable[Path] = (), given: Settings | None = None, *, undecided: bool = False
) -> standard.Library:
    """All editions of the standard at hand: those shipped, those of the settings, then those of the roots.

    Args:
        roots: folders that hold editions, at any depth.
        given: the settings; None to read them from the environment.
        undecided: whether editions with a scope that nobody has decided are taken too, to be looked at.

    Raises:
        Problems: everything that is wrong with any edition, or with the settings.
    """
    given = given or settings.read(os.environ)
    return standard.library([*edition_roots(), *given.standards, *roots], undecided=undecided)


def edition_roots() -> tuple[Path, ...]:
    """The folders whose editions come with Kiban."""
    return tuple(Path(folder) for folder in businesses.__path__)


def contracts(given: Settings, roots: Iterable[Path] = ()) -> linkage.Contracts:
    """All contracts of the linkage at hand: those of the settings, then those of the roots.

    Args:
        given: the settings.
        roots: folders that hold contracts, at any depth, or single files. `linkage.SAMPLES` holds the samples.

    Raises:
        Problems: everything that is wrong with any edition or any contract.
    """
    return linkage.load_contracts([*given.contracts, *roots], library(given=given))


def trusted(given: Settings, keys: Iterable[Path] = ()) -> frozenset[str]:
    """The public keys by which contracts carry traffic: the PEM files in `trusted` in the home, and further ones.

    Raises:
        Problem: `signing-key` for a file that holds none.
    """
    return sets.read_keys([*sorted((given.home / "trusted").glob("*.pem")), *keys])


def open_store(given: Settings, roots: Iterable[Path] = ()) -> store.Store:
    """The integrated database of these settings, started if needed, with its frame in place.

    Raises:
        Problem: what keeps the server from starting; `actor-key-open`.
        Problems: everything that is wrong with any edition.
    """
    editions = library(roots, given)
    reached = server(given)
    given.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = store.Store(reached, editions, store.actor_key(given.home / "actor.key"))
    opened.install()
    return opened


def server(given: Settings) -> store.Server:
    """The PostgreSQL server to work on: the one the settings name, or the embedded one, started if needed.

    Raises:
        Problem: what keeps the embedded server from starting; see `store.Cluster.up`.
    """
    if given.database is not None and given.database_app is not None:
        return store.Server(given.database, given.database_app)
    return cluster(given).up()


def cluster(given: Settings) -> store.Cluster:
    """The embedded server of these settings, as it is.

    Raises:
        Problem: `database-elsewhere` where the settings name a server of the city's own.
    """
    if not given.embedded:
        raise Problem(
            "database-elsewhere",
            "KIBAN_DATABASE names a server of your own; Kiban does not start, stop or inspect it",
            fix="use that server's own tools, or unset KIBAN_DATABASE and KIBAN_DATABASE_APP",
        )
    return store.Cluster(given.home)


def broker(given: Settings, known: Iterable[linkage.Contract]) -> linkage.broker.Address:
    """How the platform reaches the broker: the one the settings name, or the embedded one, started if needed.

    Args:
        given: the settings.
        known: contracts whose consumers get a user on the embedded broker.

    Raises:
        Problem: what keeps the embedded broker from starting, see `linkage.broker.Broker.up`; `broker-credentials`.
    """
    if given.broker is not None:
        return linkage.broker.read_address(given.broker, given.broker_credentials)
    return linkage.broker.Broker(given.home).up(known)


@asynccontextmanager
async def publisher(
    given: Settings,
    opened: store.Store,
    books: store.Books,
    known: linkage.Contracts,
    keys: frozenset[str],
    clock: Callable[[], datetime],
) -> AsyncIterator[linkage.events.Platform]:
    """What publishes events and takes receipts, connected to the broker, with protection and evidence.

    Args:
        given: the settings.
        opened: the registers.
        books: of the linkage.
        known: all contracts at hand.
        keys: trusted public keys: a contract that none of them signed carries nothing.
        clock: the present moment, in UTC.

    Raises:
        Problem: those of `broker`; `broker-unreachable`, `broker-unready`.
    """
    replicas = 1 if given.broker is None else _NODES
    client = await broker(given, known).connect()
    try:
        await linkage.broker.settle(client.jetstream(), known, replicas)
        said = _says_protection(opened, known)
        guard = protection.Lane(opened, books, known, said, _READER) if said else None
        if guard is not None:
            guard.prepare(clock())
        secret = evidence.city_secret(given.home / "linkage" / "evidence.secret")
        write = evidence.before_sending(evidence.BookLedger(books), secret, clock)
        sender = linkage.events.Sender(client)
        made = linkage.events.Publisher(
            opened, books, sender, lambda day: known.live(day, keys), clock, guard, write
        )
        names = linkage.broker.names
        desk = linkage.events.Desk(
            books,
            linkage.events.Puller(client, names.RECEIPT, names.PLATFORM, 1_000),
            lambda flow, held: protection.take_answer(guard, books, flow, held, clock()),
        )
        yield linkage.events.Platform(made, desk, linkage.events.Replayer(made), client.jetstream())
    finally:
        await client.close()


def shelf(given: Settings) -> sets.Shelf:
    """Where the sets of the linkage lie by these settings; a folder of the home, unless said otherwise.

    Raises:
        Problem: those of `sets.open_shelf`.
    """
    place = given.shelf or str(given.home / "sets")
    return sets.open_shelf(place, make="://" not in place)


def codec(
    known: linkage.Contracts, contract: linkage.Contract, layouts: Path | None = None
) -> files.RecordCodec:
    """How the files of a contract are written and read, by its profile.

    Args:
        known: all contracts at hand, with their profiles.
        contract: one of them that carries files.
        layouts: for a profile of records the folder that holds GROUP.yaml for each group; None for `layouts/FLOW` beside the contract.

    Raises:
        Problem: `profile-unknown`, `profile-unset`; `contract-way` where it names no profile; `layout-missing`, `layout-columns`.
        Problems: everything that is wrong with a layout.
    """
    if contract.profile is None:
        raise Problem(
            "contract-way", "the contract names no profile of files", contract.flow, "add x-profile"
        )
    profile = known.profile(contract.profile)
    if profile.form == "csv":
        return files.CsvCodec(profile)
    folder = layouts or (contract.path or Path()).parent / "layouts" / contract.flow
    return _Records({feed.name: _layout(folder / f"{feed.name}.yaml", feed) for feed in contract.feeds})


def protected(
    opened: store.Store, known: linkage.Contracts, contract: linkage.Contract, event: int, now: datetime
) -> files.Protected:
    """Who is protected of a flow, as known after an event, by the edition that says it; where none does, everybody counts as so."""
    said = _says_protection(opened, [contract])
    if said is None:
        return files.Protected()
    with linkage.open_linkage(opened) as books:
        lane = protection.Lane(opened, books, known, said, _READER)
        lane.prepare(now)
        lane.catch_up(now)
        return files.Protected(lane.changed(contract, event), linkage.CLEAR)


def _says_protection(opened: store.Store, contracts: Iterable[linkage.Contract]) -> str | None:
    """The first edition of some contracts that says who is protected; None where none does."""
    editions = dict.fromkeys(feed.edition.id for each in contracts for feed in each.feeds)
    return next((one for one in editions if opened.edition(one).protection), None)


def desk(
    given: Settings,
    opened: store.Store,
    known: linkage.Contracts,
    contract: linkage.Contract,
    clock: Callable[[], datetime],
    *,
    to: sets.Shelf | None = None,
    signer: sets.Signer | None = None,
    progress: store.Progress | None = None,
    ledger: evidence.Ledger | None = None,
) -> files.Desk:
    """What a publisher of a contract's files works with.

    Args:
        given: the settings.
        opened: the registers.
        known: all contracts at hand.
        contract: the flow.
        clock: the present moment, in UTC.
        to: where sets lie; None for the shelf of the settings.
        signer: of the provider.
        progress: told of each step.
        ledger: the evidence of this side; None to keep none.

    Raises:
        Problem: those of `codec` and `shelf`.
    """
    return files.Desk(
        opened,
        to or shelf(given),
        codec(known, contract),
        given.home / "files",
        clock,
        lambda flow, event: protected(opened, known, flow, event, clock()),
        signer,
        progress or files.quiet,
        None if ledger is None else ledger.append,
    )


def _layout(path: Path, feed: linkage.Feed) -> migration.FlowRecords:
    if not path.is_file():
        fix = "say how its rows lie in records, as docs/link-files.md tells"
        raise Problem("layout-missing", "a group of the flow has no layout", str(path), fix)
    found = migration.load_flow_records(path)
    if odd := set(feed.columns) ^ set(found.fields):
        fix = "give each item of the contract a field, and no other"
        raise Problem(
            "layout-columns", f"not the items of the contract: {', '.join(sorted(odd))}", str(path), fix
        )
    return found


@dataclass(frozen=True)
class _Records:
    """The codec of linkage over the records of migration, which do not know each other."""

    layouts: Mapping[str, migration.FlowRecords]
    ending: str = ".dat"

    def head(self, _feed: linkage.Feed) -> bytes:
        return b""

    def unfit(self, feed: linkage.Feed, batch: pa.RecordBatch) -> tuple[files.Unfit, ...]:
        found = self.layouts[feed.name].unfit(batch)
        return tuple(
            files.Unfit(row, item, code, "the record of the partner cannot hold it")
            for row, item, code in found
        )

    def write(self, feed: linkage.Feed, batch: pa.RecordBatch) -> bytes:
        return self.layouts[feed.name].write(batch)

    def read(self, feed: linkage.Feed, file: Path) -> Iterator[pa.RecordBatch]:
        yield from self.layouts[feed.name].read(file, files.columns_of(feed))
