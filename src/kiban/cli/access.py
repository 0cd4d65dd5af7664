"""`kiban access`: who works for the city, who may do what, and why."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import access_people, access_policies

if TYPE_CHECKING:
    from kiban.access import Acting, People, Policies

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Who works for the city, who may do what, and why.

    People have duties (職務) at offices for a time; a policy set in files says what each duty allows. Nothing else is allowed.
    KIBAN_POLICIES names the folder of the city's own set; without it Kiban's reference is used.""",
    epilog="""Examples:

    [b]kiban access explain --staff 000123 --action read --business resident --item-class individual-number[/b]

    [b]kiban access policies show --html policies.html[/b]       the whole set as a page for an auditor

    [b]kiban access import --staff staff.csv --assignments assignments.csv --dry-run[/b]""",
)
access_policies.add(app)
access_people.add(app)


@app.command("explain")
def explain(
    staff: Annotated[str, typer.Option(help="Staff number (職員番号).")],
    action: Annotated[str, typer.Option(help="ID of an action, such as read.")],
    business: Annotated[str, typer.Option(help="ID of a business, such as resident.")] = "",
    item_class: Annotated[str, typer.Option(help="ID of a class of items, such as individual-number.")] = "",
    ward: Annotated[str, typer.Option(help="Code of the ward whose rows are meant.")] = "",
    purpose: Annotated[str, typer.Option(help="The work (事務). Default: the first of the duty.")] = "",
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day. Default: today, in Japan.")
    ] = None,
) -> None:
    """Say why something is allowed or not; in Japanese, for whoever answers for it. Exit code 1: not allowed.

    A person with several duties is told of each; she works under one at a time.
    """
    from kiban.cli import serving

    day = on.date() if on else access_people.today()
    with serving.opened() as (_, _, opened, _):
        person = opened.people.staff(staff)
        policies = opened.policies
        allowed = False
        for acting, lapsed in _works(opened.people, policies, staff, purpose, day):
            told = policies.explain(acting, action, business, item_class, ward)
            missing = [*lapsed, *told.missing]
            allowed = allowed or not missing
            typer.echo(f"職員 {person.number}  {_where(policies, acting)}  {day}")
            typer.echo(f"{told.asked}：{'できない' if missing else 'できる'}")
            for each in told.reasons:
                effect = "許可" if each.effect == "permit" else "禁止"
                typer.echo(f"  {effect}  {each.policy}  {each.reason}（{each.where}）")
            for text in missing:
                typer.echo(f"  不足  {text}")
    if not allowed:
        raise typer.Exit(1)


def _works(
    people: People, policies: Policies, number: str, purpose: str, day: date
) -> list[tuple[Acting, list[str]]]:
    """Each duty of a day, and else the last one there was; with what `People.acting` would refuse and no policy sees."""
    from kiban.access import Acting

    staff, held = people.staff(number), people.assignments(number, day)
    chosen = held or people.assignments(number)[-1:]
    if not chosen:
        typer.echo(f"職員 {number} に発令がない")
    found = []
    for each in chosen:
        known = policies.duties.get(each.duty)
        work = purpose or (known.purposes[0] if known else "")
        acting = Acting(staff, each, people.office(each.office), work, day)
        lapsed = []
        if not held and acting.in_force:
            lapsed.append(f"{day}に、代理される職員 {each.substitutes} にこの発令がない")
        found.append((acting, lapsed))
    return found


def _where(policies: Policies, acting: Acting) -> str:
    known = policies.duties.get(acting.assignment.duty)
    stands = f"（{acting.assignment.substitutes} の代理）" if acting.assignment.substitutes else ""
    return (
        f"{acting.office.name}・{known.title if known else acting.assignment.duty}{stands}・{acting.purpose}"
    )
