"""From a newer unload to the proof: a delta goes through the same stages as the full load, and the same reconciliation."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiban import migration, town
from kiban.kernel import Problems
from kiban.migration.delta import KIND
from kiban.migration.stages import for_delta

from .migrated import STAGES, Case, Migrated, work_in
from .moving import library
from .newer import DAY


def test_a_newer_unload_goes_through_the_same_stages_and_the_same_proof(
    case: Case, migrated: Migrated, tmp_path: Path
) -> None:
    known = library()
    report = town.later(
        migrated.project.parents[1] / "town",
        tmp_path / "town",
        resident=known.edition("resident"),
        nonresident=known.edition("nonresident_addressee"),
        residents=40,
        as_of=DAY,
    )
    town.unload(tmp_path / "town", tmp_path / "newer", processes=1)
    given = migration.load_plan(migrated.project, tmp_path / "newer" / "unload", known)
    plan = migration.newer(given, DAY)
    stages, work = for_delta(STAGES), work_in(tmp_path / "delta", case.server)
    results = migration.run(stages, plan, work)
    assert [one.stage.name for one in results][-2:] == ["apply", "reconcile"]
    assert all(one.gate is not None and one.gate.open for one in results), [one.gate for one in results]
    applied, proof = results[-2:]
    assert applied.out is not None and applied.summary is not None and proof.summary is not None
    assert applied.summary["vanished"] == 0 < applied.summary["new"]
    assert proof.summary["differences"] == 0 < proof.summary["protected"]
    with case.owner() as owner:
        told = "SELECT DISTINCT c -> 'subject' ->> 'atenabango' FROM kiban.event e, jsonb_array_elements(e.payload -> 'changes') c "
        recorded = owner.execute(
            told + "WHERE e.kind = %s AND c ->> 'register' = 'resident.jumin'", (KIND,)
        ).fetchall()
    assert {number for (number,) in recorded} == {change.person for change in report.changes}
    assert [one.state for one in migration.status(stages, plan, work)] == ["done"] * len(stages)


def test_the_files_of_another_day_are_no_delta_of_this_one(
    case: Case, migrated: Migrated, tmp_path: Path
) -> None:
    plan = migration.newer(case.plan, DAY)  # the unload is still that of the load
    with pytest.raises(Problems, match="file-stale"):
        migration.run(for_delta(STAGES), plan, work_in(tmp_path / "delta", case.server))
