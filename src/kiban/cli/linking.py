"""What the commands of `kiban link` share: the store with the books of the linkage, the contracts, who works."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kiban import linkage
    from kiban.kernel import Actor
    from kiban.settings import Settings
    from kiban.store import Books, Store

Root = Annotated[
    list[Path] | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="A folder with contracts, besides those of KIBAN_CONTRACTS; may be repeated.",
    ),
]
Flow = Annotated[str, typer.Argument(metavar="FLOW", help="Such as resident-tax.v1.")]
Keys = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="PEM", help="A trusted public key; contracts that none signed carry nothing."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def opened() -> Iterator[tuple[Store, Books]]:
    """The integrated database of the settings, started if needed, with the books of the linkage."""
    from kiban import linkage, main, settings

    with main.open_store(settings.read(os.environ)) as place, linkage.open_linkage(place) as books:
        yield place, books


def contracts(root: Sequence[Path] | None) -> linkage.Contracts:
    """The contracts of the settings and of --root."""
    from kiban import main, settings

    return main.contracts(settings.read(os.environ), root or ())


def named(flow: str, root: Sequence[Path] | None) -> tuple[Settings, linkage.Contracts, linkage.Contract]:
    """The settings, all contracts at hand, and the one of a flow."""
    from kiban import main, settings

    given = settings.read(os.environ)
    known = main.contracts(given, root or ())
    return given, known, known.flow(flow)


def home() -> Path:
    """The folder of the linkage in the home: its secret and the authority map."""
    from kiban import settings

    return settings.read(os.environ).home / "linkage"


def witness(contract: linkage.Contract, folder: Path) -> Callable[[Any, Any], None]:
    """What a consumer calls before it applies anything: lines in a ledger of its own beside its replica."""
    from kiban.linkage import evidence

    ledger = evidence.FileLedger.open(folder / "evidence.sqlite", contract.consumer.id)
    return evidence.before_taking(ledger, evidence.city_secret(folder / "evidence.secret"), now)


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def person() -> str:
    """Who works: the user of the operating system, who signed in there."""
    return getpass.getuser()


def officer(ward: str | None, purpose: str) -> Actor:
    """Whoever runs the command, in one ward or for the whole city."""
    from kiban.kernel import ALL_WARDS, Actor

    return Actor(f"cli:{person()}", ward, frozenset({ward}) if ward else ALL_WARDS, purpose, protected=True)


def with_platform(
    root: list[Path] | None, key: list[Path] | None, work: Callable[[Any], Awaitable[object]]
) -> None:
    """Do something with the platform, connected."""

    async def connected() -> None:
        async with _connected(root, key) as platform:
            await work(platform)

    asyncio.run(connected())


@asynccontextmanager
async def _connected(root: list[Path] | None, key: list[Path] | None) -> AsyncIterator[Any]:
    from kiban import main, settings

    given = settings.read(os.environ)
    with opened() as (place, books):
        keys = main.trusted(given, key or ())
        known = contracts(root)
        async with main.publisher(given, place, books, known, keys, now) as platform:
            yield platform
