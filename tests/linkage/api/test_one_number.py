"""No sequence of calls gives two persons one number, or one person two."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.conftest import KEY

from kiban import linkage, store
from kiban.linkage import api
from kiban.linkage.api import Numbering
from kiban.store import Store

from .conftest import NOW, RULE, SECRET, request

_FRESH = itertools.count()
_PEOPLE, _HOMES = 4, 3


@pytest.fixture(scope="module")
def shared(databases: Any, numbering_template: str, library: Any, spec: Any) -> Iterator[Numbering]:
    """One register for all examples, each of which has people of its own."""
    with (
        databases.fresh(numbering_template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
        linkage.open_linkage(city) as books,
    ):
        numbers = api.Numbers(books, SECRET)
        numbers.set_rule(RULE)
        yield Numbering(spec, city, numbers, SECRET, lambda: NOW)


steps = st.tuples(
    st.sampled_from("012"),
    st.integers(0, _PEOPLE - 1),
    st.integers(0, _PEOPLE - 1),
    st.integers(0, _HOMES - 1),
    st.sampled_from([None, "key-a", "key-b"]),
)


@given(st.lists(steps, min_size=1, max_size=8), st.booleans())
def test_a_number_is_one_persons_and_a_person_has_one(
    shared: Numbering, calls: list[tuple[str, int, int, int, str | None]], together: bool
) -> None:
    example = next(_FRESH)
    births = [date(1950, 1, 1) + timedelta(days=_PEOPLE * example + who) for who in range(_PEOPLE)]
    number_of: dict[int, set[str]] = {who: set() for who in range(_PEOPLE)}
    homes: dict[int, set[int]] = {who: {0} for who in range(_PEOPLE)}  # a move is told with the number

    def call(one: tuple[str, int, int, int, str | None]) -> None:
        step, who, whose, home, key = one
        if step == "0" and home not in homes[who]:
            home = 0
        asked = request(
            shorikubun=step,
            seinengappi=births[who].isoformat(),
            jusho_banchigohyoki=f"{'１２３'[home]}番１号",
            atenabango=... if step == "0" else min(number_of[whose], default="999999999999999"),
        )
        answer = shared.answer(asked, "002", key and f"{key}{example}")
        assert answer.status in (200, 400), answer.problem
        if answer.status == 200:
            number_of[who].update(row["atenabango"] for row in answer.body["result"])
            homes[who].add(home)

    if together:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(call, [("0", who, who, 0, None) for _, who, *_ in calls]))
    else:
        for one in calls:
            call(one)
    assert all(len(held) <= 1 for held in number_of.values()), "a person has two numbers"
    numbers = [number for held in number_of.values() for number in held]
    assert len(numbers) == len(set(numbers)), "two persons have one number"
