"""The individual resident tax of a town: who has a row, what the amounts agree on, and how it is stored."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import standard, store, town
from kiban.kernel import ALL_WARDS, Actor, Problem, Problems
from kiban.town.sheet_tax_amounts import Family, Incomes, assess, instalments, net_salary

from .conftest import ROOT

YEARS = ["2024", "2025", "2026"]
CLERK = Actor("tax", None, ALL_WARDS, "試験", protected=True)
KEY = bytes(range(32))
FLAT, BY_INCOME = ("kintowari", "shotokuwari")
LEDGER = Path("individual_resident_tax") / "kazei"
yen = st.integers(0, 30_000_000)


@pytest.fixture(scope="session")
def ledger() -> standard.Edition:
    return standard.load(ROOT / "individual_resident_tax")


@pytest.fixture(scope="session")
def taxed_town(
    arguments: dict[str, Any], ledger: standard.Edition, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The small town, with its tax ledger."""
    out = tmp_path_factory.mktemp("taxed") / "kobe"
    town.make(out, **arguments, tax=ledger)
    yield out


@pytest.fixture(scope="session")
def rows(taxed_town: Path) -> pl.DataFrame:
    return pl.read_parquet(taxed_town / LEDGER / "*.parquet")


def contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def value(edition: standard.Edition, item: str, label: str) -> str:
    codes = edition.code_list(edition.group("kazei").item(item))
    assert codes is not None
    return next(code.value for code in codes.codes if code.label == label)


def test_the_ledger_is_added_and_nothing_else_changes(taxed_town: Path, small_town: Path) -> None:
    without, with_it = contents(small_town), contents(taxed_town)
    described, plain = json.loads(with_it.pop("town.json")), json.loads(without.pop("town.json"))
    ours = {path for path in with_it if path.startswith(f"{LEDGER}/part-")}
    assert ours
    assert {path: data for path, data in with_it.items() if path not in ours} == without
    assert described["editions"] == {**plain["editions"], "individual_resident_tax": "kiban-2026.1"}
    assert described["rows"].pop("kazei") > 0
    assert described["rows"] == plain["rows"]


def test_two_processes_write_the_same_bytes(
    taxed_town: Path, arguments: dict[str, Any], ledger: standard.Edition, tmp_path: Path
) -> None:
    town.make(tmp_path / "again", **{**arguments, "processes": 2}, tax=ledger)
    assert contents(tmp_path / "again") == contents(taxed_town)


def test_every_adult_resident_of_1_january_has_a_row_in_the_ward_of_that_day(
    rows: pl.DataFrame, taxed_town: Path
) -> None:
    residents = pl.read_parquet(taxed_town / "resident" / "jumin" / "*.parquet")
    known = residents.filter(pl.col("seinengappi_fushofuragu") == "0")
    certain = set(known["atenabango"])
    for year in YEARS:
        day = date(int(year), 1, 1)
        there = known.filter(
            (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
        )
        adults = there.filter(pl.col("seinengappi") <= f"{int(year) - 18}-01-01")
        mine = rows.filter((pl.col("kazeinendo") == year) & (pl.col("rirekibango") == 1))
        columns = ["atenabango", "shiteitoshi_gyoseikutokodo"]
        expected = set(adults.select(columns).rows())
        assert len(expected) > 1500
        assert {row for row in mine.select(columns).rows() if row[0] in certain} == expected
        assert mine["atenabango"].is_unique().all()


def test_amounts_of_a_row_agree(rows: pl.DataFrame) -> None:
    total = pl.sum_horizontal
    deductions = ("shakaihokenryo", "haigusha", "fuyo", "kiso", "sonotanoshotoku")
    taxes = [f"{who}_{what}" for who in ("shiminzei", "kenminzei") for what in (FLAT, BY_INCOME)]
    agrees = rows.select(
        income=total("kyuyoshotoku", "kotekinenkintoshotoku", "eigyotoshotoku") == pl.col("soshotokukingaku"),
        deductions=total(f"{name}kojo" for name in deductions) == pl.col("shotokukojogokei"),
        base=(pl.col("kazeihyojungaku") == 0)
        | (
            pl.col("kazeihyojungaku")
            == (pl.col("soshotokukingaku") - pl.col("shotokukojogokei")).clip(0) // 1000 * 1000
        ),
        city=pl.col("shiminzei_shotokuwari") == pl.col("kazeihyojungaku") * 8 // 100 // 100 * 100,
        prefecture=pl.col("kenminzei_shotokuwari") == pl.col("kazeihyojungaku") * 2 // 100 // 100 * 100,
        year=total(*taxes, "shinrinkankyozei") == pl.col("nenzeigaku"),
    )
    assert all(agrees[name].all() for name in agrees.columns), agrees.select(pl.all().not_().sum())
    assert rows["kazeihyojungaku"].max() > 0


def test_instalments_stand_only_in_the_way_of_collection_and_make_up_the_year(
    rows: pl.DataFrame, ledger: standard.Edition
) -> None:
    ways = {
        "普通徴収": pl.sum_horizontal(f"kibetsuzeigaku_{number}ki" for number in (1, 2, 3, 4)),
        "給与特別徴収": pl.col("tokubetsuchoshuzeigaku_6gatsu")
        + 11 * pl.col("tokubetsuchoshuzeigaku_7gatsuiko"),
        "年金特別徴収": pl.col("nenkintokubetsuchoshuzeigaku_shokai")
        + 5 * pl.col("nenkintokubetsuchoshuzeigaku_2kaiiko"),
    }
    paid = [name for name in rows.columns if "zeigaku_" in name]
    assert len(paid) == 8
    for label, made_up in ways.items():
        mine = rows.filter(pl.col("choshuhoho") == value(ledger, "choshuhoho", label))
        assert len(mine) > 50
        assert (mine.select(made_up.alias("paid"))["paid"] == mine["nenzeigaku"]).all()
        assert (
            mine.select(pl.sum_horizontal(pl.col(paid).is_not_null()))[:, 0]
            == (4 if label == "普通徴収" else 2)
        ).all()
    exempt = rows.filter(pl.col("choshuhoho").is_null())
    assert set(exempt["kazeikubun"]) == {value(ledger, "kazeikubun", "非課税")}
    assert (exempt["nenzeigaku"] == 0).all()
    assert exempt.select(pl.col(paid).is_null().all()).row(0) == (True,) * 8


def test_a_correction_is_the_next_row_from_its_day_on(rows: pl.DataFrame) -> None:
    key = ["atenabango", "kazeinendo"]
    second = rows.filter(pl.col("rirekibango") == 2)
    assert len(second) > 20
    pair = rows.filter(pl.col("rirekibango") == 1).join(second, on=key)
    assert len(pair) == len(second)
    assert (pair["valid_to"] == pair["valid_from_right"]).all()
    assert (pair["valid_from"] < pair["valid_to"]).all()
    assert pair["valid_to_right"].is_null().all()
    assert (pair["eigyotoshotoku"] < pair["eigyotoshotoku_right"]).all()
    assert (pair["koseijiyu"] != pair["koseijiyu_right"]).all()
    assert (second["valid_from"] <= date(2026, 10, 1)).all()
    open_rows = rows.filter(pl.col("valid_to").is_null())
    assert len(open_rows) == len(rows) - len(second)
    assert open_rows.select(key).is_unique().all()


@pytest.mark.parametrize(
    ("as_of", "years"),
    [(date(2026, 5, 31), ["2023", "2024", "2025"]), (date(2026, 6, 1), YEARS)],
)
def test_the_years_are_those_decided_by_the_reference_date(
    arguments: dict[str, Any], ledger: standard.Edition, tmp_path: Path, as_of: date, years: list[str]
) -> None:
    town.make(tmp_path / "town", **{**arguments, "as_of": as_of, "residents": 300}, tax=ledger)
    made = pl.read_parquet(tmp_path / "town" / LEDGER / "*.parquet")
    assert sorted(set(made["kazeinendo"])) == years
    assert made["valid_from"].max() <= as_of
    forest = made.filter(pl.col("kazeinendo") == "2023")["shinrinkankyozei"]
    assert (forest == 0).all()


def test_every_value_is_one_that_the_edition_allows(rows: pl.DataFrame, ledger: standard.Edition) -> None:
    group = ledger.group("kazei")
    assert rows.columns == [*(item.romaji for item in group.items), "valid_from", "valid_to"]
    for item in group.items:
        column = rows[item.romaji].drop_nulls()
        assert item.condition != "必須" or len(column) == len(rows)
        codes = ledger.code_list(item)
        assert codes is None or set(column) <= set(codes.values)
        if item.type == "9":
            assert 0 <= column.min() <= column.max() < 10**item.digits


def test_an_edition_without_an_item_that_the_town_fills_is_refused_at_once(
    arguments: dict[str, Any], ledger: standard.Edition, tmp_path: Path
) -> None:
    group = ledger.group("kazei")
    fewer = dataclasses.replace(group, items=tuple(one for one in group.items if one.romaji != "nenzeigaku"))
    with pytest.raises(Problems) as caught:
        town.make(tmp_path / "town", **arguments, tax=dataclasses.replace(ledger, groups=(fewer,)))
    (problem,) = caught.value.problems
    assert isinstance(problem, Problem)
    assert (problem.code, problem.where) == ("town-item-unknown", "individual_resident_tax.kazei")
    assert not (tmp_path / "town").exists()


def test_the_ledger_is_loaded_into_its_register(
    databases: Any, taxed_town: Path, rows: pl.DataFrame, ledger: standard.Edition
) -> None:
    library = standard.Library((ledger,))
    with (
        databases.fresh() as database,
        store.Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
    ):
        store.apply(city, ledger, CLERK)
        parts = store.folder_parts(city, taxed_town)
        assert {part.register for part in parts} == {"individual_resident_tax.kazei"}
        store.import_arrow(city, parts, CLERK)
        assert store.verify(city).problems == ()
        batches = list(store.export_arrow(city, "individual_resident_tax.kazei", None, CLERK))
    stored = pl.concat(pl.DataFrame(batch) for batch in batches)
    key = ["atenabango", "kazeinendo", "rirekibango"]
    assert stored.sort(key).equals(rows.sort(key))


@given(salary=yen, pension=st.integers(0, 3_299_999), business=yen, year=st.integers(2013, 2030))
def test_more_income_is_never_less_tax(salary: int, pension: int, business: int, year: int) -> None:
    def tax(more: int) -> int:
        incomes = Incomes(np.array([salary]), np.array([pension]), np.array([business + more]))
        nobody = Family(np.array([False]), np.array([0]), np.array([0]))
        nothing = np.array([0])
        return int(assess(incomes, nobody, nothing, nothing, year)["nenzeigaku"][0])

    assert 0 <= tax(0) <= tax(1) <= tax(1_000_000)


@given(total=st.integers(0, 10**9 - 1))
def test_instalments_never_lose_a_yen(total: int) -> None:
    times = {0: (1, 1, 1, 1), 1: (1, 11), 2: (1, 5)}
    for way, amounts in instalments(np.array([total])).items():
        paid = [int(amount[0]) for amount in amounts.values()]
        assert sum(amount * often for amount, often in zip(paid, times[way], strict=True)) == total
        assert all(paid[0] >= later >= 0 for later in paid)


@pytest.mark.parametrize(
    ("gross", "year", "net"),
    [(550_999, 2025, 999), (650_000, 2026, 0), (1_900_000, 2026, 1_250_000), (1_903_999, 2026, 1_250_000),
     (1_618_999, 2025, 1_068_999), (1_623_000, 2025, 1_072_000), (1_628_000, 2025, 1_076_800),
     (4_800_000, 2025, 3_400_000), (6_600_000, 2025, 4_840_000), (8_500_000, 2025, 6_550_000)],
)  # fmt: skip
def test_the_salary_allowance_follows_its_table(gross: int, year: int, net: int) -> None:
    assert net_salary(np.array([gross]), year).tolist() == [net]
