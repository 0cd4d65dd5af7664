"""`kiban link systems` and `kiban link numbers`: who may call the API, and which numbers are set apart for 住登外者."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

systems = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Register the systems that call the API.

    Each system has one client ID and a secret. The secret is shown once, when it is made; it is kept sealed. What a system
    may read follows from its contracts; the official APIs are granted here.""",
    epilog="""Examples:

    [b]kiban link systems add L01 図書館カードシステム[/b]            reads what its contracts give it

    [b]kiban link systems add 002 税務 --numbering[/b]                may have 住登外者 numbered (例；002は公式の業務IDではない)

    [b]kiban link systems add HR1 人事給与システム --personnel[/b]      may keep staff and duties by SCIM 2.0

    [b]kiban link systems rotate L01 --overlap 7[/b]                  a new secret; the old one stays good for a week

    [b]kiban link systems revoke L01[/b]                              nothing of it is good any more, at once""",
)
numbers = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Set numbers apart for 住登外者 (031).

    A number is a serial with a check digit (modulus 11, weights 2 to 7). Residents' numbers must come from other serials.
    The standard states no check digit where the remainder is 1: such serials are skipped, unless the city has a rule.""",
    epilog="""Examples:

    [b]kiban link numbers set --first 90000000000000 --last 90000009999999[/b]""",
)


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(systems, name="systems")
    parent.add_typer(numbers, name="numbers")


_System = Annotated[
    str, typer.Argument(metavar="SYSTEM", help="業務ID or 独自施策システム等ID: three letters or digits.")
]


@systems.command("add")
def add_(
    system: _System,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its Japanese name.")],
    numbering: Annotated[
        bool, typer.Option("--numbering", help="It may call the numbering API of 住登外者.")
    ] = False,
    inquiry: Annotated[
        bool, typer.Option("--inquiry", help="It may call the inquiry API of 住登外者.")
    ] = False,
    personnel: Annotated[
        bool, typer.Option("--personnel", help="It keeps staff and duties by SCIM 2.0 (/scim/v2).")
    ] = False,
    provides: Annotated[
        bool, typer.Option("--provides", help="It provides an API and may ask about tokens for itself.")
    ] = False,
    seconds: Annotated[int, typer.Option(help="How long its tokens live: 1 to 600.")] = 600,
    basic_until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Allow the provisional client_secret_basic until this day. Default: never.",
        ),
    ] = None,
) -> None:
    """Register a system; prints its client ID and, once, its secret."""
    from kiban import main
    from kiban.access import SCIM_SCOPE, Registration
    from kiban.cli import serving
    from kiban.linkage import api

    spec = api.numbering_spec(main.library())
    grants = ((spec.scope, numbering), (spec.inquiry, inquiry), (SCIM_SCOPE, personnel))
    scopes = {scope for scope, wanted in grants if wanted}
    until = basic_until.date() if basic_until else None
    wanted = Registration(system, name, provides, frozenset(scopes), seconds, until)
    with serving.opened() as (_, _, opened, _):
        _show(system, opened.systems.add(wanted, serving.now()))


@systems.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the systems: since when, how they sign in, what is granted besides their contracts."""
    from kiban.cli import listing, serving

    with serving.opened() as (_, _, opened, _):
        found = opened.systems.all()
    rows, short = [], []
    for each in found:
        basic = f"、client_secret_basic（{each.basic_until}の前日まで）" if each.basic_until else ""
        state = "失効" if each.revoked_at else "有効"
        granted = " ".join(sorted(map(str, each.scopes))) or "契約による"
        registered = f"{each.registered_at:%Y-%m-%d}" if each.registered_at else ""
        life = f"{each.seconds}秒"
        rows.append(
            (
                each.system,
                each.name,
                each.client_id,
                registered,
                state,
                f"client_secret_jwt{basic}",
                life,
                granted,
            )
        )
        short.append((each.system, each.name, each.client_id, state))
    heads = ("ID", "名称", "client_id", "登録", "状態", "認証方式", "トークン", "付与")
    listing.show(
        "APIを呼ぶシステム", heads, rows, (("ID", "名称", "client_id", "状態"), short), as_json=as_json
    )


@systems.command("rotate")
def rotate(
    system: _System,
    overlap: Annotated[
        int, typer.Option(metavar="DAYS", help="How long the old secret stays good.", min=0)
    ] = 7,
) -> None:
    """Give a system a new secret, shown once; the old one stays good for a while."""
    from datetime import timedelta

    from kiban.cli import serving

    with serving.opened() as (_, _, opened, _):
        _show(system, opened.systems.rotate(system, serving.now(), timedelta(days=overlap)))


@systems.command("revoke")
def revoke(system: _System) -> None:
    """End a system: its secrets and tokens are refused from the next request on."""
    from kiban.cli import serving

    with serving.opened() as (_, _, opened, _):
        opened.systems.revoke(system, serving.now())
    typer.echo(f"{system} is revoked: its secrets and tokens are refused from now on.")


@numbers.command("set")
def set_(
    first: Annotated[int, typer.Option(help="First serial.")],
    last: Annotated[int, typer.Option(help="Last serial.")],
    digits: Annotated[int, typer.Option(help="Length of a number, check digit included.")] = 15,
    remainder_one: Annotated[
        str | None, typer.Option(help="The city's check digit where the remainder is 1. Default: skip.")
    ] = None,
) -> None:
    """Set serials apart for 住登外者, or change what is still to come."""
    from kiban.cli import serving
    from kiban.linkage import api, evidence

    with serving.opened() as (given, _, _, books):
        secret = evidence.city_secret(given.home / "city.secret")
        api.Numbers(books, secret).set_rule(api.Rule(first, last, digits, remainder_one))
    typer.echo(f"Serials {first} to {last} are set apart for 住登外者, as numbers of {digits} digits.")


def _show(system: str, made: object) -> None:
    from kiban.access import Credentials

    assert isinstance(made, Credentials)
    typer.echo(f"system         {system}")
    typer.echo(f"client_id      {made.client_id}")
    typer.echo(f"client_secret  {made.secret}")
    typer.echo(
        "The secret is shown this once. Hand it over on a safe way; it never stands in an address or a log.",
        err=True,
    )
