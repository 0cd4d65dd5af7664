"""What time tells of protected persons: paired questions of whoever may not see them, told apart by nothing but how long each takes."""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import NormalDist
from typing import Any

import polars as pl

from bench import city, desks, measure
from kiban import characters
from kiban.kernel import Actor, AsOf
from kiban.store import Query, Session, Store

_ROUNDS = int(os.environ.get("ROUNDS", "2000"))
"""How often each question of a pair is asked, in an order drawn anew each time."""
_PREVIEWS = int(os.environ.get("PREVIEWS", "200"))
"""The same for previews of extracts: each reads a whole register."""
_SURE = 0.95
Ask = Callable[["Her"], object]


@dataclass(frozen=True)
class Her:
    """A protected person, and what somebody might guess of her.

    Attributes:
        number: the 宛名番号.
        household: the 世帯番号.
        individual: the 個人番号.
        ward: where she lives.
        elsewhere: a ward where she does not.
        address: 町字 and 番地; nobody lives there who is not protected.
        nowhere: another 番地 of the same 町字, where nobody lives.
        kana: her name in kana.
        born: her birthday.
    """

    number: str
    household: str
    individual: str
    ward: str
    elsewhere: str
    address: tuple[str, str]
    nowhere: tuple[str, str]
    kana: str
    born: date


@dataclass(frozen=True)
class Pair:
    """Two questions that must look the same: one that is right about her, and one that is not."""

    name: str
    right: Ask
    wrong: Ask


def run(residents: int) -> None:
    """For each pair the difference of the medians, how well single answers are told apart, and how many questions make it sure.

    Twice: by the clock, and by the CPU that the page and the server took. That is what the clock tells where nobody else works.
    """
    with city.loaded(residents) as opened:
        people = _protected(opened)
        print(f"  {len(people)} protected persons at addresses of nobody else; 0.5 is: not told apart")
        for pair in _session_pairs(opened):
            pair.right(people[0])
            _told(pair, people, _ROUNDS, worker_time(opened))
        wards = sorted({ward for her in people for ward in (her.ward, her.elsewhere)})
        with desks.open_desks(opened, city.given(residents).home, wards) as (page, preview):
            for rounds, pairs in ((_ROUNDS, _page_pairs(page)), (_PREVIEWS, _preview_pairs(preview))):
                for pair in pairs:
                    pair.right(people[0])
                    _told(pair, people, rounds, worker_time(opened))


def _told(pair: Pair, people: Sequence[Her], rounds: int, worked: Callable[[], float]) -> None:
    chance = random.Random(pair.name)
    waited: dict[bool, list[float]] = {True: [], False: []}
    used: dict[bool, list[float]] = {True: [], False: []}
    for n in range(-rounds // 20, rounds):
        her = chance.choice(people)
        for right in chance.sample((True, False), 2):
            before, began = worked(), time.perf_counter()
            (pair.right if right else pair.wrong)(her)
            ended, after = time.perf_counter(), worked()
            if n >= 0:
                waited[right].append((ended - began) * 1e6)
                used[right].append((after - before) * 1e6)
    measure.result(f"{pair.name}: p50", measure.percentile(waited[False], 50) / 1000, "ms")
    most = 0.5
    for clock, taken in (("clock", waited), ("CPU", used)):
        area, noise = told_apart(taken[True], taken[False])
        apart = measure.percentile(taken[True], 50) - measure.percentile(taken[False], 50)
        measure.result(f"{pair.name}: {clock}, right less wrong", apart, "µs")
        measure.result(f"{pair.name}: {clock}, told apart (chance: 0.5 ± {2 * noise:.3f})", area, "AUC")
        most = max(most, 0.5 + abs(area - 0.5))
    seen = most - 0.5 > 3 * noise
    needed = questions(most if seen else 0.5 + 3 * noise)
    measure.result(f"{pair.name}: questions for 95 %{'' if seen else ', at the least'}", needed, "")


def worker_time(opened: Store) -> Callable[[], float]:
    """Seconds of CPU that this process and the server's connections took: what a clock tells where nothing else runs."""
    with opened.owner() as owner:
        rows = owner.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchall()
    files = [Path(f"/proc/{pid}/schedstat") for (pid,) in rows]

    def worked() -> float:
        return time.process_time() + sum(int(file.read_text().split()[0]) for file in files) / 1e9

    return worked


def told_apart(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """How often one of the first takes longer than one of the second (area under the curve), and its deviation by chance alone.

    >>> told_apart([3, 4], [1, 2])[0], told_apart([1, 2], [1, 2])[0]
    (1.0, 0.5)
    """
    ranks = pl.Series([*one, *other]).rank("average")
    m, n = len(one), len(other)
    area = (float(ranks[:m].sum()) - m * (m + 1) / 2) / (m * n)
    return area, math.sqrt((m + n + 1) / (12 * m * n))


def questions(area: float) -> float:
    """How many answers to one question have to be averaged, to say rightly in 95 of 100 cases which of the two it is.

    >>> round(questions(0.76)), round(questions(0.505))
    (11, 34441)
    """
    normal = NormalDist()
    apart = math.sqrt(2) * abs(normal.inv_cdf(min(max(area, 1e-9), 1 - 1e-9)))
    return math.inf if apart == 0 else max(1.0, (2 * normal.inv_cdf(_SURE) / apart) ** 2)


# -- whom it is about ------------------------------------------------------------------------------------------------

_PEOPLE = """
SELECT j.atenabango, j.setaibango, j.kojinbango, j.shiteitoshi_gyoseikutokodo, j.jusho_choaza, j.jusho_banchigohyoki,
    j.shimei_furigana, j.seinengappi
FROM kiban.protected_unit u JOIN resident.jumin j ON j.atenabango = u.unit AND j.closed_by IS NULL AND j.valid_to = 'infinity'
WHERE u.kind = 'person' AND num_nulls(j.setaibango, j.kojinbango, j.shiteitoshi_gyoseikutokodo, j.jusho_choaza, j.jusho_banchigohyoki,
    j.shimei_furigana, j.seinengappi) = 0"""
_NUMBERS = [f"９{n}番９{n}号" for n in "０１２３４５６７８９"]
_OTHERS = """
SELECT count(*) FROM resident.jumin_search s WHERE s.{0}_key >= %s AND s.{0}_key < %s || U&'\\+10FFFF'
    AND NOT EXISTS (SELECT FROM kiban.protected_unit u WHERE u.kind = 'person' AND u.unit = s.subject)"""


def _protected(opened: Store) -> list[Her]:
    """Protected persons whose address and whose name nobody else has."""
    found = []
    with opened.owner() as owner:
        rows = owner.execute(_PEOPLE.encode()).fetchall()
        wards = sorted({row[3] for row in rows})

        def alone(column: str, key: str) -> bool:
            return owner.execute(_OTHERS.format(column).encode(), [key, key]).fetchone() == (0,)

        for number, household, individual, ward, town, place, kana, born in rows:
            nowhere = next(n for n in _NUMBERS if alone("address", characters.address_key(town + n)))
            if not alone("address", characters.address_key(town + place)):
                continue
            if not alone("kana", characters.kana_loose_key(kana)) or str(born).startswith("0"):
                continue
            elsewhere = next(each for each in wards if each != ward)
            found.append(
                Her(
                    number,
                    household,
                    individual,
                    ward,
                    elsewhere,
                    (town, place),
                    (town, nowhere),
                    kana,
                    _day(born),
                )
            )
    if len(found) < 3:
        raise RuntimeError("too few protected persons live alone at their address: take a larger city")
    return found


def _day(born: object) -> date:
    return born if isinstance(born, date) else date.fromisoformat(str(born))


# -- by sessions -----------------------------------------------------------------------------------------------------


def _session_pairs(opened: Store) -> Iterator[Pair]:
    """Questions as pages ask them, without what a page adds."""
    at = AsOf(city.DAY)

    def asked(work: Callable[[Session, Her], object], of: Callable[[Her], str] = lambda her: her.ward) -> Ask:
        def ask(her: Her) -> None:
            ward = of(her)
            with opened.session(Actor("clerk", ward, frozenset({ward}), desks.PURPOSE)) as session:
                work(session, her)

        return ask

    def search(query: Callable[[Her], Query]) -> Callable[[Session, Her], object]:
        return lambda session, her: session.search(city.PEOPLE, query(her))

    def both(name: str, work: Callable[[Session, Her], object]) -> Pair:
        return Pair(name, asked(work), asked(work, lambda her: her.elsewhere))

    def address(her: Her, where: tuple[str, str], **more: Any) -> Query:
        return Query(city.DAY, address="".join(where), **more)

    nobody = asked(search(lambda her: address(her, her.nowhere)))
    yield Pair("session, nobody's address twice (noise)", nobody, nobody)
    yield Pair("session, address: hers or nobody's", asked(search(lambda h: address(h, h.address))), nobody)
    for name, more in (
        ("birthday and address", lambda h: {"birth": (h.born, h.born)}),
        ("name and address", lambda h: {"kana": h.kana}),
    ):
        right = asked(search(lambda h, more=more: address(h, h.address, **more(h))))
        wrong = asked(search(lambda h, more=more: address(h, h.nowhere, **more(h))))
        yield Pair(f"session, {name}: right or wrong", right, wrong)
    yield both("session, name in her ward or another", search(lambda h: Query(city.DAY, kana=h.kana)))
    yield both(
        "session, her number in her ward or another",
        lambda s, h: s.read(city.PEOPLE, at, atenabango=h.number),
    )
    yield both(
        "session, history in her ward or another", lambda s, h: s.history(city.PEOPLE, atenabango=h.number)
    )
    yield both(
        "session, household number in her ward or another",
        lambda s, h: s.read(city.PEOPLE, at, setaibango=h.household),
    )
    yield both(
        "session, individual number in her ward or another",
        search(lambda h: Query(city.DAY, number=("kojinbango", h.individual))),
    )


# -- by pages and previews -------------------------------------------------------------------------------------------


def _page_pairs(page: desks.Page) -> Iterator[Pair]:
    """Searches of a clerk at a counter, from the form to what was found."""

    def asked(form: Callable[[Her], Mapping[str, str]], of: Callable[[Her], str] = lambda h: h.ward) -> Ask:
        return lambda her: page(of(her), form(her))

    def both(name: str, form: Callable[[Her], Mapping[str, str]]) -> Pair:
        return Pair(name, asked(form), asked(form, lambda her: her.elsewhere))

    nobody = asked(lambda h: {"address": "".join(h.nowhere)})
    yield Pair("page, nobody's address twice (noise)", nobody, nobody)
    yield Pair("page, address: hers or nobody's", asked(lambda h: {"address": "".join(h.address)}), nobody)
    yield both("page, name in her ward or another", lambda h: {"kana": h.kana})
    yield both("page, her number in her ward or another", lambda h: {"atenabango": h.number, "wards": "all"})


def _preview_pairs(preview: desks.Preview) -> Iterator[Pair]:
    """How many live at an address, in the preview of an extract over the whole city."""
    yield Pair(
        "preview, nobody's address twice (noise)",
        lambda h: preview(h.nowhere),
        lambda h: preview(h.nowhere),
    )
    yield Pair(
        "preview, address: hers or nobody's", lambda h: preview(h.address), lambda h: preview(h.nowhere)
    )
