"""What `kiban link verify` and `kiban link mock` do with sets of files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiban.linkage import Contract, conformance, files


def tried(
    contract: Contract, root: list[Path] | None, where: str, consumer: str | None, key: list[Path] | None
) -> tuple[conformance.Result, ...]:
    """Look at the sets of a provider; or lay sets before a consumer, reached by its door, and look at its receipts."""
    from kiban import sets
    from kiban.linkage import conformance

    shelf = sets.open_shelf(where, make=consumer is not None)
    with tempfile.TemporaryDirectory(prefix="kiban-verify-") as name:
        folder = Path(name)
        desk = _desk(contract, root, folder, key)
        if consumer is None:
            return conformance.verify_sets(contract, shelf, desk, folder)
        maker = conformance.Maker(contract, desk.codec, desk.scratch, _now())
        return conformance.verify_taking(maker, shelf, conformance.HttpSubject(consumer).take)


def taking(
    contract: Contract,
    root: list[Path] | None,
    where: str,
    subject: conformance.ReplicaSubject,
    folder: Path,
) -> Callable[[], None]:
    """What has a mock consumer take from a shelf."""
    from kiban import sets

    shelf, desk = sets.open_shelf(where, make=True), _desk(contract, root, folder, None)
    return lambda: subject.take(shelf, desk)


def _desk(contract: Contract, root: list[Path] | None, folder: Path, key: list[Path] | None) -> files.Intake:
    from kiban import main, sets
    from kiban.cli import link_contracts
    from kiban.linkage import files

    (folder / "scratch").mkdir(mode=0o700)
    codec = main.codec(link_contracts.at_hand(root), contract)
    return files.Intake(codec, folder / "scratch", _now, sets.read_keys(key or ()), unsigned=not key)


def _now() -> datetime:
    return datetime.now(UTC)
