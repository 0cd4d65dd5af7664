"""`kiban sets`: look at sets, check them, compare two of them."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from kiban import sets

_EXAMPLES = """Examples:

    [b]kiban sets list /srv/kiban/sets[/b]                                         every set of a folder

    [b]kiban sets show /srv/kiban/sets resident.jumin[/b]                          the newest of a flow

    [b]kiban sets verify s3://renkei/sets resident.jumin/3-0 --key producer.pem[/b]  one set of a bucket

    [b]kiban sets compare /srv/kiban/sets resident.jumin/2-0 resident.jumin/3-0[/b]  what changed"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Look at sets, check them and compare two of them.

    What crosses a border is a set: its parts, a manifest with counts, sums and digests, and receipts of who applied it.
    It lies on a shelf: a folder, or s3://BUCKET/PREFIX with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION in the environment.
    A set is named by its flow (the newest of it), by FLOW/EPOCH-SEQUENCE such as resident.jumin/3-0, or by its id.""",
    epilog=_EXAMPLES,
)

_Place = Annotated[str, typer.Argument(metavar="URL", help="A folder, or s3://BUCKET/PREFIX.")]
_Set = Annotated[str, typer.Argument(metavar="SET", help="FLOW, FLOW/EPOCH-SEQUENCE, or an id.")]
_Endpoint = Annotated[
    str | None, typer.Option(metavar="URL", help="Of an S3 store. Default: AWS_ENDPOINT_URL, or Amazon.")
]
_Scratch = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        exists=True,
        file_okay=False,
        help="Where fetched parts are kept meanwhile. Default: a temporary folder.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_(
    url: _Place,
    flow: Annotated[str | None, typer.Option(help="Only this flow.")] = None,
    endpoint: _Endpoint = None,
    as_json: _Json = False,
) -> None:
    """List the sets of a shelf, and what is begun, incomplete or no set. Leaves with 1 where there is such a thing."""
    from kiban import sets
    from kiban.cli import listing, sets_words

    found = sets.contents(_shelf(url, endpoint), flow)
    heads = ("フロー", "位置", "種別", "基準日", "件数", "分割", "署名", "ID")
    rows = [sets_words.row(one, found) for one in found.sets]
    listing.show(f"{url} のセット", heads, rows, (heads[:-1], [row[:-1] for row in rows]), as_json=as_json)
    troubles = [
        f"→ {sets_words.title(one)}：作成の途中で、まだ発行されていない（ID {one.set_id}）"
        for one in found.unfinished
    ]
    for one in found.sets:
        if gone := found.lacking.get(one.set_id):
            troubles.append(
                f"→ {sets_words.title(one)}：分割{len(gone)}個が届いていない（{'、'.join(gone)}）"
            )
    troubles += [sets_words.said(problem) for problem in found.problems]
    for line in troubles:
        typer.echo(line, err=as_json)
    if troubles:
        raise typer.Exit(1)


@app.command()
def show(url: _Place, which: _Set, endpoint: _Endpoint = None, as_json: _Json = False) -> None:
    """Show what is said of a set: its manifest in words, its parts, and who received and applied it."""
    from kiban import sets
    from kiban.cli import listing, sets_words

    shelf = _shelf(url, endpoint)
    manifest = _find(shelf, which)
    if as_json:
        typer.echo(sets.manifest_bytes(manifest).decode(), nl=False)
        return
    listing.lines(sets_words.facts(manifest))
    heads = (
        "番号",
        "名前",
        "件数",
        "大きさ",
        *(f"{name}（円）" for name in sorted(manifest.sums)),
        "SHA-256",
    )
    rows = [
        (
            *(f"{part.number}/{part.of}", part.name, f"{part.rows:,}", sets_words.size(part.bytes)),
            *(f"{value:,}" for _, value in part.sums),
            part.sha256[:16],
        )
        for part in manifest.parts
    ]
    listing.show("分割", heads, rows, (heads, rows), as_json=False)
    for one in sets.receipts(shelf, manifest.set_id):
        typer.echo(sets_words.receipt(one, manifest))


@app.command()
def verify(
    url: _Place,
    which: _Set,
    key: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A public key (PEM) that is trusted. Repeatable."),
    ] = None,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Take a set without a signature, or of anybody.")
    ] = False,
    after: Annotated[
        str | None,
        typer.Option(metavar="EPOCH-SEQUENCE", help="What the receiver applied last, such as 3-0."),
    ] = None,
    endpoint: _Endpoint = None,
    scratch: _Scratch = None,
    as_json: _Json = False,
) -> None:
    """Compute everything that a set's manifest says again: bytes, rows, sums, digests, signature, order.

    Tells every fault at once. Leaves with 1 where there is one.
    """
    from kiban import sets
    from kiban.cli import progress, sets_words
    from kiban.kernel import Problem

    shelf = _shelf(url, endpoint)
    manifest = _find(shelf, which)
    position = None
    if after is not None:
        if not (numbers := re.fullmatch(r"([0-9]+)-([0-9]+)", after)):
            raise Problem("set-name", f"{after!r} is no position", "--after", "such as --after 3-0")
        position = int(numbers[1]), int(numbers[2])
    with progress.shown() as tell, tempfile.TemporaryDirectory(dir=scratch) as folder:
        found = sets.verify(
            shelf, manifest, scratch=Path(folder), keys=sets.read_keys(key or ()), unsigned=unsigned, after=position, progress=tell
        )  # fmt: skip
    if as_json:
        body = {"set_id": manifest.set_id, "problems": [asdict(problem) for problem in found]}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        typer.echo(sets_words.title(manifest))
        for problem in found:
            typer.echo(sets_words.said(problem))
        typer.echo(sets_words.verdict(manifest, len(found)))
    if found:
        raise typer.Exit(1)


@app.command()
def compare(
    url: _Place,
    left: Annotated[str, typer.Argument(metavar="LEFT", help="The set that is right by agreement.")],
    right: Annotated[str, typer.Argument(metavar="RIGHT", help="The other one.")],
    other: Annotated[str | None, typer.Option(metavar="URL", help="Where RIGHT lies, if elsewhere.")] = None,
    endpoint: _Endpoint = None,
    scratch: _Scratch = None,
    most: Annotated[int, typer.Option(min=0, help="How many differing rows to list.")] = 20,
    as_json: _Json = False,
) -> None:
    """Compare two sets by their digests, then name the rows and fields that differ. Leaves with 1 where they do.

    Rows are named by their key: handle what is printed as you handle the register itself.
    """
    from kiban import sets
    from kiban.cli import listing, progress, sets_words

    one = _shelf(url, endpoint)
    two = one if other is None else _shelf(other, endpoint)
    sides = (one, _find(one, left)), (two, _find(two, right))
    with progress.shown() as tell, tempfile.TemporaryDirectory(dir=scratch) as folder:
        found = sets.compare_sets(*sides, folder=Path(folder), most=most, progress=tell)
    if as_json:
        names = ("equal", "left", "right", "buckets", "missing", "extra", "differing", "repeated")
        body = {name: getattr(found, name) for name in names} | {"differences": found.differences.to_pylist()}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
    else:
        listing.lines(sets_words.comparison(found))
    if not found.equal:
        raise typer.Exit(1)


@app.command()
def discard(
    url: _Place,
    set_id: Annotated[
        str, typer.Argument(metavar="ID", help="Of a set that `kiban sets list` shows as begun.")
    ],
    endpoint: _Endpoint = None,
) -> None:
    """Take away what an interrupted publisher left. A set that is published is never taken away.

    Make sure that nobody is writing the set any more; an interrupted publisher that runs again goes on by itself.
    """
    from kiban import sets
    from kiban.kernel import Problem

    shelf = _shelf(url, endpoint)
    drafts = [draft for draft in sets.contents(shelf).unfinished if draft.set_id == set_id]
    if not drafts:
        raise Problem(
            "set-missing",
            "no unfinished set has this id",
            set_id,
            f"kiban sets list {url} shows those there are",
        )
    sets.discard(shelf, drafts[0])
    typer.echo("片付けました。")


def _shelf(url: str, endpoint: str | None) -> sets.Shelf:
    from kiban import sets

    return sets.open_shelf(url, access=sets.Access(endpoint=endpoint))


def _find(shelf: sets.Shelf, which: str) -> sets.Manifest:
    from kiban import sets
    from kiban.kernel import Problem

    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", which):
        return sets.published(shelf, which)
    named = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:/([0-9]{1,10})-([0-9]{1,10}))?", which, re.ASCII)
    if named is None:
        fix = "FLOW, FLOW/EPOCH-SEQUENCE such as resident.jumin/3-0, or an id"
        raise Problem("set-name", f"{which!r} names no set", fix=fix)
    if named[2] is not None:
        return sets.find(shelf, named[1], int(named[2]), int(named[3]))
    there = sets.positions(shelf, named[1])
    if not there:
        raise Problem(
            "set-missing", "the flow has no set", f"{shelf.place}: {which}", f"kiban sets list {shelf.place}"
        )
    return sets.find(shelf, named[1], *there[-1])
