"""People of a register that has lived a little, and what the tests of a change of edition ask of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pyarrow as pa

from kiban import standard, store
from kiban.kernel import AsOf, Period
from kiban.store import Change, Plan, Store

from .conftest import CITY_HALL, EAST, NADA, SINCE, move_in, person

OLD, NEW = "kiban-2026.1", "kiban-2026.2"
TODAY = AsOf(date(2026, 10, 1))
RECODED = {"21": "11", "23": "20", "2A": "13"}


def key(number: int) -> str:
    return str(number).zfill(15)


def live(city: Store) -> None:
    """Twelve people loaded in bulk, then some events."""
    rows = [
        person(str(n), f"住民　{n}郎", "ジュウミン　ロウ", shiteitoshi_gyoseikutokodo=(EAST, NADA)[n % 2])
        | {"saishutorokujushochi": f"旧住所{n}", "hittosha": "筆" * 50, "shojojiyu": None}
        | {"valid_from": date(2020, 4, 1), "valid_to": None}
        for n in range(1, 13)
    ]
    schema = store.arrow_schema(city.table("resident.jumin").group)
    batch = pa.RecordBatch.from_pylist(rows, schema=pa.schema([f.with_nullable(True) for f in schema]))
    store.import_arrow(city, [store.Part("resident.jumin", "a", len(rows), lambda: [batch])], CITY_HALL)
    moved = person("1", "住民　一郎", rirekibango=2, saishutorokujushochi="新", jusho_banchigohyoki="９番")
    move_in(city, moved, Period(date(2023, 1, 1)))
    move_in(
        city, person("1", "訂正　一郎", "テイセイ", rirekibango=3), Period(date(2021, 1, 1), date(2022, 1, 1))
    )
    move_in(
        city,
        person("2", "除票　二郎", "ジョヒョウ", shojojiyu="23"),
        Period(date(2024, 1, 1), date(2025, 1, 1)),
    )
    move_in(city, person("3", "区間　三郎", "クカン", shojojiyu="2A", nyuryokutanmatsuid="T" * 12))
    card = {
        "atenabango": key(1), "rirekibango": 1, "shiteitoshi_gyoseikutokodo": EAST, "kojinbangokado_hakkojokyo": "1",
        "jukikado_hakkojokyo": "0",
    }  # fmt: skip
    with city.session(CITY_HALL) as session:
        session.record("交付", key(1), [Change("resident.kojinbangokado", card, SINCE)])
        session.record("転居", key(1), [Change("resident.ido", moving("I1", key(1)))])
        gone = Change("resident.jumin", None, Period(date(2025, 6, 1)), {"atenabango": key(4)})
        session.record("死亡", key(4), [gone, Change("resident.ido", moving("I2", key(4)))])


def moving(number: str, subject: str, **items: Any) -> dict[str, Any]:
    """A row of the log of moves."""
    row = {
        "idobango": number, "atenabango": subject, "shiteitoshi_gyoseikutokodo": EAST, "rirekibango": 1, "idokubun": "1",
        "idojiyu": "11", "idonengappi": "2024-01-01", "shorinengappi": "2024-01-01", "shorijikoku": "09:00:00",
        "nyuryokubashokodo": "000001", "nyuryokutanmatsuid": "H1", "sosashaid": "x", "sosanengappi": "2024-01-01",
        "sosajikoku": "09:00:00",
    }  # fmt: skip
    return {**row, **items}


def planned(city: Store, edition: str = NEW, business: str = "resident") -> Plan:
    return store.plan(city, city.library.edition(business, edition))


def bring(city: Store, edition: str = NEW, **options: Any) -> int:
    """Bring an edition of 001 into force by a reviewed plan."""
    plan = planned(city, edition)
    return store.apply(city, plan.new, CITY_HALL, reviewed=plan.digest, **options)


def everything(city: Store) -> dict[str, list[dict[str, Any]]]:
    """Every row of every register with all its columns, in a fixed order."""
    return {
        name: ordered([row for (row,) in owner_runs(city, f"SELECT to_jsonb(t) FROM {table.name} t")])
        for name, table in city.tables().items()
    }


def ordered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(({name: row[name] for name in sorted(row)} for row in rows), key=repr)


def carried(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of jumin as kiban-2026.2 has them."""
    made = [dict(row) for row in rows]
    for row in made:
        row["saishutorokujusho"] = row.pop("saishutorokujushochi")
        row["shojojiyu"] = RECODED.get(row["shojojiyu"], row["shojojiyu"])
        row["shimei_furigana_kisainengappi"] = None
    return ordered(made)


def owner_runs(city: Store, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(city.server.owner_dsn, autocommit=True) as owner:
        for statement in statements:
            cursor = owner.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def assert_sound(city: Store) -> None:
    report = store.verify(city)
    assert report.problems == ()


def changed(city: Store, edition: str = "kiban-test", base: str = NEW, **changes: Any) -> standard.Edition:
    """A further edition in the library: one that stands in it, with other groups, renames or recodes."""
    made = replace(city.library.edition("resident", base), edition=edition, replaces=OLD, **changes)
    city.library = standard.Library((*city.library.editions, made))
    return made


def with_items(
    edition: standard.Edition, group: str, **items: dict[str, Any] | None
) -> tuple[standard.Group, ...]:
    """The groups of an edition, where some items of one are changed, or left out (None)."""
    found = edition.group(group)
    kept = [i for i in found.items if items.get(i.romaji, {}) is not None]
    made = tuple(replace(i, **(items.get(i.romaji) or {})) for i in kept)
    history = next((i for i in made if found.history and i.romaji == found.history.romaji), None)
    return tuple(replace(g, items=made, history=history) if g.id == group else g for g in edition.groups)
