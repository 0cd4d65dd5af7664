"""`kiban link reconcile`: whether a consumer holds what was delivered, and its repair."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kiban import linkage


def reconcile(
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="Such as resident-tax.v1.")],
    replica: Annotated[
        Path, typer.Option(metavar="DIR", exists=True, help="Folder of the consumer's replica.")
    ],
    repair: Annotated[
        bool, typer.Option("--repair", help="Send again exactly what has drifted, and compare once more.")
    ] = False,
    show_keys: Annotated[
        bool, typer.Option("--show-keys", help="Print whose rows differ: personal, handle as the register.")
    ] = False,
    root: Annotated[
        list[Path] | None, typer.Option("--root", metavar="DIR", help="A folder with contracts; repeatable.")
    ] = None,
) -> None:
    """Hold a consumer's replica against the registers by digests, and name every row that drifted. Leaves with 1 where one did.

    The provider's side is computed by PostgreSQL, the consumer's by DuckDB over what lies there: two ways, one specification. Where the
    digests differ, each unit is looked at by value, as known after the version that the consumer holds of it: what is only on its
    way is counted apart and is no drift.

    Examples:
        [b]kiban link reconcile resident-tax.v1 --replica ./tax[/b]            equal or not, and what differs

        [b]kiban link reconcile resident-tax.v1 --replica ./tax --repair[/b]   mend it, and show it equal
    """
    from tempfile import TemporaryDirectory

    from kiban import linkage, main, store
    from kiban.cli import linking, progress
    from kiban.linkage import files
    from kiban.linkage import reconcile as room

    given, known, contract = linking.named(flow, root)
    with (
        main.open_store(given) as opened,
        linkage.Replica.open(replica, contract) as held,
        TemporaryDirectory(dir=replica) as scratch,
        progress.shown() as tell,
    ):
        event, _ = store.last_event(opened)
        source = files.Source(opened, contract, main.protected(opened, known, contract, event, _now()), event)
        found = room.compare(source, held, Path(scratch), tell)
        _say(found, show_keys)
        if repair and not found.equal:
            after = room.repair(source, held, found, room.into(source, held, _now), Path(scratch), tell)
            typer.echo(f"{len(found.units):,}単位を送り直しました。")
            _say(after, show_keys)
            found = after
        with linkage.open_linkage(opened) as books:
            linkage.status.note_compared(books, found, _now())  # `kiban link status` shows it
    if not found.equal:
        raise typer.Exit(1)


def _say(found: linkage.reconcile.Compared, show_keys: bool) -> None:
    for one in found.feeds:
        same = "一致" if one.digests[0] == one.digests[1] else f"異なる（{one.buckets:,}/4,096区画）"
        typer.echo(
            f"{found.flow} {one.feed}：提供側{one.provider:,}件、利用側{one.consumer:,}件、要約は{same}"
        )
    if found.under_way:
        typer.echo(f"配送の途中：{found.under_way:,}単位（異なりに数えない）")
    kinds = {
        "missing": "利用側にない",
        "extra": "利用側だけにある",
        "differs": "値が異なる",
        "repeated": "利用側に重複",
    }
    counted: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for line in found.drifted:
        counted[line.feed, line.what, line.items] = counted.get((line.feed, line.what, line.items), 0) + 1
        if show_keys:
            typer.echo(
                f"  {line.feed} {'/'.join(str(part) for part in line.key)} {kinds[line.what]} {'、'.join(line.items)}"
            )
    for (feed, what, items), often in sorted(counted.items()):
        typer.echo(f"→ {feed}：{kinds[what]} {often:,}行 {'、'.join(items)}".rstrip())
    if found.equal:
        typer.echo("届けたとおりに保有されています。")


def _now() -> datetime:
    return datetime.now(UTC)
