"""A small city with people at work who extract, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.store.conftest import KEY, fill, settle
from tests.store.people import live

from kiban import access, main, standard, store
from kiban.access import Access, Assignment, Grant, Office, Staff, extract
from kiban.settings import Settings
from kiban.store import Store

EAST, NADA = "281018", "281026"
BEGAN = date(2020, 4, 1)
JUMIN = {"business": "resident", "main": "jumin"}


@dataclass
class Clock:
    """The time, as tests move it."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(repr=False, eq=False)
class Town:
    """The city, its people at work, and a worker."""

    store: Store
    access: Access
    folder: Path
    clock: Clock

    def __repr__(self) -> str:
        return "the town"  # hypothesis shows it where a test fails

    def grant(self, number: str, purpose: str) -> Grant:
        acting = self.access.people.acting(number, self.clock().date(), purpose)
        return self.access.policies.grant(acting)

    @property
    def statistician(self) -> Grant:
        """Extracts of the whole city, without items of a class."""
        return self.grant("200001", "統計事務")

    @property
    def officer(self) -> Grant:
        """Resident records of one ward."""
        return self.grant("200002", "住民基本台帳事務")

    @property
    def clerk(self) -> Grant:
        """A counter, which extracts nothing."""
        return self.grant("200003", "住民基本台帳事務")

    @property
    def extracts(self) -> extract.Extracts:
        return extract.Extracts(self.access, self.store, self.folder, self.clock)

    @property
    def worker(self) -> extract.Worker:
        return extract.Worker(self.access, self.store, self.folder, self.clock)

    def run(self, body: dict[str, Any], grant: Grant | None = None) -> extract.Job:
        """Ask for an extract and have it made."""
        grant = grant or self.statistician
        handle = self.extracts.ask(extract.query_in(body), grant, "試験のため")
        while self.worker.next():
            pass
        return self.extracts.desk.job(handle, grant.acting.staff.number)

    def path(self, job: extract.Job, number: int = 0, grant: Grant | None = None) -> Path:
        assert job.manifest is not None, job.problems
        return self.extracts.file(job, job.manifest["files"][number]["name"], grant or self.statistician)


@pytest.fixture(scope="session")
def library() -> standard.Library:
    return main.library(given=Settings(home=Path("unused")))


@pytest.fixture(scope="module")
def opened(databases: Any, library: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    template = databases.template("people", lambda database: fill(database, library, settle, live))
    home = tmp_path_factory.mktemp("home")
    with (
        databases.fresh(template) as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
        access.open_access(city, access.seal(home / "access.key")) as room,
    ):
        hire(room)
        yield Town(city, room, home / "extracts", Clock())


def hire(room: Access) -> None:
    offices = [Office("hall", "市役所", "city"), Office("east", "東灘区役所", "ward", "hall", EAST)]
    staff = [Staff(f"20000{n}", f"職員　{n}郎", "ショクイン", BEGAN) for n in (1, 2, 3)]
    duties = [
        ("200001", "euc", "hall"),
        ("200002", "resident-records", "east"),
        ("200003", "resident-counter", "east"),
    ]
    given = [Assignment(number, duty, office, BEGAN) for number, duty, office in duties]
    room.people.apply([*offices, *staff, *given], "test", datetime.now(UTC))


@pytest.fixture
def town(opened: Town) -> Iterator[Town]:
    opened.clock.ahead = timedelta()
    yield opened
    with opened.access.books.transaction() as page:
        page.run("DELETE FROM extract_job")
        page.run("DELETE FROM extract_query")
