"""`kiban account`: who may sign in to the pages."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Make accounts of people, invite, recover and end them.

    An account belongs to a member of staff (kiban access staff). It signs in from the first day of service to the last, by itself.
    Nobody sets a password for somebody else: an invitation is a code, good once and for hours, by which the person chooses one at
    /account/welcome and sets up a passkey or an app. docs/sign-in.md explains all of it.""",
    epilog="""Examples:

    [b]kiban account make 100001[/b]                     and print the invitation

    [b]kiban account invite 100001 --hours 72[/b]        a fresh invitation; the earlier one holds no more

    [b]kiban account sessions 100001[/b]                 where the person is signed in

    [b]kiban account sign-out 100001[/b]                 end all of them

    [b]kiban account recover 100001 --by 900001[/b]      a person lost her factors: one administrator asks …

    [b]kiban account recover 100001 --by 900002 --confirm[/b]   … another confirms, and gets a fresh invitation""",
)
_Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The staff number.")]
_Hours = Annotated[int, typer.Option(help="How long the invitation holds.", min=1, max=168)]


@app.command("list")
def list_() -> None:
    """Show all accounts."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        for each in web.accounts_of(city).listed():
            typer.echo(f"{each.number}\t{each.state}\t{each.last or '-'}")


@app.command()
def make(number: _Number, hours: _Hours = 24) -> None:
    """Make the account of a member of staff; prints her invitation, once."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        accounts = web.accounts_of(city)
        accounts.make(number, signing.BY)
        typer.echo(signing.told(accounts.invite(number, signing.BY, hours), number, hours))


@app.command()
def invite(number: _Number, hours: _Hours = 24) -> None:
    """A fresh invitation for somebody who has not chosen a password yet; prints it, once."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        typer.echo(signing.told(web.accounts_of(city).invite(number, signing.BY, hours), number, hours))


@app.command()
def disable(number: _Number) -> None:
    """Let an account sign in no more; its sessions end. Whoever leaves needs no such command: the staff list says it."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        web.accounts_of(city).switch(number, signing.BY, on=False)


@app.command()
def enable(number: _Number) -> None:
    """Let an account that was disabled sign in again."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        web.accounts_of(city).switch(number, signing.BY, on=True)


@app.command()
def recover(
    number: _Number,
    by: Annotated[str, typer.Option(metavar="NUMBER", help="Staff number of the administrator who does it.")],
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Confirm what another administrator asked.")
    ] = False,
    hours: _Hours = 24,
) -> None:
    """Let a person who lost her factors begin anew: one administrator asks, another confirms within a day.

    With the confirmation her sessions, factors and password are gone, and a fresh invitation is printed, once. Neither may be the
    person herself, and both need a duty that allows it (recover).
    """
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        accounts, who = web.accounts_of(city), signing.administrator(city, by)
        if not confirm:
            accounts.ask_recovery(number, who)
            typer.echo("asked; another administrator confirms it with --confirm within a day")
            return
        typer.echo(signing.told(accounts.confirm_recovery(number, who, hours), number, hours))


@app.command()
def sessions(number: _Number) -> None:
    """Show where a person is signed in."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        for each in web.accounts_of(city).where(number):
            typer.echo(
                f"{each.created_at:%Y-%m-%d %H:%M}\t{each.last_seen_at:%Y-%m-%d %H:%M}\t{each.ip}\t{each.user_agent}"
            )


@app.command("sign-out")
def sign_out(number: _Number) -> None:
    """End all sessions of a person, and what other systems got by them."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        typer.echo(f"{web.accounts_of(city).sign_out(number, signing.BY)} sessions ended")
