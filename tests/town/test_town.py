"""What stands in a town that was made: counts, periods, numbers, names, references."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kiban import kernel, standard, store, town
from kiban.kernel import UncertainDate

Read = Callable[[str], pl.DataFrame]
GROUPS = (
    "jumin", "setai", "gaikokujin", "kyuji", "tsusho", "ido", "shiensochi", "shiensochi_taishosha",
    "shiensochi_kagaisha", "yokushi", "gyoseiku", "choaza", "nyuryokubasho", "ninshosha",
)  # fmt: skip
NONRESIDENT = "jutogaisha_atena_kihon_joho"


def contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def current(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("valid_to").is_null())


def label(edition: standard.Edition, group: str, item: str, word: str) -> str:
    codes = edition.code_list(edition.group(group).item(item))
    assert codes is not None
    return next(code.value for code in codes.codes if code.label == word)


def test_the_same_seed_gives_the_same_bytes_in_one_or_two_processes(
    small_town: Path, arguments: dict[str, Any], tmp_path: Path
) -> None:
    town.make(tmp_path / "again", **{**arguments, "processes": 2})
    assert contents(tmp_path / "again") == contents(small_town)


def test_another_seed_gives_other_people(small_town: Path, arguments: dict[str, Any], tmp_path: Path) -> None:
    town.make(tmp_path / "other", **{**arguments, "seed": 8})
    mine, other = contents(small_town), contents(tmp_path / "other")
    jumin = [path for path in mine if "/jumin/" in path and path in other]
    assert jumin
    assert all(mine[path] != other[path] for path in jumin)


def test_the_description_names_every_file_with_its_digest(small_town: Path) -> None:
    description = json.loads((small_town / "town.json").read_text(encoding="utf-8"))
    listed = {part["path"]: part["sha256"] for part in description["parts"]}
    assert listed == {
        path: hashlib.sha256(data).hexdigest() for path, data in contents(small_town).items() if "/" in path
    }
    assert description["residents"] == 3000
    assert not (small_town / "town.unfinished").exists()


def test_totals_are_those_of_the_rows(
    small_town: Path, read: Read, editions: dict[str, standard.Edition]
) -> None:
    people = current(read("jumin"))
    man = label(editions["resident"], "jumin", "seibetsu", "男")
    foreign = label(editions["resident"], "jumin", "juminshubetsu", "外国人住民")
    with (small_town / "totals.csv").open(encoding="utf-8", newline="") as file:
        totals = list(csv.DictReader(file))
    assert len(people) == 3000
    assert len(totals) == 9
    for ward in totals:
        here = people.filter(pl.col("shiteitoshi_gyoseikutokodo") == ward["ward_code"])
        men = (here["seibetsu"] == man).sum()
        assert [int(ward[name]) for name in ("households", "men", "women", "total", "foreigners")] == [
            here["setaibango"].n_unique(),
            men,
            len(here) - men,
            len(here),
            (here["juminshubetsu"] == foreign).sum(),
        ]


@pytest.mark.parametrize(
    ("group", "subject"), [("jumin", "atenabango"), ("setai", "setaibango"), ("gaikokujin", "atenabango")]
)
def test_periods_follow_each_other_and_histories_count_from_one(read: Read, group: str, subject: str) -> None:
    rows = read(group).sort(subject, "rirekibango")
    assert (rows["valid_to"].is_null() | (rows["valid_from"] < rows["valid_to"])).all()
    pairs = rows.with_columns(pl.col("valid_to", "rirekibango").shift(1).over(subject).name.prefix("before_"))
    first = pairs.filter(pl.col("rirekibango") == 1)
    later = pairs.filter(pl.col("rirekibango") > 1)
    assert len(first) == rows[subject].n_unique()
    assert len(later) > 0
    assert (later["before_valid_to"] == later["valid_from"]).all()
    assert (later["before_rirekibango"] + 1 == later["rirekibango"]).all()


def test_there_are_more_rows_than_residents_but_not_many_more(read: Read) -> None:
    assert 1.25 < len(read("jumin")) / 3000 < 1.65


def test_a_household_has_one_head_and_its_size_at_any_time(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    head = label(editions["resident"], "jumin", "zokugara1", "世帯主")
    jumin, setai = read("jumin"), read("setai")
    days = jumin["valid_from"].sample(25, seed=1).to_list()
    for day in days:
        at = (pl.col("valid_from") <= day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day))
        members = (
            jumin.filter(at)
            .group_by("setaibango")
            .agg(
                members=pl.len(),
                heads=(pl.col("zokugara1") == head).sum(),
                names=pl.col("setainushi_shimei").n_unique(),
            )
        )
        both = members.join(setai.filter(at), on="setaibango", how="full", coalesce=True)
        assert (both["heads"] == 1).all()
        assert (both["names"] == 1).all()
        assert both["members"].cast(pl.Int64).equals(both["setaininzu"])


def test_a_ward_to_ward_move_keeps_the_person_and_gives_a_new_household_number(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    edition = editions["resident"]
    rows = read("jumin").sort("atenabango", "rirekibango")
    pairs = rows.with_columns(
        pl.col("setaibango", "shiteitoshi_gyoseikutokodo", "juminjotai", "shojojiyu", "kojinbango")
        .shift(1)
        .over("atenabango")
        .name.prefix("old_")
    ).filter(pl.col("rirekibango") > 1)
    moves = pairs.filter(pl.col("idojiyu") == label(edition, "jumin", "idojiyu", "区間転入"))
    assert len(moves) > 50
    assert (moves["old_setaibango"] != moves["setaibango"]).all()
    assert (moves["old_shiteitoshi_gyoseikutokodo"] != moves["shiteitoshi_gyoseikutokodo"]).all()
    assert set(moves["old_juminjotai"]) == {label(edition, "jumin", "juminjotai", "区間異動除")}
    assert set(moves["old_shojojiyu"]) == {label(edition, "jumin", "shojojiyu", "区間転出")}
    assert (moves["old_kojinbango"] == moves["kojinbango"]).all()
    others = pairs.filter(pl.col("idojiyu") != label(edition, "jumin", "idojiyu", "区間転入"))
    assert (others["old_setaibango"] == others["setaibango"]).all()


def test_those_who_died_or_left_stay_as_closed_rows(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    edition = editions["resident"]
    rows = read("jumin").sort("atenabango", "rirekibango").group_by("atenabango", maintain_order=True).last()
    gone = rows.filter(pl.col("valid_to").is_not_null())
    died = gone.filter(pl.col("juminjotai") == label(edition, "jumin", "juminjotai", "死亡"))
    left = gone.filter(pl.col("juminjotai") == label(edition, "jumin", "juminjotai", "転出"))
    assert len(died) > 50
    assert len(left) > 100
    assert len(died) + len(left) == len(gone)
    assert gone["shojonengappi"].equals(gone["valid_to"].cast(pl.String).alias("shojonengappi"))
    assert left.filter(
        pl.col("tenshutsusaki_yotei_jusho").is_null() & pl.col("tenshutsusaki_yotei_kokumeikodo").is_null()
    ).is_empty()


def test_every_number_has_its_check_digit_and_one_owner(read: Read) -> None:
    people = read("jumin").unique("atenabango")
    assert all(map(kernel.is_valid_atenabango, people["atenabango"]))
    assert all(map(kernel.is_valid_kojinbango, people["kojinbango"]))
    assert all(map(kernel.is_valid_juminhyokodo, people["juminhyokodo"]))
    assert all(map(kernel.is_valid_setaibango, read("setai")["setaibango"].unique()))
    assert people["kojinbango"].n_unique() == people["juminhyokodo"].n_unique() == len(people)
    nonresidents = read(NONRESIDENT)
    assert all(map(kernel.is_valid_atenabango, nonresidents["atenabango"]))
    assert not set(nonresidents["atenabango"]) & set(people["atenabango"])


@pytest.mark.parametrize("group", [*GROUPS, NONRESIDENT])
def test_every_value_is_one_that_the_standard_permits(
    small_town: Path, read: Read, editions: dict[str, standard.Edition], group: str
) -> None:
    edition = editions["nonresident" if group == NONRESIDENT else "resident"]
    wanted = edition.group(group)
    rows = read(group)
    assert rows.columns == store.arrow_schema(wanted).names
    assert len(rows) > 0
    for item in wanted.items:
        column = rows[item.romaji]
        if item.required and not item.allows_unknown_date:
            assert column.null_count() == 0, item.romaji
        written = column.explode() if item.repeats else column
        codes = edition.code_list(item)
        for value in written.drop_nulls().unique().cast(pl.String).head(400).to_list():
            assert standard.check_value(item, value) is None, (item.romaji, value)
            assert codes is None or codes.free or value in codes.values, (item.romaji, value)


def test_every_reference_finds_its_target(read: Read, editions: dict[str, standard.Edition]) -> None:
    edition = editions["resident"]
    followed = 0
    for group in (edition.group(name) for name in GROUPS):
        for romaji, target in group.references.items():
            (subject,) = edition.group(target).subject[:1]
            column = read(group.id)[romaji]
            values = column.explode() if column.dtype == pl.List else column
            missing = set(values.drop_nulls()) - set(read(target)[subject.romaji])
            assert not missing, (group.id, romaji, target)
            followed += values.drop_nulls().len()
    assert followed > 10_000


def test_a_change_has_one_number_for_the_whole_household(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    moves = read("ido").filter(pl.col("idojiyu") == label(editions["resident"], "ido", "idojiyu", "転居"))
    together = moves.group_by("idobango").agg(pl.len(), pl.col("idogo_setaibango").n_unique())
    assert together["len"].max() > 1
    assert set(together["idogo_setaibango"]) == {1}


def test_births_are_plausible_for_relationships(read: Read, editions: dict[str, standard.Edition]) -> None:
    edition = editions["resident"]
    people = current(read("jumin")).filter(pl.col("seinengappi").is_not_null())
    born = people.with_columns(year=pl.col("seinengappi").str.head(4).cast(pl.Int64))
    head = label(edition, "jumin", "zokugara1", "世帯主")
    heads = born.filter(pl.col("zokugara1") == head).select("setaibango", head_year="year")
    children = born.filter(
        (pl.col("zokugara1") == label(edition, "jumin", "zokugara1", "子")) & pl.col("zokugara2").is_null()
    ).join(heads, on="setaibango")
    assert len(children) > 400
    assert (children["year"] - children["head_year"]).min() >= 15


def test_foreign_residents_have_latin_names_and_some_kanji_names_and_aliases(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    foreign = label(editions["resident"], "jumin", "juminshubetsu", "外国人住民")
    people = read("jumin").filter(pl.col("juminshubetsu") == foreign)
    assert people["shimei"].equals(people["shimei_gaikokujinromaji"].alias("shimei"))
    assert people["shimei"].str.contains("^[Ａ-Ｚ]+\u3000[Ａ-Ｚ\u3000]+$").all()
    assert people["uji_nihonjin"].is_null().all()
    assert 0 < people["shimei_gaikokujinkanji"].null_count() < len(people)
    assert people["tsusho"].is_not_null().any()
    assert set(people["atenabango"]) == set(read("gaikokujin")["atenabango"])


def test_unknown_births_are_said_in_words_that_can_be_read(arguments: dict[str, Any], read: Read) -> None:
    births = read("jumin").select("seinengappi", "seinengappi_fushofuragu", "seinengappi_fushohyoki")
    unknown = births.filter(pl.col("seinengappi").is_null())
    assert (births["seinengappi"].is_null() == births["seinengappi_fushohyoki"].is_not_null()).all()
    for row in unknown.rows():
        birth = UncertainDate.parse(*row)
        assert birth.year is not None
        assert 1890 < birth.year < 2020


def test_a_protected_person_is_flagged_and_restricted(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    edition = editions["resident"]
    ended = label(edition, "shiensochi", "shiensochijotai", "終了")
    cases = current(read("shiensochi")).filter(pl.col("shiensochijotai") != ended)
    protected = set(read("shiensochi_taishosha").join(cases, on="shiensochibango", how="semi")["atenabango"])
    flagged = current(read("jumin")).filter(pl.col("shiensochifuragu") == "1")
    held = current(read("yokushi"))
    assert protected
    assert protected == set(flagged["atenabango"]) == set(held["yokushitaisho_atenabango"])
    aggressors = read("shiensochi_kagaisha").join(cases, on="shiensochibango")
    assert len(aggressors) == len(cases)
    assert (aggressors["kagaisha_atenabango"] != aggressors["moshidesha_atenabango"]).all()


def test_duplicates_of_nonresidents_point_to_a_main_number(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    rows = read(NONRESIDENT)
    duplicates = rows.filter(pl.col("nayosesakiatenabango").is_not_null())
    main = rows.filter(pl.col("nayosesakiatenabango").is_null())
    assert set(duplicates["nayosesakiatenabango"]) <= set(main["atenabango"])
    both = duplicates.join(main, left_on="nayosesakiatenabango", right_on="atenabango")
    assert (both["shimei"] == both["shimei_right"]).all()
    assert (rows["gyomuid"].list.len() >= 1).all()


def test_rare_spellings_occur_with_and_without_variation_selectors(read: Read) -> None:
    written = "".join(read("jumin")["shimei"].to_list()) + "".join(
        read("shiensochi_kagaisha")["shimei"].to_list()
    )
    assert any(character in written for character in "髙﨑𠮷濵")


def test_brothers_and_sisters_are_twins_or_born_apart(
    read: Read, editions: dict[str, standard.Edition]
) -> None:
    child = label(editions["resident"], "jumin", "zokugara1", "子")
    children = current(read("jumin")).filter(
        (pl.col("zokugara1") == child) & pl.col("zokugara2").is_null() & pl.col("seinengappi").is_not_null()
    )
    births = children.select("setaibango", pl.col("seinengappi").str.to_date(strict=False)).sort(
        "setaibango", "seinengappi"
    )
    gaps = births.select(
        (pl.col("seinengappi") - pl.col("seinengappi").shift(1).over("setaibango")).dt.total_days()
    )
    apart = gaps["seinengappi"].drop_nulls()
    assert len(apart) > 50
    assert ((apart == 0) | (apart >= 250)).mean() > 0.98
