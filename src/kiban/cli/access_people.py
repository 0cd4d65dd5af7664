"""`kiban access office|staff|assign|substitute|import`: offices, staff and their duties."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from kiban.access import Assignment, Office, Staff

office = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Offices (組織): the city hall, wards, sections, branches.",
)
staff = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Staff (職員), their duties and their history."
)

_Parsed = typer.Option(formats=["%Y-%m-%d"])
_Start = Annotated[
    datetime,
    typer.Option("--start", formats=["%Y-%m-%d"], help="First day; one to come is a scheduled change."),
]
_Last = Annotated[
    datetime | None, typer.Option("--last", formats=["%Y-%m-%d"], help="Last day. Default: open.")
]
_On = Annotated[datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Only those of this day.")]
_Number = Annotated[str, typer.Argument(metavar="STAFF", help="Staff number (職員番号).")]
_Duty = Annotated[str, typer.Argument(metavar="DUTY", help="ID of a duty of the policy set.")]
_Office = Annotated[str, typer.Argument(metavar="OFFICE", help="ID of an office.")]


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban access`."""
    parent.add_typer(office, name="office")
    parent.add_typer(staff, name="staff")
    parent.command("assign")(assign)
    parent.command("substitute")(substitute)
    parent.command("import")(import_)


def today() -> date:
    """The day in Japan."""
    from kiban.cli import serving

    return serving.now().astimezone(ZoneInfo("Asia/Tokyo")).date()


@office.command("set")
def set_office(
    office: _Office,
    name: Annotated[str, typer.Option(help="Japanese name.")],
    kind: Annotated[str, typer.Option(help="city (市), ward (区), section (課) or branch (支所).")],
    parent: Annotated[str | None, typer.Option(help="ID of the office above.")] = None,
    ward: Annotated[str | None, typer.Option(help="Code of the ward, six digits.")] = None,
    start: Annotated[datetime | None, _Parsed] = None,
    last: _Last = None,
) -> None:
    """Record an office, or change it."""
    from kiban.access import Office

    first = start.date() if start else None
    _apply([Office(office, name, kind, parent, ward, first, _end(last))])  # type: ignore[arg-type]


@office.command("list")
def list_offices(
    on: _On = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """List the offices."""
    from kiban.access import OFFICE_KINDS
    from kiban.cli import listing, serving

    with serving.opened() as (_, _, opened, _):
        found = opened.people.offices(on.date() if on else None)
    heads = ("ID", "名称", "種別", "上位", "区", "期間")
    rows = [
        (
            each.id,
            each.name,
            OFFICE_KINDS[each.kind],
            each.parent or "",
            each.ward or "",
            _term(each.start, each.end),
        )
        for each in found
    ]
    listing.show("組織", heads, rows, (heads, rows), as_json=as_json)


@staff.command("set")
def set_staff(
    number: _Number,
    name: Annotated[str, typer.Option(help="氏名.")],
    kana: Annotated[str, typer.Option(help="フリガナ.")],
    start: _Start,
    last: _Last = None,
    external_id: Annotated[str, typer.Option(help="ID in the personnel system.")] = "",
) -> None:
    """Record a member of staff, or change one; with a last day the person signs in no more after it."""
    from kiban.access import Staff

    _apply([Staff(number, name, kana, start.date(), _end(last), external_id)])


@staff.command("show")
def show_staff(number: _Number) -> None:
    """Show a member of staff: service, duties, and who changed what when."""
    from kiban.cli import serving

    with serving.opened() as (_, _, opened, _):
        person, duties = opened.people.staff(number), opened.people.assignments(number)
        history = opened.people.history("staff", number)
    typer.echo(f"{person.number}  {person.name}（{person.kana}）  {_term(person.start, person.end)}")
    for each in duties:
        stands = f"  {each.substitutes} の代理" if each.substitutes else ""
        typer.echo(f"  {each.id}  {each.duty}  {each.office}  {_term(each.start, each.end)}{stands}")
    for line in history:
        typer.echo(f"  {line.at:%Y-%m-%d %H:%M} UTC  {line.by}  {line.kind}  {line.key}")


@staff.command("list")
def list_staff(
    on: _On = None,
    after: Annotated[str, typer.Option(help="Begin after this number.")] = "",
    gone: Annotated[bool, typer.Option("--gone", help="Only who may no longer sign in, by number.")] = False,
) -> None:
    """List staff in the order of their numbers, 200 at a time."""
    from kiban.cli import listing, serving

    with serving.opened() as (_, _, opened, _):
        if gone:
            listing.lines(opened.people.gone(on.date() if on else today()))
            return
        found = opened.people.page(after, on.date() if on else None)
    heads = ("職員番号", "氏名", "期間")
    rows = [(each.number, each.name, _term(each.start, each.end)) for each in found]
    listing.show("職員", heads, rows, (heads, rows), as_json=False)


def assign(number: _Number, duty: _Duty, office: _Office, start: _Start, last: _Last = None) -> None:
    """Give a member of staff a duty at an office for a time, or end one."""
    from kiban.access import Assignment

    _apply([Assignment(number, duty, office, start.date(), _end(last))])


def substitute(
    number: _Number,
    substituted: Annotated[
        str, typer.Argument(metavar="FOR", help="Staff number of the person stood in for.")
    ],
    duty: _Duty,
    office: _Office,
    start: _Start,
    last: _Last = None,
) -> None:
    """Let somebody stand in for another (代理): the same duty at the same office, within the other's term."""
    from kiban.access import Assignment

    _apply([Assignment(number, duty, office, start.date(), _end(last), substituted)])


def import_(
    offices: Annotated[
        Path | None,
        typer.Option(help="CSV: 組織コード,組織名,種別,上位組織コード,行政区コード,開始日,最終日"),
    ] = None,
    staff: Annotated[
        Path | None, typer.Option(help="CSV: 職員番号,氏名,フリガナ,採用日,最終日,外部ID")
    ] = None,
    assignments: Annotated[
        Path | None, typer.Option(help="CSV: 職員番号,職務,組織コード,開始日,最終日,代理される職員番号")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look for faults.")] = False,
) -> None:
    """Take offices, staff and assignments from CSV files: all of them, or with any fault nothing."""
    from kiban.cli import serving

    named = (("offices", offices), ("staff", staff), ("assignments", assignments))
    files = [(kind, path) for kind, path in named if path]
    with serving.opened() as (_, _, opened, _):
        duties = opened.policies.duties
        done = opened.people.take(files, _who(), serving.now(), duties=duties, dry_run=dry_run)
    typer.echo(f"{len(done)}件{'が変わる（まだ変えていない）' if dry_run else 'を変えた'}")


def _apply(changes: Sequence[Office | Staff | Assignment]) -> None:
    from kiban.cli import serving

    with serving.opened() as (_, _, opened, _):
        done = opened.people.apply(changes, _who(), serving.now(), duties=opened.policies.duties)
    typer.echo("変えた" if done else "すでにその通りである")


def _who() -> str:
    """Who changes it, for the history: whoever works at the terminal of the server."""
    return f"cli:{getpass.getuser()}"[:64]


def _end(last: datetime | None) -> date | None:
    return last.date() + timedelta(days=1) if last else None


def _term(start: date | None, end: date | None) -> str:
    return f"{start or ''}～{end - timedelta(days=1) if end else ''}"
