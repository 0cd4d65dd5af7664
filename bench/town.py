"""Make a whole city: time, memory of all processes, and size."""

from __future__ import annotations

import shutil
import tempfile
from datetime import date
from pathlib import Path

from bench import measure
from kiban import main, town


def run(residents: int) -> None:
    editions = main.library()
    out = Path(tempfile.mkdtemp(prefix="kiban-town-")) / "town"
    try:
        with measure.watched() as work:
            report = town.make(
                out,
                resident=editions.edition("resident"),
                nonresident=editions.edition("nonresident_addressee"),
                residents=residents,
                seed=1,
                city="28100",
                population=None,
                as_of=date(2026, 10, 1),
                processes=2,
            )
        size = sum(path.stat().st_size for path in out.rglob("*.parquet"))
        measure.result("make the city", work.seconds, "s", at_most=600)
        measure.result("make the city, memory", work.peak_mib, "MiB", at_most=4096)
        measure.result(
            "make the city, rows of 住民 for a resident", report.rows["jumin"] / report.residents, "rows"
        )
        measure.result("make the city, all rows", sum(report.rows.values()), "rows")
        measure.result("make the city, files", size / 2**20, "MiB")
    finally:
        shutil.rmtree(out.parent)
