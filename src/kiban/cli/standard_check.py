"""`kiban standard check`: every fault of editions at once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from kiban import main, settings, standard
from kiban.cli.standard_import import tell
from kiban.cli.standard_named import AsJson, OverlayFile, Roots, edition_named
from kiban.kernel import Problem, Problems

CHECK_EXAMPLES = """Examples:

    [b]kiban standard check[/b]                        every edition at hand

    [b]kiban standard check standards/031/2023-09[/b]  one folder, or all below one

    [b]kiban standard check 031 --overlay kobe.yaml[/b]"""


def check(
    editions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[EDITION]...", help="Folders or businesses; all at hand if none."),
    ] = None,
    root: Roots = None,
    overlay: OverlayFile = None,
    as_json: AsJson = False,
    strict: Annotated[bool, typer.Option("--strict", help="Leave with 1 for notes too.")] = False,
) -> None:
    """Report every fault of an edition at once, each with file, line and what to do.

    A fault keeps the edition from being used; a note does not. Leaves with 1 where there is a fault.
    """
    if overlay is not None and not editions:
        fix = f"such as: kiban standard check 001@kiban-2026.1 --overlay {overlay}"
        raise Problem(
            "overlay-without-edition", "--overlay needs the edition it is laid over", "--overlay", fix
        )
    found: list[tuple[Path, standard.Finding]] = []
    folders = _folders(editions or [], root or [])
    for folder in folders:
        reading = standard.read(folder)
        found += [(folder, finding) for finding in reading.findings]
        if overlay is not None and reading.edition is not None:
            found += [(folder, finding) for finding in _overlay_faults(reading.edition, overlay)]
    faults = sum(finding.severity == "fault" for _, finding in found)
    if as_json:
        typer.echo(json.dumps([_as_dict(folder, f) for folder, f in found], ensure_ascii=False, indent=2))
    else:
        for folder in folders:
            typer.echo(f"{folder}")
            tell(finding for place, finding in found if place == folder)
        counts = (len(folders), "edition"), (faults, "fault"), (len(found) - faults, "note")
        checked, *rest = (f"{count} {word}{'s' * (count != 1)}" for count, word in counts)
        typer.echo(f"{checked} checked: {', '.join(rest)}")
    if faults or (strict and found):
        raise typer.Exit(1)


def _overlay_faults(edition: standard.Edition, file: Path) -> list[standard.Finding]:
    try:
        standard.overlay(edition, file)
    except Problems as problems:
        return [standard.Finding("fault", problem) for problem in problems.problems]
    return []


def _folders(words: list[str], roots: list[Path]) -> list[Path]:
    for root in roots:
        if not root.is_dir():
            raise Problem("root-missing", "there is no such folder", str(root), "check the path after --root")
    if not words:
        return list(
            standard.edition_folders([*main.edition_roots(), *settings.read(os.environ).standards, *roots])
        )
    folders: list[Path] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            folders += standard.edition_folders([path]) or [path]
        else:
            folders.append(edition_named(word, roots).folder)
    return list(dict.fromkeys(folders))


def _as_dict(folder: Path, finding: standard.Finding) -> dict[str, Any]:
    problem = finding.problem
    return {
        "folder": str(folder),
        "severity": finding.severity,
        "code": problem.code,
        "what": problem.what,
        "where": problem.where,
        "fix": problem.fix,
    }
