"""A code page at the terminal: named, with the maker's tables and the city's charts laid over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kiban import characters
from kiban.kernel import Problem


def page_with(
    name: str, tables: Sequence[Path], charts: Sequence[Path], *, undecided: bool = False
) -> characters.CodePage:
    """A code page with tables and charts.

    Args:
        name: of the page.
        tables: JSON files of the maker or the city, later ones on top.
        charts: CSV files of the city's own characters and of the decisions on them, of one system; or of several, one of them named
            like the page.
        undecided: whether a character of the chart counts that nobody decided on: for a look, never for a text that is kept.

    Raises:
        Problem, Problems: those of `code_page` and `Chart.load`; `chart-systems` where it is not clear which system's chart applies.
    """
    gaiji: dict[int, str] = {}
    if charts:
        chart = characters.Chart.load(*charts, unsigned=True)
        system = chart.systems[0] if len(chart.systems) == 1 else name
        if system not in chart.systems:
            raise Problem(
                "chart-systems",
                f"the charts are of {', '.join(chart.systems) or 'no system'}",
                ", ".join(map(str, charts)),
                f"give the chart of one system, or name that of {name} so",
            )
        shown = {row.code: row.unicode for row in chart.rows if row.system == system and row.unicode}
        gaiji = shown if undecided else chart.gaiji(system)
    return characters.code_page(name, tables=tables, gaiji=gaiji)


def by_page(given: Sequence[str], option: str) -> dict[str, list[Path]]:
    """Files by page, of options such as `--table jef=table.json`.

    Raises:
        Problem: `guess-page` for one that names no page.
    """
    found: dict[str, list[Path]] = {}
    for text in given:
        name, equals, path = text.partition("=")
        if not equals or name not in characters.CODE_PAGES:
            raise Problem(
                "guess-page",
                f"{option} {text} does not say of which page the file is",
                fix=f"{option} jef={path or text}; the pages are {', '.join(characters.CODE_PAGES)}",
            )
        found.setdefault(name, []).append(Path(path))
    return found
