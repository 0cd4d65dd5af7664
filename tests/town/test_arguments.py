"""What `kiban town make` refuses, and how it says so."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from kiban import standard, town
from kiban.cli.town import app
from kiban.kernel import Problem, Problems

from .conftest import ROOT


def refused(out: Path, arguments: dict[str, Any]) -> list[Problem]:
    with pytest.raises((Problem, Problems)) as caught:
        town.make(out, **arguments)
    return list(caught.value.problems) if isinstance(caught.value, Problems) else [caught.value]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"residents": 0}, "residents-few"),
        ({"residents": -1}, "residents-few"),
        ({"residents": 89}, "residents-few"),
        ({"residents": None}, "residents-missing"),
        ({"seed": -1}, "seed-range"),
        ({"as_of": date(2012, 1, 1)}, "as-of-range"),
        ({"processes": 0}, "processes-few"),
        ({"city": "28101"}, "city-unknown"),
        ({"city": "281001"}, "city-unknown"),
        ({"city": ""}, "city-unknown"),
    ],
)
def test_a_bad_argument_is_refused_before_anything_is_written(
    arguments: dict[str, Any], tmp_path: Path, changes: dict[str, Any], code: str
) -> None:
    assert [problem.code for problem in refused(tmp_path / "town", {**arguments, **changes})] == [code]
    assert not (tmp_path / "town").exists()


def test_an_unknown_city_is_answered_with_the_twenty(arguments: dict[str, Any], tmp_path: Path) -> None:
    (problem,) = refused(tmp_path / "town", {**arguments, "city": "13100"})
    assert problem.fix is not None
    assert sum(f" {name}" in problem.fix for name in ("札幌市", "浜松市", "神戸市", "熊本市")) == 4
    assert problem.fix.count("市") == 20


@pytest.mark.parametrize(("code", "wards"), [("011002", 10), ("22130", 3), ("27100", 24)])
def test_any_designated_city_can_be_made_with_its_wards(
    arguments: dict[str, Any], tmp_path: Path, code: str, wards: int
) -> None:
    town.make(tmp_path / "town", **{**arguments, "residents": 10 * wards, "city": code})
    totals = pl.read_csv(tmp_path / "town" / "totals.csv", infer_schema_length=0)
    assert len(totals) == wards
    assert (totals["total"] == "10").all()
    listed = pl.read_parquet(tmp_path / "town" / "resident" / "gyoseiku" / "*.parquet")
    assert listed["gyoseikumei_furigana"].str.contains("^[ァ-ー]+ク$").all()


def test_a_folder_with_anything_in_it_is_refused(arguments: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    for replace in (False, True):
        assert refused(tmp_path, {**arguments, "replace": replace})[0].code == "out-not-empty"
    assert (tmp_path / "letter.txt").read_text() == "mine"
    assert refused(tmp_path / "letter.txt", arguments)[0].code == "out-unwritable"


def test_an_earlier_or_unfinished_town_is_replaced_only_when_asked(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "town"
    small = {**arguments, "residents": 200}
    town.make(out, **small)
    first = (out / "town.json").read_bytes()
    assert refused(out, small)[0].code == "out-not-empty"
    assert (out / "town.json").read_bytes() == first
    (out / "town.json").rename(out / "town.unfinished")
    assert refused(out, small)[0].code == "out-not-empty"
    town.make(out, **small, replace=True)
    assert (out / "town.json").read_bytes() == first
    assert not (out / "town.unfinished").exists()


def test_an_edition_without_an_item_that_the_town_fills_is_refused_at_once(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    edition = arguments["resident"]
    jumin = edition.group("jumin")
    fewer = dataclasses.replace(jumin, items=tuple(item for item in jumin.items if item.romaji != "hittosha"))
    groups = tuple(fewer if group.id == "jumin" else group for group in edition.groups)
    (problem,) = refused(
        tmp_path / "town", {**arguments, "resident": dataclasses.replace(edition, groups=groups)}
    )
    assert problem.code == "town-item-unknown"
    assert "hittosha" in problem.what
    assert not (tmp_path / "town").exists()


def test_an_edition_without_a_word_that_the_town_uses_is_refused_at_once(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    edition = arguments["resident"]
    item = edition.group("jumin").item("idojiyu")
    codes = edition.code_list(item)
    fewer = dataclasses.replace(codes, codes=tuple(code for code in codes.codes if code.label != "出生"))
    changed = dataclasses.replace(edition, codes={**edition.codes, item.code: fewer})
    (problem,) = refused(tmp_path / "town", {**arguments, "resident": changed})
    assert problem.code == "town-word-unknown"
    assert "出生" in problem.what


def test_the_next_edition_gets_its_own_names_and_codes(arguments: dict[str, Any], tmp_path: Path) -> None:
    later = standard.load(ROOT / "resident" / "editions" / "kiban-2026.2")
    town.make(tmp_path / "town", **{**arguments, "resident": later, "residents": 900})
    rows = pl.read_parquet(tmp_path / "town" / "resident" / "jumin" / "*.parquet")
    assert rows.columns[:-2] == [item.romaji for item in later.group("jumin").items]
    codes = later.code_list(later.group("jumin").item("shojojiyu"))
    assert codes is not None
    assert set(rows["shojojiyu"].drop_nulls()) <= set(codes.values)


def test_the_command_makes_a_town_and_sums_it_up(tmp_path: Path) -> None:
    out = tmp_path / "town"
    done = CliRunner().invoke(
        app, ["make", "--residents", "300", "--seed", "1", "--out", str(out), "--processes", "1"]
    )
    assert done.exit_code == 0, done.output
    assert "神戸市: 300 residents" in done.output
    assert (out / "town.json").exists()
    assert CliRunner().invoke(app, ["make", "--seed", "1"]).exit_code == 2
