"""`kiban link quarantine`: what waits at consumers, and its release."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import linking
from kiban.cli.linking import Flow, Json, Keys, Root

if TYPE_CHECKING:
    from kiban import linkage

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""What waits at consumers, and why.

    A record that a consumer cannot take makes only its own person or household wait; all others go on. When the cause is
    mended, release sends everything of the unit as known now: it takes the place of whatever waits.""",
    epilog="""Examples:

    [b]kiban link quarantine list[/b]

    [b]kiban link quarantine release resident-tax.v1 000000000012343[/b]""",
)


@app.command("list")
def list_(
    flow: Annotated[str | None, typer.Argument(metavar="FLOW", help="Only this flow.")] = None,
    root: Root = None,
    as_json: Json = False,
) -> None:
    """List what waits, with reason and who answers for it."""
    from kiban import linkage
    from kiban.cli import listing

    owners = {each.flow: each.owner for each in linking.contracts(root)}
    with linking.opened() as (_, books):
        found = linkage.events.waiting(books, flow)
    if as_json:
        body = [{**asdict(each), "owner": owners.get(each.flow, "")} for each in found]
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
        return
    heads = ("フロー", "宛名番号等", "事象", "理由", "受信", "後続", "担当")
    rows = [
        (
            each.flow, each.unit, f"{each.event}", each.reason or f"事象{each.missing}が未着", each.since,
            f"{each.behind:,}", owners.get(each.flow, ""),
        )
        for each in found
    ]  # fmt: skip
    listing.show("保留・隔離", heads, rows, (heads, rows), as_json=False)


@app.command()
def release(
    flow: Flow,
    unit: Annotated[str, typer.Argument(metavar="UNIT", help="宛名番号 or 世帯番号.")],
    key: Keys = None,
    root: Root = None,
) -> None:
    """Send everything of one unit as known now; where the consumer can take it, nothing of it waits any more."""
    contract = linking.contracts(root).flow(flow)

    async def work(platform: linkage.events.Platform) -> None:
        event = await platform.replayer.mend(contract, [unit])
        typer.echo(f"{flow}：事象{event}の後の全項目を送った")

    linking.with_platform(root, key, work)
