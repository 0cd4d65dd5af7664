"""`kiban link evidence`: verify, match, sign and show the ledgers of what was delivered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli.linking import Json, Root

if TYPE_CHECKING:
    from kiban.linkage import evidence

_EXAMPLES = """Examples:

    [b]kiban link evidence show 2026-11-24[/b]                               what passed on a day, by flow

    [b]kiban link evidence verify --key city.pub.pem[/b]                     compute the chain again, and hold it against the signed roots

    [b]kiban link evidence match 2026-11-24 zei.sqlite ZEI[/b]               match the day with the ledger of a system

    [b]kiban link evidence root 2026-11-24 --key city.pem[/b]                sign a day that has ended; give its root away"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Verify, match, sign and show the evidence of what was delivered.

    Both sides of a flow write a line before anything is delivered: when, under which contract, for what, whose (as a keyed
    hash), with the digest of the content. Lines are chained; each day is signed and chained to the day before. The ledger of the
    platform is in its books; that of a consumer is an SQLite file (--file FILE --side ID).""",
    epilog=_EXAMPLES,
)

_Day = Annotated[
    datetime, typer.Argument(metavar="DAY", formats=["%Y-%m-%d"], help="In Japan, such as 2026-11-24.")
]
_File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="The ledger of a consumer, instead of the platform's."),
]
_Side = Annotated[str, typer.Option(metavar="ID", help="Whose ledger the file is.")]

_WHAT = {
    "sent-not-received": "送ったが、受け取りの記録がない",
    "received-not-sent": "受け取ったが、送りの記録がない",
    "different": "双方の記録の内容が異なる",
}
_SAID = {
    "evidence-gap": "行の番号が続いていない（削除または挿入）",
    "evidence-changed": "行が書かれたときの内容でない（改変または入替え）",
    "evidence-head": "最後の行が、最後に書かれた行でない",
    "evidence-root": "日次の署名が合わない",
}
_WAYS = {"event": "事象", "file": "ファイル", "api": "API"}


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(app, name="evidence")


@app.command()
def show(day: _Day, as_json: Json = False) -> None:
    """Show what passed on a day, for each flow and way: sent, received, rows, and what became of it."""
    from kiban import linkage
    from kiban.cli import linking, listing

    with linking.opened() as (_, books):
        found = linkage.evidence.summary(books, day.date())
    heads = ("フロー", "方法", "送り", "受け", "件数", "結果", "最後")
    rows = [
        (
            each.flow,
            _WAYS[each.way],
            f"{each.sent:,}",
            f"{each.received:,}",
            f"{each.rows:,}",
            "、".join(f"{name} {count:,}" for name, count in each.outcomes.items()),
            each.last,
        )
        for each in found
    ]
    listing.show(f"{day.date()} の連携の記録", heads, rows, (heads, rows), as_json=as_json)


@app.command()
def verify(
    key: Annotated[
        list[Path] | None,
        typer.Option("--key", metavar="PEM", help="A public key whose signatures count. Repeatable."),
    ] = None,
    root: Annotated[
        list[str] | None,
        typer.Option("--given", metavar="DIGEST", help="A root that was given away. Repeatable."),
    ] = None,
    file: _File = None,
    side: _Side = "",
) -> None:
    """Compute the chain again: finds every edit, deletion, insertion and exchange of lines. Leaves with 1 where there is one."""
    from kiban import linkage, sets

    with _ledger(file, side) as ledger:
        found = linkage.evidence.verify(ledger, sets.read_keys(key or ()), root or ())
    for each in found.problems:
        typer.echo(f"→ {each.where or ''}：{_SAID.get(each.code, each.what)} [{each.code}]")
    signed = f"うち{found.signed:,}行は日次の署名の下にある" if found.signed else "日次の署名はまだない"
    typer.echo(
        f"{found.lines:,}行を確かめた（{signed}）。{'誤りはない' if not found.problems else '誤りがある'}"
    )
    if found.problems:
        raise typer.Exit(1)


@app.command("match")
def match_(
    day: _Day,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, help="The ledger of the other side.")],
    side: Annotated[str, typer.Argument(metavar="ID", help="Whose it is, such as ZEI.")],
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Match a day with the other side: what one sent and the other did not receive, what nobody sent, what differs.

    Leaves with 1 where there is such a thing.
    """
    import json

    from kiban import linkage
    from kiban.cli import linking, listing

    flows = {each.flow for each in linking.contracts(root) if side in (each.provider.id, each.consumer.id)}
    with linking.opened() as (_, books), _ledger(file, side) as other:
        found = linkage.evidence.match(linkage.evidence.BookLedger(books), other, day.date(), flows)
    if as_json:
        body = {"pairs": found.pairs, "differences": [asdict(each) for each in found.differences]}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        heads = ("相違", "フロー", "方法", "ID", "送り手", "記録した側", "行")
        rows = [
            (_WHAT[d.what], d.flow, _WAYS[d.way], d.item, d.sender, d.written_by, f"{d.number:,}")
            for d in found.differences
        ]
        listing.show(
            f"{day.date()} の突合：一致 {found.pairs:,}件", heads, rows, (heads, rows), as_json=False
        )
    if found.differences:
        raise typer.Exit(1)


@app.command("root")
def root_(
    day: _Day,
    key: Annotated[Path, typer.Option(metavar="PEM", help="The private key that signs.")],
    file: _File = None,
    side: _Side = "",
) -> None:
    """Sign a day that has ended. Prints the digest of its root: keep it where the writer of the ledger has no hand."""
    from kiban import linkage, sets
    from kiban.cli import linking

    with _ledger(file, side) as ledger:
        made = linkage.evidence.root(ledger, day.date(), sets.read_signer(key), linking.now())
    typer.echo(f"{made.day}：{made.first:,}〜{made.last:,}行に署名した（鍵 {made.key[:16]}）")
    typer.echo(made.digest)


@contextmanager
def _ledger(file: Path | None, side: str) -> Iterator[evidence.Ledger]:
    """The ledger of a file, or that of the platform."""
    from kiban import linkage
    from kiban.cli import linking
    from kiban.kernel import Problem

    if file is None:
        with linking.opened() as (_, books):
            yield linkage.evidence.BookLedger(books)
        return
    if not side or not file.is_file():
        raise Problem(
            "evidence-file",
            "a ledger needs a file that is there, and whose it is",
            str(file),
            "--file FILE --side ID",
        )
    ledger = linkage.evidence.FileLedger.open(file, side)
    try:
        yield ledger
    finally:
        ledger.close()
