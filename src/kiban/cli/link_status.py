"""`kiban link status`: how every flow stands, in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import linking

if TYPE_CHECKING:
    from kiban.linkage import status as room


def add(parent: typer.Typer) -> None:
    """Put the command under `kiban link`."""
    parent.command("status")(status)


def status(
    page: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as a page for officials (HTML).")
    ] = None,
    root: linking.Root = None,
    as_json: linking.Json = False,
) -> None:
    """Show for each flow what is due, arrived and applied, what waits, whether both sides agree, and what to do about it.

    Leaves with 1 where somebody has to act (対応).

    Examples:
        [b]kiban link status[/b]                            every flow of the contracts at hand

        [b]kiban link status --page status.html[/b]         the same as a page, with reasons and figures
    """
    from datetime import timedelta

    from kiban import main, settings
    from kiban.cli import listing
    from kiban.linkage import status as room

    given, now = settings.read(os.environ), linking.now()
    known = main.contracts(given, root or ())
    with linking.opened() as (city, books):
        day = (now + timedelta(hours=9)).date()
        views = room.views(city, books, known.in_force(day), main.shelf(given), now)
    if page is not None:
        page.write_text(room.page(views, now), encoding="utf-8")
        typer.echo(f"書き出しました：{page}")
    else:
        heads = ("連携", "受け手", "状況", "送信", "適用", "どうなっているか")
        rows = [_row(view) for view in views]
        told = ("flow", "consumer", "verdict", "sent", "applied", "reasons")
        listing.show("データ連携の状況", heads, rows, (told, rows), as_json=as_json)
    for view in views if page is None and not as_json else ():
        for reason in view.reasons:
            typer.echo(f"→ {view.contract.flow} {reason.verdict}：{reason.words}。{reason.advice}")
    if any(view.verdict == "対応" for view in views):
        raise typer.Exit(1)


def _row(view: room.FlowView) -> tuple[str, ...]:
    one = view.changes
    figures = ("－", "－") if one is None else (f"{one.sent:,}", f"{one.applied:,}")
    told = f"{len(view.reasons)}件" if view.reasons else "期限のものはすべて適用済み"
    return (view.contract.flow, view.contract.consumer.name, view.verdict, *figures, told)
