"""`kiban link files`: full and delta sets of a flow, published, watched, taken, and mirrored at a partner's."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiban.cli import link_edge, link_reconcile, linking
from kiban.cli.link_edge import Key, Layouts
from kiban.cli.linking import Flow, Root

if TYPE_CHECKING:
    from kiban import linkage, sets

_EXAMPLES = """Examples:

    [b]kiban link files publish resident-tax.v1[/b]                         everybody, as known now: a full set

    [b]kiban link files publish resident-tax.v1 --delta[/b]                 what changed since the set before

    [b]kiban link files take resident-tax.v1 --replica ./tax --unsigned[/b]  every set that is new, in order

    [b]kiban link files due[/b]                                             what is missing, late, partial, stale or twice

    [b]kiban link files watch --every 60[/b]                                the same, every minute, each finding once

    [b]kiban link files send resident-tax.v1 --to sftp://city@host/in --ssh-key id --known-hosts known[/b]"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Publish, watch and take the files of a flow.

    What a contract carries by files travels as sets: a full set holds everybody as known after one event and opens an epoch; a
    delta holds every row of whoever changed since the set before, and names who ended. A set is there when its manifest is; it
    is taken whole or not at all, in its order, and answered by receipts with the digest of what is held then.
    Sets lie on the shelf of KIBAN_SHELF (a folder, or s3://BUCKET/PREFIX). Sent is not done: see [b]kiban link files due[/b].""",
    epilog=_EXAMPLES,
)


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(app, name="files")
    link_edge.add(app)
    parent.command("reconcile")(link_reconcile.reconcile)


@app.command()
def publish(
    flow: Flow,
    delta: Annotated[bool, typer.Option("--delta", help="Only what changed since the set before.")] = False,
    day: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The day for which it is due. Default: today in Japan."),
    ] = None,
    root: Root = None,
    key: Key = None,
) -> None:
    """Publish a full set, or a delta. Whoever is interrupted runs the same again; of two at once, one makes the set."""
    from kiban import linkage, main, sets
    from kiban.cli import progress
    from kiban.linkage import files

    given, known, contract = linking.named(flow, root)
    signer = sets.read_signer(key) if key else None
    with (
        main.open_store(given) as opened,
        linkage.open_linkage(opened) as books,
        progress.shown() as tell,
    ):
        ledger = linkage.evidence.BookLedger(books)
        desk = main.desk(given, opened, known, contract, _now, signer=signer, progress=tell, ledger=ledger)
        work = files.publish_delta if delta else files.publish_full
        done = work(desk, contract, day=day.date() if day else None)
        if not delta:  # the events behind it go on from here
            linkage.events.floor(books, flow, done.about.event, done.manifest.epoch)
    _said(done.manifest, "作成しました" if done.made else "すでにあります")
    typer.echo(f"{done.about.rows:,}件、イベント{done.about.event:,}まで。要約 {done.about.digest[:16]}")
    for (group, item, code), (often, what) in done.held.items():
        typer.echo(
            f"→ 保留：{group}.{item} の{often:,}件がファイルに書けません（{code}：{what}）。受け手は前の値のままです"
        )


@app.command()
def take(
    flow: Flow,
    replica: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the consumer's replica, made if missing.")
    ],
    provider: Annotated[
        list[Path] | None,
        typer.Option("--provider-key", metavar="PEM", help="A trusted public key; repeatable."),
    ] = None,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Take sets that nobody signed.")] = False,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept-absence", help="Remove who is absent without having ended: an officer has looked."
        ),
    ] = False,
    layouts: Layouts = None,
    root: Root = None,
    key: Key = None,
) -> None:
    """Take every set that is new into a replica, in order, each whole or not at all. Leaves with 1 where somebody has to look."""
    from tempfile import TemporaryDirectory

    from kiban import linkage, main, sets
    from kiban.cli import progress
    from kiban.linkage import files

    given, known, contract = linking.named(flow, root)
    replica.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        linkage.Replica.open(replica, contract) as held,
        TemporaryDirectory(dir=replica) as scratch,
        closing(
            linkage.evidence.FileLedger.open(replica / "evidence.sqlite", contract.consumer.id)
        ) as ledger,
        progress.shown() as tell,
    ):
        desk = files.Intake(
            main.codec(known, contract, layouts), Path(scratch), _now, sets.read_keys(provider or ()), unsigned,
            sets.read_signer(key) if key else None, files.stated_absence(contract), accept, tell, ledger.append,
        )  # fmt: skip
        taken = files.take_newest(held, main.shelf(given), desk)
    if not taken:
        typer.echo("新しいセットはありません。")
    looks = [_taken(one) for one in taken]
    if any(looks):
        raise typer.Exit(1)


def _taken(one: linkage.files.TakenSet) -> bool:
    """Say what became of a set; whether somebody has to look at it."""
    _said(one.manifest, "反映しました")
    equal = {True: "提供側と一致", False: "提供側と異なる", None: "差分のため比べない"}[one.equal]
    typer.echo(f"保有{one.rows:,}件。要約 {one.digest[:16]}（{equal}）")
    for group, units in one.absent.items():
        typer.echo(
            f"→ {group}：全件にない単位が{len(units):,}あります。残しました。確かめて --accept-absence で消せます"
        )
    if one.held:
        typer.echo(f"→ 提供側が{one.held:,}単位を保留しています（文字などがファイルに書けない）")
    if one.quarantined:
        typer.echo(f"→ {one.quarantined:,}単位が内容の誤りで止まっています")
    return bool(one.absent or one.held or one.quarantined)


@app.command()
def due(
    flow: Annotated[
        list[str] | None, typer.Argument(metavar="[FLOW...]", help="Default: all in force.")
    ] = None,
    root: Root = None,
) -> None:
    """Say what was due and did not come whole, once, in time and new, or was not applied. Leaves with 1 where there is such a thing."""
    from kiban.linkage import files

    given, contracts = _due(flow, root)
    found = [(c, one) for c in contracts for one in files.due(c, given, _now())]
    for contract, finding in found:
        typer.echo(f"{contract.flow}（{contract.title}）：{finding.words}")
        typer.echo(f"→ {finding.advice}")
    if found:
        raise typer.Exit(1)
    typer.echo(f"{len(contracts)}のフローに、期限を過ぎたものはありません。")


@app.command()
def watch(
    flow: Annotated[
        list[str] | None, typer.Argument(metavar="[FLOW...]", help="Default: all in force.")
    ] = None,
    every: Annotated[int, typer.Option(min=1, max=300, help="Seconds between two looks; 300 at most.")] = 60,
    root: Root = None,
) -> None:
    """Look again and again, and say each finding once, when it is first seen. Ends with Ctrl-C."""
    import time

    from kiban.linkage import files

    shelf, contracts = _due(flow, root)

    def pause() -> bool:
        time.sleep(every)
        return True

    for when, finding in files.watch(contracts, shelf, _now, pause):
        typer.echo(
            f"{when.astimezone(files.JAPAN):%Y-%m-%d %H:%M} {finding.flow}：{finding.words}\n→ {finding.advice}"
        )


@app.command("list")
def list_(flow: Flow, root: Root = None) -> None:
    """List the sets of a flow: position, day, rows of each group, and how far the consumer is."""
    from tempfile import TemporaryDirectory

    from kiban import main, sets
    from kiban.cli import listing, sets_words
    from kiban.linkage import files

    given, _, contract = linking.named(flow, root)
    shelf = main.shelf(given)
    heads = ("位置", "種別", "基準日", "イベント", "件数", "保留", "受け手")
    rows = []
    with TemporaryDirectory() as scratch:
        for place in sets.positions(shelf, contract.flow):
            one = sets.find(shelf, contract.flow, *place)
            about = files.about_of(shelf, one, Path(scratch))
            counted = "、".join(f"{feed.name} {feed.rows:,}" for feed in about.feeds)
            answers = [r for r in sets.receipts(shelf, one.set_id) if r.system == contract.consumer.id]
            last = answers[-1] if answers else None
            state = (
                "未着手"
                if last is None
                else f"問題 {'、'.join(last.problems)}"
                if last.problems
                else sets_words.STATES[last.state]
            )
            kind = {"full": "全件", "delta": "差分"}[one.kind]
            rows.append(
                (
                    f"{place[0]}-{place[1]}",
                    kind,
                    str(one.as_of.valid),
                    f"{about.event}",
                    counted,
                    str(about.held),
                    state,
                )
            )
    listing.show(f"{contract.flow} のセット", heads, rows, (heads, rows), as_json=False)


def _due(flow: list[str] | None, root: list[Path] | None) -> tuple[sets.Shelf, list[Any]]:
    from kiban import main, settings
    from kiban.linkage import files

    given = settings.read(os.environ)
    known = main.contracts(given, root or ())
    wanted = [known.flow(name) for name in flow] if flow else known.in_force(files.japan_day(_now()))
    return main.shelf(given), [one for one in wanted if "file" in one.ways]


def _said(manifest: sets.Manifest, done: str) -> None:
    kind = {"full": "全件", "delta": "差分"}[manifest.kind]
    typer.echo(
        f"{manifest.flow}/{manifest.epoch}-{manifest.sequence} {kind}、基準日{manifest.as_of.valid}：{done}"
    )


def _now() -> datetime:
    return datetime.now(UTC)
