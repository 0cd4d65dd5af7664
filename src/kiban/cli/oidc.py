"""`kiban oidc`: systems that sign people in here by OpenID Connect, and the keys that say who somebody is."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Let other systems sign people in here by OpenID Connect (docs/sign-in.md).""",
    epilog="""Examples:

    [b]kiban oidc client add 税システム --redirect https://tax.city.example/oidc/back --scope kiban --own[/b]

    [b]kiban oidc client list[/b]

    [b]kiban oidc keys rotate[/b]                         the next key signs; a fresh one is published""",
)
client = typer.Typer(no_args_is_help=True, add_completion=False, help="Register the systems.")
keys = typer.Typer(
    no_args_is_help=True, add_completion=False, help="The signing keys: next, current, retired."
)
app.add_typer(client, name="client")
app.add_typer(keys, name="keys")
_Id = Annotated[str, typer.Argument(metavar="ID", help="The client ID.")]


@client.command("add")
def add(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its Japanese name, as people are asked about it.")
    ],
    redirect: Annotated[
        list[str], typer.Option(metavar="URL", help="Where people come back to, exactly. Repeatable.")
    ],
    after: Annotated[
        list[str] | None,
        typer.Option("--after-logout", metavar="URL", help="Where they go after a sign-out."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="What it may ask: profile (the name), kiban (staff number, offices, duties). Repeatable."
        ),
    ] = None,
    own: Annotated[
        bool, typer.Option("--own", help="One of the city's own systems: nobody is asked for consent.")
    ] = False,
    public: Annotated[bool, typer.Option("--public", help="It can keep no secret (an app, a page).")] = False,
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="It gets refresh tokens. Only where it works while nobody is there."),
    ] = False,
) -> None:
    """Register a system; prints its client ID and, once, its secret."""
    from kiban import web
    from kiban.cli import signing

    wish = web.Wish(
        name,
        tuple(redirect),
        tuple(after or ()),
        tuple(scope or ("profile",)),
        own=own,
        public=public,
        refresh=refresh,
    )
    with signing.city() as city:
        found, secret = web.clients_of(city).register(wish, signing.BY)
    typer.echo(f"client_id     {found}")
    if secret:
        typer.echo(f"client_secret {secret}\n\nThe secret is shown only now.")


@client.command("list")
def list_() -> None:
    """Show all systems."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        for each in web.clients_of(city).registered():
            typer.echo(
                f"{each.id}\t{each.name}\t{' '.join(each.get_scopes())}\t{' '.join(each.get_redirect_uris())}"
            )


@client.command("renew")
def renew(found: _Id) -> None:
    """A fresh secret; the old one holds no more. Prints it, once."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        typer.echo(
            f"client_secret {web.clients_of(city).renew(found, signing.BY)}\n\nThe secret is shown only now."
        )


@client.command("remove")
def remove(found: _Id) -> None:
    """Remove a system, and every token that it holds."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        web.clients_of(city).remove(found, signing.BY)


@keys.command("rotate")
def rotate() -> None:
    """Let the next key sign, retire the current one, publish a fresh one. Not within an hour of the rotation before."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        web.install_signing_keys(city.home, city.now())  # type: ignore[arg-type]
        for each in web.rotate_signing_keys(city, signing.BY):
            typer.echo(f"{each.state}\tsince {each.since:%Y-%m-%d %H:%M} UTC")
