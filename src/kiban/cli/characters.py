"""`kiban characters`: which code page a file is in, and the signature of decisions on a city's own characters."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from kiban import characters
from kiban.cli.characters_decode import decode
from kiban.cli.characters_guess import guess
from kiban.cli.listing import lines
from kiban.kernel import Problems

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Legacy code pages and a city's own characters (外字).""",
    epilog="""Examples:

    [b]kiban characters install[/b]

    [b]kiban characters guess JUMIN.DAT --copybook JUMIN.cpy --field JK-SHIMEI --field JK-KANA[/b]

    [b]kiban characters guess JUMIN.DAT --record-length 280 --field 11:30:single --field 41:40:double[/b]

    [b]kiban characters decode MEMO.TXT --page jef --out memo.txt --ledger memo-ledger.csv[/b]

    [b]kiban characters sign decisions.csv --key city.pem[/b]""",
)


@app.callback()
def _characters() -> None:
    """Legacy code pages and a city's own characters (外字)."""


app.command()(guess)
app.command()(decode)


@app.command()
def install(
    home: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Instead of KIBAN_HOME; it goes into characters/.")
    ] = None,
) -> None:
    """Fetch the MJ tables (npm) and the IPAmj font (Debian) from their publishers. Each can be done without."""
    from kiban import settings

    done = characters.install((home or settings.read(os.environ).home) / "characters")
    lines(
        [
            f"{each.path}: {each.count:,} {'導入済み' if each.new else '既にあり'}({each.source}、ライセンス {each.licence})"
            for each in done.placed
        ]
    )
    if done.problems:
        raise Problems(done.problems)


@app.command()
def sign(
    decisions: Annotated[Path, typer.Argument(help="A CSV file of decisions.")],
    key: Annotated[Path, typer.Option(metavar="FILE", help="An Ed25519 private key in PEM.")],
) -> None:
    """Sign decisions, so that a changed file is refused. Faults in them are told first."""
    characters.check_decisions(decisions)
    typer.echo(str(characters.sign_decisions(decisions, key)))
