"""`kiban standard import`: an official Excel becomes the files of an edition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from kiban import main, standard
from kiban.kernel import Problem

IMPORT_EXAMPLES = """Examples:

    [b]kiban standard import 031.xlsx --business 031 --edition 2023-09[/b]
    shows the groups; nobody may read them yet

    [b]kiban standard import 031.xlsx --business 031 --edition 2023-09 --replace
    --group 住登外者宛名基本情報=jutogaisha --scope jutogaisha=city[/b]
    names the group, and lets every signed-in actor read it

    [b]kiban standard import 001.xlsx --business 001 --edition 2026-04
    --group 住民=jumin --ward jumin=shiteitoshi_gyoseikutokodo[/b]
    lets the staff of a ward read the rows of that ward"""


def import_workbook(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.xlsx", help="The official Excel of an item definition.")
    ],
    business: Annotated[str, typer.Option(metavar="NNN", help="業務ID, three digits.")],
    edition: Annotated[str, typer.Option(metavar="NAME", help="ID to give to the edition.")],
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="名称=table", help="Table name of a group; the list gives none. Repeatable."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="GROUP=city", help="Every signed-in actor may read the group. Repeatable."),
    ] = None,
    ward: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GROUP=romaji",
            help="The group's rows belong to the ward that this item names. Repeatable.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write; ./standards/<business>/<edition> if not given."),
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="NAME", help="Schema name of the business; the one it has already if not given."
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Title; that of the workbook if not given.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an edition that is there.")] = False,
) -> None:
    """Read the official Excel of an item definition into the files of an edition, losing nothing.

    Every cell that is no item and no code is kept in source/cells.csv; those not understood are listed.
    The folder appears whole or not at all. The list does not say who may read a group: without --scope
    or --ward it is undecided, and the edition can be looked at but not be used.
    """
    request = standard.ImportRequest(
        business=business,
        edition=edition,
        target=into or Path("standards") / business / edition,
        id=id_ or _known_name(business),
        title=title,
        groups=_pairs("--group", group, "住登外者宛名基本情報=jutogaisha_atena_kihon_joho"),
        city=_cities(scope),
        wards=_pairs("--ward", ward, "jumin=shiteitoshi_gyoseikutokodo"),
        replace=replace,
    )
    imported = standard.import_workbook(file, request)
    _show_imported(imported)
    tell(imported.findings)
    faults = any(finding.severity == "fault" for finding in imported.findings)
    if faults:
        typer.echo(
            "The edition was written; it can be looked at, and not be used before the faults are mended."
        )
    undecided = [f for f in imported.findings if f.problem.code == "scope-undecided"]
    if undecided:
        table = imported.groups[0][0]
        typer.echo(
            f"next: decide who may read each group, in {imported.folder}/business.yaml, or by the same command with\n"
            f"  --replace and --scope {table}=city or --ward {table}=… (romaji of the item that holds the ward code)"
        )
    else:
        typer.echo(f"next: kiban standard {'check' if faults else 'show'} {imported.folder}")
    if faults:
        raise typer.Exit(1)


def _known_name(business: str) -> str | None:
    """The schema name that the business already has among the editions at hand."""
    return next((e.id for e in main.library((), undecided=True).editions if e.business_id == business), None)


def _pairs(option: str, texts: list[str] | None, example: str) -> dict[str, str]:
    """The texts of an option of the form name=value."""
    pairs = {}
    for text in texts or []:
        name, equals, value = (part.strip() for part in text.rpartition("="))
        if not equals or not name or not value:
            form = f"{option.removeprefix('--')}-form"
            raise Problem(
                form, f"{option} {text} is not name=value", option, f"write it such as {option} {example}"
            )
        pairs[name] = value
    return pairs


def _cities(texts: list[str] | None) -> tuple[str, ...]:
    pairs = _pairs("--scope", texts, "jutogaisha_atena_kihon_joho=city")
    for name, value in pairs.items():
        if value != "city":
            fix = f"write --scope {name}=city, or --ward {name}=… with the romaji of the item that holds the ward code"
            raise Problem("scope-form", f"--scope {name}={value} is not known", "--scope", fix)
    return tuple(pairs)


def _show_imported(imported: standard.Imported) -> None:
    """What came in, and what was not understood: each text with its cells."""
    typer.echo(f"{imported.title} → {imported.folder}")
    for id_, name, count in imported.groups:
        typer.echo(f"  group {name} = {id_} ({count} items)")
    typer.echo(f"  {imported.items} items, {imported.code_lists} code lists")
    typer.echo(f"  {len(imported.leftovers)} cells beside the lists, kept in source/cells.csv")
    typer.echo(f"  {len(imported.not_understood)} of them not understood")
    counts = Counter((x.sheet, " ".join(x.text.split())) for x in imported.not_understood)
    for (sheet, text), count in counts.most_common(20):
        cells = [
            x.address for x in imported.not_understood if (x.sheet, " ".join(x.text.split())) == (sheet, text)
        ]
        typer.echo(f"    「{text[:30]}」 ×{count} in {sheet}: {', '.join(cells[:4])}{' …' * (count > 4)}")
    if len(counts) > 20:
        typer.echo(f"    and {len(counts) - 20} more texts")


def tell(findings: Iterable[standard.Finding]) -> None:
    """Print findings, the fix below each."""
    for finding in findings:
        typer.echo(f"{finding.severity}  {finding.problem}")
