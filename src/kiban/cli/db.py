"""The commands that run and show the database."""

from __future__ import annotations

import os
from typing import Annotated

import typer

app = typer.Typer(
    help="""Run the integrated database.

    Without settings it is a PostgreSQL of Kiban's own, in .kiban of the
    current folder (or in KIBAN_HOME), behind a socket only you may open.
    A server of your own is named by KIBAN_DATABASE and KIBAN_DATABASE_APP.
    """,
    epilog="""Examples:

    [b]kiban db up[/b]                        start it, also after a crash
    [b]kiban db psql -- -c 'SELECT 1'[/b]     ask it something
    [b]KIBAN_HOME=/srv/kobe kiban db up[/b]   another one, elsewhere""",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@app.command()
def up() -> None:
    """Start the database, making it first if there is none. Also right after a crash."""
    from kiban import main, settings

    cluster = main.cluster(settings.read(os.environ))
    server = cluster.up()
    status = cluster.status()
    typer.echo(f"PostgreSQL {status.version} is running (process {status.pid}).")
    typer.echo(f"  data         {status.folder}")
    typer.echo(f"  application  {server.app_dsn}")
    typer.echo(f"  owner        {server.owner_dsn}")


@app.command()
def down() -> None:
    """Stop the database. The data stay."""
    from kiban import main, settings

    main.cluster(settings.read(os.environ)).down()
    typer.echo("The database is stopped.")


@app.command()
def status() -> None:
    """Say whether there is a database, where it lies, and whether it runs."""
    from kiban import main, settings

    given = settings.read(os.environ)
    found = main.cluster(given).status()
    if found.folder is None:
        typer.echo(f"There is no database in {given.home}. `kiban db up` makes one.")
        return
    typer.echo(f"state    {found.state}{' (`kiban db up` makes it anew)' * (found.state == 'half-made')}")
    typer.echo(f"data     {found.folder}")
    if found.version:
        typer.echo(f"version  PostgreSQL {found.version}")
    if found.user:
        typer.echo(f"user     {found.user} (PostgreSQL does not run as root)")
    if found.pid:
        typer.echo(f"process  {found.pid}")


@app.command()
def psql(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to psql; put -- before them.")] = None,
    owner: Annotated[
        bool, typer.Option("--owner", help="As the owner, who sees every row, unlogged.")
    ] = False,
) -> None:
    """Open the terminal of PostgreSQL, by default in the application's role."""
    from kiban import main, settings, store

    server = main.server(settings.read(os.environ))
    command = store.psql(server.owner_dsn if owner else server.app_dsn)
    if not owner:
        typer.echo("In the application's role: without an actor the registers show no rows.", err=True)
    # psql takes this process over, so that signals and the terminal are its own.
    os.execve(  # noqa: S606 - no shell, which is the point
        command.program,
        [command.program.name, *command.arguments, *(arguments or [])],
        {**os.environ, **command.environment},
    )
