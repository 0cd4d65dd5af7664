"""Shelves of every kind, a real S3 server among them, and small sets to put on them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiban import sets
from kiban.kernel import AsOf

from .object_store import ObjectStore, running

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
DAY = AsOf(date(2026, 10, 1), datetime(2026, 10, 1, tzinfo=UTC))
SCHEMA = pa.schema(
    [("bango", pa.string()), ("nendo", pa.int64()), ("zei", pa.int64()), ("koku", pa.list_(pa.string()))]
)


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A real S3 server, started where a test asks for it."""
    with running() as store:
        yield store


@pytest.fixture(params=["folder", "memory", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> sets.Shelf:
    """An empty shelf; the same tests hold for every kind."""
    if request.param == "folder":
        return sets.open_shelf(tmp_path / "shelf", make=True)
    if request.param == "memory":
        return sets.open_shelf("memory:")
    store: ObjectStore = request.getfixturevalue("object_store")
    return store.shelf(uuid.uuid4().hex)


@pytest.fixture
def folder(tmp_path: Path) -> sets.Shelf:
    """An empty shelf in a folder, where files can be tampered with."""
    return sets.open_shelf(tmp_path / "shelf", make=True)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private key of a producer."""
    return make_key(tmp_path_factory.mktemp("keys") / "producer.pem")


def make_key(path: Path) -> Path:
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(*encoding))
    return path


def draft(**said: Any) -> sets.Draft:
    """A full set of the tax ledger, with a new id."""
    usual: dict[str, Any] = {
        **{"set_id": sets.new_set_id(AT), "flow": "zei.kazei", "kind": "full", "epoch": 1, "as_of": DAY},
        **{
            "producer": "税務システム",
            "edition": "kiban-2026.1",
            "register": "zei.kazei",
            "key": ("bango", "nendo"),
        },
        **{"columns": sets.columns_of(SCHEMA), "sums": ("zei",)},
    }
    return sets.Draft(**usual | said)


def delta(sequence: int, **said: Any) -> sets.Draft:
    return draft(kind="delta", sequence=sequence, **{"previous": sequence - 1} | said)


def ledger(first: int, rows: int) -> pa.Table:
    """Rows of a tax ledger, in whole yen; every seventh amount is absent."""
    numbers = range(first, first + rows)
    columns = {
        "bango": [f"{n:015}" for n in numbers],
        "nendo": [2026] * rows,
        "zei": [None if n % 7 == 0 else n * 100 for n in numbers],
        "koku": [None if n % 5 == 0 else [] if n % 5 == 1 else [f"辻\U000e0102{n}", ""] for n in numbers],
    }
    return pa.table(columns, schema=SCHEMA)


def yen(first: int, rows: int) -> int:
    return sum(n * 100 for n in range(first, first + rows) if n % 7)


def rows(name: str, first: int, count: int, size: int = 70) -> sets.Rows:
    """A part with these rows, in small batches."""
    table = ledger(first, count)
    return sets.Rows(
        name, lambda: table.to_batches(max_chunksize=size) or [pa.RecordBatch.from_pylist([], SCHEMA)]
    )


def published(shelf: sets.Shelf, *parts: sets.Source, **said: Any) -> sets.Manifest:
    return sets.publish(
        shelf, draft(**said), parts or (rows("a.parquet", 0, 200), rows("b.parquet", 200, 50))
    )


def lose(shelf: sets.Shelf, key: str) -> None:
    """Remove one object, as an accident would."""
    shelf.clear(key.rpartition("/")[0], [other for other in shelf.sizes("") if other != key])


def codes(problems: Any) -> list[str]:
    return [problem.code for problem in problems]
