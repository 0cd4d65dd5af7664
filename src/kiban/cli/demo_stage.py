"""What the acts of the demonstration share: the screen, the time of a step, and who carries it out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console

from kiban.kernel import ALL_WARDS, Actor
from kiban.store import Store

console = Console()
REFERENCE_DAY = date(2026, 10, 1)
OPERATOR = Actor("demo", None, ALL_WARDS, "実演", protected=True)


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Tell at the end how long a step took."""
    started = time.perf_counter()
    yield
    taken = time.perf_counter() - started
    shown = f"{taken:.1f} s" if taken >= 1 else f"{taken * 1000:.1f} ms"
    console.print(f"[dim]{step}: {shown}[/dim]", highlight=False)


def say(text: str) -> None:
    """A line as it is, however long."""
    console.print(text, highlight=False, soft_wrap=True)


def program() -> str:
    """What `kiban` is called here."""
    return os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).exists() else "kiban"


def wards(opened: Store) -> dict[str, str]:
    """Names of the wards by their codes."""
    with opened.session(OPERATOR) as session:
        rows = session.sql(
            "SELECT gyoseikukodo, gyoseikumei FROM resident.gyoseiku WHERE closed_by IS NULL ORDER BY 1"
        )
    return {row["gyoseikukodo"]: row["gyoseikumei"] for row in rows}
