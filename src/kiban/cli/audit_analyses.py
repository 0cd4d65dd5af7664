"""`kiban audit night|failed|mass|kin|own`: use that an auditor asks about by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli.auditing import Csv, Json, Most, Since, Until

if TYPE_CHECKING:
    from kiban.cli.listing import Row


def add(app: typer.Typer) -> None:
    """Put the commands under `kiban audit`."""
    for command in (night, failed, mass, kin, own):
        app.command()(command)


def night(
    since: Since = None,
    until: Until = None,
    opens: Annotated[str, typer.Option(help="When work begins.")] = "08:30",
    closes: Annotated[str, typer.Option(help="When it ends.")] = "17:15",
    csv: Csv = None,
    most: Most = 200,
    as_json: Json = False,
) -> None:
    """Who worked at night, on weekends and on holidays (audit/holidays.csv in the home, or the national ones of 2026)."""
    from datetime import time

    from kiban.access import audit
    from kiban.cli import auditing

    heads = ("日", "区分", "職員等", "記録", "参照", "最初（15分単位）", "最後（15分単位）")
    hours = audit.analyses.Hours(time.fromisoformat(opens), time.fromisoformat(closes))
    with auditing.opened() as (_, trail, keeper):
        auditing.leave_line(trail, "night")
        holidays = audit.analyses.read_holidays(keeper.folder / "holidays.csv")
        found = audit.analyses.outside(trail, *auditing.days(since, until), hours, holidays)
        rows = (
            (
                str(e.day),
                e.why,
                e.actor,
                f"{e.lines:,}",
                f"{e.lookups:,}",
                auditing.in_japan(e.first),
                auditing.in_japan(e.last),
            )
            for e in found
        )
        auditing.show("時間外・休日の利用", heads, rows, csv, most, as_json=as_json)


def failed(
    since: Since = None, until: Until = None, csv: Csv = None, most: Most = 200, as_json: Json = False
) -> None:
    """Failed sign-ins and lock-outs, by actor and address."""
    from kiban.access import audit
    from kiban.cli import auditing

    heads = ("職員等", "端末", "失敗", "ロックアウト", "最初", "最後")
    with auditing.opened() as (_, trail, _keeper):
        auditing.leave_line(trail, "failed")
        found = audit.analyses.failures(trail, *auditing.moments(since, until))
        rows = (
            (
                e.actor or "（不明な名前）",
                e.address,
                f"{e.failures:,}",
                f"{e.lock_outs:,}",
                auditing.in_japan(e.first),
                auditing.in_japan(e.last),
            )
            for e in found
        )
        auditing.show("認証の失敗", heads, rows, csv, most, as_json=as_json)


def mass(
    threshold: Annotated[int, typer.Option(min=1, help="From how many different persons a day on.")] = 200,
    since: Since = None,
    until: Until = None,
    csv: Csv = None,
    most: Most = 200,
    as_json: Json = False,
) -> None:
    """Who looked at very many different persons on a day."""
    from kiban.access import audit
    from kiban.cli import auditing

    heads = ("日", "職員等", "異なる対象", "参照", "うち検索")
    with auditing.opened() as (_, trail, _keeper):
        auditing.leave_line(trail, "mass", threshold=threshold)
        found = audit.analyses.busy(trail, *auditing.days(since, until), threshold)
        rows = ((str(e.day), e.actor, f"{e.subjects:,}", f"{e.lookups:,}", f"{e.searches:,}") for e in found)
        auditing.show(f"一日{threshold:,}人以上の参照", heads, rows, csv, most, as_json=as_json)


def kin(
    business: Annotated[str, typer.Option(help="The edition of the residents.")] = "resident",
    since: Since = None,
    until: Until = None,
    csv: Csv = None,
    most: Most = 200,
    as_json: Json = False,
) -> None:
    """Staff who looked at themselves, their household, or people of their name at their address. Needs `kiban audit own`."""
    from kiban.access import audit
    from kiban.cli import auditing, linking
    from kiban.kernel import JAPAN

    heads = ("日時", "職員等", "関係", "対象", "台帳", "事務", "番号")
    first, end = auditing.moments(since, until)
    with auditing.opened() as (city, trail, _keeper):
        auditing.leave_line(trail, "kin")
        edition = city.edition(business)
        actor = replace(
            linking.officer(None, "監査"), protected=True
        )  # who is near is near, protected or not
        today = auditing.now().astimezone(JAPAN).date()

        def rows() -> Iterator[Row]:
            for staff, subject in audit.analyses.Own(trail).everybody():
                with city.session(actor) as session:
                    near = audit.analyses.kin(session, edition, subject, today)
                for e in audit.analyses.kin_looks(trail, staff, near, first, end):
                    yield (
                        auditing.in_japan(e.at),
                        e.actor,
                        e.relation,
                        e.subject,
                        e.register,
                        e.purpose,
                        f"lookup {e.number}",
                    )

        auditing.show("本人・家族・同姓同住所の参照", heads, rows(), csv, most, as_json=as_json)


def own(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, help="CSV: 職員番号,宛名番号 (empty: taken away).")
    ],
) -> None:
    """Note which persons members of staff themselves are, for `kiban audit kin`. Only auditors see it."""
    import csv

    from kiban.access import audit
    from kiban.cli import auditing
    from kiban.kernel import Problem

    with file.open(encoding="utf-8-sig", newline="") as opened_file:
        read = list(csv.reader(opened_file))
    if not read or read[0] != ["職員番号", "宛名番号"] or any(len(row) != 2 for row in read):
        raise Problem(
            "own-file", "the file has not two columns with their heads", str(file), "write 職員番号,宛名番号"
        )
    with auditing.opened() as (_, trail, _keeper):
        audit.analyses.Own(trail).note(
            {row[0]: row[1] for row in read[1:]}, f"cli:{auditing.person()}", auditing.now()
        )
    typer.echo(f"{len(read) - 1:,}人を登録した")
