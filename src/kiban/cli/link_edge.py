"""`kiban link files send` and `fetch`: a set in a partner's folder, and such files taken in."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import linking
from kiban.cli.linking import Flow, Root

if TYPE_CHECKING:
    from kiban import linkage

Key = Annotated[Path | None, typer.Option("--key", metavar="PEM", help="Private key that signs.")]
SshKey = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Private key for SFTP, without a pass phrase.")
]
KnownHosts = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The partner's host key, as ssh-keyscan writes it.")
]
Layouts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Layouts of records of fixed length: GROUP.yaml for each group."),
]


def add(app: typer.Typer) -> None:
    """Put the commands under `kiban link files`."""
    app.command()(send)
    app.command()(fetch)


def send(
    flow: Flow,
    to: Annotated[str, typer.Option(metavar="PLACE", help="A folder, or sftp://USER@HOST:PORT/FOLDER.")],
    ssh_key: SshKey = None,
    known_hosts: KnownHosts = None,
    root: Root = None,
) -> None:
    """Mirror the newest set into a partner's folder under the names of the profile; the marker comes last. May be run again."""
    from tempfile import TemporaryDirectory

    from kiban import main, sets
    from kiban.kernel import Problem
    from kiban.linkage import files

    given, known, contract = linking.named(flow, root)
    shelf = main.shelf(given)
    there = sets.positions(shelf, contract.flow)
    if not there:
        raise Problem("set-missing", "the flow has no set", contract.flow, "kiban link files publish FLOW")
    manifest = sets.find(shelf, contract.flow, *there[-1])
    with ExitStack() as stack:
        place = _place(stack, to, ssh_key, known_hosts)
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        names = files.Names(contract, known.profile(contract.profile or ""))
        for name in files.send(shelf, manifest, names, place, scratch):
            typer.echo(name)


def fetch(
    flow: Flow,
    place: Annotated[
        str, typer.Option("--from", metavar="PLACE", help="A folder, or sftp://USER@HOST:PORT/FOLDER.")
    ],
    ssh_key: SshKey = None,
    known_hosts: KnownHosts = None,
    layouts: Layouts = None,
    root: Root = None,
    key: Key = None,
) -> None:
    """Take what lies complete in a partner's folder as sets onto the shelf. What lacks something is told and left; leaves with 1 then."""
    from tempfile import TemporaryDirectory

    from kiban import main, sets
    from kiban.linkage import files

    given, known, contract = linking.named(flow, root)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        done = files.fetch(
            files.Names(contract, known.profile(contract.profile or "")), _place(stack, place, ssh_key, known_hosts),
            main.shelf(given), main.codec(known, contract, layouts), scratch, _now, files.japan_day(_now()),
            signer=sets.read_signer(key) if key else None,
        )  # fmt: skip
    for one in done:
        at = f"{one.arrival.position[0]}-{one.arrival.position[1]}"
        state = (
            f"足りない：{'、'.join(one.arrival.lacking)}"
            if one.manifest is None
            else "取り込みました"
            if one.made
            else "取込み済み"
        )
        typer.echo(f"{contract.flow}/{at} {state}")
    if any(one.manifest is None for one in done):
        raise typer.Exit(1)


def _place(
    stack: ExitStack, place: str, ssh_key: Path | None, known_hosts: Path | None
) -> linkage.files.Place:
    from kiban.kernel import Problem
    from kiban.linkage import files

    if "://" not in place:
        return files.FolderPlace(Path(place))
    if ssh_key is None or known_hosts is None:
        fix = "give --ssh-key and --known-hosts; the host's key is never learned on the way"
        raise Problem("edge-key", "SFTP needs a key and the known host key", fix=fix)
    return stack.enter_context(files.open_sftp(place, ssh_key, known_hosts))


def _now() -> datetime:
    return datetime.now(UTC)
