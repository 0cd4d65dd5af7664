"""Editions as people name them on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from kiban import main, standard
from kiban.kernel import Problem

Roots = Annotated[
    list[Path] | None,
    typer.Option(
        "--root", metavar="DIR", help="A folder that holds editions, beside those shipped. Repeatable."
    ),
]
OverlayFile = Annotated[
    Path | None,
    typer.Option("--overlay", metavar="FILE", help="Lay a city's overlay.yaml over the edition."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]
EditionArgument = Annotated[
    str, typer.Argument(metavar="EDITION", help="A folder, a business, or business@edition.")
]


def edition_named(word: str, roots: Iterable[Path] | None, overlay: Path | None = None) -> standard.Edition:
    """The edition that a person named."""
    path = Path(word)
    if path.is_dir():
        edition = standard.read(path).to_look_at()
    elif "/" in word or path.exists():
        what = "this is a file, not an edition folder" if path.exists() else "there is no such folder"
        fix = "name the folder that holds business.yaml; an .xlsx comes in by: kiban standard import"
        raise Problem("edition-missing", what, word, fix)
    else:
        business, _, edition_id = word.partition("@")
        edition = main.library(roots or (), undecided=True).edition(business, edition_id or None)
    return edition if overlay is None else standard.overlay(edition, overlay)
