"""One real PostgreSQL for each test process, and a fresh database for each test that asks."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kiban.store.cluster import Cluster, Server
from kiban.store.initdb import create_database

hypothesis.settings.register_profile("kiban", deadline=None, max_examples=40)  # no test is timed
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1_000)  # for the night
hypothesis.settings.load_profile("thorough" if os.environ.get("KIBAN_THOROUGH") else "kiban")

# Tests start many processes: what one of them has compiled the next one need not compile again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_LONG_FIRST = (
    "migration",
    "linkage",
    "store",
    "web",
)  # so that no process is left with a long file at the end

_TESTS = Path(__file__).parent
_DISK, _MEMORY = Path("/tmp"), Path("/dev/shm")  # short, and reachable where root runs the tests
_ROOM = 4 * 2**30  # bytes that a test run may need
_KEPT = 40  # dropping databases one by one would cost a checkpoint each


@dataclass(frozen=True)
class Database:
    """A database of its own, with the two roles that reach it."""

    name: str
    owner_dsn: str
    app_dsn: str


@dataclass
class Databases:
    """Makes databases by copying templates, and drops those of finished tests in batches."""

    server: Server
    _templates: dict[str, str] = field(default_factory=dict)
    _made: int = 0
    _finished: list[str] = field(default_factory=list)

    def template(self, name: str, prepare: Callable[[Database], None]) -> str:
        """Make a template once a session: a database that `prepare` fills, then nobody connects to."""
        if name not in self._templates:
            database = self.reach(f"template_{name}")
            create_database(self.server.owner_dsn, database.name)
            prepare(database)
            self._templates[name] = database.name
        return self._templates[name]

    @contextlib.contextmanager
    def fresh(self, template: str = "template1") -> Iterator[Database]:
        """A copy of a template for one test."""
        if len(self._finished) >= _KEPT:
            self._drop()
        self._made += 1
        database = self.reach(f"test_{self._made}")
        create_database(self.server.owner_dsn, database.name, template)
        try:
            yield database
        finally:
            self._finished.append(database.name)

    def reach(self, name: str) -> Database:
        """The connection strings for a database of this server."""
        return Database(
            name,
            make_conninfo(self.server.owner_dsn, dbname=name),
            make_conninfo(self.server.app_dsn, dbname=name),
        )

    def _drop(self) -> None:
        with psycopg.connect(self.server.owner_dsn, autocommit=True) as connection:
            for name in self._finished:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        self._finished.clear()


@contextlib.contextmanager
def _temporary_home() -> Iterator[Path]:
    """A home whose server is gone afterwards, whatever the test did."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    # In memory the tests wait for no disk: PostgreSQL is as careful as ever, only its fsync costs nothing.
    folder = Path(tempfile.mkdtemp(prefix=f"kiban-test-{os.getpid()}-", dir=_MEMORY if roomy else _DISK))
    folder.chmod(0o711)  # an unprivileged user runs the server where root runs the tests
    try:
        yield folder / "home"
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    Cluster(folder / "home").destroy()
    shutil.rmtree(folder)


def _sweep() -> None:
    """Stop and remove the servers of test processes that were killed."""
    for folder in (*_DISK.glob("kiban-test-*"), *_MEMORY.glob("kiban-test-*")):
        pid = re.match(r"kiban-test-(\d+)-", folder.name)
        if pid and folder.is_dir() and folder.stat().st_uid == os.geteuid() and not _lives(int(pid[1])):
            with contextlib.suppress(FileNotFoundError):  # another process may sweep at the same time
                _remove(folder)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def pytest_sessionstart(session: pytest.Session) -> None:
    signal.signal(signal.SIGTERM, _interrupt)  # ends the fixtures, and with them the servers
    if not hasattr(session.config, "workerinput"):
        _sweep()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders with long files first, the thousands of short questions to the source last; within a folder nothing moves."""
    items.sort(key=lambda item: _turn(item.path))


def _turn(path: Path) -> int:
    rooms = path.parts[len(_TESTS.parts) :] if path.is_relative_to(_TESTS) else ()
    if len(rooms) < 2:
        return len(_LONG_FIRST) + 1
    return _LONG_FIRST.index(rooms[0]) if rooms[0] in _LONG_FIRST else len(_LONG_FIRST)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        _sweep()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded server of this test process."""
    with _temporary_home() as home:
        yield Cluster(home).up()


@pytest.fixture(scope="session")
def databases(server: Server) -> Databases:
    """Makes further databases and templates on the server of this test process."""
    return Databases(server)


@pytest.fixture
def database(databases: Databases) -> Iterator[Database]:
    """An empty database of this test's own."""
    with databases.fresh() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def homes() -> Callable[[], contextlib.AbstractContextManager[Path]]:
    """Opens paths for homes; see `home`."""
    return _temporary_home


@pytest.fixture
def home() -> Iterator[Path]:
    """The path of a home that does not exist yet; a server started in it is stopped and removed."""
    with _temporary_home() as path:
        yield path
