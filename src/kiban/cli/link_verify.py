"""`kiban link verify` and `kiban link mock`: try any vendor's implementation against a contract, and have one to try against."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import link_verify_sets
from kiban.cli.linking import Keys

if TYPE_CHECKING:
    from kiban.linkage import Contract

_VERIFY = """Examples:

    [b]kiban link verify resident-tax.v1 --consumer http://localhost:8800[/b]     a consumer, by its door for the test

    [b]kiban link verify resident-tax.v1 --provider sent.jsonl[/b]                a provider, by the messages that it sent

    [b]kiban link verify resident-library.v1 --provider https://HOST --token token.txt --units persons.txt[/b]   its API

    [b]kiban link verify resident-tax.v1 --sets s3://BUCKET/PREFIX[/b]                   a provider, by its sets of files

    [b]kiban link verify resident-tax.v1 --consumer URL --sets ./shelf[/b]                a consumer, by sets laid on its shelf

    [b]kiban link mock resident-tax.v1 --port 8800[/b]                            a consumer that passes, to try against"""

_Flow = Annotated[
    str, typer.Argument(metavar="FLOW", help="The ID and the major version, such as resident-tax.v1.")
]
_Sets = Annotated[
    str | None,
    typer.Option("--sets", metavar="WHERE", help="A shelf of sets: a folder, or s3://BUCKET/PREFIX."),
]
_Root = Annotated[
    list[Path] | None, typer.Option("--root", metavar="DIR", help="A folder with contracts; may be repeated.")
]


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.command(epilog=_VERIFY)(verify)
    parent.command(epilog=_VERIFY)(mock)


def verify(
    flow: _Flow,
    consumer: Annotated[
        str | None, typer.Option(metavar="URL", help="The door of a consumer: http://HOST:PORT.")
    ] = None,
    provider: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE",
            help="The address of a provider's API; or messages in the order in which it sent them, one a line, or a folder of such files.",
        ),
    ] = None,
    token: Annotated[
        Path | None, typer.Option(metavar="FILE", help="For an API: holds a bearer token of the consumer.")
    ] = None,
    units: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="For an API: numbers of invented persons whom it holds, one a line."
        ),
    ] = None,
    sets: _Sets = None,
    key: Keys = None,
    root: _Root = None,
    name: Annotated[str, typer.Option(help="What is tested, for the report.")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as an HTML page.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run the tests of a contract against an implementation, and write a report. Leaves with 1 where it does not pass.

    The cases are derived from the contract: order, repeats, gaps, late changes, ends, restarts, bad values, protection, longest
    values. All data is invented; give it a consumer of its own, for its copy is emptied before each case.
    """
    from dataclasses import asdict
    from datetime import UTC, datetime

    from kiban.cli import files, listing
    from kiban.linkage import conformance

    if not (consumer or provider or sets) or (provider and (consumer or sets)):
        raise typer.BadParameter("name either --consumer, or one of --provider and --sets")
    contract = _contract(flow, root)
    if sets is not None:
        results = link_verify_sets.tried(contract, root, sets, consumer, key)
    elif consumer is not None:
        cases = conformance.consumer_cases(contract)
        results = conformance.verify_consumer(cases, conformance.HttpSubject(consumer))
    elif provider is not None and "://" in provider:
        asked = conformance.asking(provider)
        known = _text(units, "--units").split()
        results = conformance.verify_api(contract, _text(token, "--token").strip(), known, asked)
    else:
        results = conformance.verify_provider(contract, _lines(Path(str(provider))))
    role, tested = ("利用側", consumer) if consumer else ("提供側", provider or sets)
    if out is not None:
        page = conformance.report(contract, results, name or str(tested), role, datetime.now(UTC))
        files.write_text(out, page)
    passed = sum(each.passed for each in results)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in results], ensure_ascii=False, indent=2))
    else:
        heads = ("結果", "試したこと", "食い違い")
        rows = [("合格" if each.passed else "不合格", each.title, "／".join(each.faults)) for each in results]
        verdict = "適合" if passed == len(results) else "不適合"
        listing.show(
            f"{contract.flow} {role}：{verdict}（{passed}/{len(results)}）",
            heads,
            rows,
            (heads, rows),
            as_json=False,
        )
    if passed < len(results):
        raise typer.Exit(1)


def mock(
    flow: _Flow,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="On this machine only; 0 for a free one.")
    ] = 8_800,
    sets: _Sets = None,
    root: _Root = None,
) -> None:
    """Run a mock consumer: Kiban's own, behind the door that `kiban link verify` knocks at. It ends with Ctrl-C.

    With --sets it takes sets from that shelf whenever it is asked to.
    """
    import tempfile
    from datetime import UTC, datetime
    from wsgiref.simple_server import make_server

    from kiban.linkage import conformance

    contract = _contract(flow, root)
    with tempfile.TemporaryDirectory(prefix="kiban-mock-") as folder:
        subject = conformance.ReplicaSubject(Path(folder), contract, lambda: datetime.now(UTC))
        take = link_verify_sets.taking(contract, root, sets, subject, Path(folder)) if sets else None
        with make_server("127.0.0.1", port, conformance.door(subject, take)) as server:
            typer.echo(f"{contract.flow} の利用側（模擬）：http://127.0.0.1:{server.server_port}")
            server.serve_forever()


def _contract(flow: str, root: list[Path] | None) -> Contract:
    from kiban.cli import link_contracts

    return link_contracts.at_hand(root).flow(flow)


def _text(path: Path | None, option: str) -> str:
    if path is None or not path.is_file():
        raise typer.BadParameter(
            f"{option} names a file; an API is asked with a token, about persons it holds"
        )
    return path.read_text(encoding="utf-8")


def _lines(path: Path) -> Iterator[bytes]:
    if not path.exists():
        raise typer.BadParameter(f"{path} is neither a file, a folder nor an address")
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as lines:
            yield from (line for line in lines if line.strip())
