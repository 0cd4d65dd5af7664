"""Extracts run beside everything else: whole files or none, private, counted, and gone after their days."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from kiban import store
from kiban.access import extract
from kiban.access.audit import Wanted
from kiban.kernel import Problem, Problems

from .conftest import EAST, JUMIN, NADA, Town

NAMES: dict[str, Any] = {**JUMIN, "items": ["atenabango", "shimei", "juminjotai"], "order": ["atenabango"]}


def cells(data: bytes, encoding: str = "utf-8-sig") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(encoding))))


def test_a_csv_has_official_titles_and_leading_zeros_and_a_manifest_that_counts_it(town: Town) -> None:
    job = town.run({**NAMES, "title": "住民の一覧"})
    assert (job.state, job.rows) == ("done", 11)
    file = town.path(job)
    head, *rows = cells(file.read_bytes())
    assert head == ["宛名番号", "氏名", "住民状態"]
    assert [row[0] for row in rows] == [str(n).zfill(15) for n in (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12)]
    assert job.manifest is not None
    told = job.manifest["files"][0]
    assert (told["rows"], told["bytes"]) == (11, file.stat().st_size)
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    kept = json.loads(town.extracts.file(job, extract.MANIFEST, town.statistician).read_text())
    assert (kept["staff"], kept["reason"], kept["query"]["main"]) == ("200001", "試験のため", "jumin")
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


def test_excel_holds_every_cell_as_text(town: Town) -> None:
    job = town.run({**NAMES, "output": {"form": "xlsx"}})
    sheet = openpyxl.load_workbook(town.path(job)).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("宛名番号", "氏名", "住民状態")
    assert rows[1][0] == "1".zfill(15)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}


def test_parquet_keeps_types_and_codes_get_their_names_beside_them(town: Town) -> None:
    job = town.run(
        {**JUMIN, "items": ["juminshubetsu", {"age": "seinengappi", "on": "2026-10-01"}], "codes": "both"}
        | {"output": {"form": "parquet", "titles": "romaji"}}
    )
    table = pq.read_table(town.path(job))
    assert table.column_names == ["juminshubetsu", "juminshubetsu_label", "seinengappi_age"]
    assert set(table["juminshubetsu_label"].to_pylist()) == {"日本人住民"}
    assert set(table["seinengappi_age"].to_pylist()) == {36}


def test_each_ward_gets_a_file_or_a_line_of_totals(town: Town) -> None:
    job = town.run({**NAMES, "split": "files"})
    assert job.manifest is not None
    assert [(each["name"], each["rows"]) for each in job.manifest["files"]] == [
        (f"{EAST}.csv", 7),
        (f"{NADA}.csv", 4),
    ]
    job = town.run(
        {
            **JUMIN,
            "split": "totals",
            "totals": {"distinct": ["atenabango"]},
            "order": ["shiteitoshi_gyoseikutokodo"],
        }
    )
    assert cells(town.path(job).read_bytes())[1:] == [[EAST, "7", "7"], [NADA, "4", "4"]]


def test_rows_of_chosen_wards_alone_and_nobody_else_fetches_them(town: Town) -> None:
    job = town.run({**NAMES, "wards": [EAST]}, town.officer)
    assert job.rows == 7
    with pytest.raises(Problem) as refused:
        town.path(job)  # the statistician did not ask for it
    assert refused.value.code == "not-allowed"


def test_the_history_has_its_days(town: Town) -> None:
    body = {
        **JUMIN,
        "items": ["shimei"],
        "where": [{"item": "atenabango", "is": "1".zfill(15)}],
        "history": "yes",
    }
    head, *rows = cells(town.path(town.run(body)).read_bytes())
    assert head == ["氏名", "有効_開始日", "有効_終了日"]
    assert len(rows) == 4
    assert ["訂正　一郎", "2021-01-01", "2022-01-01"] in rows


def test_nothing_of_an_item_that_may_not_leave_is_made(town: Town) -> None:
    with pytest.raises(Problems) as refused:
        town.run({**JUMIN, "items": ["kojinbango"]})
    assert [each.code for each in refused.value.problems] == ["item-hidden"]
    with pytest.raises(Problem) as refused_all:
        town.run(NAMES, town.clerk)
    assert refused_all.value.code == "not-allowed"


def test_what_was_allowed_when_it_was_asked_is_asked_again_when_it_runs_and_when_it_is_fetched(
    town: Town,
) -> None:
    grant = town.statistician
    handle = town.extracts.ask(extract.query_in(NAMES), grant, "試験")
    with town.access.books.transaction() as page:  # somebody alters what waits
        page.run(
            """UPDATE extract_job SET body = jsonb_set(body, '{items}', '["kojinbango"]') WHERE job = %s""",
            (handle,),
        )
    assert town.worker.next()
    job = town.extracts.desk.job(handle, "200001")
    assert (job.state, job.problems[0]["code"]) == ("failed", "item-hidden")
    made = town.run(NAMES)
    with town.access.books.transaction() as page:
        page.run(
            """UPDATE extract_job SET body = jsonb_set(body, '{items}', '["kojinbango"]') WHERE job = %s""",
            (made.job,),
        )
    with pytest.raises(Problems):
        town.path(town.extracts.desk.job(made.job, "200001"))


def test_a_worker_that_was_killed_leaves_nothing_to_fetch_and_another_begins_anew(town: Town) -> None:
    handle = town.extracts.ask(extract.query_in(NAMES), town.statistician, "試験")
    desk = town.extracts.desk
    dead = desk.take(town.clock(), 1)
    assert dead is not None
    half = town.folder / f"{dead.folder}.half"
    half.mkdir(parents=True)
    (half / "all.parquet").write_bytes(b"half")
    assert not town.worker.next()  # it may be alive
    with pytest.raises(Problem):
        town.extracts.file(desk.job(handle, "200001"), "all.parquet", town.statistician)
    town.clock.ahead = extract.SILENT * 2
    assert town.worker.next()
    job = desk.job(handle, "200001")
    assert (job.state, job.attempt, job.rows) == ("done", 2, 11)
    assert not desk.done(
        dead, town.clock(), {}, 0
    )  # the first comes back to life: it is not its job any more
    assert not desk.beat(dead, town.clock(), "", 0)
    assert desk.job(handle, "200001").manifest == job.manifest
    town.worker.sweep()
    assert not half.exists()
    assert town.path(job).exists()


def test_a_job_whose_workers_die_again_and_again_is_given_up(town: Town) -> None:
    handle = town.extracts.ask(extract.query_in(NAMES), town.statistician, "試験")
    for attempt in range(1, extract.ATTEMPTS + 1):
        taken = town.extracts.desk.take(town.clock(), 1)
        assert taken is not None
        assert taken.attempt == attempt
        town.clock.ahead += extract.SILENT * 2
    assert town.extracts.desk.take(town.clock(), 1) is None
    job = town.extracts.desk.job(handle, "200001")
    assert (job.state, job.problems[0]["code"]) == ("failed", "extract-given-up")


def test_one_runs_at_a_time_in_the_order_of_asking_and_nobody_fills_the_queue(town: Town) -> None:
    asked = [
        town.extracts.ask(extract.query_in(NAMES), town.statistician, "試験")
        for _ in range(extract.OPEN_MOST)
    ]
    with pytest.raises(Problem) as refused:
        town.extracts.ask(extract.query_in(NAMES), town.statistician, "試験")
    assert refused.value.code == "extracts-many"
    first = town.extracts.desk.take(town.clock(), 1)
    assert first is not None
    assert first.job == asked[0]
    assert town.extracts.desk.take(town.clock(), 1) is None
    second = town.extracts.desk.take(town.clock(), 2)
    assert second is not None
    assert second.job == asked[1]


def test_a_cancelled_extract_leaves_no_file(town: Town) -> None:
    desk = town.extracts.desk
    waiting = town.extracts.ask(extract.query_in(NAMES), town.statistician, "試験")
    desk.cancel(waiting, "200003", town.clock())  # not hers
    assert desk.job(waiting, "200001").state == "waiting"
    desk.cancel(waiting, "200001", town.clock())
    assert desk.job(waiting, "200001").state == "cancelled"
    running = town.extracts.ask(extract.query_in(NAMES), town.statistician, "試験")
    taken = desk.take(town.clock(), 1)
    assert taken is not None
    desk.cancel(running, "200001", town.clock())
    town.worker._run(desk, taken, _Quiet())  # type: ignore[arg-type]
    assert desk.job(running, "200001").state == "cancelled"
    assert not list(town.folder.glob(f"{running}*"))


class _Quiet:
    """A pulse that has not heard yet that the job is to end."""

    ended = False

    def tick(self, _step: str, _rows: int) -> None: ...

    def watching(self, _interrupt: Any) -> Any:
        from contextlib import nullcontext

        return nullcontext()


def test_files_go_after_their_days_and_who_asked_for_what_is_kept(town: Town) -> None:
    job = town.run(NAMES)
    file = town.path(job)
    town.worker.sweep()
    assert file.exists()
    town.clock.ahead = extract.KEPT + timedelta(hours=1)
    town.worker.sweep()
    assert not file.exists()
    gone = town.extracts.desk.job(job.job, "200001")
    assert (gone.state, gone.body["main"]) == ("gone", "jumin")
    with pytest.raises(Problem):
        town.path(gone)


def test_the_trail_says_that_it_was_made_and_never_what_was_asked(town: Town) -> None:
    body = {**NAMES, "where": [{"item": "shimei", "begins": "住民"}]}
    job = town.run(body)
    found = [
        e.line
        for e in town.access.audit.lines(Wanted(kinds=("extract",))).entries
        if e.line.detail.get("job") == job.job
    ]
    assert [(line.outcome, line.detail["act"], line.actor, line.duty) for line in found] == [
        ("done", "made", "200001", "euc")
    ]
    assert "住民" not in str(found[0].detail)
    seen = store.lookups(town.store, store.LookupsWanted(actor="200001"))
    assert any(job.job in each.asked for each in seen)  # the store is the witness of what was read
