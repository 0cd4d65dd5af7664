"""A migrated city from which a test can go back, the life in it after the cut-over, and what the legacy system would read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from kiban import migration, store
from kiban.kernel import ALL_WARDS, Actor, Period, next_atenabango
from kiban.migration import Plan
from kiban.migration.mapping import load_maps
from kiban.migration.stages.decode import decode_one
from kiban.store import Change, Server, Store

from .migrated import STAGES, Migrated, work_in
from .moving import library

CLERK = Actor("clerk", None, ALL_WARDS, "異動の入力", protected=True)
DAY = date(2026, 10, 5)
JUMIN, SHIEN = "resident.jumin", "resident.shiensochi"
KAGAISHA, TAISHOSHA = "resident.shiensochi_kagaisha", "resident.shiensochi_taishosha"


@dataclass(frozen=True)
class City:
    """A migrated city.

    Attributes:
        plan: of its migration.
        inputs: output folders of its stages.
        store: its integrated database.
    """

    plan: Plan
    inputs: Mapping[str, Path]
    store: Store

    def go_back(self, out: Path) -> Mapping[str, Any]:
        return migration.go_back(self.plan, self.inputs, self.store, out, lambda *_: None)

    def compare(self, out: Path) -> Mapping[str, Any]:
        return migration.compare_back(self.plan, self.inputs, self.store, out, lambda *_: None)

    def rows(self, register: str, **items: Any) -> list[dict[str, Any]]:
        """What is known now of somebody, as the register keeps it."""
        with self.store.session(CLERK) as session:
            return session.history(register, None, **items)

    def record(self, kind: str, subject: str, *changes: Change) -> None:
        with self.store.session(CLERK) as session:
            session.record(kind, subject, changes)

    def newest(self, register: str, **items: Any) -> dict[str, Any]:
        """The last row of somebody, without what the database added."""
        row = self.rows(register, **items)[-1]
        return {name: value for name, value in row.items() if name in self.items(register)}

    def items(self, register: str) -> list[str]:
        return [item.romaji for item in self.store.table(register).group.items]

    def known(self, register: str) -> list[dict[str, Any]]:
        batches = store.export_arrow(self.store, register, None, CLERK)
        return [row for batch in batches for row in batch.to_pylist()]

    def people(self, **items: Any) -> list[dict[str, Any]]:
        """Rows of residents that are true without end and have these values, in the order of their numbers."""
        found = [
            row for row in self.known("resident.jumin")
            if row["valid_to"] is None and all(row[name] == value for name, value in items.items())
        ]  # fmt: skip
        return sorted(found, key=lambda row: str(row["atenabango"]))


def city_of(project: Path, work: Path, server: Server, opened: Store) -> City:
    """The city that the stages up to the load made of a project; they run where they are not done."""
    plan = migration.load_plan(project, project.parent / "unload", library())
    results = migration.run(STAGES[:-1], plan, work_in(work, server))
    assert all(one.gate is not None and one.gate.open for one in results)
    return City(plan, {one.stage.name: one.out for one in results if one.out is not None}, opened)


@contextmanager
def returning(migrated: Migrated, databases: Any) -> Iterator[City]:
    """The migrated city with a database of its own."""
    with databases.fresh(migrated.template) as database:
        server = Server(database.owner_dsn, database.app_dsn)
        with work_in(migrated.work, server).open_store() as opened:
            yield city_of(migrated.project, migrated.work, server, opened)


def change(
    register: str, row: Mapping[str, Any] | None, since: Any, until: Any = None, **subject: Any
) -> Change:
    """A row that is true from a day on."""
    return Change(register, row, Period(since, until), subject)


def move(city: City, person: dict[str, Any], **items: Any) -> dict[str, Any]:
    """Somebody moves within the ward; the row that ends and the one that begins."""
    row = city.newest(JUMIN, atenabango=person["atenabango"])
    moved = {
        **row, "rirekibango": row["rirekibango"] + 1, "jusho_banchigohyoki": "９番９号", "jusho_katagaki": "ﾊｲﾂＡ　１０１",
        "jushowosadametanengappi": "2026-10-05", "todokedenengappi": "2026-10-06", "idojiyu": "31", "idonengappi": "2026-10-05",
        "shorinengappi": "2026-10-06", "shorijikoku": "10:11:12", **items,
    }  # fmt: skip
    city.record("転居", row["atenabango"], change(JUMIN, moved, DAY))
    return moved


def died(city: City, person: dict[str, Any]) -> None:
    row = city.newest(JUMIN, atenabango=person["atenabango"])
    gone = {**row, "rirekibango": row["rirekibango"] + 1, "juminjotai": "4", "shojojiyu": "23", "shojonengappi": "2026-10-05",
            "idojiyu": "23", "idonengappi": "2026-10-05"}  # fmt: skip
    city.record("死亡", row["atenabango"], change(JUMIN, gone, DAY))


def born(city: City, parent: dict[str, Any]) -> str:
    last = max(row["atenabango"] for row in city.known(JUMIN))
    number = next_atenabango(int(last[:-1]) + 1)[0]
    row = city.newest(JUMIN, atenabango=parent["atenabango"])
    child = {
        **row, "atenabango": number, "rirekibango": 1, "shimei": "山田　新", "shimei_furigana": "ヤマダ　アラタ",
        "seinengappi": "2026-10-05",
        "zokugara1": "20", "zokugara2": None, "zokugara_hyoki": "子", "idojiyu": "13", "idonengappi": "2026-10-05",
        "kojinbango": None, "juminhyokodo": None, "kyuji": None, "kyuji_furigana": None, "kyuji_furiganakakuninjokyo": None,
        "jumintonattanengappi": "2026-10-05",
    }  # fmt: skip
    city.record("出生", number, change(JUMIN, child, DAY))
    return number


def protected(city: City, person: dict[str, Any]) -> str:
    """A new support measure with its aggressor and two protected persons."""
    first = city.known(SHIEN)[0]
    number = f"{max(int(row['shiensochibango']) for row in city.known(SHIEN)) + 1:010}"
    names = {item: first[item] for item in city.items(SHIEN)}
    measure = {
        **names,
        "shiensochibango": number,
        "rirekibango": 1,
        "moshidesha_atenabango": person["atenabango"],
    }
    inside = {"shiensochibango": number, "shiteitoshi_gyoseikutokodo": person["shiteitoshi_gyoseikutokodo"]}
    kin = city.known(TAISHOSHA)[0]
    people = [
        {**{item: kin[item] for item in city.items(TAISHOSHA)}, **inside, "taishosharenban": at, "rirekibango": 1,
         "atenabango": person["atenabango"]}
        for at in (1, 2)
    ]  # fmt: skip
    other = city.known(KAGAISHA)[0]
    against = {
        **{item: other[item] for item in city.items(KAGAISHA)},
        **inside,
        "kagaisharenban": 1,
        "rirekibango": 1,
    }
    city.record(
        "支援措置", number,
        change(SHIEN, measure, DAY), change(KAGAISHA, against, DAY), *(change(TAISHOSHA, row, DAY) for row in people),
    )  # fmt: skip
    return number


def read_back(city: City, out: Path, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every register as a new migration would make them of the files that went back.

    The ordinary decoder reads the files and DuckDB carries out the ordinary maps; the lists in which they look something up are
    those of the first unload.
    """
    decoded = folder / "decoded"
    plan = city.plan
    for kind, file in {file.kind: file for file in reversed(plan.files)}.items():
        unit = folder / kind
        unit.parent.mkdir(exist_ok=True, parents=True)
        for path in out.glob(f"{kind}.RETURN*"):
            if path.stat().st_size:
                decode_one(replace(plan, unload=out), replace(file, path=path.name), unit)
        for path in unit.glob("*.parquet"):
            _put(path, decoded / path.stem / f"{file.id}.parquet")
    assert not any(pq.read_metadata(path).num_rows for path in (decoded / "ledger").glob("*.parquet"))
    rows: dict[str, list[dict[str, Any]]] = {}
    with duckdb.connect() as query:
        for lists in ("returned", "first"):
            for made in load_maps(plan):
                if (made.target.source == "GYOSEIKU") == (lists == "returned"):
                    found = query.sql(made.sql(decoded)).to_arrow_table()
                    names = [name for name in found.column_names if not name.startswith("#")]
                    rows[made.register] = found.select(names).to_pylist()
            for path in (city.inputs["decode"] / "GYOSEIKU").glob("*.parquet"):
                _put(path, decoded / "GYOSEIKU" / path.name)
    return rows


def _put(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(path.read_bytes())


def listed(out: Path) -> list[dict[str, str]]:
    """The list of what is entered by hand."""
    with (out / "rekey.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figures(done: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """By register: how many subjects changed, went back whole, in part, or only onto the list."""
    return {
        one["register"]: tuple(one[name] for name in ("changed", "whole", "part", "listed"))
        for one in done["registers"]
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sorted_rows(rows: Sequence[Mapping[str, Any]], without: Sequence[str] = ()) -> list[list[str]]:
    return sorted([f"{name}={value}" for name, value in row.items() if name not in without] for row in rows)
