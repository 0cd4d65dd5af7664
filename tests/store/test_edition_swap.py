"""While a new edition is being built and swapped in: everybody goes on, and whatever is cut leaves a sound store."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban import store
from kiban.kernel import AsOf, Period, Problem
from kiban.store import Change, Query, Store, publish, rebuild

from .conftest import CITY_HALL, EAST, EAST_CLERK, KEY, NADA_CLERK, SINCE, move_in, person
from .people import (
    NEW,
    OLD,
    RECODED,
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

PEOPLE = [key(n) for n in range(1, 13) if n != 4]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies three subjects at a time, so that a few people make many ranges."""
    monkeypatch.setattr(rebuild, "_CHUNK_ROWS", 3)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A swap that gives up soon."""
    monkeypatch.setattr(publish, "_SWAP_WAIT_MS", 50)
    monkeypatch.setattr(publish, "_SWAP_ATTEMPTS", 3)


@pytest.mark.usefixtures("small_chunks")
def test_events_recorded_while_rows_are_copied_come_over_as_well(town: Store) -> None:
    numbers = iter(range(40, 90))
    seen: dict[str, Any] = {}

    def meanwhile(step: str, done: int, _total: int) -> None:
        if step in ("copy resident.jumin", "keys resident.jumin", "copy resident.ido", "digest"):
            number = next(numbers)
            move_in(
                town,
                person("1", f"前　{number}郎", "マエ"),
                Period(date(2025, 2, 1), date(2025, 3, number % 28 + 1)),
            )
            move_in(
                town,
                person("12", f"後　{number}郎", "アト", saishutorokujushochi=f"{done}"),
                Period(date(2025, 5, 1)),
            )
            move_in(town, person(str(number), shojojiyu="2A", nyuryokutanmatsuid="T"))
            gone = Change("resident.jumin", None, Period(date(2026, 1, 1)), {"atenabango": key(number - 1)})
            moved = Change("resident.ido", moving(f"I{number}", key(5)))
            with town.session(CITY_HALL) as session:
                session.record("転出", key(number - 1), [gone, moved] if number > 40 else [moved])
        seen[step] = everything(town) if step == "digest" else {}

    bring(town, progress=meanwhile)
    assert next(numbers) > 50
    after = everything(town)
    assert after["resident.jumin"] == carried(seen["digest"]["resident.jumin"])
    assert after["resident.ido"] == seen["digest"]["resident.ido"]
    assert_sound(town)


@pytest.mark.usefixtures("small_chunks")
def test_readers_and_writers_never_miss_a_person_and_never_meet_an_error(town: Store) -> None:
    stop = threading.Event()
    failures: list[BaseException] = []
    rounds: dict[str, int] = {}

    def at_work(name: str, work: Callable[[Store, int], None]) -> threading.Thread:
        def run() -> None:
            try:
                # A process of its own knows nothing of what happens here.
                with Store(town.server, town.library, KEY) as own:
                    while not stop.is_set():
                        work(own, rounds.setdefault(name, 0))
                        rounds[name] += 1
            except BaseException as error:  # noqa: BLE001 - shown below
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def read(own: Store, turn: int) -> None:
        with own.session(CITY_HALL) as session:
            for number in (PEOPLE[turn % 11], PEOPLE[(turn + 5) % 11]):
                assert session.read("resident.jumin", AsOf(date(2020, 5, 1)), atenabango=number), number
                assert session.history("resident.jumin", atenabango=number)

    def find(own: Store, _turn: int) -> None:
        with own.session(CITY_HALL) as session:
            page = session.search("resident.jumin", Query(as_of=TODAY.valid, kana="ジュウミン"))
            assert {hit.subject for hit in page.hits} >= set(PEOPLE[3:])
            assert all(hit.row for hit in page.hits)

    def count(own: Store, turn: int) -> None:
        column, name = [("atenabango", "resident.jumin"), ("宛名番号", "住民基本台帳.住民")][turn % 2]
        with own.session(CITY_HALL) as session:
            [row] = session.sql(f"SELECT count(DISTINCT {column}) AS n FROM {name}")
            assert row["n"] >= 12

    def export(own: Store, _turn: int) -> None:
        assert sum(b.num_rows for b in store.export_arrow(own, "resident.jumin", TODAY, CITY_HALL)) >= 11

    def write(own: Store, turn: int) -> None:
        move_in(own, person(str(1000 + turn)))
        with own.session(CITY_HALL) as session:  # reads, then records: what a clerk does
            [row] = session.read("resident.jumin", TODAY, atenabango=key(9))
            kept = {n: row[n] for n in own.table("resident.jumin").items if row[n] is not None}
            session.record(
                "修正", key(9), [Change("resident.jumin", kept | {"jusho_katagaki": str(turn)}, row["valid"])]
            )

    threads = [at_work(work.__name__, work) for work in (read, find, count, export, write)]
    try:
        while min(rounds.values(), default=0) < 2 and not failures:
            time.sleep(0.01)
        bring(town)
        reached = dict(rounds)
        while any(rounds[name] < reached[name] + 2 for name in reached) and not failures:
            time.sleep(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    with town.session(CITY_HALL) as session:
        for turn in range(rounds["write"]):
            assert session.read("resident.jumin", TODAY, atenabango=key(1000 + turn))
    assert_sound(town)


@pytest.mark.usefixtures("impatient")
def test_a_swap_waits_for_open_sessions_and_holds_nobody_up_for_it(town: Store) -> None:
    told: list[str] = []
    with town.session(EAST_CLERK) as open_session:
        rows = open_session.sql("SELECT count(*) AS n FROM resident.jumin")
        with pytest.raises(Problem, match="sessions-open"):
            bring(town, progress=lambda step, *_: told.append(step))
        assert open_session.sql("SELECT count(*) AS n FROM resident.jumin") == rows
        with town.session(NADA_CLERK) as other:
            assert other.history("resident.jumin", atenabango=key(1))
    assert "wait for open sessions" in told
    assert "was cut" in store.verify(town).notes[0]
    told.clear()
    bring(town, progress=lambda step, *_: told.append(step))
    assert not [step for step in told if step.startswith("copy")]  # it went on with the swap
    assert_sound(town)


@pytest.mark.usefixtures("impatient")
def test_a_swap_waits_for_a_terminal_that_reads_a_register_too(town: Store) -> None:
    with psycopg.connect(town.server.app_dsn) as terminal:
        terminal.execute("SELECT count(*) FROM resident.choaza")  # a register that only gets new labels
        with pytest.raises(Problem, match="sessions-open"):
            bring(town)
        move_in(town, person("21"))
    bring(town)
    assert_sound(town)


def test_one_long_job_at_a_time(town: Store) -> None:
    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "digest":
            for other in (lambda: bring(town), lambda: store.reindex(town, "resident.jumin")):
                with pytest.raises(Problem, match="job-running"):
                    other()

    bring(town, progress=meanwhile)
    assert_sound(town)


def test_a_statement_prepared_before_the_swap_may_give_another_type_after_it(town: Store) -> None:
    new = town.library.edition("resident", NEW)
    changed(town, groups=with_items(new, "jumin", rirekibango={"type": "X"}))
    with Store(town.server, town.library, KEY, connections=1) as other:

        def read() -> list[object]:
            with other.session(CITY_HALL) as session:
                [row] = session.read("resident.jumin", TODAY, atenabango=key(9))
                [again] = session.sql(
                    "SELECT rirekibango FROM resident.jumin WHERE atenabango = %s", [key(9)]
                )
                return [row["rirekibango"], again["rirekibango"]]

        assert [read() for _ in range(7)] == [[1, 1]] * 7
        bring(town, "kiban-test")
        assert read() == ["1", "1"]


_APPLIER = """
import os, sys
from pathlib import Path
from kiban import main, store
from kiban.kernel import ALL_WARDS, Actor
from kiban.settings import Settings
from kiban.store import rebuild
rebuild._CHUNK_ROWS = 3
library = main.library(given=Settings(home=Path("unused")))
owner, app = sys.argv[1:3]
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        print("pid", os.getpid(), flush=True)
        with store.Store(store.Server(owner, app), library, %r) as city:
            edition = library.edition("resident", "kiban-2026.2")
            store.apply(city, edition, Actor("hall", None, ALL_WARDS, "t", protected=True), reviewed=line.strip(),
                        progress=lambda step, done, total: print("step", step, flush=True))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print("ended", status, flush=True)
"""


class Applier:
    """Runs the change of edition in processes of its own, and kills them."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, reviewed: str, lines: int = 0, after: str | None = None, delay: float = 0.0) -> bool:
        """Kill one attempt a moment after a number of lines, or a step, of progress; whether it had ended well before."""
        assert self._process.stdin is not None
        print(reviewed, file=self._process.stdin, flush=True)
        pid = int(self._line().split()[1])
        line = ""
        while lines > 0 or after is not None:
            line = self._line()
            lines -= 1
            if line.startswith("ended"):
                return line.split() == ["ended", "0"]
            if after is not None and line.split()[1:] == [after]:
                break
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while not line.startswith("ended"):
            line = self._line()
        return line.split() == ["ended", "0"]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture
def applier(town: Store) -> Iterator[Applier]:
    command = [sys.executable, "-c", _APPLIER % KEY, town.server.owner_dsn, town.server.app_dsn]
    environment = {**os.environ, "PYTHONWARNINGS": ""}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield Applier(process)
        finally:
            process.kill()


def test_an_apply_killed_at_any_moment_leaves_a_sound_store_and_ends_at_the_same_rows(
    town: Store, applier: Applier
) -> None:
    before = everything(town)
    reviewed = planned(town).digest
    for lines in (1, 2, 4, 7, 12, 20, 99):
        ended = applier.run(reviewed, lines)
        until_alone(town)
        if ended:
            break
        assert_sound(town)
        assert everything(town) == before
        with town.session(EAST_CLERK) as session:
            assert session.search("resident.jumin", Query(as_of=TODAY.valid, kana="クカン")).hits
    assert ended
    assert_sound(town)  # which looks anew at what is in force
    assert everything(town)["resident.jumin"] == carried(before["resident.jumin"])
    assert leftovers(town) == []


def test_an_apply_killed_around_its_swap_has_happened_or_not(town: Store, applier: Applier) -> None:
    before = everything(town)["resident.jumin"]
    for delay in (0.0, 0.03, 0.06, 0.15):
        applier.run(planned(town).digest, after="digest", delay=delay)
        until_alone(town)
        assert_sound(town)
        rows = everything(town)["resident.jumin"]
        if town.applied()["resident"] == NEW:
            assert all(row in rows for row in carried(before))
            bring(town, OLD)
        else:
            assert rows == before
        before = everything(town)["resident.jumin"]


def leftovers(city: Store) -> list[tuple[Any, ...]]:
    """Whatever a job built aside and left."""
    return owner_runs(
        city,
        "SELECT tablename FROM pg_tables WHERE schemaname = 'kiban_shadow' "
        "UNION ALL SELECT indexname FROM pg_indexes WHERE indexname LIKE 'kiban_late%' "
        "UNION ALL SELECT job FROM kiban.job WHERE state = 'running' "
        "UNION ALL SELECT part FROM kiban.job_part p LEFT JOIN kiban.job j USING (job) WHERE j.state IS DISTINCT FROM 'done'",
    )


def until_alone(city: Store) -> None:
    """Wait until the server has noticed that the killed process is gone and has undone its transactions."""
    for _ in range(200):
        if owner_runs(
            city,
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND usename = 'kiban_owner'",
        ) == [(0,)]:
            return
        time.sleep(0.05)
    raise AssertionError("the killed process still holds connections")


class CutError(Exception):
    """Stands for whatever ends an apply half-way."""


def cut_at(step: str) -> Callable[[str, int, int], None]:
    def progress(told: str, _done: int, _total: int) -> None:
        if told == step:
            raise CutError

    return progress


@pytest.mark.usefixtures("small_chunks")
def test_an_apply_that_is_given_up_for_another_job_leaves_nothing(town: Store) -> None:
    with pytest.raises(CutError):
        bring(town, progress=cut_at("keys resident.jumin"))
    assert leftovers(town) != []
    assert_sound(town)
    new = town.library.edition("resident", NEW)
    other = changed(town, groups=tuple(g for g in new.groups if g.id != "memo"))
    bring(town, other.edition)
    assert leftovers(town) == []
    assert_sound(town)


def test_rows_that_came_meanwhile_and_do_not_fit_stop_the_swap_until_they_are_corrected(town: Store) -> None:
    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "digest":
            move_in(town, person("21", nyuryokutanmatsuid="T" * 13))

    with pytest.raises(Problem) as refused:
        bring(town, progress=meanwhile)
    assert refused.value.code == "value-refused"
    assert "nyuryokutanmatsuid" in str(refused.value)
    assert town.applied()["resident"] == OLD
    assert_sound(town)
    assert [p.code for p in planned(town).obstacles] == ["value-refused"]
    move_in(town, person("21", nyuryokutanmatsuid="T" * 12))
    bring(town)
    assert_sound(town)


def test_a_narrower_key_is_refused_where_rows_would_fall_together_and_leaves_nothing(town: Store) -> None:
    with town.session(CITY_HALL) as session:
        session.record("転居", key(2), [Change("resident.ido", moving("I1", key(2)))])
    before = everything(town)
    new = town.library.edition("resident", NEW)
    edition = changed(town, groups=with_items(new, "ido", atenabango={"key": False})).edition
    with pytest.raises(Problem, match="key-duplicate"):
        bring(town, edition)
    assert everything(town) == before
    assert leftovers(town) == []
    edition = changed(town, "kiban-wide", groups=with_items(new, "kyuji", rirekibango={"key": False})).edition
    assert "key, ward or references changed" in [n for s in planned(town, edition).steps for n in s.notes]
    bring(town, edition)
    assert_sound(town)


def test_periods_that_a_narrower_key_joins_are_refused_even_if_they_come_meanwhile(town: Store) -> None:
    def named(number: int) -> None:
        row = {
            "atenabango": key(1), "kyujirenban": number, "rirekibango": 1, "shiteitoshi_gyoseikutokodo": EAST,
            "kyuji": "旧", "kyuji_kisaikubun": "1", "kyuji_kisainengappi": "2020-04-01",
        }  # fmt: skip
        with town.session(CITY_HALL) as session:
            session.record("旧氏", key(1), [Change("resident.kyuji", row, SINCE)])

    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "digest":
            named(2)

    named(1)
    new = town.library.edition("resident", NEW)
    edition = changed(town, groups=with_items(new, "kyuji", kyujirenban={"key": False})).edition
    for progress in (meanwhile, lambda *_: None):  # at the swap, then while building
        with pytest.raises(Problem, match="period-overlap"):
            bring(town, edition, progress=progress)
        assert_sound(town)
        assert town.applied()["resident"] == OLD


FOREIGN = (
    "CREATE SCHEMA euc",
    "CREATE VIEW euc.list AS SELECT shimei FROM resident.jumin",
    "CREATE VIEW euc.again AS SELECT 氏名 FROM 住民基本台帳.住民",
)


def test_a_view_that_somebody_made_on_a_register_is_an_obstacle_and_stays(town: Store) -> None:
    before = everything(town)
    owner_runs(town, *FOREIGN)
    plan = planned(town)
    assert {problem.code for problem in plan.obstacles} == {"view-depends"}
    assert all(view in str(plan.obstacles) for view in ("euc.list", "euc.again"))
    with pytest.raises(Exception, match="view-depends"):
        bring(town)
    assert everything(town) == before
    assert owner_runs(town, "SELECT count(*) > 12 FROM euc.list") == [(True,)]
    assert leftovers(town) == []
    assert_sound(town)


def test_a_view_that_somebody_makes_meanwhile_stops_the_swap_and_stays(town: Store) -> None:
    before = everything(town)
    with pytest.raises(Problem) as refused:
        bring(
            town, progress=lambda step, *_: owner_runs(town, *FOREIGN) and None if step == "digest" else None
        )
    assert (refused.value.code, "euc." in str(refused.value)) == ("view-depends", True)
    assert everything(town) == before
    assert owner_runs(town, "SELECT count(*) > 12 FROM euc.again") == [(True,)]
    assert_sound(town)
    owner_runs(town, "DROP SCHEMA euc CASCADE")
    bring(town)
    assert_sound(town)


def found(city: Store, **asked: Any) -> list[str]:
    with city.session(CITY_HALL) as session:
        page = session.search("resident.jumin", Query(as_of=TODAY.valid, **asked))
    return [hit.subject.lstrip("0") for hit in page.hits]


def searched_by(city: Store, *names: tuple[str, str | None], **parts: Any) -> str:
    """An edition whose search finds people by other names; its ID."""
    new = city.library.edition("resident", NEW)
    section = new.group("jumin").search
    assert section is not None
    groups = tuple(
        replace(g, search=replace(section, names=names, **parts)) if g.id == "jumin" else g
        for g in new.groups
    )
    return changed(city, groups=groups).edition


def test_a_search_section_with_another_meaning_finds_by_its_own_items_whatever_came_meanwhile(
    town: Store,
) -> None:
    move_in(town, person("21", hittosha="山田　太郎"))
    edition = searched_by(town, ("hittosha", None), ("shimei", None))

    def meanwhile(step: str, _done: int, _total: int) -> None:
        if step == "digest":
            move_in(town, person("22", hittosha="山田　次郎"))

    assert "search keys are made anew" in [n for s in planned(town, edition).steps for n in s.notes]
    assert found(town, name="山田") == []
    bring(town, edition, progress=meanwhile)
    assert found(town, name="山田") == ["21", "22"]
    assert found(town, name="区間") == ["3"]
    assert found(town, kana="クカン") == []
    move_in(town, person("23", hittosha="山田　三郎"))
    assert sorted(found(town, name="山田")) == ["21", "22", "23"]
    assert_sound(town)


def test_a_search_section_that_goes_and_returns(town: Store) -> None:
    new = town.library.edition("resident", NEW)
    changed(town, groups=tuple(replace(g, search=None) for g in new.groups))
    bring(town, "kiban-test")
    with pytest.raises(Problem, match="search-missing"):
        found(town, kana="クカン")
    assert_sound(town)
    bring(town, OLD)
    assert found(town, kana="クカン") == ["3"]
    assert_sound(town)


def test_search_keys_are_made_anew_on_demand_while_people_move_in(town: Store) -> None:
    owner_runs(
        town,
        "DELETE FROM resident.jumin_search WHERE subject IN (SELECT subject FROM resident.jumin_search ORDER BY 1 LIMIT 3)",
    )
    assert [p.code for p in store.verify(town).problems] == ["search-incomplete"]
    came: list[int] = []

    def meanwhile(_step: str, _done: int, _total: int) -> None:
        came.append(move_in(town, person("21", kana="ミナミ")))

    made = store.reindex(town, "resident.jumin", meanwhile)
    assert came
    assert owner_runs(town, "SELECT count(*) FROM resident.jumin_search") == [(made,)]
    assert found(town, kana="ミナミ") == ["21"]
    assert found(town, kana="クカン") == ["3"]
    with town.session(NADA_CLERK) as session:
        assert not session.search("resident.jumin", Query(as_of=TODAY.valid, kana="クカン", wards="all")).hits
    assert_sound(town)
    assert store.reindex(town, "resident.jumin") == made
    assert leftovers(town) == []
    with pytest.raises(Problem, match="search-missing"):
        store.reindex(town, "resident.setai")
    bring(town)
    assert_sound(town)


def test_every_fence_stands_after_the_swap_as_it_stood_before(town: Store) -> None:
    def fences() -> list[tuple[Any, ...]]:
        return owner_runs(
            town,
            """SELECT c.relname, c.relkind::text, c.relrowsecurity, c.relacl::text, c.reloptions::text, p.rules, t.triggers, i.indexes
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
            LATERAL (SELECT array_agg(polname::text || polroles::regrole[]::text || pg_get_expr(polqual, polrelid)) AS rules
                FROM pg_policy WHERE polrelid = c.oid) p,
            LATERAL (SELECT array_agg(tgname || tgenabled::text || pg_get_triggerdef(oid) ORDER BY tgname) AS triggers
                FROM pg_trigger WHERE tgrelid = c.oid) t,
            LATERAL (SELECT array_agg(indexdef ORDER BY indexdef) AS indexes
                FROM pg_indexes WHERE schemaname = n.nspname AND tablename = c.relname) i
            WHERE n.nspname IN ('resident', '住民基本台帳') AND c.relkind IN ('r', 'v') ORDER BY 1""",
        )

    before = fences()
    bring(town)
    assert fences() == before
    owner_runs(town, "ALTER TABLE resident.jumin DISABLE TRIGGER guard")
    assert [p.code for p in store.verify(town).problems] == ["guard-missing"]


_days = st.integers(0, 30).map(lambda n: date(2020, 1, 1) + timedelta(days=n))
_changes = st.tuples(
    st.integers(1, 3),
    _days,
    st.none() | st.integers(1, 20),
    st.sampled_from([None, "21", "23", "2A"]),
    st.booleans(),
)


@contextlib.contextmanager
def nothing_to_end() -> Iterator[None]:
    """An end may meet no row; then nothing happens."""
    try:
        yield
    except Problem as problem:
        assert problem.code == "ward-outside"


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_changes, min_size=1, max_size=8), st.data())
def test_whatever_happened_every_question_has_the_same_answer_under_the_new_edition(
    town: Store, changes: list[tuple[int, date, int | None, str | None, bool]], data: st.DataObject
) -> None:
    if town.applied()["resident"] == NEW:
        bring(town, OLD)
    stem = 1000 * (1 + int(owner_runs(town, "SELECT event FROM kiban.head")[0][0]))
    moments: list[datetime | None] = [None]
    for number, start, length, shojojiyu, ends in changes:
        subject = {"atenabango": key(stem + number)}
        row = person(str(stem + number), shojojiyu=shojojiyu, saishutorokujushochi=f"{start}{length}")
        valid = Period(start, start + timedelta(days=length) if length else None)
        with nothing_to_end(), town.session(CITY_HALL) as session:
            session.record(
                "異動", key(stem + number), [Change("resident.jumin", None if ends else row, valid, subject)]
            )
        moments += [moment for (moment,) in owner_runs(town, "SELECT recorded_at FROM kiban.head")]
    asked = data.draw(
        st.lists(st.tuples(st.integers(1, 3), _days, st.sampled_from(moments)), min_size=3, max_size=10)
    )

    def answers() -> list[list[dict[str, Any]]]:
        with town.session(CITY_HALL) as session:
            return [
                session.read("resident.jumin", AsOf(day, known), atenabango=key(stem + number))
                for number, day, known in asked
            ]

    def renamed(row: dict[str, Any]) -> dict[str, Any]:
        made = {
            **row,
            "saishutorokujusho": row["saishutorokujushochi"],
            "shojojiyu": RECODED.get(row["shojojiyu"], row["shojojiyu"]),
        }
        del made["saishutorokujushochi"]
        return {"shimei_furigana_kisainengappi": None} | made

    before = answers()
    bring(town)
    assert answers() == [[renamed(row) for row in rows] for rows in before]
