"""The wiring: the only place where settings, businesses and the machinery meet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from kiban import businesses, linkage, settings, standard, store
from kiban.kernel import Problem
from kiban.settings import Settings


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
