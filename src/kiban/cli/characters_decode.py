"""`kiban characters decode`: a text file of a mainframe as UTF-8, or the list of what could not be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiban import characters
from kiban.cli.characters_pages import page_with
from kiban.cli.listing import lines
from kiban.cli.progress import shown


def decode(
    file: Annotated[Path, typer.Argument(help="A file of text, without records, of any size.")],
    page: Annotated[str, typer.Option(metavar="NAME", help="Its code page, such as jef.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Gets the text in UTF-8, all of it or nothing.")],
    ledger: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Gets a CSV of what could not be read, with offset and bytes."),
    ],
    table: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A code table (JSON); repeat for several.")
    ] = None,
    chart: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Gaiji charts and decisions (CSV); only what two people decided counts."
        ),
    ] = None,
    no_lines: Annotated[
        bool, typer.Option("--no-lines", help="Codes that end lines, and tabs, are none of the text.")
    ] = False,
) -> None:
    """Read a text file strictly: where one byte cannot be read, no text is written and the ledger says why."""
    found = page_with(page, table or [], chart or [])
    with shown() as tell:
        done = characters.decode_text(
            file,
            found if no_lines else characters.with_line_ends(found),
            out,
            ledger,
            lambda read, total: tell("復号", read, total),
        )
    lines([f"{out}: {done.characters:,}文字(元は{done.size:,}バイト、うち外字{done.own:,}字)"])
