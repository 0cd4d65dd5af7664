"""Lists at the terminal: a table for people, tab-separated lines for pipes, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = tuple[str, ...]


def console() -> Console:
    """A console that prints texts as they are."""
    return Console(markup=False, highlight=False, emoji=False)


def show(
    title: str, heads: Row, rows: Sequence[Row], screen: tuple[Row, Sequence[Row]], *, as_json: bool
) -> None:
    """Print a list.

    Args:
        title: what the list is of; the first line, but not of JSON.
        heads: name of each column.
        rows: every fact, one line each, for pipes and JSON.
        screen: heads and rows of a table that is read at 80 columns; cells may have several lines, and what is
            left out there is said to be in the pipe.
        as_json: whether to print JSON.
    """
    if as_json:
        typer.echo(
            json.dumps([dict(zip(heads, row, strict=True)) for row in rows], ensure_ascii=False, indent=2)
        )
    elif console().is_terminal:
        table = Table(
            title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False
        )
        for head in screen[0]:
            table.add_column(head, overflow="fold")
        for row in screen[1]:
            table.add_row(*row)
        console().print(table)
    else:
        lines([title, *tabbed([heads, *rows])])


def tabbed(rows: Iterable[Row]) -> Iterable[str]:
    """Rows as tab-separated lines; line breaks and tabs inside a cell become blanks."""
    return ("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


def lines(texts: Iterable[str]) -> None:
    """Print lines as they are."""
    for text in texts:
        typer.echo(text)
