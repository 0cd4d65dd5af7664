"""A sealed trail with lines and look-ups, and the way of somebody who has the database in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from kiban.access import Access, audit
from kiban.access.audit import Keeper, Ledger, Line
from kiban.store import Store

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
TABLES = ("access.audit_line", "access.audit_seal", "access.audit_block", "access.audit_root", "kiban.lookup")


@pytest.fixture
def owner(registers: Store) -> str:
    """The connection string of the owner of the database."""
    return registers.server.owner_dsn


@pytest.fixture(scope="module")
def installed(registers: Store, shared: Access) -> Access:
    """The room on a database with the frame of the registers."""
    registers.install()
    return shared


@pytest.fixture(scope="module")
def look(registers: Store) -> Callable[..., None]:
    """Makes look-ups as sessions do."""

    def make(actor: str, *found: str, at: datetime = NOON, asked: str = '{"items": {}}') -> None:
        with psycopg.connect(registers.server.owner_dsn) as connection:
            connection.execute(
                "INSERT INTO kiban.lookup (looked_at, actor, ward, purpose, register, asked, found) "
                "VALUES (%s, %s, '281018', '試験', 'resident.jumin', %s, %s)",
                (at, actor, asked, list(found)),
            )

    return make


@pytest.fixture(scope="module")
def tamper(registers: Store) -> Callable[[str], None]:
    """Runs SQL as somebody who has the whole database and goes past its triggers."""

    def run(statement: str) -> None:
        with psycopg.connect(registers.server.owner_dsn) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement.encode())

    return run


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    return audit.keeper(tmp_path_factory.mktemp("home") / "audit")


@pytest.fixture(scope="module")
def sealed(installed: Access, look: Callable[..., None], keeper: Keeper) -> Ledger:
    """Three blocks of lines and look-ups, the first two under a root."""
    ledger = Ledger(installed.audit)
    for n in range(3):
        for m in range(3):
            installed.audit.write(
                Line("read", "done", f"{n}{m}", NOON, subjects=(f"{900 + m}",), detail={"n": n})
            )
            look(f"{n}{m}", f"{900 + m}", "77")
        audit.seal_trail(ledger, keeper, NOON)
        if n == 1:
            audit.sign_day(ledger, keeper, NOON.date().replace(day=23), NOON)
    return ledger


@pytest.fixture
def untouched(sealed: Ledger, tamper: Callable[[str], None], keeper: Keeper) -> Iterator[Ledger]:
    """The sealed trail, and what it was again afterwards."""
    files = {file: file.read_text() for file in (keeper.head, *keeper.folder.glob("roots/*"))}
    tamper(
        "CREATE SCHEMA before;"
        + "".join(f"CREATE TABLE before.{t.split('.')[1]} AS TABLE {t};" for t in TABLES)
    )
    yield sealed
    for file in keeper.folder.glob("roots/*"):
        file.unlink()
    for file, text in files.items():
        file.write_text(text)
    restore(tamper)
    tamper("DROP SCHEMA before CASCADE")


def restore(tamper: Callable[[str], None]) -> None:
    """Bring back what `untouched` kept."""
    for table in TABLES:
        override = "" if table.endswith(("seal", "block", "root")) else "OVERRIDING SYSTEM VALUE"
        tamper(f"DELETE FROM {table}; INSERT INTO {table} {override} TABLE before.{table.split('.')[1]}")
