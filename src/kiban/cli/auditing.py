"""What the commands of `kiban audit` share: the trail, the keeper, days, lists that leave a line of their own."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli import linking, listing

if TYPE_CHECKING:
    from kiban.access import audit
    from kiban.store import Store

Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], help="First day, in Japan (default: a week ago)."),
]
Until = Annotated[
    datetime | None,
    typer.Option("--until", formats=["%Y-%m-%d"], help="The day after the last (default: tomorrow)."),
]
Csv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write everything to a new CSV file that spreadsheets open."),
]
Most = Annotated[int, typer.Option("--most", min=1, max=100_000, help="How many at most on the screen.")]
Json = linking.Json
now, person = linking.now, linking.person


@contextmanager
def opened() -> Iterator[tuple[Store, audit.Audit, audit.Keeper]]:
    """The registers, the trail and its keeper in the home."""
    from kiban import access, main, settings
    from kiban.access import audit

    given = settings.read(os.environ)
    with ExitStack() as stack:
        city = stack.enter_context(main.open_store(given))
        room = stack.enter_context(access.open_access(city, access.seal(given.home / "access.key")))
        yield city, room.audit, audit.keeper(given.home / "audit")


def leave_line(trail: audit.Audit, what: str, subject: str = "", **detail: str | int | bool) -> None:
    """Write down that somebody looks at the trail, before the answer is shown."""
    from kiban.access import audit

    subjects = (subject,) if subject else ()
    trail.write(
        audit.Line(
            "read",
            "done",
            f"cli:{person()}",
            now(),
            purpose="監査",
            business="audit",
            subjects=subjects,
            detail={"what": what, **detail},
        )
    )


def days(since: datetime | None, until: datetime | None) -> tuple[date, date]:
    """The first day and the one after the last."""
    from kiban.kernel import JAPAN

    today = now().astimezone(JAPAN).date()
    end = until.date() if until else today + timedelta(days=1)
    return (since.date() if since else end - timedelta(days=7)), end


def moments(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The moments at which these days begin and end, in UTC."""
    from kiban.kernel import JAPAN

    first, end = (datetime.combine(day, time(), JAPAN).astimezone(UTC) for day in days(since, until))
    return first, end


def in_japan(moment: datetime) -> str:
    """A moment as people in Japan write it."""
    from kiban.kernel import JAPAN

    return f"{moment.astimezone(JAPAN):%Y-%m-%d %H:%M:%S}"


def show(
    title: str,
    heads: listing.Row,
    rows: Iterable[listing.Row],
    file: Path | None,
    most: int,
    *,
    as_json: bool,
) -> None:
    """Print rows, or write all of them to a file; says so where there are more than are shown."""
    if file is not None:
        typer.echo(f"{title}：{_write(file, heads, rows):,}件を {file} に書いた")
        return
    shown: list[listing.Row] = []
    more = False
    for row in rows:
        if len(shown) == most:
            more = True
            break
        shown.append(row)
    listing.show(f"{title}：{len(shown):,}件", heads, shown, (heads, shown), as_json=as_json)
    if more:
        typer.echo(f"続きがある（--most または --csv で、{most:,}件を超えて出す）", err=True)


def _write(file: Path, heads: Sequence[str], rows: Iterable[listing.Row]) -> int:
    """A new CSV file for its owner alone: UTF-8 with a mark, and no cell that a spreadsheet takes for a formula."""
    count = 0
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as opened_file:
        writer = csv.writer(opened_file)
        writer.writerow(heads)
        for row in rows:
            writer.writerow(["'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") else cell for cell in row])
            count += 1
    return count
