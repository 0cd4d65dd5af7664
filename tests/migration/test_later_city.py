"""The city some days later: its second unload differs from the first in those who changed, and in nothing else."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest

from kiban import main, migration, town
from kiban.kernel import Problem, is_valid_atenabango, is_valid_kojinbango
from kiban.migration import Work

LENGTHS = {"JUKI1": 704, "JUKI2": 704, "JUKI3": 704, "SETAI": 234}
RESIDENTS, DAY = 60, date(2026, 10, 8)


def make_later(city: Path, out: Path, residents: int = RESIDENTS, as_of: date = DAY) -> town.LaterReport:
    editions = main.library()
    return town.later(
        city,
        out,
        resident=editions.edition("resident"),
        nonresident=editions.edition("nonresident_addressee"),
        residents=residents,
        as_of=as_of,
    )


@pytest.fixture(scope="module")
def later_city(old_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("later")
    make_later(old_city, folder / "town")
    town.unload(folder / "town", folder / "old", processes=1)
    return folder


def changes(city: Path) -> list[dict[str, str]]:
    with (city / "town/changes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def records(folder: Path, name: str) -> Counter[bytes]:
    data, length = (folder / f"unload/{name}.DAT").read_bytes(), LENGTHS[name]
    return Counter(data[at : at + length] for at in range(length, len(data) - length, length))


def differing(unloaded: Path, later_city: Path, *names: str) -> set[str]:
    """The numbers, at the start of the data, of the records that are in one of the unloads only."""
    found = set()
    for name in names:
        before, after = records(unloaded, name), records(later_city / "old", name)
        found |= {record[1:11] for record in (before - after) + (after - before)}
    return {"".join(str(byte - 0xF0) for byte in number) for number in found}


def test_as_many_residents_change_as_were_asked_for_in_every_way(later_city: Path) -> None:
    listed = changes(later_city)
    assert len(listed) == len({row["atenabango"] for row in listed}) == RESIDENTS
    kinds = {"転居", "世帯分離", "死亡", "出生", "支援措置開始", "支援措置終了"}
    assert {row["kind"] for row in listed} == kinds
    assert all("2026-10-01" < row["day"] <= "2026-10-08" for row in listed)


def test_records_of_residents_differ_for_those_who_changed_and_for_nobody_else(
    unloaded: Path, later_city: Path
) -> None:
    found = differing(unloaded, later_city, "JUKI1", "JUKI2", "JUKI3")
    assert found == {row["atenabango"][-10:] for row in changes(later_city)}


def test_records_of_households_differ_where_members_or_addresses_do(
    old_city: Path, unloaded: Path, later_city: Path
) -> None:
    found = differing(unloaded, later_city, "SETAI")
    moved = [row for row in changes(later_city) if not row["kind"].startswith("支援措置")]
    named = {row["setaibango"][-10:] for row in moved}
    separated = {row["atenabango"] for row in moved if row["kind"] == "世帯分離"}
    before = pl.read_parquet(old_city / "resident/jumin/*.parquet")
    before = before.filter(pl.col("valid_to").is_null() & pl.col("atenabango").is_in(separated))
    left = {number[-10:] for number in before["setaibango"]}
    assert found == named | left


def test_everything_else_is_the_same_byte_for_byte(unloaded: Path, later_city: Path) -> None:
    lists = sorted(path.name for path in (unloaded / "unload").glob("*.csv") if path.name != "TOTALS.csv")
    for name in lists:
        assert (later_city / "old/unload" / name).read_bytes() == (unloaded / "unload" / name).read_bytes()
    for name in ("ZEI1", "ZEI2", "ZEI3"):
        one, other = (
            (folder / f"unload/{name}.DAT").read_bytes() for folder in (unloaded, later_city / "old")
        )
        assert one[302:] == other[302:] and one[:302] != other[:302]  # only the day in the header
    for name in ("chart.csv", "keis-chart.csv"):
        path = Path("project/characters") / name
        assert (later_city / "old" / path).read_bytes() == (unloaded / path).read_bytes()


def test_measures_differ_where_one_began_and_one_ended(old_city: Path, later_city: Path) -> None:
    before, after = (
        pl.read_parquet(folder / "resident/shiensochi/*.parquet")
        for folder in (old_city, later_city / "town")
    )
    told = {row["kind"]: row["shiensochibango"] for row in changes(later_city) if row["shiensochibango"]}
    new = after.join(before, on=["shiensochibango"], how="anti")
    assert new["shiensochibango"].to_list() == [told["支援措置開始"]]
    same = after.join(before, on=after.columns, how="anti", nulls_equal=True)
    assert set(same["shiensochibango"]) == set(told.values())
    live = pl.read_parquet(later_city / "town/resident/jumin/*.parquet").filter(pl.col("valid_to").is_null())
    flagged = set(live.filter(pl.col("shiensochifuragu") == "1")["atenabango"])
    ended = main.library().edition("resident")
    codes = ended.code_list(ended.group("shiensochi").item("shiensochijotai"))
    assert codes is not None
    over = next(code.value for code in codes.codes if code.label == "終了")
    running = after.filter(pl.col("valid_to").is_null() & (pl.col("shiensochijotai") != over))
    people = pl.read_parquet(later_city / "town/resident/shiensochi_taishosha/*.parquet")
    protected = people.filter(pl.col("shiensochibango").is_in(running["shiensochibango"].to_list()))
    assert flagged == set(protected["atenabango"]) & set(live["atenabango"])


def test_histories_stay_whole_and_households_count_their_members(later_city: Path) -> None:
    jumin = pl.read_parquet(later_city / "town/resident/jumin/*.parquet").sort("atenabango", "rirekibango")
    following = jumin.with_columns(begins=pl.col("valid_from").shift(-1).over("atenabango"))
    assert following.filter(
        pl.col("begins").is_not_null() & (pl.col("begins") != pl.col("valid_to"))
    ).is_empty()
    assert not jumin.select("atenabango", "rirekibango").is_duplicated().any()
    assert all(map(is_valid_atenabango, jumin["atenabango"])) and all(
        map(is_valid_kojinbango, jumin["kojinbango"])
    )
    assert jumin["kojinbango"].n_unique() == jumin["atenabango"].n_unique()
    setai = pl.read_parquet(later_city / "town/resident/setai/*.parquet").filter(pl.col("valid_to").is_null())
    members = jumin.filter(pl.col("valid_to").is_null()).group_by("setaibango").len()
    both = setai.join(members, on="setaibango", how="full")
    assert both.filter(pl.col("setaininzu").ne_missing(pl.col("len").cast(pl.Int64))).is_empty()


def test_totals_of_the_town_are_counted_again(later_city: Path) -> None:
    jumin = pl.read_parquet(later_city / "town/resident/jumin/*.parquet").filter(pl.col("valid_to").is_null())
    counted = dict(jumin.group_by("shiteitoshi_gyoseikutokodo").len().iter_rows())
    with (later_city / "town/totals.csv").open(encoding="utf-8", newline="") as file:
        assert {row["ward_code"]: int(row["total"]) for row in csv.DictReader(file)} == counted


def test_the_second_unload_lands_and_adds_up(later_city: Path, tmp_path: Path) -> None:
    def no_store() -> NoReturn:
        raise AssertionError("no stage here opens the database")

    old = later_city / "old"
    plan = migration.load_plan(old / "project", old / "unload", main.library())
    assert plan.cut_date == DAY
    work = Work(tmp_path / "work", no_store, lambda *_: None, lambda: datetime(2026, 10, 8, tzinfo=UTC))
    results = migration.run(migration.STAGES, plan, work, through="characters")
    assert all(one.gate is not None and one.gate.open for one in results)


def test_the_same_arguments_give_the_same_bytes(old_city: Path, later_city: Path, tmp_path: Path) -> None:
    make_later(old_city, tmp_path / "again")
    files = sorted(path for path in (later_city / "town").rglob("*") if path.is_file())
    assert len(files) > 50
    for path in files:
        assert (tmp_path / "again" / path.relative_to(later_city / "town")).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("residents", "as_of", "code"),
    [(5, date(2026, 10, 1), "later-day"), (0, DAY, "later-few"), (100_000, DAY, "later-many")],
)
def test_what_cannot_be_is_refused(
    old_city: Path, tmp_path: Path, residents: int, as_of: date, code: str
) -> None:
    with pytest.raises(Problem, match=code):
        make_later(old_city, tmp_path / "out", residents, as_of)
    assert not (tmp_path / "out/town.json").exists()


def test_a_town_that_is_not_finished_has_no_later(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="town-unfinished"):
        make_later(tmp_path, tmp_path / "out")
