"""`kiban link broker, publish, consume, replay, pause, resume, quarantine`: changes as events."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import link_events_care, link_quarantine, linking
from kiban.cli.linking import Flow, Json, Keys, Root

if TYPE_CHECKING:
    from kiban import linkage

_Once = Annotated[bool, typer.Option("--once", help="Only what there is now; otherwise until Ctrl-C.")]

broker_app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""The broker (NATS JetStream) that carries events.

    Without KIBAN_BROKER Kiban runs its own in the home, on this machine only. Each system that takes a flow has a user there
    that reaches its own flows and nothing else. A city in production names a cluster by KIBAN_BROKER.""",
    epilog="""Examples:

    [b]kiban link broker up[/b]                         start it; users come from the contracts

    [b]kiban link broker credentials ZEI zei.json[/b]   what the system ZEI needs to connect""",
)


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(broker_app, name="broker")
    parent.command("publish")(publish)
    parent.command("consume")(consume)
    parent.command("replay")(replay)
    parent.command("pause")(pause)
    parent.command("resume")(resume)
    link_events_care.add(parent)
    parent.add_typer(link_quarantine.app, name="quarantine")


@broker_app.command()
def up(root: Root = None) -> None:
    """Start the broker, or tell a running one of new contracts."""
    _own().up(linking.contracts(root))
    status()


@broker_app.command()
def down() -> None:
    """Stop it. What it holds stays."""
    _own().down()
    status()


@broker_app.command()
def status(as_json: Json = False) -> None:
    """Show whether it runs, and where."""
    found = _own().status()
    if as_json:
        typer.echo(json.dumps(asdict(found), default=str, ensure_ascii=False))
        return
    words = {"absent": "まだない", "half-made": "作りかけ", "stopped": "停止中", "running": "稼働中"}
    where = f"：{found.address}（{found.folder}）" if found.address else ""
    typer.echo(f"ブローカー {words[found.state]}{where}")


@broker_app.command()
def credentials(
    system: Annotated[
        str, typer.Argument(metavar="ID", help="業務ID or 独自施策システム等ID of the consumer.")
    ],
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where they go; readable by you alone.")],
) -> None:
    """Write what a system needs to connect into a file: addresses, user and password."""
    found = _own().address(system)
    body = {"servers": found.servers, "user": found.user, "password": found.password}
    out.touch(mode=0o600, exist_ok=False)
    out.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    typer.echo(f"{system} の接続情報を書いた：{out}")


def publish(key: Keys = None, once: _Once = False, root: Root = None) -> None:
    """Send what changes to every flow whose contract is signed and in force, and take the answers.

    A flow begins with its first full set (kiban link files publish), one without files by kiban link begin; it is held
    whenever it needs a new set.

    Example: [b]kiban link publish --key city.pub.pem[/b]
    """

    async def work(platform: linkage.events.Platform) -> None:
        if once:
            await platform.once()
        else:
            await platform.run(_until_interrupted())

    linking.with_platform(root, key, work)
    _show_places()


def consume(
    flow: Flow,
    folder: Annotated[Path, typer.Option(metavar="DIR", help="The replica: one folder, SQLite inside.")],
    credentials: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="From kiban link broker credentials; default: the embedded broker's."
        ),
    ] = None,
    once: _Once = False,
    root: Root = None,
) -> None:
    """Take a flow into a replica, protection first, and answer what was applied: the mock of a consumer, and its kit.

    What is about to be applied is written into evidence.sqlite of the folder first: kiban link evidence match holds
    it against the platform's.

    Example: [b]kiban link consume resident-tax.v1 --folder ./tax[/b]
    """
    from kiban import linkage

    contract = linking.contracts(root).flow(flow)
    address = _own().address(contract.consumer.id) if credentials is None else _read(credentials)

    async def work() -> None:
        client = await address.connect()
        with linkage.Replica.open(folder, contract, linkage.validate) as replica:
            consumer = linkage.events.Consumer(
                client, replica, linking.now, linking.witness(contract, folder)
            )
            try:
                await (consumer.catch_up() if once else consumer.run(_until_interrupted()))
            finally:
                await client.close()
            count, waiting = len(replica.effects(limit=10**9)), len(replica.units_waiting())
            typer.echo(f"{flow}：適用 {count:,}件、保留・隔離 {waiting:,}（{folder}）")

    asyncio.run(work())


def replay(
    flow: Flow,
    after: Annotated[
        int, typer.Argument(metavar="AFTER", help="Number of the event behind which it begins.")
    ],
    until: Annotated[int, typer.Argument(metavar="UNTIL", help="Number of the last event.")],
    key: Keys = None,
    root: Root = None,
) -> None:
    """Send a stretch of the past to one flow again, marked as a replay: nothing is printed or notified anew.

    Example: [b]kiban link replay resident-tax.v1 8000 9000[/b]
    """
    contract = linking.contracts(root).flow(flow)

    async def work(platform: linkage.events.Platform) -> None:
        count = await platform.replayer.replay(contract, after, until)
        typer.echo(f"{flow}：{count:,}件を再送した")

    linking.with_platform(root, key, work)


def pause(flow: Flow) -> None:
    """Hold a flow; what is due waits in the outbox."""
    _pause(flow, True)


def resume(flow: Flow) -> None:
    """Let a flow go on that was held by pause."""
    _pause(flow, False)


def _own() -> linkage.broker.Broker:
    from kiban import linkage, settings
    from kiban.kernel import Problem

    given = settings.read(os.environ)
    if given.broker is not None:
        raise Problem(
            "broker-elsewhere",
            "KIBAN_BROKER names a broker of your own; Kiban does not start, stop or inspect it",
            fix="use that broker's own tools, or unset KIBAN_BROKER",
        )
    return linkage.broker.Broker(given.home)


def _read(file: Path) -> linkage.broker.Address:
    from kiban import linkage

    servers = ",".join(json.loads(file.read_text(encoding="utf-8")).get("servers", ()))
    return linkage.broker.read_address(servers, file)


def _pause(flow: str, paused: bool) -> None:
    from kiban import linkage

    with linking.opened() as (_, books):
        linkage.events.pause(books, flow, paused)
    typer.echo(f"{flow}：{'配信を止めた' if paused else '配信を再開した'}")


def _show_places() -> None:
    from kiban import linkage

    with linking.opened() as (opened, books):
        for each in linkage.events.status(opened, books):
            held = "、全件セット待ち" if each.needs_set is not None else "、停止中" if each.paused else ""
            typer.echo(
                f"{each.flow}：送信 {each.sent:,}件、応答 {each.counted:,}件、未処理の事象 {each.due:,}{held}"
            )


def _until_interrupted() -> asyncio.Event:
    """An event that Ctrl-C sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)
    return stop
