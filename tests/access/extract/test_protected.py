"""Nothing of protected persons leaves: not in rows, joins, totals, previews; not by a lift; not in a file made before."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.linkage.protection.conftest import measure
from tests.store.conftest import CITY_HALL, SINCE, move_in, person

from kiban.access import extract
from kiban.kernel import Problem
from kiban.store import Change

from .conftest import JUMIN, Town

NAMES = {**JUMIN, "items": ["atenabango", "shimei"], "order": ["atenabango"]}
HER = "77".zfill(15)


def protect(town: Town, number: str) -> None:
    row = {**person(number, "秋山　静"), "shiensochifuragu": "1"}
    with town.store.session(CITY_HALL) as session:
        session.record("支援", number, [Change("resident.jumin", row, SINCE), *measure(number[-1], number)])


def lines(town: Town, body: dict[str, Any]) -> list[list[str]]:
    job = town.run(body)
    assert job.state == "done", job.problems
    with town.path(job).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))[1:]


@pytest.fixture(scope="module", autouse=True)
def _her(opened: Town) -> None:
    move_in(opened.store, person(HER, "秋山　静", "アキヤマ　シズカ"))
    card = {
        "atenabango": HER, "rirekibango": 1, "shiteitoshi_gyoseikutokodo": "281018", "kojinbangokado_hakkojokyo": "1",
        "jukikado_hakkojokyo": "0",
    }  # fmt: skip
    with opened.store.session(CITY_HALL) as session:
        session.record("交付", HER, [Change("resident.kojinbangokado", card, SINCE)])


def test_a_file_made_before_she_was_protected_is_not_given_out_any_more(town: Town) -> None:
    before = town.run(NAMES)
    with town.path(before).open(encoding="utf-8-sig") as file:
        assert HER in file.read()
    protect(town, HER)
    with pytest.raises(Problem) as refused:
        town.path(before)
    assert refused.value.code == "extract-stale"


def test_she_is_in_no_row_join_total_or_preview(town: Town) -> None:
    assert HER not in {row[0] for row in lines(town, NAMES)}
    rows = len(lines(town, NAMES))
    assert lines(town, {**JUMIN, "totals": {"distinct": ["atenabango"]}}) == [[str(rows), str(rows)]]
    assert lines(town, {**NAMES, "where": [{"item": "atenabango", "is": HER}]}) == []
    assert lines(town, {**NAMES, "history": "yes", "where": [{"item": "atenabango", "is": HER}]}) == []
    for main, other in (("jumin", "ido"), ("ido", "jumin")):
        join = {"main": main, "join": [{"group": other, "by": "atenabango"}]}
        assert HER not in {
            row[0] for row in lines(town, {**NAMES, **join, "items": ["jumin.atenabango"], "order": []})
        }
    asked = extract.query_in(NAMES)
    assert HER not in town.extracts.preview(asked, town.statistician).subjects


def test_a_lift_opens_her_to_eyes_and_never_to_a_file(town: Town) -> None:
    now = town.clock()
    officer = replace(CITY_HALL, id="officer")
    with town.store.session(officer) as session:
        lift = session.ask_lift(
            HER, "200001", "窓口での照会", now, now + timedelta(hours=1), timedelta(days=1)
        )
    with town.store.session(replace(officer, id="chief")) as session:
        session.grant_lift(lift)
    job = town.run(NAMES)
    assert (job.state, job.problems[0]["code"]) == ("failed", "extract-lifted")
    with pytest.raises(Problem) as refused:
        town.extracts.preview(extract.query_in(NAMES), town.statistician)
    assert refused.value.code == "extract-lifted"
    town.clock.ahead = timedelta(hours=2)
