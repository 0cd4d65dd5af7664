"""A new edition comes into force: every row is carried over, nobody waits or misses anything, and a cut is no harm."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from kiban import standard, store
from kiban.kernel import Period, Problem, Problems
from kiban.store import Change, Query, Store

from .conftest import (
    CITY_HALL,
    EAST,
    EAST_CLERK,
    NADA,
    NADA_CLERK,
    SINCE,
    move_in,
    person,
)
from .people import (
    NEW,
    OLD,
    TODAY,
    assert_sound,
    bring,
    carried,
    changed,
    everything,
    key,
    moving,
    owner_runs,
    planned,
    with_items,
)


def test_every_row_comes_over_with_both_its_times_its_events_and_its_closings(town: Store) -> None:
    before = everything(town)
    bring(town)
    after = everything(town)
    assert town.applied()["resident"] == NEW
    assert after["resident.jumin"] == carried(before["resident.jumin"])
    assert {n: r for n, r in after.items() if n != "resident.jumin"} == {
        n: r for n, r in before.items() if n != "resident.jumin"
    }  # what the edition removed stays as a column
    assert {row["shojojiyu"] for row in after["resident.jumin"]} == {None, "20", "13"}
    assert "jukikado_hakkojokyo" in after["resident.kojinbangokado"][0]
    assert_sound(town)


def test_the_register_lives_on_under_the_new_edition(town: Store) -> None:
    bring(town)
    row = person(
        "21",
        kana="ミナミ",
        hittosha="筆" * 100,
        saishutorokujusho="大阪",
        shojojiyu="20",
        shimei_furigana_kisainengappi="2026-10-01",
    )
    event = move_in(town, row)
    with town.session(CITY_HALL) as session:
        [read] = session.read("resident.jumin", TODAY, atenabango=key(21))
        found = session.search("resident.jumin", Query(as_of=TODAY.valid, kana="ミナミ"))
        assert {name: read[name] for name in row} == row
        assert (read["event"], [hit.subject for hit in found.hits]) == (event, [key(21)])
        assert session.search("resident.jumin", Query(as_of=TODAY.valid, kana="クカン")).hits[
            0
        ].subject == key(3)
    for bad, code in (({"shojojiyu": "23"}, "value-refused"), ({"saishutorokujushochi": "x"}, "item-unknown"),
                      ({"nyuryokutanmatsuid": "T" * 13}, "value-refused"), ({"zokugara1": None}, "value-missing")):  # fmt: skip
        with pytest.raises(Problem, match=code):
            move_in(town, person("22", **bad))
    out = pa.Table.from_batches(store.export_arrow(town, "resident.jumin", None, CITY_HALL))
    assert out.schema.names == store.arrow_schema(town.table("resident.jumin").group).names
    more = [r | {"atenabango": key(90 + i), "valid_to": None} for i, r in enumerate(out.to_pylist()[:5])]
    batch = pa.RecordBatch.from_pylist(more, schema=out.schema)
    store.import_arrow(town, [store.Part("resident.jumin", "b", 5, lambda: [batch])], CITY_HALL)
    assert_sound(town)


def test_an_import_into_a_register_with_a_retired_column_leaves_it_empty(city: Store) -> None:
    bring(city)
    with city.session(CITY_HALL) as session:
        assert session.sql('SELECT count(*) AS n FROM "resident@kiban-2026.1".kojinbangokado') == [{"n": 0}]
    move_in(city, person("1"))
    schema = store.arrow_schema(city.table("resident.kojinbangokado").group)
    card = {
        "atenabango": key(1),
        "rirekibango": 1,
        "shiteitoshi_gyoseikutokodo": EAST,
        "kojinbangokado_hakkojokyo": "1",
    }
    batch = pa.RecordBatch.from_pylist([card | {"valid_from": date(2026, 10, 1)}], schema=schema)
    store.import_arrow(city, [store.Part("resident.kojinbangokado", "a", 1, lambda: [batch])], CITY_HALL)
    with city.session(
        EAST_CLERK
    ) as session:  # the former edition's view outlives the table that it was made over
        assert session.sql(
            'SELECT atenabango, jukikado_hakkojokyo FROM "resident@kiban-2026.1".kojinbangokado'
        ) == [{"atenabango": key(1), "jukikado_hakkojokyo": None}]
    assert_sound(city)


def test_readers_of_the_former_edition_find_its_names_and_codes_in_their_wards_only(town: Store) -> None:
    shown = '"resident@kiban-2026.1".jumin'
    bring(town)
    move_in(town, person("21", shojojiyu="20", saishutorokujusho="後", shiteitoshi_gyoseikutokodo=NADA))
    query = (
        f"SELECT atenabango, saishutorokujushochi, shojojiyu, shiteitoshi_gyoseikutokodo AS ward FROM {shown}"
    )
    with town.session(NADA_CLERK) as session:
        rows = session.sql(query)
        assert {row["ward"] for row in rows} == {NADA}
        assert ("後", "23") in [(r["saishutorokujushochi"], r["shojojiyu"]) for r in rows]
    with town.session(CITY_HALL) as session:
        assert {r["shojojiyu"] for r in session.sql(query)} == {None, "23", "2A"}
        assert len(session.sql(query)) == len(
            session.sql("SELECT 1 FROM resident.jumin WHERE closed_by IS NULL")
        )
        [card] = session.sql('SELECT jukikado_hakkojokyo FROM "resident@kiban-2026.1".kojinbangokado')
    assert card == {"jukikado_hakkojokyo": "0"}
    with psycopg.connect(town.server.app_dsn) as nobody:
        assert nobody.execute(query.encode()).fetchall() == []


def test_the_views_with_japanese_titles_follow_the_edition(town: Store) -> None:
    bring(town)
    with town.session(CITY_HALL) as session:
        rows = session.sql(
            'SELECT 最終登録住所, "氏名_フリガナ_記載年月日" FROM 住民基本台帳.住民 WHERE 消除事由 = %s',
            ["13"],
        )
        assert [row["氏名_フリガナ_記載年月日"] for row in rows] == [None]
        ever = session.sql("SELECT count(*) AS n FROM 住民基本台帳.住民_全記録")
    assert ever == [{"n": len(everything(town)["resident.jumin"])}]
    with town.session(CITY_HALL) as session, pytest.raises(Problem, match="最終登録住所地"):
        session.sql("SELECT 最終登録住所地 FROM 住民基本台帳.住民")


def test_a_plan_says_what_happens_to_each_register_and_changes_nothing(town: Store) -> None:
    before = everything(town)
    plan = planned(town)
    steps = {step.register: step for step in plan.steps}
    assert {s.register for s in plan.steps if s.action == "rebuild"} == {
        f"resident.{name}" for name in ("jumin", "ido", "kojinbangokado", "nyuryokubasho")
    } | {f"resident.{name}" for name in changed_by_codes(town)}
    assert set(steps["resident.jumin"].notes) == {
        "shimei_furigana_kisainengappi: added (氏名_フリガナ_記載年月日), empty in the rows that stand",
        "hittosha: rule changed 50 → 100",
        "saishutorokujusho: renamed from saishutorokujushochi",
        "nyuryokutanmatsuid: rule changed 20 → 12",
        "shojojiyu: recoded, 10 values of list 7",
        "shojojiyu: rule changed",
    }
    assert steps["resident.kojinbangokado"].notes == (
        "jukikado_hakkojokyo: no longer in the edition; its column stays",
    )
    assert (plan.obstacles, plan.needs_review, planned(town).digest) == ((), True, plan.digest)
    assert everything(town) == before
    assert_sound(town)


def changed_by_codes(city: Store) -> list[str]:
    """Groups with an item whose code list got a value."""
    new = city.library.edition("resident", NEW)
    return [g.id for g in new.groups if any(item.code == "11" for item in g.items)]


def test_a_plan_that_nobody_reviewed_is_refused(town: Store) -> None:
    plan = planned(town)
    for reviewed in (None, "", "0" * 12, plan.digest.upper() + "0"):
        with pytest.raises(Problem) as refused:
            store.apply(town, plan.new, CITY_HALL, reviewed=reviewed)
        assert refused.value.code == "plan-unreviewed"
        assert plan.digest in str(refused.value)
    assert town.applied()["resident"] == OLD
    assert owner_runs(town, "SELECT job FROM kiban.job WHERE kind = 'apply' AND state = 'running'") == []


def test_the_edition_in_force_is_not_brought_into_force_again(town: Store) -> None:
    with pytest.raises(Problem, match="edition-in-force"):
        bring(town, OLD)
    bring(town)
    with pytest.raises(Problem, match="edition-in-force"):
        bring(town)
    assert_sound(town)


def refused_plan(city: Store, edition: standard.Edition) -> dict[str, str]:
    """The problems with which an edition is refused, by code; nothing has changed, not even for a moment."""
    before = everything(city)
    plan = store.plan(city, edition)
    with pytest.raises(Problems) as refused:
        store.apply(city, edition, CITY_HALL, reviewed=plan.digest)
    assert [str(p) for p in plan.obstacles] == [str(p) for p in refused.value.problems]
    assert city.applied()[edition.id] != edition.edition
    assert everything(city) == before
    report = store.verify(city)
    assert (report.problems, [note for note in report.notes if "job" in note]) == ((), [])
    return {problem.code: str(problem) for problem in plan.obstacles}


def test_values_that_are_too_long_are_told_by_item_and_number_until_events_correct_them(town: Store) -> None:
    for number in (31, 32):
        move_in(town, person(str(number), nyuryokutanmatsuid="T" * 13))
    told = refused_plan(town, town.library.edition("resident", NEW))
    assert set(told) == {"value-refused"}
    assert "2 rows" in told["value-refused"] and "nyuryokutanmatsuid" in told["value-refused"]
    assert "TTT" not in told["value-refused"]
    for number in (31, 32):
        move_in(town, person(str(number), nyuryokutanmatsuid="T" * 12))
    bring(town)  # what was known before stays as it was written
    rows = everything(town)["resident.jumin"]
    assert len([r for r in rows if r["nyuryokutanmatsuid"] == "T" * 13 and r["closed_by"]]) == 2
    move_in(town, person("31", jusho_katagaki="新"))
    assert_sound(town)


def test_a_log_that_does_not_fit_is_refused_and_says_that_it_cannot_be_corrected(town: Store) -> None:
    with town.session(CITY_HALL) as session:
        session.record(
            "転居", key(2), [Change("resident.ido", moving("I9", key(2), nyuryokutanmatsuid="T" * 13))]
        )
    told = refused_plan(town, town.library.edition("resident", NEW))
    assert "1 rows" in told["value-refused"] and "never corrected" in told["value-refused"]


def test_a_newly_mandatory_item_without_values_is_refused(town: Store) -> None:
    new = town.library.edition("resident", NEW)
    must = changed(town, groups=with_items(new, "jumin", jusho_katagaki={"condition": "必須"}))
    told = refused_plan(town, must)
    assert "jusho_katagaki" in told["value-missing"]
    live_rows = [r for r in everything(town)["resident.jumin"] if r["closed_by"] is None]
    assert f"{len(live_rows)} rows" in told["value-missing"]


def test_031_cannot_follow_its_new_edition_while_rows_lack_what_it_demands(city: Store) -> None:
    row = {
        "atenabango": "7", "shimei": "髙﨑　一郎", "gyomuid": ["001", "002"], "daihyoatenafuragu": "0", "sosashaid": "x",
        "sosanengappi": "2024-01-01", "sosajikoku": "09:00:00",
    }  # fmt: skip
    register = "nonresident_addressee.jutogaisha_atena_kihon_joho"
    with city.session(CITY_HALL) as session:
        session.record("登録", "7", [Change(register, row, SINCE)])
    told = refused_plan(city, city.library.edition("031", "kiban-api-2.0"))
    assert set(told) >= {"value-missing", "value-lossy"}  # two 業務ID do not go into one
    assert "1 rows" in told["value-missing"]
    assert "gyomuid" in told["value-lossy"]


def test_031_follows_its_new_edition_while_it_is_empty(city: Store) -> None:
    plan = planned(city, "kiban-api-2.0", "031")
    store.apply(city, plan.new, CITY_HALL, reviewed=plan.digest)
    assert city.applied()["nonresident_addressee"] == "kiban-api-2.0"
    assert_sound(city)


def test_references_to_rows_that_do_not_exist_are_refused(town: Store) -> None:
    new = town.library.edition("resident", NEW)
    card = new.group("jumin")
    groups = tuple(
        replace(g, references={**g.references, "hittosha": "setai"}) if g is card else g for g in new.groups
    )
    told = refused_plan(town, changed(town, groups=groups))
    assert "hittosha" in told["reference-missing"]


def test_the_way_back_gives_every_row_its_former_shape_and_keeps_what_was_added(town: Store) -> None:
    before = everything(town)
    bring(town)
    move_in(town, person("21", shimei_furigana_kisainengappi="2026-10-01", shojojiyu="20"))
    back = planned(town, OLD)
    assert back.obstacles == ()
    assert ("resident@kiban-2026.1", "end") in [(step.register, step.action) for step in back.steps]
    bring(town, OLD)
    after = everything(town)
    kept = [row for row in after["resident.jumin"] if row["atenabango"] != key(21)]
    assert [{n: v for n, v in row.items() if n != "shimei_furigana_kisainengappi"} for row in kept] == before[
        "resident.jumin"
    ]
    [added] = [row for row in after["resident.jumin"] if row["atenabango"] == key(21)]
    assert (added["shojojiyu"], added["shimei_furigana_kisainengappi"]) == ("23", "2026-10-01")
    assert after["resident.kojinbangokado"] == before["resident.kojinbangokado"]
    with town.session(CITY_HALL) as session:
        assert session.sql('SELECT 1 FROM "resident@kiban-2026.2".jumin WHERE shojojiyu = %s', ["20"])
        with pytest.raises(Problem, match="does not exist"):
            session.sql('SELECT 1 FROM "resident@kiban-2026.1".jumin')
    assert_sound(town)
    bring(town)
    again = everything(town)["resident.jumin"]
    assert [r["shimei_furigana_kisainengappi"] for r in again if r["atenabango"] == key(21)] == ["2026-10-01"]
    assert_sound(town)


def test_codes_that_became_one_are_not_guessed_on_the_way_back(town: Store) -> None:
    new = town.library.edition("resident", NEW)
    codes = replace(new.codes["7"], codes=tuple(c for c in new.codes["7"].codes if c.value != "13"))
    changed(
        town,
        codes={**new.codes, "7": codes},
        recodes={"7": {**new.recodes["7"], "2A": "11"}},
        groups=new.groups,
    )
    bring(town, "kiban-test")
    with town.session(CITY_HALL) as session:  # 11 was 21 or 2A: nobody can say
        [row] = session.sql(
            'SELECT shojojiyu FROM "resident@kiban-2026.1".jumin WHERE atenabango = %s', [key(3)]
        )
    assert row == {"shojojiyu": "11"}
    told = refused_plan(town, town.library.edition("resident", OLD))
    assert "shojojiyu" in told["recode-unclear"]


def test_a_register_that_the_edition_drops_keeps_its_rows_and_comes_back_with_them(town: Store) -> None:
    note = {
        "atenabango": key(1), "memorenban": 1, "shiteitoshi_gyoseikutokodo": EAST, "memonaiyo": "覚え", "sosashaid": "x",
        "sosanengappi": "2024-01-01", "sosajikoku": "09:00:00",
    }  # fmt: skip
    with town.session(CITY_HALL) as session:
        session.record("メモ", key(1), [Change("resident.memo", note)])
    before = everything(town)
    new = town.library.edition("resident", NEW)
    changed(town, groups=tuple(g for g in new.groups if g.id != "memo"))
    assert [s.register for s in planned(town, "kiban-test").steps if s.action == "retire"] == [
        "resident.memo"
    ]
    bring(town, "kiban-test")
    with pytest.raises(Problem, match="register-unknown"):
        town.table("resident.memo")
    with town.session(EAST_CLERK) as session:
        assert session.sql('SELECT memonaiyo FROM "resident@kiban-2026.1".memo') == [{"memonaiyo": "覚え"}]
    assert_sound(town)
    changed(town, "kiban-other")
    assert "memo" in refused_plan(town, town.library.edition("resident", "kiban-other"))["register-returns"]
    bring(town, OLD)
    assert everything(town)["resident.memo"] == before["resident.memo"]
    with town.session(EAST_CLERK) as session:
        session.record("メモ", key(1), [Change("resident.memo", {**note, "memorenban": 2})])
    assert_sound(town)


def test_types_change_there_and_back_without_a_change_of_any_value(town: Store) -> None:
    move_in(town, person("21", todokedenengappi="0000-01-01", shorinengappi="2024-02-29"))
    before = everything(town)
    new = town.library.edition("resident", NEW)
    jumin = new.group("jumin")
    flipped = {"allows_unknown_date": not jumin.item("shorinengappi").allows_unknown_date}
    groups = with_items(
        new, "jumin", rirekibango={"type": "X"}, shorinengappi=flipped, todokedenengappi=flipped,
        saishutorokujusho={"repeat": 3},
    )  # fmt: skip
    changed(town, groups=groups)
    bring(town, "kiban-test")
    with town.session(CITY_HALL) as session:
        [row] = session.read("resident.jumin", TODAY, atenabango=key(21))
        assert (row["rirekibango"], row["todokedenengappi"], row["shorinengappi"]) == (
            "1",
            "0000-01-01",
            "2024-02-29",
        )
    assert_sound(town)
    bring(town, OLD)
    after = everything(town)
    for rows in after["resident.jumin"]:
        del rows["shimei_furigana_kisainengappi"]
    assert after == before
    assert_sound(town)


def test_an_edition_that_renames_the_key_carries_references_and_closings_over(
    town: Store, tmp_path: Any
) -> None:
    changed(town, **renamed_key(town, tmp_path))

    def meanwhile(step: str, done: int, _total: int) -> None:
        if step == "digest":
            move_in(town, person("1", "後　一郎", "アト", rirekibango=9), Period(date(2024, 1, 1)))

    bring(town, "kiban-test", progress=meanwhile)
    with town.session(EAST_CLERK) as session:
        history = session.history("resident.jumin", atenabango_shin=key(1))
        assert [row["shimei"] for row in history][-1] == "後　一郎"
        session.record("転居", key(1), [Change("resident.ido", rekeyed(moving("I7", key(1))))])
        with pytest.raises(Problem, match="reference-missing"):
            session.record("転居", "404", [Change("resident.ido", rekeyed(moving("I8", "404")))])
    assert_sound(town)
    bring(town, OLD)
    assert_sound(town)


def rekeyed(row: dict[str, Any]) -> dict[str, Any]:
    return {"atenabango_shin" if name == "atenabango" else name: value for name, value in row.items()}


def renamed_key(city: Store, folder: Any) -> dict[str, Any]:
    """The parts of an edition in which the 宛名番号 has another romaji, wherever it stands."""
    made = folder / "edition"
    shutil.copytree(city.library.edition("resident", NEW).folder, made)
    for file in ("items.csv", "business.yaml"):
        text = (made / file).read_text(encoding="utf-8")
        (made / file).write_text(
            re.sub(r"(?<![a-z_])atenabango(?![a-z_])", "atenabango_shin", text), encoding="utf-8"
        )
    loaded = standard.load(made)
    renames = {**loaded.renames, "atenabango": "atenabango_shin"}
    return {"groups": loaded.groups, "renames": renames, "protection": loaded.protection}
