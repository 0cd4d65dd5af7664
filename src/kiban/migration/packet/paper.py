"""The packet as a PDF of A4 pages, typeset by Typst."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from datetime import date, datetime, time
from importlib.resources import files
from pathlib import Path

from kiban.kernel import Problem
from kiban.migration.packet import charts
from kiban.migration.packet.model import CONCLUSIONS, VERDICTS, Packet, Section, shown

MOST_PAGES = 10
_TABLE_ROWS = 20  # a table may take more on the page than on paper


def to_pdf(packet: Packet, day: date) -> bytes:
    """The packet in PDF (PDF/A-2b), the same bytes for the same packet and day.

    Args:
        packet: what to print.
        day: stands in the file as the day it was made.

    Raises:
        Problem: `packet-unprintable` with what the typesetter says.
    """
    import typst  # noqa: PLC0415  (34 MB that only who prints should load)

    with tempfile.TemporaryDirectory(prefix="kiban-packet-") as name:
        folder = Path(name)
        source = files("kiban.migration.packet").joinpath("packet.typ").read_text("utf-8")
        (folder / "packet.typ").write_text(source, encoding="utf-8")
        contents = json.dumps(_printable(_contents(packet, folder)), ensure_ascii=False)
        (folder / "packet.json").write_text(contents, encoding="utf-8")
        try:
            made = typst.compile(
                str(folder / "packet.typ"),
                font_paths=[str(charts.font_file().parent)],
                ignore_system_fonts=True,
                pdf_standards="a-2b",
                timestamp=int(datetime.combine(day, time(12)).timestamp()),
            )
        except typst.TypstError as error:
            raise Problem(
                "packet-unprintable",
                f"the sign-off packet could not be typeset: {error}",
                fix="report this; the page beside it says the same",
            ) from error
    assert isinstance(made, bytes)
    return made


def _printable(value: object) -> object:
    """The same with every character that the letters of the paper lack written as its code, which nobody mistakes for another."""
    if isinstance(value, str):
        known = charts.known_letters()
        return "".join(one if ord(one) in known else f"［U+{ord(one):04X}］" for one in value)
    if isinstance(value, dict):
        return {name: _printable(each) for name, each in value.items()}
    return [_printable(each) for each in value] if isinstance(value, list | tuple) else value


def _contents(packet: Packet, folder: Path) -> dict[str, object]:
    return {
        "title": packet.title,
        "verdict": packet.verdict,
        "conclusion": CONCLUSIONS[packet.verdict],
        "facts": [*packet.facts, ("内容のSHA-256", packet.digest)],
        "digest": packet.digest,
        "signers": packet.signers,
        "sections": [_section(number, section, folder) for number, section in enumerate(packet.shown, 1)],
    }


def _section(number: int, section: Section, folder: Path) -> dict[str, object]:
    pictures = []
    for place, chart in enumerate(section.charts):
        file = folder / f"chart-{number}-{place}.svg"
        file.write_text(charts.to_svg(chart), encoding="utf-8")
        pictures.append({"title": chart.title, "file": file.name})
    glyphs = []
    for place, glyph in enumerate(section.glyphs):
        drawn = None
        if glyph.svg is not None:
            drawn = f"glyph-{number}-{place}.svg"
            (folder / drawn).write_text(glyph.svg, encoding="utf-8")
        glyphs.append({**asdict(glyph), "file": drawn})
    return {
        "title": section.title,
        "verdict": section.verdict,
        "mark": VERDICTS[section.verdict],
        "sentences": section.sentences,
        "charts": pictures,
        "glyphs": glyphs,
        "tables": [
            {
                "title": table.title,
                "columns": table.columns,
                "rows": [
                    [{"text": shown(cell), "number": isinstance(cell, int)} for cell in row]
                    for row in table.rows[: min(table.most, _TABLE_ROWS)]
                ],
                "rest": max(0, len(table.rows) - min(table.most, _TABLE_ROWS)),
            }
            for table in section.tables
        ],
    }
