"""Nobody comes out of a migration less protected than the legacy system says; every way to be so is seen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban.kernel import ALL_WARDS, Actor, Problems
from kiban.migration import proof
from kiban.migration.proof import Judged, Measure, Place, Shield

from .migrated import Case

HALL = Actor("hall", None, ALL_WARDS, "試験", protected=True)
FULL = Measure("1", "2", "0", True, "2026-01-01", "2026-12-31", frozenset({"a", "b"}))


def judged(case: Case) -> dict[str, Judged]:
    """Everybody whose protection is not the same on both sides."""
    said = proof.declared(case.plan)
    source = proof.in_source(case.decoded, said, case.plan.cut_date)
    with case.work.open_store() as opened:
        stored = proof.in_store(opened, said, case.plan.cut_date, HALL, source)
    return {one.person: one for one in proof.judge(source, stored) if one.verdict != "equal"}


def people(owner: psycopg.Connection[Any], role: str = "1") -> list[tuple[str, str]]:
    """Measures in force with a person who has this role in them."""
    return owner.execute(
        "SELECT t.shiensochibango, t.atenabango FROM resident.shiensochi_taishosha t JOIN resident.shiensochi s "
        "USING (shiensochibango) WHERE s.valid_to = 'infinity' AND t.valid_to = 'infinity' AND s.shiensochijotai <> '4' "
        "AND t.taishoshakubun = %s ORDER BY 1, 2",
        (role,),
    ).fetchall()


def test_a_sound_load_protects_everybody_as_before(case: Case) -> None:
    assert judged(case) == {}


@pytest.mark.parametrize(
    ("spoil", "verdict", "reason"),
    [
        ("DELETE FROM resident.shiensochi WHERE shiensochibango = %(measure)s", "weaker", "measure"),
        ("DELETE FROM resident.shiensochi_taishosha WHERE shiensochibango = %(measure)s", "weaker", "measure"),
        ("UPDATE resident.shiensochi SET shiensochijotai = '4' WHERE shiensochibango = %(measure)s", "weaker", "state"),
        ("UPDATE resident.shiensochi SET shiensochijotai = '1' WHERE shiensochibango = %(measure)s", "weaker", "state"),
        (
            "UPDATE resident.shiensochi SET yokushi_utsushi_genjusho = '0' WHERE shiensochibango = %(measure)s",
            "weaker",
            "scope:yokushi_utsushi_genjusho",
        ),
        (
            "UPDATE resident.shiensochi SET shiensochishuryonengappi = shiensochishuryonengappi - 1 "
            "WHERE shiensochibango = %(measure)s",
            "weaker",
            "end",
        ),
        (
            "UPDATE resident.shiensochi SET shiensochikaishinengappi = shiensochikaishinengappi + 1 "
            "WHERE shiensochibango = %(measure)s",
            "weaker",
            "start",
        ),
        (
            "UPDATE resident.shiensochi SET karishiensochifuragu = '1' WHERE shiensochibango = %(measure)s",
            "weaker",
            "provisional",
        ),
        ("DELETE FROM resident.shiensochi_kagaisha WHERE shiensochibango = %(measure)s", "weaker", "aggressor"),
        (
            "UPDATE resident.shiensochi_taishosha SET taishoshakubun = '2' WHERE atenabango = %(person)s",
            "weaker",
            "role",
        ),
        ("UPDATE resident.jumin SET shiensochifuragu = '0' WHERE atenabango = %(person)s", "weaker", "flag"),
        (
            "UPDATE resident.shiensochi SET valid_to = '2026-10-01' WHERE shiensochibango = %(measure)s AND valid_to = 'infinity'",
            "weaker",
            "measure",
        ),
        (
            "UPDATE resident.shiensochi SET shiensochishuryonengappi = shiensochishuryonengappi + 1 "
            "WHERE shiensochibango = %(measure)s",
            "stronger",
            "end",
        ),
    ],
)  # fmt: skip
def test_each_way_to_protect_somebody_less_is_seen(case: Case, spoil: str, verdict: str, reason: str) -> None:
    with case.owner() as owner:
        kept = people(owner)
        measure, person = next(
            pair
            for pair in kept
            if owner.execute(
                "SELECT 1 FROM resident.shiensochi_kagaisha WHERE shiensochibango = %s", pair[:1]
            ).fetchone()
        )
        done = owner.execute(spoil.encode(), {"measure": measure, "person": person})
        assert done.rowcount >= 1
    found = judged(case)
    assert person in found
    assert (found[person].verdict, reason in found[person].reasons) == (verdict, True)
    with case.owner() as owner:
        told = owner.execute(
            "SELECT atenabango FROM resident.shiensochi_taishosha WHERE shiensochibango = %s", (measure,)
        ).fetchall()
    assert set(found) <= {person} | {number for (number,) in told} | {number for _, number in kept}


def test_a_co_protected_person_who_is_lost_is_named_and_the_others_are_not(case: Case) -> None:
    with case.owner() as owner:
        [(_, person), *_] = people(owner, role="2")
        owner.execute("DELETE FROM resident.shiensochi_taishosha WHERE atenabango = %s", (person,))
        owner.execute("UPDATE resident.jumin SET shiensochifuragu = '0' WHERE atenabango = %s", (person,))
    found = judged(case)
    assert [(one.person, one.verdict) for one in found.values()] == [(person, "missing")]


def test_a_weaker_person_closes_the_gate_and_the_certificate_names_nobody(case: Case) -> None:
    with case.owner() as owner:
        measure, person = people(owner)[0]
        owner.execute("DELETE FROM resident.shiensochi WHERE shiensochibango = %s", (measure,))
    result = case.reconcile()
    assert result.gate is not None and not result.gate.open and result.out is not None
    assert any("保護が、旧システムより弱く" in reason for reason in result.gate.reasons)
    lines = {line["person"]: line for line in case.told("protection")}
    assert (lines[person]["verdict"], lines[person]["reasons"]) == ("weaker", ["measure"])
    text = (result.out / "certificate.json").read_text(encoding="utf-8")
    assert person not in text and measure not in text
    certificate = case.certificate()
    assert certificate["protection"]["weaker"] >= 1
    secret = [one for one in certificate["registers"] if one["register"].startswith("resident.shiensochi")]
    assert len(secret) == 3
    assert all(one["confidential"] and one["cells"] == [] for one in secret)
    assert not any("区281" in reason for reason in result.gate.reasons)
    gone = [line for line in case.told("differences") if line["register"] == "resident.shiensochi"]
    assert {(line["what"], line["file"]) for line in gone} == {("missing", "SHIEN")}


def test_a_measure_that_never_reached_the_database_is_missed_from_the_records_that_came(case: Case) -> None:
    """Digests agree where cleansing rejected it on both sides; protection is held against every record that came."""
    with case.owner() as owner:
        measure, person = people(owner)[0]
        for group in ("shiensochi_kagaisha", "shiensochi_taishosha", "shiensochi"):
            owner.execute(f"DELETE FROM resident.{group} WHERE shiensochibango = %s".encode(), (measure,))
    assert judged(case)[person].verdict == "weaker"  # her own record's flag is all that is left
    assert judged(case)[person].reasons == ("measure",)


def test_what_cannot_be_read_in_the_source_protects(case: Case, tmp_path: Path) -> None:
    decoded = tmp_path / "decoded"
    for name in ("SH-REC", "SH-TAISHO", "JK-DATA"):
        (decoded / name).mkdir(parents=True)
        for path in (case.decoded / name).glob("*.parquet"):
            table = pq.read_table(path)
            for field in {"SH-REC": ("SH-JOTAI", "SH-YK-ZENZENHON", "SH-SHURYO-YMD")}.get(name, ()):
                at = table.schema.get_field_index(field)
                kind = table.schema.field(at)
                table = table.set_column(at, kind, pa.nulls(table.num_rows, kind.type))
            pq.write_table(table, decoded / name / path.name)
    said = proof.declared(case.plan)
    source = proof.in_source(decoded, said, case.plan.cut_date)
    before = proof.in_source(case.decoded, said, case.plan.cut_date)
    assert source.protected >= before.protected
    assert all(
        m.on and "yokushi_fuhyo_zenzenhonseki" in m.scope for some in source.measures.values() for m in some
    )
    with case.work.open_store() as opened:
        stored = proof.in_store(opened, said, case.plan.cut_date, HALL, source)
    assert {one.verdict for one in proof.judge(source, stored)} <= {"weaker", "missing"}


# ---- the order of strength -------------------------------------------------------------------------------------------

_DAYS = st.none() | st.sampled_from(["2026-01-01", "2026-06-30", "2026-12-31"])
_MEASURES = st.builds(
    Measure,
    number=st.just("1"),
    state=st.sampled_from(["1", "2"]),
    provisional=st.sampled_from(["0", "1"]),
    on=st.booleans(),
    start=_DAYS,
    end=_DAYS,
    scope=st.frozensets(st.sampled_from("abc")),
)


def shield(measure: Measure, flag: bool = False, aggressors: frozenset[str] = frozenset()) -> Shield:
    return Shield(
        {"1": (measure,)}, {"p": (Place("1", "1"),)}, {"1": aggressors}, frozenset({"p"} if flag else ())
    )


@given(_MEASURES, st.booleans(), st.frozensets(st.sampled_from("xy")))
def test_the_same_protection_is_never_weaker(
    measure: Measure, flag: bool, aggressors: frozenset[str]
) -> None:
    one = shield(measure, flag, aggressors)
    assert {each.verdict for each in proof.judge(one, one)} <= {"equal"}


@given(_MEASURES, _MEASURES)
def test_two_sides_are_never_each_stronger_than_the_other(one: Measure, other: Measure) -> None:
    there = {each.verdict for each in proof.judge(shield(one), shield(other))}
    back = {each.verdict for each in proof.judge(shield(other), shield(one))}
    assert not (there == {"stronger"} and back == {"stronger"})
    if one != other and (one.on or other.on):
        assert (there | back) & {"weaker", "missing"}


@pytest.mark.parametrize(
    ("stored", "verdict"),
    [
        (replace(FULL, scope=frozenset({"a", "b", "c"})), "stronger"),
        (replace(FULL, scope=frozenset({"a", "c"})), "weaker"),
        (replace(FULL, end=None), "stronger"),
        (replace(FULL, end="2026-12-30"), "weaker"),
        (replace(FULL, start="2025-12-31"), "stronger"),
        (replace(FULL, start=None), "weaker"),
        (replace(FULL, provisional="1"), "weaker"),
        (replace(FULL, on=False), "missing"),
    ],
)
def test_only_what_is_provably_stronger_counts_so(stored: Measure, verdict: str) -> None:
    assert [each.verdict for each in proof.judge(shield(FULL), shield(stored))] == [verdict]


def test_of_two_records_of_a_measure_the_stronger_one_has_to_be_kept() -> None:
    twice = Shield({"1": (FULL, replace(FULL, scope=frozenset({"a", "b", "c"})))}, {"p": (Place("1", "1"),)})
    assert [each.verdict for each in proof.judge(twice, shield(FULL))] == ["weaker"]


# ---- the declaration -------------------------------------------------------------------------------------------------


def test_every_fault_of_the_declaration_is_told_with_its_line(case: Case, tmp_path: Path) -> None:
    text = (case.plan.folder / proof.DECLARED).read_text(encoding="utf-8")
    text = text.replace("item: shiensochijotai", "item: shiensochijotaii").replace(
        "register: resident.jumin", "register: resident.yumin"
    )
    text = text.replace('digits: "10"', "digits: ten", 1).replace("  role:", "  rolle:")
    (tmp_path / proof.DECLARED).write_text(text, encoding="utf-8")
    with pytest.raises(Problems) as refused:
        proof.declared(replace(case.plan, folder=tmp_path))
    told = [(one.code, (one.where or "").split(":")[0]) for one in refused.value.problems]
    assert sorted(code for code, _ in told) == [
        "field-form",
        "field-missing",
        "field-unknown",
        "group-unknown",
        "item-unknown",
    ]
    assert {where for _, where in told} == {proof.DECLARED}


def test_a_project_that_declares_nothing_is_refused_and_one_that_holds_nothing_says_why(
    case: Case, tmp_path: Path
) -> None:
    bare = replace(case.plan, folder=tmp_path)
    with pytest.raises(Problems, match="not_held"):
        proof.declared(bare)
    (tmp_path / proof.DECLARED).write_text("not_held: 税務だけを移す\n", encoding="utf-8")
    assert proof.declared(bare).not_held == "税務だけを移す"
    assert proof.not_protected("税務だけを移す")["people"] == 0


def test_names_that_no_file_has_are_refused_for_they_would_protect_nobody(case: Case, tmp_path: Path) -> None:
    text = (case.plan.folder / proof.DECLARED).read_text(encoding="utf-8")
    text = text.replace("segment: SH-TAISHO", "segment: SH-TAISYO").replace(
        "field: JK-SHIEN-FLG", "field: JK-SIEN-FLG"
    )
    (tmp_path / proof.DECLARED).write_text(text, encoding="utf-8")
    shutil.copytree(case.plan.folder / "copybooks", tmp_path / "copybooks")
    with pytest.raises(Problems) as refused:
        proof.declared(replace(case.plan, folder=tmp_path))
    assert {(one.code, (one.fix or "").split("?")[0]) for one in refused.value.problems} == {
        ("protection-segment", "did you mean SH-TAISHO"),
        ("protection-field", "did you mean JK-SHIEN-FLG"),
    }


def test_a_field_that_was_not_decoded_is_refused_by_name(case: Case) -> None:
    said = proof.declared(case.plan)
    assert said.flag is not None
    with pytest.raises(Problems) as refused:
        proof.in_source(
            case.decoded, replace(said, flag=replace(said.flag, since="JK-KAISHI")), case.plan.cut_date
        )
    assert {one.code for one in refused.value.problems} == {"protection-field"}


def test_a_city_without_a_measure_protects_nobody_and_says_so(case: Case, tmp_path: Path) -> None:
    (tmp_path / "JK-DATA").mkdir()
    for path in (case.decoded / "JK-DATA").glob("*.parquet"):
        table = pq.read_table(path)
        at = table.schema.get_field_index("JK-SHIEN-FLG")
        pq.write_table(
            table.set_column(at, table.schema.field(at), pa.array(["0"] * table.num_rows)),
            tmp_path / "JK-DATA" / path.name,
        )
    source = proof.in_source(tmp_path, proof.declared(case.plan), case.plan.cut_date)
    assert source.protected == set()
    assert proof.protected(source, proof.judge(source, Shield()))["people"] == 0
