"""The way back: whoever changed after the cut-over goes back into the legacy system's files, or stands on the list; nobody is lost."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from kiban.migration.stages.load import migrator
from kiban.store import Change

from .returning import (
    DAY,
    JUMIN,
    KAGAISHA,
    SHIEN,
    TAISHOSHA,
    City,
    born,
    change,
    died,
    figures,
    listed,
    move,
    protected,
    read_back,
    sorted_rows,
)


def told(out: Path) -> set[tuple[str, str, str]]:
    """What stands on the list: register, number, item."""
    return {(line["台帳"], line["対象者番号"].lstrip("0"), line["項目"]) for line in listed(out)}


def bare(number: str) -> str:
    return number.lstrip("0")


def test_where_nothing_changed_the_files_hold_nobody_and_the_list_is_empty(
    city: City, tmp_path: Path
) -> None:
    done = city.go_back(tmp_path / "out")
    assert (done["registers"], done["lines"], sum(one["records"] for one in done["files"])) == ([], 0, 0)
    assert listed(tmp_path / "out") == []
    assert not any(read_back(city, tmp_path / "out", tmp_path / "read").values())
    assert json.loads((tmp_path / "out" / "return.json").read_text(encoding="utf-8")) == done


def test_whoever_changed_comes_out_of_the_returned_files_as_the_database_has_them(
    city: City, tmp_path: Path
) -> None:
    men = [row for row in city.people(juminshubetsu="1", juminjotai="1") if row["shimei"]]
    mover, dead, parent, threatened = men[:4]
    move(city, mover)
    died(city, dead)
    child = born(city, parent)
    measure = protected(city, threatened)
    out = tmp_path / "out"
    done = city.go_back(out)
    assert figures(done) == {
        JUMIN: (3, 3, 0, 0),
        SHIEN: (1, 1, 0, 0),
        KAGAISHA: (1, 1, 0, 0),
        TAISHOSHA: (2, 2, 0, 0),
    }
    assert listed(out) == [] and done["unfilled"] == {}
    read = read_back(city, out, tmp_path / "read")
    numbers = {mover["atenabango"], dead["atenabango"], child}
    for register, item, wanted in ((JUMIN, "atenabango", numbers), (SHIEN, "shiensochibango", {measure}),
                                   (KAGAISHA, "shiensochibango", {measure}), (TAISHOSHA, "shiensochibango", {measure})):  # fmt: skip
        there = [row for row in city.known(register) if row[item] in wanted]
        assert sorted_rows(read[register]) == sorted_rows(there), register
        assert len(there) >= len(wanted)
    assert not any(rows for register, rows in read.items() if register not in figures(done))


def test_what_the_legacy_system_cannot_hold_is_listed_and_nothing_is_put_in_its_place(
    city: City, tmp_path: Path
) -> None:
    rare, noted, long, early = city.people(juminshubetsu="1", juminjotai="1")[:4]
    move(city, rare, shimei="\U0002000b田　花子")
    move(city, noted, biko="窓口で確認")
    move(city, long, jusho_banchigohyoki="１２３４５６７８９０１２３４番地の５")
    move(city, early, seinengappi="1860-02-03")
    out = tmp_path / "out"
    done = city.go_back(out)
    assert told(out) == {
        (JUMIN, bare(rare["atenabango"]), "shimei"),
        (JUMIN, bare(noted["atenabango"]), "biko"),
        (JUMIN, bare(long["atenabango"]), "jusho_banchigohyoki"),
        (JUMIN, bare(early["atenabango"]), "seinengappi"),
    }
    reasons = {line["項目"]: line["理由"] for line in listed(out)}
    assert reasons["shimei"] == "旧システムの文字コードにない字がある"
    assert reasons["biko"] == "旧システムにこの項目がない（旧システムは備考を渡さない）"
    assert reasons["jusho_banchigohyoki"] == "旧システムの欄に入りきらない"
    assert reasons["seinengappi"] == "旧システムの和暦で書ける日でない"
    [line] = done["registers"]
    assert (line["changed"], line["whole"], line["part"], line["listed"]) == (4, 0, 4, 0)
    read = {
        (row["atenabango"], row["rirekibango"]): row for row in read_back(city, out, tmp_path / "read")[JUMIN]
    }
    for person, item in ((rare, "shimei"), (long, "jusho_banchigohyoki"), (early, "seinengappi")):
        newest = city.newest(JUMIN, atenabango=person["atenabango"])
        back = read[person["atenabango"], newest["rirekibango"]]
        assert back[item] is None  # empty, never cut or replaced
        assert {name for name in newest if back[name] != newest[name]} == {item}


def test_what_is_gone_and_what_the_legacy_system_has_no_place_for_is_listed(
    city: City, tmp_path: Path
) -> None:
    gone, again = city.people(juminshubetsu="1", juminjotai="1")[:2]
    city.record("異動の取消し", gone["atenabango"], change(JUMIN, None, None, atenabango=gone["atenabango"]))
    memo: dict[str, Any] = {item.romaji: None for item in city.store.table("resident.memo").group.items}
    memo |= {
        "atenabango": again["atenabango"],
        "memorenban": 1,
        "shiteitoshi_gyoseikutokodo": again["shiteitoshi_gyoseikutokodo"],
    }
    needed = {item.romaji: item for item in city.store.table("resident.memo").group.items if item.required}
    memo |= {name: "2026-10-05" if item.type == "DATE" else "10:00:00" if item.type == "TIME" else "1"
             for name, item in needed.items() if memo[name] is None}  # fmt: skip
    city.record("メモ", again["atenabango"], Change("resident.memo", memo))
    before = len(city.rows(JUMIN, atenabango=again["atenabango"]))
    out = tmp_path / "out"
    done = city.go_back(out)
    assert figures(done) == {JUMIN: (1, 0, 0, 1), "resident.memo": (1, 0, 0, 1)}
    lines = {(line["台帳名"], bare(line["対象者番号"]), line["理由"]) for line in listed(out)}
    assert lines == {
        ("住民", bare(gone["atenabango"]), "台帳からなくなった履歴が旧システムに残っている"),
        (
            "メモ",
            f"{bare(again['atenabango'])}/1",
            "旧システムにこの台帳がない（旧システムはメモを持たない）",
        ),
    }
    assert before == len(city.rows(JUMIN, atenabango=again["atenabango"]))


def test_what_the_migration_itself_records_does_not_go_back_but_others_changes_of_it_do(
    city: City, tmp_path: Path
) -> None:
    late, later = city.people(juminshubetsu="1", juminjotai="1")[:2]
    for person in (late, later):
        row = city.newest(JUMIN, atenabango=person["atenabango"])
        with city.store.session(migrator(city.plan)) as session:
            session.record(
                "差分", row["atenabango"], [change(JUMIN, row | {"rirekibango": 90}, date(2026, 10, 1))]
            )
    move(city, later)
    done = city.go_back(tmp_path / "out")
    assert [(one["register"], one["changed"]) for one in done["registers"]] == [(JUMIN, 1)]
    assert {row["atenabango"] for row in read_back(city, tmp_path / "out", tmp_path / "read")[JUMIN]} == {
        later["atenabango"]
    }


def test_a_protected_person_added_to_a_measure_goes_back_into_its_record_with_the_others(
    city: City, tmp_path: Path
) -> None:
    first = city.known(TAISHOSHA)[0]
    number = first["shiensochibango"]
    others = [row for row in city.known(TAISHOSHA) if row["shiensochibango"] == number]
    new = {item: first[item] for item in city.items(TAISHOSHA)} | {"taishosharenban": 19, "rirekibango": 1}
    city.record("併せて支援", number, change(TAISHOSHA, new, DAY))
    city.go_back(tmp_path / "out")
    read = read_back(city, tmp_path / "out", tmp_path / "read")
    assert len(read[TAISHOSHA]) == len(others) + 1
    for register in (SHIEN, KAGAISHA, TAISHOSHA):
        there = [row for row in city.known(register) if row["shiensochibango"] == number]
        assert sorted_rows(read[register]) == sorted_rows(there), register
    assert listed(tmp_path / "out") == []


def test_whose_number_the_legacy_fields_cannot_hold_is_listed_and_never_goes_back_as_somebody_else(
    city: City, tmp_path: Path
) -> None:
    parent, old = city.people(juminshubetsu="1", juminjotai="1")[:2]
    row = city.newest(JUMIN, atenabango=parent["atenabango"])
    child = row | {
        "atenabango": "123456789012345",
        "rirekibango": 1,
        "kojinbango": None,
        "juminhyokodo": None,
    }
    city.record("出生", child["atenabango"], change(JUMIN, child, DAY))
    move(city, old, rirekibango=1_000)
    done = city.go_back(tmp_path / "out")
    assert figures(done) == {JUMIN: (2, 0, 1, 1)}
    reason = "番号が旧システムの欄に入りきらず、ほかの行と取り違えるため返していない"
    lines = {
        (line["対象者番号"], line["履歴番号"], line["項目"], line["理由"])
        for line in listed(tmp_path / "out")
    }
    assert lines == {
        (child["atenabango"], "1", "（行の全体）", reason),
        (old["atenabango"], "1000", "（行の全体）", reason),
    }
    read = read_back(city, tmp_path / "out", tmp_path / "read")[JUMIN]
    assert {row["atenabango"] for row in read} == {old["atenabango"]}
    there = [row for row in city.known(JUMIN) if row["atenabango"] == old["atenabango"]]
    assert sorted_rows(read) == sorted_rows([row for row in there if row["rirekibango"] != 1_000])


def test_a_row_whose_record_is_not_certain_is_listed_and_never_put_into_any(
    city: City, tmp_path: Path
) -> None:
    person = city.people(juminjotai="1")[0]
    number = protected(city, person)  # two protected persons and an aggressor of a measure …
    measure = {item: city.newest(SHIEN, shiensochibango=number)[item] for item in city.items(SHIEN)}
    city.record(
        "延長", number, change(SHIEN, measure | {"rirekibango": 2}, DAY + timedelta(days=1))
    )  # … of two records now
    full = city.known(KAGAISHA)[0]
    second = {item: full[item] for item in city.items(KAGAISHA)} | {"kagaisharenban": 2}
    city.record("加害者", full["shiensochibango"], change(KAGAISHA, second, DAY))
    done = city.go_back(tmp_path / "out")
    reasons = {
        (line["台帳"], line["対象者番号"], line["理由"])
        for line in listed(tmp_path / "out")
        if not line["項目名"]
    }
    several = "この行を入れるレコードが2つ以上あり、1つに決まらない"
    assert reasons == {
        (KAGAISHA, f"{number}/1", several),
        (TAISHOSHA, f"{number}/1", several),
        (TAISHOSHA, f"{number}/2", several),
        (KAGAISHA, f"{full['shiensochibango']}/2", "レコードに、この行を入れる場所が残っていない"),
    }
    assert figures(done) == {SHIEN: (1, 1, 0, 0), KAGAISHA: (2, 0, 0, 2), TAISHOSHA: (2, 0, 0, 2)}
    read = read_back(city, tmp_path / "out", tmp_path / "read")
    assert [row["rirekibango"] for row in read[SHIEN] if row["shiensochibango"] == number] == [1, 2]
    assert not any(row["shiensochibango"] == number for row in [*read[KAGAISHA], *read[TAISHOSHA]])


def test_an_office_that_is_renamed_goes_back_as_a_line_in_the_page_of_its_list(
    city: City, tmp_path: Path
) -> None:
    register = "resident.nyuryokubasho"
    row = {item: city.known(register)[0][item] for item in city.items(register)}
    city.record(
        "設定",
        "city",
        change(
            register, row | {"nyuryokubashomei": '髙橋，"東"出張所', "nyuryokutanmatsuid": ["T1", "T2"]}, DAY
        ),
    )
    out = tmp_path / "out"
    city.go_back(out)
    read = read_back(city, out, tmp_path / "read")
    there = [one for one in city.known(register) if one["nyuryokubashokodo"] == row["nyuryokubashokodo"]]
    assert len(there) == 2 and sorted_rows(read[register]) == sorted_rows(there)
    assert "髙橋，".encode("cp932") in (out / "BASHO.RETURN.csv").read_bytes()
