"""Scenes: what the tests of events play on a line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.events.conftest import Line, line
from tests.store.conftest import CITY_HALL, person

from kiban.kernel import Period
from kiban.linkage import Contract
from kiban.linkage.broker import Broker
from kiban.linkage.events import FlowStatus, status
from kiban.store import Books, Change, Store

Scene = Callable[[Line], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(city: Store, books: Books, broker: Broker, tmp_path: Path) -> Play:
    """Runs a scene on a line."""

    def run(scene: Scene, *contracts: Contract, **options: Any) -> None:
        async def all_of_it() -> None:
            async with line(city, books, broker, tmp_path, list(contracts), **options) as made:
                await scene(made)

        asyncio.run(all_of_it())

    return run


def key(number: str) -> str:
    return number.zfill(15)


def names_of(made: Line, flow: Contract, number: str) -> list[Any]:
    return [row["shimei"] for row in made.replicas[flow.flow].rows("jumin", key(number))]


def of(made: Line, flow: Contract) -> FlowStatus:
    (found,) = status(made.city, made.books, flow.flow)
    return found


def rename(city: Store, number: str, name: str, **note: str) -> int:
    """Give a person another name from a later day on."""
    with city.session(CITY_HALL) as session:
        row = person(number, name, rirekibango=2)
        return session.record(
            "氏名変更", key(number), [Change("resident.jumin", row, Period(date(2024, 7, 1)))], note=note
        )
