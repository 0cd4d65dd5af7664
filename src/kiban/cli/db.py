"""The commands that run and show the database."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import db_warm

if TYPE_CHECKING:
    from kiban.kernel import Actor
    from kiban.store import Plan

app = typer.Typer(
    help="""Run the integrated database.

    Without settings it is a PostgreSQL of Kiban's own, in .kiban of the
    current folder (or in KIBAN_HOME), behind a socket only you may open.
    A server of your own is named by KIBAN_DATABASE and KIBAN_DATABASE_APP.
    """,
    epilog="""Examples:

    [b]kiban db up[/b]                        start it, also after a crash
    [b]kiban db apply[/b]                     make the registers of all businesses
    [b]kiban db load ./town[/b]               load Parquet files into them
    [b]kiban db verify[/b]                    prove that all is sound
    [b]kiban db warm[/b]                      have the first searches of the day be fast
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


_ROOTS = Annotated[
    list[Path] | None,
    typer.Option("--root", help="A folder with further editions of the standard. Repeatable."),
]


@app.command()
def apply(
    business: Annotated[
        str | None,
        typer.Argument(help="001 or resident. Default: every business that has no edition in force."),
    ] = None,
    edition: Annotated[
        str | None, typer.Option(help="The edition to bring into force. Default: the first.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Only print what would happen.")] = False,
    reviewed: Annotated[
        str | None, typer.Option(help="The digest of the plan you read; needed where rows are written anew.")
    ] = None,
    root: _ROOTS = None,
) -> None:
    """Bring an edition of the standard into force: its tables, keys, ward scope and views.

    Tables are built aside and swapped in one moment. If it is cut, the same command goes on where it was.
    """
    from kiban import main, settings, store
    from kiban.cli import progress
    from kiban.cli.acting import acting

    given = settings.read(os.environ)
    with main.open_store(given, root or ()) as opened:
        in_force = opened.applied()
        chosen = [business] if business else sorted({e.id for e in opened.library.editions} - set(in_force))
        if not chosen:
            typer.echo("Every business has an edition in force. Name one, and --edition, to change it.")
        for name in chosen:
            wanted = opened.library.edition(name, edition)
            if plan:
                _print_plan(store.plan(opened, wanted))
                continue
            said = acting(opened, given.home, "setting", "db-apply", wanted.id, edition=wanted.edition)
            with said, progress.shown() as tell:
                event = store.apply(opened, wanted, _operator(), reviewed=reviewed, progress=tell)
            typer.echo(f"{wanted.title} {wanted.edition} is in force (event {event}).")


def _print_plan(plan: Plan) -> None:
    before = plan.old.edition if plan.old else "nothing"
    typer.echo(f"Plan {plan.digest}: {plan.schema}, from {before} to {plan.new.edition}")
    for step in plan.steps:
        typer.echo(f"  {step.action:<8} {step.register}")
        for note in step.notes:
            typer.echo(f"             {note}")
    for problem in plan.obstacles:
        typer.echo(f"  obstacle: {problem}")
    if plan.obstacles:
        typer.echo("The plan cannot be carried out before the obstacles are gone.")
    elif plan.needs_review:
        typer.echo(
            f"To carry it out: kiban db apply {plan.schema} --edition {plan.new.edition} --reviewed {plan.digest}"
        )


@app.command()
def load(
    folder: Annotated[
        Path, typer.Argument(help="Holds SCHEMA/REGISTER/*.parquet, as `kiban town make` writes them.")
    ],
    root: _ROOTS = None,
) -> None:
    """Load Parquet files into the registers, all of them or none.

    If it is cut, the same command goes on behind the last finished file.
    """
    from kiban import main, settings, store
    from kiban.cli import progress
    from kiban.cli.acting import acting

    given = settings.read(os.environ)
    with main.open_store(given, root or ()) as opened:
        parts = store.folder_parts(opened, folder)
        rows = sum(part.rows for part in parts)
        said = acting(opened, given.home, "import", "db-load", rows=rows, parts=len(parts))
        with said, progress.shown() as tell:
            event = store.import_arrow(opened, parts, _operator(), progress=tell)
    typer.echo(f"{rows:,} rows in {len({part.register for part in parts})} registers (event {event}).")


@app.command()
def export(
    register: Annotated[str, typer.Argument(help="Such as resident.jumin.")],
    out: Annotated[Path, typer.Option(help="The Parquet file to write; must not exist.")],
    as_of: Annotated[str | None, typer.Option(help="The day, YYYY-MM-DD. Default: every period.")] = None,
) -> None:
    """Write what is known now of a register to a Parquet file. The export is logged."""
    import pyarrow.parquet as pq

    from kiban import main, settings, store
    from kiban.cli.acting import acting
    from kiban.kernel import AsOf, Problem

    if out.exists():
        raise Problem("file-exists", "there is a file of this name", str(out), "name another one")
    try:
        asked = AsOf(date.fromisoformat(as_of)) if as_of else None
    except ValueError:
        raise Problem("date-form", f"{as_of} is not a date", "--as-of", "write it as 2026-04-01") from None
    unfinished = out.with_name(out.name + ".part")
    rows = 0
    given = settings.read(os.environ)
    with main.open_store(given) as opened:
        schema = store.arrow_schema(opened.table(register).group)
        business = register.partition(".")[0]
        said = acting(opened, given.home, "export", "db-export", business, register=register)
        with said, pq.ParquetWriter(unfinished, schema) as writer:
            for batch in store.export_arrow(opened, register, asked, _operator()):
                writer.write_batch(batch)
                rows += batch.num_rows
    unfinished.rename(out)
    typer.echo(f"{rows:,} rows in {out}")


@app.command()
def verify(
    head: Annotated[
        str | None,
        typer.Option(
            help="The head that an earlier verify printed; proves that nothing up to it was rewritten."
        ),
    ] = None,
) -> None:
    """Prove that the store is sound: the chain of events, every row, keys, guards, references. Changes nothing."""
    from kiban import main, settings, store
    from kiban.cli import progress
    from kiban.kernel import Problems

    with main.open_store(settings.read(os.environ)) as opened, progress.shown() as tell:
        report = store.verify(opened, tell, head=head)
    typer.echo(
        f"{report.events:,} events, {sum(report.rows.values()):,} rows in {len(report.rows)} registers"
    )
    for note in report.notes:
        typer.echo(f"note: {note}")
    if report.problems:
        raise Problems(report.problems)
    typer.echo("The store is sound. Keep the head elsewhere, for the next time:")
    typer.echo(f"  kiban db verify --head {report.head}")


app.command()(db_warm.warm)


@app.command()
def reindex(register: Annotated[str, typer.Argument(help="Such as resident.jumin.")]) -> None:
    """Make the search keys of a register anew from its rows. Everybody goes on searching meanwhile."""
    from kiban import main, settings, store
    from kiban.cli import progress

    with main.open_store(settings.read(os.environ)) as opened, progress.shown() as tell:
        made = store.reindex(opened, register, tell)
    typer.echo(f"{register} is found by {made:,} search entries.")


@app.command()
def protect() -> None:
    """See anew who is protected, from the rows of the registers. Everybody goes on reading; events wait meanwhile.

    Each event keeps it by itself. Run it once a night, so that a household becomes visible again after the day on which the
    last protected person was to leave it, and whenever `kiban db verify` names somebody who is missing.
    """
    from kiban import main, settings
    from kiban.cli.acting import acting

    given = settings.read(os.environ)
    with (
        main.open_store(given) as opened,
        acting(opened, given.home, "setting", "db-protect"),
        opened.owner() as connection,
        connection.transaction(),
    ):
        opened.fit(connection, anew=True)
    typer.echo("Who is protected was seen anew.")


def _operator() -> Actor:
    """Whoever runs the command, working for the whole city."""
    from kiban.cli import acting, linking

    return linking.officer(None, acting.PURPOSE)
