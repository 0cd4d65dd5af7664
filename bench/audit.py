"""The audit trail: as many lines and look-ups as a day of a city has, sealed, verified and asked; what an index costs a search."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import measure
from kiban import access, standard, store
from kiban.access import audit

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
_KEY = b"a key of benches, thirty-two bytes"
_STAFF, _PERSONS = 1_000, 3_800_000
_LOOKUPS = f"""
    INSERT INTO kiban.lookup (looked_at, actor, ward, purpose, register, asked, found)
    SELECT %s + n * interval '0.2 seconds', 'a' || n %% {_STAFF}, '281018', '住民基本台帳事務', 'resident.jumin',
        '{{"items": {{"atenabango": "000000000000900"}}, "as_of": "2026-11-24", "known": null}}',
        ARRAY(SELECT lpad(((n * 7919::bigint + k * 104729) %% {_PERSONS})::text, 15, '0') FROM generate_series(1, 1 + n %% 5) k)
    FROM generate_series(1, %s) n"""
_LINES = f"""
    INSERT INTO access.audit_line (at, kind, outcome, actor, office, duty, purpose, address, session, request, business, subjects, detail)
    SELECT %s + n * interval '0.2 seconds', 'read', 'done', 'a' || n %% {_STAFF}, 'o', 'resident-counter', '住民基本台帳事務', '192.0.2.1',
        '', 'r' || n, 'resident', ARRAY[((n * 7919::bigint) %% {_PERSONS})::text], '{{"items": 1}}'
    FROM generate_series(1, %s) n"""


def run(residents: int) -> None:
    """200,000 rows at 3.8 million residents: half lines, half look-ups."""
    rows = max(1_000, residents * 100_000 // 3_800_000)
    with TemporaryDirectory(prefix="kiban-audit-", dir="/tmp") as name:
        home = Path(name)
        home.chmod(0o711)
        cluster = store.Cluster(home / "home")
        try:
            opened = store.Store(cluster.up(), standard.Library(()), _KEY)
            with opened, _room(opened, home) as room:
                _measure(opened, room, audit.keeper(home / "audit"), rows)
        finally:
            cluster.destroy()


def _room(opened: store.Store, home: Path) -> access.Access:
    opened.install()
    return access.open_access(opened, access.seal(home / "access.key"))


def _measure(opened: store.Store, room: access.Access, keeper: audit.Keeper, rows: int) -> None:
    with opened.owner() as connection:
        for statement in (_LOOKUPS, _LINES):
            connection.execute(statement.encode(), (NOW - timedelta(hours=6), rows))
    began = time.perf_counter()
    for n in range(500):
        room.audit.write(audit.Line("read", "done", "a1", NOW, subjects=(str(n),)))
    measure.result("write a line", (time.perf_counter() - began) / 500 * 1e3, "ms")
    ledger = audit.Ledger(room.audit)
    with measure.watched() as sealing:
        sealed = audit.seal_trail(ledger, keeper, NOW).seals
    measure.result(f"seal {sealed:,} lines and look-ups", sealed / sealing.seconds, "rows/s")
    with measure.watched() as verifying:
        assert audit.verify(ledger, keeper).problems == ()
    measure.result("verify them", sealed / verifying.seconds, "rows/s")
    measure.result("verify, memory", verifying.peak_mib, "MiB")
    for work, asked in (
        ("who looked at a person", {"subject": "7919"}),
        ("whom somebody looked at", {"actor": "a7"}),
    ):
        began = time.perf_counter()
        assert audit.analyses.looks(room.audit, **asked).looks
        measure.result(work, (time.perf_counter() - began) * 1e3, "ms")
    began, day = time.perf_counter(), NOW.date()
    assert list(audit.analyses.busy(room.audit, day, day + timedelta(days=1), 1))
    measure.result("mass search of a day", (time.perf_counter() - began) * 1e3, "ms")
    began = time.perf_counter()
    night = audit.analyses.outside(
        room.audit, day, day + timedelta(days=1), audit.analyses.Hours(), audit.analyses.read_holidays()
    )
    assert list(night)
    measure.result("night use of a day", (time.perf_counter() - began) * 1e3, "ms")
    with opened.owner() as connection:
        row = connection.execute("SELECT pg_total_relation_size('access.audit_seal')").fetchone()
    measure.result("a seal", row[0] / sealed if row else 0, "bytes")
