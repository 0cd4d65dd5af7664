"""A contract says how much may be read in a minute; who asks more is told when to come again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kiban.linkage import Receiver, api
from kiban.linkage.api.limits import Used
from kiban.linkage.evidence import BookLedger

from .conftest import READING, SECRET, Live
from .test_link import ask, asked

NOW = datetime(2026, 10, 1, tzinfo=UTC)


def limited(served: Live, books: Any = True, **most: int) -> str:
    """A token, and the service with limits of its contract."""
    contract = replace(served.contract, receiver=Receiver(**most))
    with served.books.transaction() as page:
        page.run("DELETE FROM api_used")
    reading = api.Reading(
        served.house.reading._store, lambda _: [contract], BookLedger(served.books).append, SECRET,
        lambda _, units: {}, served.clock, served.books if books else None,
    )  # fmt: skip
    served.serving.append(replace(served.house, reading=reading))
    return served.token(served.library, READING)


def test_the_question_too_many_is_told_when_to_come_again(served: Live) -> None:
    token = limited(served, requests=3)
    assert [ask(served, token, asked(1)).status_code for _ in range(3)] == [200] * 3
    refused = ask(served, token, asked(1))
    assert (refused.status_code, refused.json()["code"]) == (429, "limit-reached")
    wait = int(refused.headers["Retry-After"])
    assert 1 <= wait <= 20
    served.clock.ahead += timedelta(seconds=wait)
    assert ask(served, token, asked(1)).status_code == 200


def test_many_at_one_instant_get_no_more_than_the_contract_gives(served: Live) -> None:
    token = limited(served, requests=5)
    with ThreadPoolExecutor(8) as many:
        found = list(many.map(lambda n: ask(served, token, asked(n)).status_code, range(1, 17)))
    assert 5 <= found.count(200) <= 6  # a fifth of a minute gives one back
    assert found.count(429) == 16 - found.count(200)


def test_answers_that_were_larger_than_the_measure_are_waited_for(served: Live) -> None:
    token = limited(served, answer_bytes=1_000)
    first = ask(served, token, asked(*range(1, 11)))
    assert first.status_code == 200 and len(first.content) > 2_000
    refused = ask(served, token, asked(1))
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 60


def test_limits_that_nobody_can_keep_keep_the_flow_closed(served: Live) -> None:
    token = limited(served, books=False, requests=3)
    answer = ask(served, token, asked(1))
    assert (answer.status_code, answer.json()["code"]) == (503, "limits-unkept")


def test_the_document_says_so(served: Live) -> None:
    limited(served, requests=1_200)
    told = served.get("/openapi.json").json()["paths"]["/link/resident-library.v1/jumin"]["post"]
    assert "Retry-After" in told["responses"]["429"]["headers"]
    assert "毎分1,200件の照会" in told["description"]


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 100))
def test_over_any_minutes_no_more_pass_than_the_measure_and_one_minutes_worth(
    pauses: list[float], most: int
) -> None:
    used, now, passed = Used(0, 0, NOW), NOW, 0
    limit = Receiver(requests=most)
    for pause in pauses:
        now += timedelta(seconds=pause)
        used = used.later(limit, now)
        if not used.wait(limit):
            used, passed = replace(used, requests=used.requests + 1), passed + 1
        else:
            assert not used.later(limit, now + timedelta(seconds=used.wait(limit))).wait(limit)
    assert passed <= most * (1 + (now - NOW).total_seconds() / 60) + 1e-6


def test_a_clock_that_went_back_gives_nothing_back() -> None:
    used = Used(5, 0, NOW).later(Receiver(requests=5), NOW - timedelta(hours=1))
    assert used.requests == 5 and used.wait(Receiver(requests=5)) == 12
