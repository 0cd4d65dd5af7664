"""`kiban access policies`: the policy set, checked and shown to an auditor."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kiban.access import Policies

policies = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Check the policy set, show it as a table, compare two sets.

    A set is a folder with duties.yaml (職務), actions.yaml (操作), item_classes.yaml (項目区分) and *.cedar files.""",
    epilog="""Examples:

    [b]kiban access policies check policies/[/b]                   every fault of the files at once

    [b]kiban access policies show --duty tax[/b]                   what a duty allows

    [b]kiban access policies show --html policies.html[/b]         the whole set as one page

    [b]kiban access policies diff policies-2026/ policies-2027/[/b]  what the new set allows anew, and what no more""",
)

_Folders = Annotated[
    list[Path] | None,
    typer.Argument(help="Folders of the set; one adds to another. Default: those of KIBAN_POLICIES."),
]
_Day = Annotated[
    datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day. Default: today, in Japan.")
]
MARKS = {"always": "○", "sometimes": "△", "never": "－"}


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban access`."""
    parent.add_typer(policies, name="policies")


@policies.command("check")
def check(folders: _Folders = None) -> None:
    """Read the files and look up every name; tells every fault at once."""
    found = _read(folders)
    typer.echo(
        f"職務 {len(found.duties)}、操作 {len(found.actions)}、項目区分 {len(found.classes)}、方針 {len(found.policies)}"
    )
    typer.echo(f"sha256 {found.digest}")


@policies.command("show")
def show(
    folders: _Folders = None,
    duty: Annotated[str, typer.Option(help="Only this duty.")] = "",
    on: _Day = None,
    html: Annotated[
        Path | None, typer.Option(help="Write a page that needs no network to this file.")
    ] = None,
) -> None:
    """Show what every duty allows: ○ always, △ in some offices, wards or works, － never."""
    from kiban.cli import access_page, access_people, listing

    found, day = _read(folders), on.date() if on else access_people.today()
    if duty:
        found.duty(duty)
    cells = [each for each in found.table(day) if duty in ("", each.duty)]
    if html:
        html.write_text(access_page.page(found, cells, day), encoding="utf-8")
        typer.echo(f"{html} を書いた")
        return
    rows = access_page.rows(found, cells)
    heads = ("職務", "業務・項目区分", *(each.title for each in found.actions.values()))
    listing.lines(listing.tabbed([heads, *rows]))


@policies.command("diff")
def diff(
    before: Annotated[Path, typer.Argument(help="Folder of the old set.")],
    after: Annotated[Path, typer.Argument(help="Folder of the new set.")],
    on: _Day = None,
) -> None:
    """Show what the new set allows anew and what no more. Exit code 1: something differs."""
    from kiban.cli import access_page, access_people

    old, new = _read([before]), _read([after])
    moved = new.changes(old, on.date() if on else access_people.today())
    for each in moved:
        way = "許す" if each.opens else "許さない"
        known = new if each.after.duty in new.duties else old
        marks = f"{MARKS[each.before.mark]} → {MARKS[each.after.mark]}"
        typer.echo(f"{way}  {marks}  {access_page.words(known, each.after)}")
    if old.digest != new.digest and not moved:
        typer.echo("ファイルは異なるが、表の可否は同じである")
    raise typer.Exit(1 if moved else 0)


def _read(folders: list[Path] | None) -> Policies:
    import os

    from kiban import access, main, settings

    given = settings.read(os.environ)
    chosen = folders or given.policies or (access.REFERENCE,)
    return access.load_policies(chosen, main.library(given=given))
