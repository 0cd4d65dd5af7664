"""A published population comes out to the person; a wrong file is refused with every line that is wrong."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import town
from kiban.kernel import Problem, Problems, UncertainDate
from kiban.town.assumptions import assumptions
from kiban.town.people import MAN, Role, residents
from kiban.town.population import Towns

KOBE = Path(__file__).parents[3] / "shared" / "data" / "population" / "kobe-2017-12-31.csv"
AGES = [str(age) for age in range(101)]
HEADER = ["ward", "ward_code", "town_code", "town", "households", "male", "female", "total", *AGES]
DAY = date(2017, 12, 31)


def line(name: str = "魚崎北町１丁目", code: str = "101001001", **changes: str) -> list[str]:
    """A town of 2 men of 40, 2 women of 40 and a boy of 5, in 2 households; with changes."""
    cells = dict.fromkeys(HEADER, "0")
    cells.update(ward="東灘区", ward_code="28101", town_code=code, town=name)
    cells.update({"households": "2", "male": "3", "female": "2", "total": "5", "5": "1", "40": "4"})
    cells.update(changes)
    return list(cells.values())


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    def write(*lines: Sequence[str], header: Sequence[str] = HEADER) -> Path:
        path = tmp_path / "population.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *lines])
        return path

    return write


def problems(arguments: dict[str, Any], out: Path, **changes: Any) -> list[Problem]:
    with pytest.raises((Problem, Problems)) as caught:
        town.make(out, **{**arguments, "residents": None, "as_of": DAY, **changes})
    assert not out.exists()
    return list(caught.value.problems) if isinstance(caught.value, Problems) else [caught.value]


def people_of(out: Path) -> pl.DataFrame:
    """Residents with their age on the day."""
    rows = pl.read_parquet(out / "resident" / "jumin" / "*.parquet").filter(pl.col("valid_to").is_null())
    births = rows.select("seinengappi", "seinengappi_fushofuragu", "seinengappi_fushohyoki").rows()
    return rows.with_columns(
        age=pl.Series([min(UncertainDate.parse(*birth).age_on(DAY), 100) for birth in births])
    )


def assert_matches(out: Path, population: Path) -> None:
    published = pl.read_csv(population, infer_schema_length=0).with_columns(pl.col(HEADER[4:]).cast(pl.Int64))
    published = published.filter(pl.col("total") > 0).sort("ward_code", "town_code")
    towns = pl.read_parquet(out / "resident" / "choaza" / "*.parquet").sort("hyojijun")
    people = people_of(out).partition_by("jusho_choazakanribango", as_dict=True)
    assert len(people) == len(published) == len(towns)
    for key, row in zip(towns["choazakanribango"], published.iter_rows(named=True), strict=True):
        here = people[key,]
        assert here["setaibango"].n_unique() == row["households"]
        assert (here["seibetsu"] == "1").sum() == row["male"]
        assert (here["seibetsu"] == "2").sum() == row["female"]
        assert np.bincount(here["age"], minlength=101).tolist() == [row[age] for age in AGES]


@pytest.mark.skipif(not KOBE.exists(), reason="the published table of Kobe is not here")
def test_forty_towns_of_kobe_match_to_the_person(arguments: dict[str, Any], tmp_path: Path) -> None:
    rows = pl.read_csv(KOBE, infer_schema_length=0)
    special = pl.col("town").is_in(
        ["向洋町中４丁目", "平野町字天王谷奥東服山", "しあわせの村", "塩屋町字梅木谷"]
    )
    cut = pl.concat([rows.filter(special), rows.filter(~special).gather_every(88)])
    cut.write_csv(tmp_path / "cut.csv")
    given = {**arguments, "residents": None, "population": tmp_path / "cut.csv", "as_of": DAY, "processes": 2}
    report = town.make(tmp_path / "town", **given)
    assert_matches(tmp_path / "town", tmp_path / "cut.csv")
    assert report.suppressed
    assert report.residents > 10_000


def test_a_town_with_fewer_adults_than_households_is_filled(
    arguments: dict[str, Any], table: Callable[..., Path], tmp_path: Path
) -> None:
    home = line("しあわせの村", "101001002", households="4", **{"5": "0", "40": "1", "15": "2", "3": "2"})
    path = table(line(), home)
    town.make(tmp_path / "town", **{**arguments, "residents": None, "population": path, "as_of": DAY})
    assert_matches(tmp_path / "town", path)


def test_a_branch_office_stays_the_place_of_entry_and_its_people_belong_to_the_ward(
    arguments: dict[str, Any], table: Callable[..., Path], tmp_path: Path
) -> None:
    path = table(line(), line("神の谷１丁目", "107014001", ward="北須磨支所", ward_code="28107"))
    town.make(tmp_path / "town", **{**arguments, "residents": 10, "population": path, "as_of": DAY})
    suma = people_of(tmp_path / "town").filter(pl.col("jusho_shikuchosonkodo") == "281077")
    offices = pl.read_parquet(tmp_path / "town" / "resident" / "nyuryokubasho" / "*.parquet")
    branch = offices.filter(pl.col("nyuryokubashomei") == "北須磨支所")
    assert len(suma) == 5
    assert set(suma["nyuryokubashokodo"]) == set(branch["nyuryokubashokodo"])
    assert branch["shiteitoshi_gyoseikutokodo"].to_list() == ["281077"]


def test_a_town_without_published_ages_keeps_its_totals_and_one_without_numbers_stays_empty(
    arguments: dict[str, Any], table: Callable[..., Path], tmp_path: Path
) -> None:
    totals_only = line("魚崎北町２丁目", "101001002", **dict.fromkeys(AGES, ""))
    nothing = line("魚崎北町３丁目", "101001003", **dict.fromkeys(HEADER[4:], ""))
    path = table(line(), totals_only, nothing)
    report = town.make(
        tmp_path / "town", **{**arguments, "residents": None, "population": path, "as_of": DAY}
    )
    second = people_of(tmp_path / "town").filter(pl.col("jusho_choaza") == "魚崎北町二丁目")
    assert (len(second), (second["seibetsu"] == "1").sum(), second["setaibango"].n_unique()) == (5, 3, 2)
    assert report.suppressed == ("東灘区魚崎北町３丁目",)


@given(
    ages=st.lists(st.lists(st.integers(0, 100), min_size=1, max_size=60), min_size=1, max_size=4),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_margins_households_men_and_ages_come_out(
    ages: list[list[int]], shares: tuple[float, float], seed: int
) -> None:
    counts = np.array([np.bincount(town_ages, minlength=101) for town_ages in ages])
    total, size = counts.sum(axis=1), len(ages)
    towns = Towns(
        ward=np.zeros(size, dtype=np.int64),
        office=(None,) * size,
        name=("町",) * size,
        kana=(None,) * size,
        postal_code=(None,) * size,
        code=("0000000",) * size,
        households=np.maximum((total * shares[0]).astype(np.int64), 1),
        men=(total * shares[1]).astype(np.int64),
        ages=counts,
        banchi=np.zeros(size, dtype=np.bool_),
    )
    people = residents(towns, np.arange(size), np.random.default_rng(seed), assumptions())
    of_town = people.household_town[people.household]
    heads = np.flatnonzero(people.role == Role.HEAD)
    assert people.household[heads].tolist() == list(range(int(towns.households.sum())))
    assert np.bincount(people.household_town, minlength=size).tolist() == towns.households.tolist()
    assert np.bincount(of_town[people.sex == MAN], minlength=size).tolist() == towns.men.tolist()
    for index in range(size):
        here = np.minimum(people.age[of_town == index], 100)
        assert np.bincount(here, minlength=101).tolist() == counts[index].tolist()


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"male": "x"}, {"population-number"}),
        ({"5": "-1"}, {"population-number"}),
        ({"total": "6"}, {"population-sum"}),
        ({"5": "2"}, {"population-sum"}),
        ({"households": "6"}, {"population-sum"}),
        ({"households": "0"}, {"population-sum"}),
        ({"5": ""}, {"population-blank"}),
        ({"male": ""}, {"population-blank"}),
        ({"ward_code": "13101"}, {"population-ward"}),
        ({"town_code": "12"}, {"population-town"}),
        ({"town": " "}, {"population-town"}),
        ({"town_code": "101001009"}, {"population-duplicate"}),
    ],
)
def test_a_wrong_line_is_named(
    arguments: dict[str, Any],
    table: Callable[..., Path],
    tmp_path: Path,
    changes: dict[str, str],
    codes: set[str],
) -> None:
    path = table(
        line(code="101001009"),
        line("魚崎北町２丁目", "101001002"),
        line("魚崎中町１丁目", "101002001", **{**changes}),
    )
    found = problems(arguments, tmp_path / "town", population=path)
    assert {problem.code for problem in found} == codes
    assert all(problem.where == f"{path}:4" for problem in found)


def test_all_wrong_lines_are_told_at_once(
    arguments: dict[str, Any], table: Callable[..., Path], tmp_path: Path
) -> None:
    path = table(line(male="x"), line(code="101001002"), line(code="101001003", total="9"), ["short"])
    found = problems(arguments, tmp_path / "town", population=path)
    assert [(problem.where or "").rpartition(":")[2] for problem in found] == ["2", "4", "4", "5"]


def test_a_file_that_is_no_population_is_refused(
    arguments: dict[str, Any], table: Callable[..., Path], tmp_path: Path
) -> None:
    assert problems(arguments, tmp_path / "t", population=tmp_path / "no.csv")[0].code == "population-missing"
    assert problems(arguments, tmp_path / "t", population=tmp_path)[0].code == "population-missing"
    other = table(line(), header=[*HEADER[:-1], "100+"])
    assert problems(arguments, tmp_path / "t", population=other)[0].code == "population-header"
    assert problems(arguments, tmp_path / "t", population=table())[0].code == "population-empty"
    other.write_bytes("区,人口\n".encode("cp932"))
    assert problems(arguments, tmp_path / "t", population=other)[0].code == "population-encoding"
    other.write_bytes(b"")
    assert problems(arguments, tmp_path / "t", population=other)[0].code == "population-header"
    other.write_text(",".join(HEADER) + '\n"a\n', encoding="utf-8")
    assert problems(arguments, tmp_path / "t", population=other)[0].code == "population-csv"


def test_residents_must_be_those_of_the_file(
    arguments: dict[str, Any], table: Callable[..., Path], tmp_path: Path
) -> None:
    found = problems(arguments, tmp_path / "town", population=table(line()), residents=6)
    assert found[0].code == "residents-differ"
