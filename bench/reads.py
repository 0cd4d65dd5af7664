"""Reads and searches as clerks make them, each signed in, logged and committed; and what the fences cost (business, ward, protection)."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import Any

from bench import city, measure
from kiban import characters, store
from kiban.kernel import Actor, AsOf
from kiban.store import Query, Session, Store
from kiban.store.search import SearchTable
from kiban.store.session import begin

_SAMPLE = 2_000
_CALLS = 1_000
_CLIENTS = 16
_COLD = 40


def run(residents: int) -> None:
    """Latencies of single reads and of searches by 16 clients; then row-level security on and off, with the plans."""
    with city.loaded(residents) as opened:
        people = _people(opened)
        print(f"  {len(people):,} people drawn at random; one read = sign in, read, log, commit")
    city.cool(residents)
    with city.loaded(residents) as opened:
        _cold(opened, people)
        _warm(opened)
        _single(opened, people)
        _searches(opened, people)
        _row_security(opened, people)


def _people(opened: Store) -> list[dict[str, Any]]:
    """People drawn by their numbers, evenly over the register."""
    with opened.session(city.HALL) as session:
        rows = session.sql(
            "SELECT atenabango, setaibango, shimei, shimei_furigana, shiteitoshi_gyoseikutokodo AS ward FROM resident.jumin "
            "TABLESAMPLE SYSTEM (5) REPEATABLE (1) WHERE closed_by IS NULL AND valid_to = 'infinity' "
            "AND shimei IS NOT NULL AND shimei_furigana IS NOT NULL LIMIT 200000"
        )
        drawn = random.Random(1).sample(rows, min(_SAMPLE, len(rows)))
        protected = session.protection([row["atenabango"] for row in drawn])
    return [row for row in drawn if row["atenabango"] not in protected]  # a clerk finds no row of theirs


def _clerk(person: dict[str, Any]) -> Actor:
    return Actor("clerk", person["ward"], frozenset({person["ward"]}), "住民票の写しの交付")


def _cold(opened: Store, people: list[dict[str, Any]]) -> None:
    """What the first clerks of the day would wait for, were it not for the warm-up; on other people than those read later."""
    last = people[-2 * _COLD :]

    def by_number(_client: int, n: int) -> None:
        with opened.session(_clerk(last[n])) as session:
            assert session.read(city.PEOPLE, AsOf(city.DAY), atenabango=last[n]["atenabango"])

    def by_kana(_client: int, n: int) -> None:
        person = last[_COLD + n]
        with opened.session(_clerk(person)) as session:
            assert session.search(city.PEOPLE, Query(as_of=city.DAY, kana=person["shimei_furigana"])).hits

    for name, call in (("by number", by_number), ("kana, whole name", by_kana)):
        first = measure.latencies(call, 1, warm_up=0).worst
        taken = measure.latencies(lambda client, n, call=call: call(client, n + 1), _COLD - 1, warm_up=0)
        measure.result(f"after a cold start, {name}, the very first", first, "ms")
        measure.result(f"after a cold start, {name}, the next {_COLD - 1}, p50", taken.p50, "ms")
        measure.result(f"after a cold start, {name}, the next {_COLD - 1}, p95", taken.p95, "ms")


def _warm(opened: Store) -> None:
    """The warm-up that `kiban serve` makes when it starts."""
    begun = time.perf_counter()
    found = store.warm(opened)
    measure.result("warm-up (`kiban db warm`)", time.perf_counter() - begun, "s")
    measure.result("warm-up, read into memory", found.mib, "MiB")
    measure.result("warm-up, left on the disk", found.left, "MiB")


def _single(opened: Store, people: list[dict[str, Any]]) -> None:
    as_of = AsOf(city.DAY)

    def by_number(_client: int, n: int) -> None:
        person = people[n % len(people)]
        with opened.session(_clerk(person)) as session:
            assert session.read(city.PEOPLE, as_of, atenabango=person["atenabango"])

    def household(_client: int, n: int) -> None:
        person = people[n % len(people)]
        with opened.session(_clerk(person)) as session:
            assert session.read(city.PEOPLE, as_of, setaibango=person["setaibango"])

    for name, call, goal in (("by number", by_number, 5), ("household as of a day", household, 10)):
        taken = measure.latencies(call, _CALLS)
        measure.result(f"{name}, p50", taken.p50, "ms")
        measure.result(f"{name}, p95", taken.p95, "ms", at_most=goal)


def _searches(opened: Store, people: list[dict[str, Any]]) -> None:
    def query(make: Callable[[dict[str, Any]], Query]) -> Callable[[int, int], None]:
        def call(client: int, n: int) -> None:
            person = people[(client * 131 + n) % len(people)]
            with opened.session(_clerk(person)) as session:
                assert session.search(city.PEOPLE, make(person)).hits

        return call

    full_kana = query(lambda p: Query(as_of=city.DAY, kana=p["shimei_furigana"]))
    surname_kana = query(lambda p: Query(as_of=city.DAY, kana=p["shimei_furigana"].split("　")[0]))
    variant = query(lambda p: Query(as_of=city.DAY, name=_varied(p["shimei"])))
    surname = query(lambda p: Query(as_of=city.DAY, name=_varied(p["shimei"].split("　")[0])))
    many = query(lambda p: Query(as_of=city.DAY, kana=p["shimei_furigana"].split("　")[0], limit=50))
    for name, call in (
        ("kana, whole name", full_kana),
        ("kana, surname only, a page of 20", surname_kana),
        ("kana, surname only, a page of 50", many),
        ("variant kanji, whole name", variant),
        ("variant kanji, surname only, a page of 20", surname),
    ):
        taken = measure.latencies(call, _CALLS // 4, clients=_CLIENTS)
        measure.result(f"{name}, {_CLIENTS} clients, p50", taken.p50, "ms")
        goal = None if call is many else 50
        measure.result(f"{name}, {_CLIENTS} clients, p95", taken.p95, "ms", at_most=goal)
        measure.result(f"{name}, {_CLIENTS} clients, searches", taken.per_second, "a second")


def _varied(name: str) -> str:
    """The name with another variant in the place of each kanji that has one."""
    varied = "".join((characters.kanji_variants(c) or (c,))[-1] for c in characters.strip_selectors(name))
    return varied if characters.name_key(varied) == characters.name_key(name) else name


def _row_security(opened: Store, people: list[dict[str, Any]]) -> None:
    """The same statements in the application role and in the owner's, whom row-level security does not bind."""
    as_of = AsOf(city.DAY)
    work: dict[str, Callable[[Session, dict[str, Any]], Any]] = {
        "by number": lambda s, p: s.read(city.PEOPLE, as_of, atenabango=p["atenabango"]),
        "household": lambda s, p: s.read(city.PEOPLE, as_of, setaibango=p["setaibango"]),
        "kana": lambda s, p: s.search(city.PEOPLE, Query(as_of=city.DAY, kana=p["shimei_furigana"])),
        "variant kanji": lambda s, p: s.search(city.PEOPLE, Query(as_of=city.DAY, name=p["shimei"])),
    }
    key = opened._actor_key
    # Both keep one connection throughout, so that nothing but the role differs.
    with opened.owner() as owner, opened._application() as application:
        for name, ask in work.items():

            def timed(connection: Any, ask: Any = ask) -> float:
                def call(_client: int, n: int) -> None:
                    person = people[n % len(people)]
                    with begin(connection, _clerk(person), key, lambda *_: opened.tables()) as session:
                        ask(session, person)

                return measure.latencies(call, _CALLS // 4).p50

            # Turn and turn about, so that whatever else the machine does falls on both.
            turns = [(timed(owner), timed(application)) for _ in range(4)]
            without, with_scope = (sorted(turn[i] for turn in turns)[1] for i in (0, 1))
            measure.result(f"{name}, without fences, p50", without, "ms")
            measure.result(f"{name}, with fences, times as long", with_scope / without, "×", at_most=1.5)
    same = _same_plans(opened, people[0])
    measure.result("statements whose index plans the fences change", float(same), "", at_most=0)


def _same_plans(opened: Store, person: dict[str, Any]) -> int:
    """How many of the statements use other indexes under row-level security."""
    table = opened.table(city.PEOPLE)
    search = SearchTable(table).name
    kana = characters.kana_loose_key(person["shimei_furigana"])
    name = characters.name_key(person["shimei"])
    statements = [
        (f"SELECT * FROM {table.name} WHERE atenabango = %s AND closed_by IS NULL", [person["atenabango"]]),
        (f"SELECT * FROM {table.name} WHERE setaibango = %s AND closed_by IS NULL", [person["setaibango"]]),
        (
            f"SELECT subject FROM {search} WHERE kana_key >= %s AND kana_key < %s ORDER BY kana_key, subject LIMIT 50",
            [kana, kana + "ー"],
        ),
        (
            f"SELECT subject FROM {search} WHERE name_key >= %s AND name_key < %s ORDER BY name_key, subject LIMIT 50",
            [name, name + "龠"],
        ),
    ]
    differ = 0
    with opened.owner() as owner, opened.session(_clerk(person)) as session:
        for statement, values in statements:
            plans = [
                "\n".join(str(row[0]) for row in owner.execute(f"EXPLAIN {statement}".encode(), values)),
                # Not by Session.sql, which runs nothing but queries.
                "\n".join(
                    str(row[0])
                    for row in session._connection.execute(f"EXPLAIN {statement}".encode(), values)
                ),
            ]
            used = [re.findall(r"(?:using|on) (\w*jumin\w*_\w+)", plan) for plan in plans]
            differ += used[0] != used[1] or not used[0]
    return differ
