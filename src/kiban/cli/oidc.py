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
provider = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Providers elsewhere at which people sign in."
)
app.add_typer(provider, name="provider")
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
    farewell: Annotated[
        str,
        typer.Option("--back-channel", metavar="URL", help="Where it is told that a sign-in is over."),
    ] = "",
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
        farewell=farewell,
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


@provider.command("add")
def add_provider(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="Short, for addresses: letters, digits, hyphens.")
    ],
    title: Annotated[str, typer.Argument(metavar="TITLE", help="In Japanese, on the page of sign-in.")],
    issuer: Annotated[str, typer.Option(metavar="URL", help="Its address.")],
    client_id: Annotated[str, typer.Option(help="What it calls this city.")],
    claim: Annotated[
        str,
        typer.Option(
            help="The claim that holds the staff number. Without one, only linked accounts sign in."
        ),
    ] = "",
) -> None:
    """Let people sign in at a provider elsewhere; asks for the secret that it gave. A second factor is asked for here all the same."""
    from kiban import web
    from kiban.cli import signing

    secret = typer.prompt("client_secret", hide_input=True)
    with signing.city() as city:
        web.add_provider(city, web.Provider(name, title, issuer, client_id, secret, claim), signing.BY)
    typer.echo(f"tell the provider to send people back to ISSUER/account/oidc/{name}/login/callback/")


@provider.command("link")
def link(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="The staff number.")],
    name: Annotated[str, typer.Argument(metavar="ID", help="The provider.")],
    subject: Annotated[str, typer.Argument(metavar="SUB", help="What the provider calls the person.")],
) -> None:
    """Link the account of a person to what a provider calls her."""
    from kiban import web
    from kiban.cli import signing

    with signing.city() as city:
        web.accounts_of(city).link(number, name, subject, signing.BY)
