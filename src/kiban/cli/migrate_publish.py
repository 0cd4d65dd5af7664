"""`kiban migrate publish`: what was converted and proved leaves as sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kiban.cli.migrating import PlanArgument, UnloadOption, WorkOption, opened


def publish(
    plan: PlanArgument,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="A folder, or s3://BUCKET/PREFIX.")],
    unload: UnloadOption = None,
    work: WorkOption = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Signs the sets: an Ed25519 private key in PEM.")
    ] = None,
) -> None:
    """Publish every converted register as a set: its parts, a manifest with counts, sums and digests.

    Only what was proved leaves. Whoever receives the sets checks them with [b]kiban sets verify[/b]. The same command goes on after an
    interruption and changes nothing that is there.
    """
    from kiban import migration, sets
    from kiban.cli import progress

    shelf = sets.open_shelf(to, make="://" not in to)
    signer = sets.read_signer(key) if key else None
    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell)
        results = migration.status(migration.STAGES, given, place)
        made = list(migration.publish(given, results, place, shelf, signer=signer))
    for one in made:
        typer.echo(f"{one.flow}/{one.epoch}-{one.sequence}  {one.rows:,}件  {one.digest}")
    typer.echo(
        f"{len(made)}のセットを {to} に置きました。受け取る側は `kiban sets verify` で確かめられます。"
    )
