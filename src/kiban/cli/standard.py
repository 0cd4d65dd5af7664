"""`kiban standard`: read, check, show, compare and export editions of the standard."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kiban import main, standard
from kiban.cli import listing
from kiban.cli import standard_rows as rows
from kiban.cli.files import write_text
from kiban.cli.standard_check import CHECK_EXAMPLES, check
from kiban.cli.standard_import import IMPORT_EXAMPLES, import_workbook
from kiban.cli.standard_named import AsJson, EditionArgument, OverlayFile, Roots, edition_named

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Read, check, compare and export editions of the national data standard.

    An edition is a folder: business.yaml, items.csv (the columns of the 基本データリスト) and codes/*.csv.
    Commands take an EDITION as a folder, as a business (001 or resident), or as business@edition.""",
    epilog="""Examples:

    [b]kiban standard show[/b]    what is at hand

    [b]kiban standard show resident --group jumin[/b]

    [b]kiban standard check standards/031/2023-09[/b]

    [b]kiban standard diff 031@official-2023.09 031@kiban-api-2.0 --html diff.html[/b]

    [b]kiban standard export resident --to html --out resident.html[/b]

    [b]kiban standard import 031.xlsx --business 031 --edition 2023-09[/b]""",
)


app.command("import", epilog=IMPORT_EXAMPLES)(import_workbook)
app.command(epilog=CHECK_EXAMPLES)(check)


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
    code: Annotated[
        str | None, typer.Option(metavar="ID", help="A code list, or an item's romaji for its list.")
    ] = None,
    root: Roots = None,
    overlay: OverlayFile = None,
    as_json: AsJson = False,
) -> None:
    """Show the editions at hand, the groups of one, the items of a group, or a code list."""
    if edition is None:
        _show_editions(main.library(root or (), undecided=True).editions, as_json=as_json)
        return
    chosen = edition_named(edition, root, overlay)
    mark = "" if chosen.status == "official" else "  基準版（公式ではない）"
    note = f"  {rows.scope_note(chosen)}: not to be used yet" if rows.scope_note(chosen) else ""
    title = f"{chosen.title} {chosen.called}@{chosen.edition}{mark}{note}"
    if code is not None:
        found = rows.code_rows(chosen, code)
        listing.show(title, rows.CODE_HEADS, found, (rows.CODE_HEADS, found), as_json=as_json)
    elif group is not None:
        of = chosen.group(group)
        title += f"  {of.name} {of.id}"
        listing.show(title, rows.ITEM_HEADS, rows.item_rows(of), rows.item_screen(of), as_json=as_json)
    else:
        listing.show(
            title, rows.GROUP_HEADS, rows.group_rows(chosen), rows.group_screen(chosen), as_json=as_json
        )
        _hint(f"kiban standard show {edition} --group {chosen.groups[0].id}", as_json=as_json)


def _show_editions(editions: tuple[standard.Edition, ...], *, as_json: bool) -> None:
    ordered = sorted(editions, key=lambda e: e.called)  # stable: the default of a business stays in front
    screen = rows.edition_screen(ordered, main.edition_roots())
    listing.show("Editions at hand", rows.EDITION_HEADS, rows.edition_rows(ordered), screen, as_json=as_json)
    if ordered:
        _hint(f"kiban standard show {ordered[0].called}@{ordered[0].edition}", as_json=as_json)


def _hint(command: str, *, as_json: bool) -> None:
    """The next step, for people only."""
    if sys.stdout.isatty() and not as_json:
        typer.echo(f"next: {command}")


@app.command(
    epilog="""Examples:

    [b]kiban standard diff 031@official-2023.09 031@kiban-api-2.0[/b]

    [b]kiban standard diff 001@kiban-2026.1 001@kiban-2026.2 --html diff.html[/b]
    a page in Japanese, to hand round

    [b]kiban standard diff old/ new/ --fail-on-breaking[/b]
    for a build that must notice"""
)
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A folder, a business, or business@edition.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Likewise.")],
    root: Roots = None,
    as_json: AsJson = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page in Japanese that also prints.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List changes of wording too.")] = False,
    fail_on_breaking: Annotated[
        bool, typer.Option("--fail-on-breaking", help="Leave with 1 where a change breaks somebody.")
    ] = False,
) -> None:
    """Compare two editions of a business: what changed, and whom it breaks.

    Writers provide the data, readers receive it; stored data lies in the registers.
    """
    before, after = edition_named(old, root), edition_named(new, root)
    found = standard.diff(before, after)
    if html is not None:
        write_text(html, standard.diff_page(before, after))
        typer.echo(f"wrote {html}", err=as_json)
    if as_json:
        changes = [rows.change_as_dict(change) for change in found.changes]
        head = {
            "business": found.business,
            "old": found.old,
            "new": found.new,
            "breaking": bool(found.breaking),
        }
        typer.echo(json.dumps(head | {"changes": changes}, ensure_ascii=False, indent=2))
    elif html is None:
        shown = [c for c in found.changes if every or c.kind != "reworded"]
        title = f"{after.title} {found.business}: {found.old} → {found.new}"
        rows.show_changes(title, shown)
        rest = len(found.changes) - len(shown)
        wording = f"; {rest} of wording only (--all lists them)" if rest else ""
        typer.echo(f"{len(shown)} changes, {len(found.breaking)} break somebody{wording}")
        _hint(f"kiban standard diff {old} {new} --html diff.html", as_json=as_json)
    if fail_on_breaking and found.breaking:
        raise typer.Exit(1)


@app.command(
    epilog="""Examples:

    [b]kiban standard export resident --to html --out resident.html[/b]

    [b]kiban standard export 031@kiban-api-2.0 --to openapi > 031.json[/b]

    [b]kiban standard export 001 --overlay kobe.yaml --to table-schema --out 001.json[/b]
    what a city made of the edition"""
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

    html: a page for people that filters and prints. table-schema: Frictionless Data Package. json-schema:
    JSON Schema 2020-12. openapi: OpenAPI 3.1. odcs: Open Data Contract Standard 3.1. ddl: SQL.
    """
    text = standard.export(edition_named(edition, root, overlay), to)
    if out is None:
        typer.echo(text.encode("utf-8"), nl=False)  # UTF-8 whatever the terminal says: it goes into a file
    else:
        write_text(out, text)
        typer.echo(f"wrote {out}")
