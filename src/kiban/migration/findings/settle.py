"""Findings and decisions together: what is open, which rows go, and what their going does to the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from kiban.migration.findings.check import Check
from kiban.migration.findings.checks import KINDS, refs
from kiban.migration.findings.decisions import ACCEPTED, MERGED, REJECTED, RETURNED, Decision
from kiban.migration.findings.segments import Segments
from kiban.migration.mapping import named, quoted

STATES = {ACCEPTED: "accepted", REJECTED: "rejected", MERGED: "merged", RETURNED: "returned"}
"""What a finding is once it was decided; besides `open`, and `settled` where its cause has gone with an excluded row."""
AFTER = "-after"
"""How the codes end of what only came about by excluding rows."""

_DECIDED = pa.schema(
    [
        ("line", pa.int64()),
        ("rule", pa.string()),
        ("file", pa.string()),
        ("record", pa.int64()),
        ("index", pa.int64()),
        ("word", pa.string()),
        ("reason", pa.string()),
    ]
)
_KEY = "rule, segment, file, record, index, field"


@dataclass(frozen=True)
class Settled:
    """What is left after the decisions.

    Attributes:
        stale: lines of decisions that match no finding any more, or that are outdated.
        refused: lines of decisions that cannot be followed for some findings, which stay open: line, rule, code.
        rounds: how often it was looked again because rows had gone.
    """

    stale: tuple[int, ...]
    refused: tuple[tuple[int, str, str], ...]
    rounds: int


def find(
    checks: Sequence[Check], db: Segments, into: str = "found", tell: Callable[[], None] = lambda: None
) -> None:
    """Run checks, doubles first, as others leave them out; what could not be decoded is not told a second time."""
    for check in sorted(checks, key=lambda one: one.kind != "重複"):
        db.query.execute(
            f"INSERT INTO {into} SELECT {quoted(check.rule)}, {quoted(check.severity)}, {quoted(check.rows.segment)}, "
            f"c.file, c.record, c.index, c.field, c.code FROM ({KINDS[check.kind].build(check, db)}) c "
            "ANTI JOIN ledger l ON l.file = c.file AND l.record = c.record AND l.field = c.field"
        )
        tell()


def settle(
    checks: Sequence[Check],
    decisions: Sequence[Decision],
    db: Segments,
    allowed: Callable[[str, str, str], bool],
) -> Settled:
    """Give every finding its state and list the rows that go; then look again at what refers to them, until nothing changes.

    Leaves the tables `stated` (found, with state and line) and `excluded`.

    Args:
        checks: of the project; those that look at more than one row are asked again.
        decisions: of the owners.
        db: with `found` filled.
        allowed: whether a decision (the word) can be followed for the findings of a rule and code.
    """
    valid = [one for one in decisions if not outdated(one, db.cut)]
    columns = [[getattr(one, name) for one in valid] for name in _DECIDED.names]
    db.query.register("given", pa.table(columns, schema=_DECIDED))
    db.query.execute("CREATE OR REPLACE TABLE decided AS SELECT * FROM given")
    db.query.execute("CREATE OR REPLACE TABLE gone AS SELECT * FROM found WHERE false")
    rounds, before = 0, 0
    while True:
        _state(db, allowed)
        _exclude(db)
        now = _count(db, "excluded")
        if now == before:
            break
        rounds, before = rounds + 1, now
        _look_again(checks, db)
    used = {line for [line] in db.query.execute("SELECT DISTINCT line FROM stated").fetchall()}
    refused = db.query.execute(
        "SELECT DISTINCT line, rule, code FROM stated WHERE state = 'open' AND line IS NOT NULL ORDER BY ALL"
    ).fetchall()
    return Settled(tuple(one.line for one in decisions if one.line not in used), tuple(refused), rounds)


def outdated(decision: Decision, cut: int) -> bool:
    """Whether a decision names a record of an earlier unload, whose records have other numbers: it was made before the cut date."""
    return decision.record is not None and int(decision.on.strftime("%Y%m%d")) < cut


def _count(db: Segments, table: str) -> int:
    return int(db.query.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _state(db: Segments, allowed: Callable[[str, str, str], bool]) -> None:
    """The table `stated`: each finding with the line that decides it, the most particular one, and its state."""
    levels = (
        "d.file = f.file AND d.record = f.record AND d.index = f.index",
        "d.file = f.file AND d.record = f.record AND d.index IS NULL",
        "d.file = f.file AND d.record IS NULL",
        "d.file IS NULL",
    )
    joins = " ".join(
        f"LEFT JOIN decided d{n} ON d{n}.rule = f.rule AND {on.replace('d.', f'd{n}.')}"
        for n, on in enumerate(levels)
    )
    line, word = (
        f"coalesce({', '.join(f'd{n}.{name}' for n in range(len(levels)))})" for name in ("line", "word")
    )
    db.query.execute(
        f"CREATE OR REPLACE TABLE matched AS SELECT f.*, {line} AS line, {word} AS word FROM found f {joins}"
    )
    asked = db.query.execute(
        "SELECT DISTINCT rule, code, word FROM matched WHERE word IS NOT NULL"
    ).fetchall()
    good = [(rule, code, word, STATES[word]) for rule, code, word in asked if allowed(rule, code, word)]
    values = ", ".join(f"({', '.join(map(quoted, row))})" for row in good) or "(NULL, NULL, NULL, NULL)"
    same = " AND ".join(f"g.{name} = m.{name}" for name in _KEY.split(", "))
    db.query.execute(
        f"CREATE OR REPLACE TABLE stated AS SELECT m.* EXCLUDE (word), "
        f"CASE WHEN g.rule IS NOT NULL THEN 'settled' ELSE coalesce(v.state, 'open') END AS state FROM matched m "
        f"LEFT JOIN (VALUES {values}) v(rule, code, word, state) ON v.rule = m.rule AND v.code = m.code AND v.word = m.word "
        f"LEFT JOIN gone g ON {same} AND g.code = m.code"
    )


def _exclude(db: Segments) -> None:
    """The table `excluded`: rows that are rejected or merged, with the rows of their tables; rejected where both are decided."""
    rejected = "s.state = 'rejected'"
    db.query.execute(
        f"CREATE OR REPLACE TABLE excluded AS SELECT s.segment, s.file, s.record, s.index, "
        f"CASE WHEN bool_or({rejected}) THEN 'rejected' ELSE 'merged' END AS fate, "
        f"arg_min(s.rule || '：' || d.reason, (NOT {rejected}, s.line, s.rule)) AS reason FROM stated s JOIN decided d ON d.line = s.line "
        f"WHERE s.state IN ('rejected', 'merged') GROUP BY s.segment, s.file, s.record, s.index"
    )
    for name in db.tables:
        db.query.execute(
            f'INSERT INTO excluded SELECT {quoted(name)}, x.file, x.record, t."#index", x.fate, x.reason FROM held.{named(name)} t '
            f'JOIN (SELECT * FROM excluded WHERE index = 0) x ON x.file = t."#file" AND x.record = t."#record" '
            f"ANTI JOIN (SELECT * FROM excluded WHERE segment = {quoted(name)}) y "
            f'ON y.file = t."#file" AND y.record = t."#record" AND y.index = t."#index"'
        )


def _look_again(checks: Sequence[Check], db: Segments) -> None:
    """Run what looks at more than one row over the rows that are left: what it no longer finds has gone, what is new is told."""
    segments = [
        name for [name] in db.query.execute("SELECT DISTINCT segment FROM excluded ORDER BY 1").fetchall()
    ]
    for name in filter(None, segments):
        db.query.execute(
            f"CREATE OR REPLACE VIEW kept.{named(name)} AS SELECT h.* FROM held.{named(name)} h "
            f"ANTI JOIN (SELECT * FROM excluded WHERE segment = {quoted(name)}) x "
            f'ON x.file = h."#file" AND x.record = h."#record" AND x.index = h."#index"'
        )
    again = [
        check
        for check in checks
        if KINDS[check.kind].relates and {ref.segment for ref in refs(check)} & {*segments}
    ]
    db.query.execute("CREATE OR REPLACE TABLE again AS SELECT * FROM found WHERE false")
    find(again, replace(db, view="kept"), "again")
    rules = ", ".join(quoted(check.rule) for check in again) or "NULL"
    bare = f"regexp_replace(code, '{AFTER}$', '')"
    db.query.execute(
        f"INSERT INTO found SELECT a.* REPLACE (a.code || '{AFTER}' AS code) FROM again a "
        f"ANTI JOIN (SELECT {_KEY}, {bare} AS code FROM found) f USING ({_KEY}, code)"
    )
    db.query.execute(
        f"CREATE OR REPLACE TABLE gone AS SELECT f.* FROM found f ANTI JOIN (SELECT {_KEY}, code AS bare FROM again) a "
        f"ON (a.rule, a.segment, a.file, a.record, a.index, a.field, a.bare) = (f.rule, f.segment, f.file, f.record, f.index, f.field, "
        f"regexp_replace(f.code, '{AFTER}$', '')) ANTI JOIN excluded x USING (segment, file, record, index) WHERE f.rule IN ({rules})"
    )
