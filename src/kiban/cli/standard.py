"""`kiban standard`: read, check, show, compare and export editions of the standard."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from kiban import main, standard
from kiban.kernel import Problem, Problems

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Read, check, compare and export editions of the national data standard.

    An edition is a folder: business.yaml, items.csv (the columns of the 基本データリスト) and codes/*.csv.
    Commands take an EDITION as a folder, as a business (001 or resident), or as business@edition.""",
    epilog="""Examples:

    [b]kiban standard import 031.xlsx --business 031 --edition 2023-09[/b]

    [b]kiban standard check standards/031/2023-09[/b]

    [b]kiban standard show resident --group jumin[/b]

    [b]kiban standard diff 031@official-2023.09 standards/031/2023-09[/b]

    [b]kiban standard export resident --to html --out resident.html[/b]""",
)

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


def _console() -> Console:
    console = Console(markup=False, highlight=False, emoji=False)
    return console if console.is_terminal else Console(markup=False, highlight=False, emoji=False, width=200)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _edition(word: str, roots: Iterable[Path] | None, overlay: Path | None = None) -> standard.Edition:
    """The edition that a person named."""
    path = Path(word)
    if path.is_dir():
        edition = standard.load(path)
    elif "/" in word:
        raise Problem("edition-missing", "there is no such folder", word, "check the path")
    else:
        business, _, edition_id = word.partition("@")
        edition = main.library(roots or ()).edition(business, edition_id or None)
    return edition if overlay is None else standard.overlay(edition, overlay)


@app.command(
    "import",
    epilog="""Example:

    [b]kiban standard import 031.xlsx --business 031 --edition 2023-09 --group
    住登外者宛名基本情報=jutogaisha_atena_kihon_joho[/b]""",
)
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.xlsx", help="The official Excel of an item definition.")
    ],
    business: Annotated[str, typer.Option(metavar="NNN", help="業務ID, three digits.")],
    edition: Annotated[str, typer.Option(metavar="NAME", help="ID to give to the edition.")],
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="名称=table", help="Table name of a group; the list gives none. Repeatable."),
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
    The folder appears whole or not at all.
    """
    request = standard.ImportRequest(
        business=business,
        edition=edition,
        target=into or Path("standards") / business / edition,
        id=id_ or _known_name(business),
        title=title,
        groups=dict(_group_name(text) for text in group or []),
        replace=replace,
    )
    imported = standard.import_workbook(file, request)
    _show_imported(imported)
    _tell(imported.findings)
    if any(finding.severity == "fault" for finding in imported.findings):
        typer.echo(
            "The edition was written as the workbook has it; it cannot be used before the faults are mended."
        )
        raise typer.Exit(1)


def _known_name(business: str) -> str | None:
    """The schema name that the business already has among the editions at hand."""
    return next((e.id for e in main.library(()).editions if e.business == business), None)


def _group_name(text: str) -> tuple[str, str]:
    name, equals, table = text.rpartition("=")
    if not equals or not name or not table:
        raise Problem(
            "group-form",
            f"--group {text} is not 名称=table",
            "--group",
            "write it such as --group 住登外者宛名基本情報=jutogaisha_atena_kihon_joho",
        )
    return name.strip(), table.strip()


def _show_imported(imported: standard.Imported) -> None:
    console = _console()
    table = _table(f"{imported.title} → {imported.folder}", "what", "found")
    table.add_row("items", str(imported.items))
    for id_, name, count in imported.groups:
        table.add_row("group", f"{name} = {id_} ({count} items)")
    table.add_row("code lists", str(imported.code_lists))
    table.add_row("cells kept beside the lists", f"{len(imported.leftovers)} in source/cells.csv")
    table.add_row("cells not understood", str(len(imported.not_understood)))
    for sheet, places in imported.places_not_understood.items():
        table.add_row(f"  {sheet}", ", ".join(place.replace("\n", " ") for place in places))
    console.print(table)


def _tell(findings: Iterable[standard.Finding]) -> None:
    for finding in findings:
        typer.echo(f"{finding.severity}  {finding.problem}")


@app.command(
    epilog="""Examples:

    [b]kiban standard check[/b]                        every edition at hand

    [b]kiban standard check standards/031/2023-09[/b]  one folder, or all below one

    [b]kiban standard check 031 --overlay kobe.yaml[/b]"""
)
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
            _tell(finding for place, finding in found if place == folder)
        typer.echo(f"{len(folders)} checked: {faults} faults, {len(found) - faults} notes")
    if faults or (strict and found):
        raise typer.Exit(1)


def _overlay_faults(edition: standard.Edition, file: Path) -> list[standard.Finding]:
    try:
        standard.overlay(edition, file)
    except Problems as problems:
        return [standard.Finding("fault", problem) for problem in problems.problems]
    return []


def _folders(words: list[str], roots: list[Path]) -> list[Path]:
    if not words:
        shipped = [edition.folder for edition in main.library(()).editions]
        below = standard.edition_folders(roots)
        return list(dict.fromkeys([*shipped, *below]))
    folders: list[Path] = []
    for word in words:
        path = Path(word)
        if path.is_dir():
            folders += standard.edition_folders([path]) or [path]
        else:
            folders.append(_edition(word, roots).folder)
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


@app.command(
    epilog="""Examples:

    [b]kiban standard show[/b]                           the editions at hand

    [b]kiban standard show resident[/b]                  its groups

    [b]kiban standard show resident --group jumin[/b]    the items of a group

    [b]kiban standard show resident --code 1[/b]         a code list"""
)
def show(
    edition: Annotated[
        str | None, typer.Argument(metavar="[EDITION]", help="A folder, a business, or business@edition.")
    ] = None,
    group: Annotated[str | None, typer.Option(metavar="NAME", help="A group, by table name or 名称.")] = None,
    code: Annotated[str | None, typer.Option(metavar="ID", help="A code list.")] = None,
    root: Roots = None,
    overlay: OverlayFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the editions at hand, the groups of one, the items of a group, or a code list."""
    if edition is None:
        _print("Editions at hand", _EDITION_HEADS, _edition_rows(root or ()), as_json=as_json)
        return
    chosen = _edition(edition, root, overlay)
    mark = "" if chosen.status == "official" else "  基準版（公式ではない）"
    title = f"{chosen.title} {chosen.business}@{chosen.edition}{mark}"
    if code is not None:
        _print(title, _CODE_HEADS, _code_rows(chosen, code), as_json=as_json)
    elif group is not None:
        found = chosen.group(group)
        _print(f"{title}  {found.name}", _ITEM_HEADS, _item_rows(found), as_json=as_json)
    else:
        _print(title, _GROUP_HEADS, _group_rows(chosen), as_json=as_json)


_EDITION_HEADS = ("業務ID", "name", "title", "edition", "status", "effective", "items", "folder")
_GROUP_HEADS = ("group", "name", "kind", "scope", "items", "key")
_ITEM_HEADS = (
    "ID",
    "項目",
    "romaji",
    "key",
    "type",
    "digits",
    "code",
    "repeat",
    "condition",
    "実装",
    "points to",
)
_CODE_HEADS = ("value", "label", "from", "to", "remarks")


def _edition_rows(roots: Iterable[Path]) -> list[tuple[str, ...]]:
    return [
        (
            e.business,
            e.id,
            e.title,
            e.edition,
            e.status,
            str(e.effective or ""),
            str(len(e.items)),
            str(e.folder),
        )
        for e in main.library(roots).editions
    ]


def _group_rows(edition: standard.Edition) -> list[tuple[str, ...]]:
    return [
        (g.id, g.name, g.kind, g.scope, str(len(g.items)), ", ".join(i.romaji for i in g.key))
        for g in edition.groups
    ]


def _code_rows(edition: standard.Edition, word: str) -> list[tuple[str, ...]]:
    lists = edition.codes
    code_list = lists.get(word) or lists.get(word.lstrip("0"))
    if code_list is None:
        raise Problem(
            "code-list-unknown",
            f"edition {edition.edition} has no code list {word}",
            "--code",
            f"known are {', '.join(lists)}",
        )
    return [
        (c.value, c.label, str(c.valid_from or ""), str(c.valid_to or ""), c.remarks) for c in code_list.codes
    ]


def _item_rows(group: standard.Group) -> list[tuple[str, ...]]:
    return [
        (
            item.id,
            item.name,
            item.romaji,
            "○" if item.key else "",
            item.type,
            f"{item.digits},{item.scale}" if item.scale is not None else str(item.digits or ""),
            item.code or "",
            str(item.repeat or ""),
            item.condition,
            item.implementation,
            group.references.get(item.romaji, ""),
        )
        for item in group.items
    ]


def _print(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, as_json: bool) -> None:
    if as_json:
        rows_as_dicts = [dict(zip(heads, row, strict=True)) for row in rows]
        typer.echo(json.dumps(rows_as_dicts, ensure_ascii=False, indent=2))
        return
    table = _table(title, *heads)
    for row in rows:
        table.add_row(*row)
    _console().print(table)


@app.command(
    epilog="""Examples:

    [b]kiban standard diff 031@official-2023.09 031@kiban-api-2.0[/b]

    [b]kiban standard diff old/ new/ --fail-on-breaking[/b]   for a build that must notice"""
)
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, a business, or business@edition.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Likewise.")],
    root: Roots = None,
    as_json: AsJson = False,
    every: Annotated[bool, typer.Option("--all", help="List changes of wording too.")] = False,
    fail_on_breaking: Annotated[
        bool, typer.Option("--fail-on-breaking", help="Leave with 1 where a change breaks somebody.")
    ] = False,
) -> None:
    """Compare two editions of a business: what changed, and whom it breaks.

    Writers provide the data, readers receive it; stored data lies in the registers.
    """
    found = standard.diff(_edition(old, root), _edition(new, root))
    if as_json:
        changes = [_change_as_dict(change) for change in found.changes]
        head = {
            "business": found.business,
            "old": found.old,
            "new": found.new,
            "breaking": bool(found.breaking),
        }
        typer.echo(json.dumps(head | {"changes": changes}, ensure_ascii=False, indent=2))
    else:
        table = _table(
            f"{found.business}: {found.old} → {found.new}", "change", "group", "item", "what", "breaks"
        )
        shown = [c for c in found.changes if every or c.kind != "reworded"]
        for change in shown:
            who = ", ".join(change.breaks) if change.breaking else ""
            item = change.new or change.old
            name = f"{item.romaji} {item.name}" if item else ""
            table.add_row(change.kind, change.group, name, change.note, who)
        _console().print(table)
        rest = len(found.changes) - len(shown)
        wording = f"; {rest} of wording only (--all lists them)" if rest else ""
        typer.echo(f"{len(shown)} changes, {len(found.breaking)} break somebody{wording}")
    if fail_on_breaking and found.breaking:
        raise typer.Exit(1)


def _change_as_dict(change: standard.Change) -> dict[str, Any]:
    facts = asdict(change)
    for side in ("old", "new"):
        item = getattr(change, side)
        facts[side] = None if item is None else {"id": item.id, "romaji": item.romaji, "name": item.name}
    return facts


@app.command(
    epilog="""Examples:

    [b]kiban standard export resident --to html --out resident.html[/b]

    [b]kiban standard export 031@kiban-api-2.0 --to openapi > 031.json[/b]"""
)
def export(
    edition: EditionArgument,
    to: Annotated[str, typer.Option(metavar="FORMAT", help=f"One of {', '.join(standard.EXPORT_FORMATS)}.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write; the screen if not given.")
    ] = None,
    root: Roots = None,
    overlay: OverlayFile = None,
) -> None:
    """Write an edition in a public format.

    table-schema: Frictionless Data Package. json-schema: 2020-12. openapi: 3.1. odcs: Open Data Contract
    Standard 3.1. ddl: SQL. html: a page for people that prints well.
    """
    text = standard.export(_edition(edition, root, overlay), to)
    if out is None:
        sys.stdout.write(text)
        return
    beside = out.with_name(f".{out.name}.writing")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        raise Problem(
            "target-not-writable",
            f"the file cannot be written ({error.strerror})",
            str(out),
            "check the folder and its permissions",
        ) from error
    typer.echo(f"wrote {out}")
