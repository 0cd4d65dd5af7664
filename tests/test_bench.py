"""The harness measures what it says; what the benches find is not tested."""

from __future__ import annotations

import doctest
import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import psycopg
import pytest

from kiban import store

ROOT = Path(__file__).parents[1]
linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="memory is read from /proc")


@pytest.fixture(scope="module")
def measure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_measure", ROOT / "bench" / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@linux
def test_memory_of_a_child_process_counts(measure: ModuleType) -> None:
    child = "block = b'x' * (200 << 20); print(flush=True); input()"
    with measure.watched() as quiet:
        time.sleep(0.1)
    with (
        measure.watched() as work,
        subprocess.Popen(
            [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)
        process.communicate(b"\n")
    assert work.peak_mib > quiet.peak_mib + 190
    assert work.seconds > 0.3


@linux
def test_memory_of_the_server_counts_and_shared_pages_count_once(
    measure: ModuleType, server: store.Server
) -> None:
    with psycopg.connect(server.owner_dsn) as connection, psycopg.connect(server.owner_dsn) as other:
        pid = measure.postmaster(connection.info.backend_pid)
        assert pid == measure.postmaster(other.info.backend_pid)
        with measure.watched() as without, measure.watched(pid) as together:
            for each in (connection, other):
                each.execute("CREATE TEMP TABLE t AS SELECT generate_series(1, 100000) AS n")
    assert together.peak_mib > without.peak_mib + 10
    assert together.peak_mib < without.peak_mib + 1500


def test_every_client_makes_its_calls_after_its_warm_up(measure: ModuleType) -> None:
    made: list[tuple[int, int]] = []
    found = measure.latencies(lambda client, n: made.append((client, n)), each=20, clients=3, warm_up=2)
    assert found.calls == 60
    assert sorted(made) == [(client, n) for client in range(3) for n in range(-2, 20)]
    assert found.p50 <= found.p95 <= found.p99 <= found.worst


@pytest.mark.parametrize("when", [-1, 3])
def test_a_failing_call_ends_the_measurement(measure: ModuleType, when: int) -> None:
    def call(client: int, n: int) -> None:
        if client == 1 and n == when:
            raise ValueError("no such person")

    with pytest.raises(ValueError, match="no such person"):
        measure.latencies(call, each=5, clients=2, warm_up=1)


def test_percentiles_are_values_that_were_measured(measure: ModuleType) -> None:
    values = list(range(1, 101))
    assert [measure.percentile(values, p) for p in (0, 50, 95, 99, 100)] == [1, 50, 95, 99, 100]
    assert measure.percentile([7], 99) == 7


def test_the_examples_of_the_harness_hold(measure: ModuleType) -> None:
    done = doctest.testmod(measure)
    assert (done.attempted > 0, done.failed) == (True, 0)


def test_a_goal_is_a_floor_or_a_ceiling(measure: ModuleType) -> None:
    assert measure.Result("w", 10, "rows/s", at_least=10).met
    assert not measure.Result("w", 9, "rows/s", at_least=10).met
    assert not measure.Result("w", 11, "ms", at_most=10).met
    assert measure.Result("w", 11, "ms").met


def test_an_unknown_bench_is_refused_with_the_known_ones() -> None:
    done = bench("nonsense")
    assert done.returncode == 2
    assert "there is no bench nonsense" in done.stderr


def test_the_benches_are_the_modules_with_a_run() -> None:
    names = bench("--list").stdout.split()
    assert "measure" not in names
    assert all((ROOT / "bench" / f"{name}.py").exists() for name in names)
