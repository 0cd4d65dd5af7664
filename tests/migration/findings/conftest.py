"""Small decoded data, checks and decisions, written by hand."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kiban.migration import Plan, findings
from kiban.migration.plan import SourceFile
from kiban.migration.records import LEDGER

Rows = Sequence[Mapping[str, Any]]
Place = tuple[str, int, str, str]
"""File, record, field and code of a finding."""


@dataclass
class Desk:
    """Where somebody looks at decoded data.

    Attributes:
        folder: of everything.
        rows: of each segment; the record is the place in the list, from 2, as a header comes first, unless `#record` says otherwise.
        checks, decisions: lines of checks.csv and of decisions/findings.csv, without heads.
        ledger: file, record, field and code of what could not be decoded.
    """

    folder: Path
    rows: dict[str, Rows] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    ledger: list[tuple[str, int, str, str]] = field(default_factory=list)
    out: Path = Path()

    @property
    def plan(self) -> Plan:
        files = tuple(
            SourceFile(name, name, "", "S", f"{name}.csv", name, "市民課長", "csv", "cp932", segment=name)
            for name in self.rows
        )
        return Plan(
            "p",
            "試し",
            "281000",
            date(2026, 10, 1),
            48,
            self.folder,
            self.folder / "unload",
            (),
            files,
            (),
            (),
            (),
        )

    def write(self) -> None:
        (self.folder / "decisions").mkdir(exist_ok=True)
        for path, heads, lines in (
            (self.folder / "checks.csv", findings.HEADS, self.checks),
            (self.folder / "decisions" / "findings.csv", findings.DECISION_HEADS, self.decisions),
        ):
            path.write_text("\n".join([",".join(heads), *lines]) + "\n", encoding="utf-8")

    def look(self) -> findings.Looked:
        self.write()
        decoded = self.folder / "decoded"
        for name, rows in self.rows.items():
            table = pa.Table.from_pylist(
                [{"#file": name, "#record": at, "#offset": 0, **row} for at, row in enumerate(rows, 2)]
            )
            (decoded / name).mkdir(parents=True, exist_ok=True)
            pq.write_table(table, decoded / name / f"{name}.parquet")
        (decoded / "ledger").mkdir(parents=True, exist_ok=True)
        lines = [
            {"file": f, "record": r, "offset": 0, "field": x, "raw": "", "code": c}
            for f, r, x, c in self.ledger
        ]
        pq.write_table(pa.Table.from_pylist(lines, LEDGER), decoded / "ledger" / "ledger.parquet")
        self.out = self.folder / "out"
        self.out.mkdir(exist_ok=True)
        folders = {name: decoded / name for name in self.rows}
        return findings.look(
            self.plan, folders, decoded / "ledger", self.out, self.folder / "spill", lambda *_: None
        )

    def found(self) -> list[dict[str, Any]]:
        """Look, and give every finding."""
        self.look()
        return list(pq.read_table(self.out / findings.FINDINGS).to_pylist())

    def places(self) -> set[Place]:
        return {(one["file"], one["record"], one["field"], one["code"]) for one in self.found()}

    def states(self) -> dict[tuple[str, int, str], str]:
        return {(one["file"], one["record"], one["code"]): one["state"] for one in self.found()}

    def excluded(self) -> set[tuple[str, int, int, str]]:
        rows = pq.read_table(self.out / findings.EXCLUDED).to_pylist()
        return {(one["segment"], one["record"], one["index"], one["fate"]) for one in rows}

    def left(self, name: str) -> list[dict[str, str]]:
        with (self.out / name).open(encoding="utf-8", newline="") as opened:
            return list(csv.DictReader(opened))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)
