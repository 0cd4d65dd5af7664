"""Many at once, and any of them may die: no event is lost, doubled or halved, and what was known once stays known."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kiban import standard, store
from kiban.kernel import AsOf, Period, Problem
from kiban.store import Change, Cluster, Store

from .conftest import CITY_HALL, EAST_CLERK, KEY, NADA, SINCE, move_in, person, settle

DAY = date(2026, 1, 1)
ONE = "1".zfill(15)


def on_day(number: int) -> Period:
    """A day of its own for each change, so that none hides another."""
    day = date(2021, 1, 1) + timedelta(days=number)
    return Period(day, day + timedelta(days=1))


def test_events_for_one_person_and_for_many_all_happen_in_one_order(city: Store) -> None:
    move_in(city, person(ONE))
    gaps: list[tuple[int, int]] = []
    done = threading.Event()

    def clerk(name: int) -> list[tuple[int, Period]]:
        made = []
        for turn in range(12):
            move_in(city, person(str(1000 * name + turn)))
            number = 12 * name + turn
            row = person(ONE, rirekibango=number, jusho_katagaki=f"{number}号室")
            made.append((move_in(city, row, on_day(number)), on_day(number)))
        return made

    def watch() -> None:
        with city.owner() as owner:
            while not done.is_set():
                row = owner.execute("SELECT count(*), max(event) FROM kiban.event").fetchone()
                assert row is not None
                gaps.append(row)

    with ThreadPoolExecutor(6) as pool:
        watcher = pool.submit(watch)
        made = [each for work in [pool.submit(clerk, name) for name in range(1, 6)] for each in work.result()]
        done.set()
        watcher.result()
    assert all(count == last for count, last in gaps)  # whoever sees an event sees all before it
    assert len({event for event, _ in made}) == 60
    with city.session(CITY_HALL) as session:
        for event, day in made:
            assert day.start is not None
            [row] = session.read("resident.jumin", AsOf(day.start), atenabango=ONE)
            assert (row["event"], row["valid"]) == (event, day)
        known = session.sql("SELECT event, known_from FROM resident.jumin ORDER BY event, known_from")
    assert [row["known_from"] for row in known] == sorted(row["known_from"] for row in known)
    assert len({row["known_from"] for row in known}) == len({row["event"] for row in known})
    assert store.verify(city).problems == ()


def test_what_was_known_at_a_moment_is_the_same_ever_after(city: Store) -> None:
    move_in(city, person(ONE))
    done = threading.Event()

    def clerk(name: int) -> None:
        for turn in itertools.takewhile(lambda _: not done.is_set(), itertools.count()):
            number = 1000 * name + turn
            with city.session(CITY_HALL) as session:
                row = person(ONE, rirekibango=number % 1000, jusho_katagaki=f"{number}号室")
                session.record("転居", ONE, [Change("resident.jumin", row, on_day(turn % 50))])
                time.sleep(0.02)  # the event has its time, and nobody can see it yet

    def ask(moment: datetime) -> list[tuple[Any, ...]]:
        with city.session(EAST_CLERK) as session:
            rows = session.history("resident.jumin", moment, atenabango=ONE)
        return [(row["event"], row["valid"], row["jusho_katagaki"]) for row in rows]

    answers: dict[datetime, list[tuple[Any, ...]]] = {}
    with ThreadPoolExecutor(3) as pool:
        clerks = [pool.submit(clerk, name) for name in (1, 2)]
        try:
            while len(answers) < 40 or len({str(answer) for answer in answers.values()}) < 10:
                moment = datetime.now(UTC)
                answers[moment] = ask(moment)
        finally:
            done.set()
        assert [each.result() for each in clerks] == [None, None]
    for moment, answer in answers.items():
        assert ask(moment) == answer


def test_who_waited_behind_an_event_that_was_undone_gets_a_time_after_every_answer(city: Store) -> None:
    move_in(city, person(ONE))
    answered = threading.Event()

    def wait_and_record() -> None:
        with city.session(CITY_HALL) as session:
            row = person(ONE, rirekibango=2)
            session.record("職権修正", ONE, [Change("resident.jumin", row, SINCE)])
            answered.wait()

    def ask(moment: datetime) -> list[int]:
        with city.session(EAST_CLERK) as session:
            return [row["event"] for row in session.history("resident.jumin", moment, atenabango=ONE)]

    def ask_meanwhile() -> tuple[datetime, list[int]]:
        moment = datetime.now(UTC)
        return moment, ask(moment)

    with ThreadPoolExecutor(2) as pool, city.owner() as owner:
        with suppress(ZeroDivisionError), city.session(CITY_HALL) as undone:
            undone.record("国内転入", "9", [Change("resident.jumin", person("9"), SINCE)])
            second = pool.submit(wait_and_record)
            until(lambda: _waiting(owner) == 1)
            reader = pool.submit(ask_meanwhile)
            until(lambda: _waiting(owner) == 2)
            raise ZeroDivisionError
        moment, answer = reader.result()
        answered.set()
        second.result()
    assert ask(moment) == answer


def _waiting(owner: psycopg.Connection[Any]) -> int:
    row = owner.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted").fetchone()
    assert row is not None
    return int(row[0])


def test_what_will_be_known_nobody_is_told(city: Store) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    with city.session(EAST_CLERK) as session, pytest.raises(Problem, match="known-future"):
        session.read("resident.jumin", AsOf(DAY, tomorrow), atenabango=ONE)


def test_two_who_record_the_same_people_in_opposite_order_both_succeed(city: Store) -> None:
    people = [str(number).zfill(15) for number in range(1, 7)]
    for number in people:
        move_in(city, person(number))

    def clerk(seed: int) -> None:
        order = random.Random(seed)
        for turn in range(6):
            with city.session(CITY_HALL) as session:
                for number in order.sample(people, 3):
                    session.read("resident.jumin", AsOf(DAY), atenabango=number)
                    row = person(number, rirekibango=100 * seed + turn)
                    session.record(
                        "職権修正", number, [Change("resident.jumin", row, on_day(6 * seed + turn))]
                    )

    with ThreadPoolExecutor(4) as pool:
        assert [each.result() for each in [pool.submit(clerk, seed) for seed in range(4)]] == [None] * 4
    report = store.verify(city)
    assert (report.events, report.problems) == (3 + 6 + 4 * 6 * 3, ())


@contextmanager
def limited(city: Store, setting: str) -> Iterator[Any]:
    """A session with stricter limits than the frame's, which keeps them."""
    with city.session(CITY_HALL) as session:
        session._connection.execute(f"SET LOCAL {setting}".encode())
        yield session


def test_a_client_that_hangs_loses_the_chain_and_its_event(city: Store) -> None:
    with pytest.raises(Problem) as ended, limited(city, "transaction_timeout = '300ms'") as hanging:
        hanging.record("国内転入", ONE, [Change("resident.jumin", person(ONE), SINCE)])
        waiting = move_in(city, person("2"))  # waits, and gets it
        assert waiting == 4
        hanging.read("resident.jumin", AsOf(DAY), atenabango=ONE)
    assert ended.value.code == "time-exceeded"
    assert store.verify(city).events == 4


def test_who_waits_too_long_for_the_chain_is_told_to_come_again(city: Store) -> None:
    with city.session(CITY_HALL) as first:
        first.record("国内転入", ONE, [Change("resident.jumin", person(ONE), SINCE)])
        with pytest.raises(Problem, match="event-busy"), limited(city, "lock_timeout = '50ms'") as second:
            second.record("国内転入", "2", [Change("resident.jumin", person("2"), SINCE)])
        limits = first.sql(
            "SELECT current_setting('transaction_timeout') AS held, current_setting('lock_timeout') AS waited"
        )
    assert limits == [{"held": "20s", "waited": "1min"}]
    assert store.verify(city).events == 4


def test_many_installations_at_once_disturb_neither_each_other_nor_the_clerks(city: Store) -> None:
    def clerk(name: int) -> None:
        for turn in range(10):
            move_in(city, person(str(100 * name + turn)))

    with ThreadPoolExecutor(5) as pool:
        work = [pool.submit(city.install) for _ in range(3)]
        work += [pool.submit(clerk, name) for name in (1, 2)]
        assert [each.result() for each in work] == [None] * 5
    assert store.verify(city).problems == ()


_CLERK = """
import sys
sys.path.insert(0, sys.argv[1])
from functools import partial
from functools import partial
from pathlib import Path
from kiban import main, store
from kiban.settings import Settings
from store.conftest import CITY_HALL, KEY, SINCE, move_in, person
with store.Store(store.Server(*sys.argv[2:4]), main.library(given=Settings(home=Path("unused"))), KEY) as city:
    for number in range(int(sys.argv[4]), 10**6):
        print(move_in(city, person(str(number))), flush=True)
"""


def test_clients_killed_in_the_middle_leave_no_half_event(city: Store) -> None:
    told: list[int] = []
    for turn in range(2):
        command = [sys.executable, "-c", _CLERK, str(Path(__file__).parents[1])]
        quiet = {**os.environ, "PYTHONWARNINGS": ""}
        arguments = [
            [city.server.owner_dsn, city.server.app_dsn, str(10**5 * n)] for n in (2 * turn + 1, 2 * turn + 2)
        ]
        clerks = [
            subprocess.Popen([*command, *each], stdout=subprocess.PIPE, text=True, env=quiet)
            for each in arguments
        ]
        for clerk in clerks:
            assert clerk.stdout is not None
            told += [int(clerk.stdout.readline()) for _ in range(3 + 4 * turn)]
        for clerk in clerks:
            clerk.send_signal(signal.SIGKILL)
        for clerk in clerks:
            rest, _ = clerk.communicate()
            told += [int(line) for line in rest.splitlines()]
    last = move_in(city, person("7"))  # the chain is free again
    report = store.verify(city)
    assert report.problems == ()
    assert report.events == last
    assert set(told) <= set(range(4, last))
    assert len(told) == len(set(told))


def test_a_killed_server_has_every_event_that_anybody_was_told_of(
    home: Path, library: standard.Library
) -> None:
    server = Cluster(home).up()
    told: list[tuple[int, str]] = []

    def clerk(city: Store, first: int) -> None:
        with suppress(Problem):
            for number in itertools.count(first):
                event = move_in(city, person(str(number), shiteitoshi_gyoseikutokodo=NADA))
                told.append((event, str(number).zfill(15)))

    with Store(server, library, KEY) as city:
        store.apply(city, library.edition("resident"), CITY_HALL)
        settle(city)
    for turn in (1, 2):
        enough = len(told) + 20
        with Store(server, library, KEY) as city, ThreadPoolExecutor(3) as pool:
            work = [pool.submit(clerk, city, 10**6 * turn + 10**5 * name) for name in range(3)]
            until(partial(_reached, told, enough))
            pid = Cluster(home).status().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert [each.result() for each in work] == [None] * 3
        until(lambda: Cluster(home).status().state == "stopped")
        server = Cluster(home).up()
    with Store(server, library, KEY) as city:
        with city.owner() as owner:
            held = set(owner.execute("SELECT event, subject FROM kiban.event").fetchall())
        report = store.verify(city)
    assert set(told) <= held
    assert report.problems == ()
    assert report.events - len(told) <= 2 + 2 * 3  # committed, but the clerk was never told


def _reached(told: Sequence[object], count: int) -> bool:
    return len(told) >= count


def until(true: Callable[[], bool]) -> None:
    """Wait for something that another thread or process does."""
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_an_event_is_on_the_disk_whatever_the_client_asked_for(city: Store) -> None:
    with city.session(CITY_HALL) as session:
        session._connection.execute("SET LOCAL synchronous_commit = off")
        session.record("国内転入", ONE, [Change("resident.jumin", person(ONE), SINCE)])
        assert session.sql("SELECT current_setting('synchronous_commit') AS s") == [{"s": "on"}]


def test_an_event_at_another_isolation_level_is_refused(city: Store) -> None:
    with psycopg.connect(
        city.server.app_dsn, options="-c default_transaction_isolation=serializable"
    ) as other:
        from kiban.store import session as sessions

        with (
            pytest.raises(Problem, match="event-isolation"),
            sessions.begin(other, CITY_HALL, KEY, lambda *_: city.tables()) as session,
        ):
            session.record("国内転入", ONE, [Change("resident.jumin", person(ONE), SINCE)])
