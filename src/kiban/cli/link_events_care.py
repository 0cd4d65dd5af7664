"""`kiban link begin, thin`: a flow without files begins empty; what nobody needs any more is forgotten."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from kiban.cli import linking
from kiban.cli.linking import Flow, Root

_Folder = Annotated[
    Path | None, typer.Option("--folder", metavar="DIR", help="A replica, as of kiban link consume.")
]


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.command("begin")(begin)
    parent.command("thin")(thin)


def begin(flow: Flow, folder: _Folder = None, root: Root = None) -> None:
    """Begin a flow that carries events and no files, with an empty copy.

    What does not change from now on is never told of: for whoever is there already, add file to the ways of the contract
    and publish a full set. The printed number is the floor of the consumer's copy: another vendor's consumer is told of it.

    Example: [b]kiban link begin resident-library.v1 --folder ./card[/b]
    """
    from kiban import linkage

    contract = linking.contracts(root).flow(flow)
    with linking.opened() as (opened, books):
        event = linkage.events.begin(opened, books, contract)
    if folder is not None:
        with (
            linkage.Replica.open(folder, contract) as replica,
            replica.replacing(event, linkage.events.EMPTY),
        ):
            pass
    typer.echo(f"{flow}：空の写しから始める。事象 {event} より後の変更を送る（利用側の floor は {event}）")


def thin(
    before: Annotated[
        datetime, typer.Argument(metavar="DAY", formats=["%Y-%m-%d"], help="Older than this day, in Japan.")
    ],
    folder: _Folder = None,
    flow: Annotated[str | None, typer.Option(metavar="FLOW", help="Of the replica in --folder.")] = None,
    dealt_with: Annotated[
        int, typer.Option("--dealt-with", metavar="N", help="Number of the replica's last effect dealt with.")
    ] = 0,
    root: Root = None,
) -> None:
    """Forget what is old and needed for no order, no gap and no receipt: of the platform, or of one replica.

    The platform forgets which events carried whom, as far as every flow has answered for all that was sent; such a stretch
    cannot be replayed any more. A replica forgets messages that it answered for and whose effects were dealt with; when they
    come again they are known as repeats. Evidence is never thinned.

    Examples:
    [b]kiban link thin 2026-04-01[/b]

    [b]kiban link thin 2026-04-01 --folder ./tax --flow resident-tax.v1 --dealt-with 8123[/b]
    """
    from kiban import linkage, store
    from kiban.kernel import JAPAN

    moment = before.replace(tzinfo=JAPAN).astimezone(UTC)
    if folder is not None:
        if flow is None:
            raise typer.BadParameter("name the flow of the replica", param_hint="--flow")
        with linkage.Replica.open(folder, linking.contracts(root).flow(flow)) as replica:
            typer.echo(f"{flow}：電文の記録 {replica.thin(moment, dealt_with):,}行を消した（{folder}）")
        return
    with linking.opened() as (opened, books):
        until = store.event_before(opened, moment)
        bound, count = linkage.events.thin(books, until)
        typer.echo(f"事象 {bound} までの送付の記録 {count:,}行を消した")
        if bound < until:
            behind = [each.flow for each in linkage.events.status(opened, books) if each.holds_thinning]
            typer.echo(f"{until} までは消せない。応答がそろっていないフロー：{'、'.join(behind)}")
