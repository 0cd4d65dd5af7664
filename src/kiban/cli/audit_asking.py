"""`kiban audit who|whom|exports|lifts|lines`: what was done, by whom and to whom."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kiban.cli.auditing import Csv, Json, Most, Since, Until

if TYPE_CHECKING:
    from kiban.access import audit
    from kiban.cli.listing import Row

_LOOKS = ("日時", "職員等", "所属・区", "事務", "操作・台帳", "結果", "対象", "番号")
_LINES = (
    "日時",
    "種別",
    "結果",
    "職員等",
    "所属",
    "職務",
    "事務",
    "端末",
    "業務",
    "対象",
    "内容",
    "要求番号",
    "番号",
)
_SUBJECTS_SHOWN = 5


def add(app: typer.Typer) -> None:
    """Put the commands under `kiban audit`."""
    for command in (who, whom, exports, lifts, lines):
        app.command()(command)


def who(
    subject: Annotated[str, typer.Argument(metavar="宛名番号", help="A person; - reads it from the input.")],
    since: Since = None,
    until: Until = None,
    csv: Csv = None,
    most: Most = 200,
    as_json: Json = False,
) -> None:
    """Who looked at a person."""
    number = sys.stdin.readline().strip() if subject == "-" else subject
    _looks("参照した者", number, "", since, until, csv, most, as_json)


def whom(
    actor: Annotated[str, typer.Argument(metavar="職員番号", help="A member of staff, or a system.")],
    since: Since = None,
    until: Until = None,
    csv: Csv = None,
    most: Most = 200,
    as_json: Json = False,
) -> None:
    """At whom somebody looked."""
    _looks(f"{actor} の参照", "", actor, since, until, csv, most, as_json)


def _looks(
    title: str,
    subject: str,
    actor: str,
    since: datetime | None,
    until: datetime | None,
    csv: Path | None,
    most: int,
    as_json: bool,
) -> None:
    from kiban.access import audit
    from kiban.cli import auditing

    first, end = auditing.moments(since, until)

    def rows(trail: audit.Audit) -> Iterator[Row]:
        before: tuple[int, int] | None = None
        while True:
            page = audit.analyses.looks(
                trail, subject=subject, actor=actor, since=first, until=end, before=before, limit=500
            )
            for each in page.looks:
                whose = _some(each.subjects)
                yield (
                    auditing.in_japan(each.at),
                    each.actor,
                    each.office,
                    each.purpose,
                    each.what,
                    _outcome(each.outcome),
                    whose,
                    f"{each.source} {each.number}",
                )
            before = page.next
            if before is None:
                return

    with auditing.opened() as (_, trail, _keeper):
        auditing.leave_line(trail, "who" if subject else "whom", subject)
        auditing.show(title, _LOOKS, rows(trail), csv, most, as_json=as_json)


def exports(
    since: Since = None, until: Until = None, csv: Csv = None, most: Most = 200, as_json: Json = False
) -> None:
    """Extracts and files that left, those of unknown size first, then the largest."""
    from kiban.access import audit
    from kiban.cli import auditing

    with auditing.opened() as (_, trail, _keeper):
        auditing.leave_line(trail, "exports")
        found = audit.analyses.exports(trail, *auditing.moments(since, until))
        rows = (("不明" if e.rows is None else f"{e.rows:,}", *_line(e.entry)) for e in found)
        auditing.show("抽出・ファイル出力", ("件数", *_LINES), rows, csv, most, as_json=as_json)


def lifts(
    since: Since = None, until: Until = None, csv: Csv = None, most: Most = 200, as_json: Json = False
) -> None:
    """Lifts of protection (一時解除): asked for, granted, refused."""
    _all("保護の一時解除", ("lift",), "", since, until, csv, most, as_json)


def lines(
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="Such as search or signin. Repeatable.")
    ] = None,
    actor: Annotated[str, typer.Option(help="Only of this member of staff.")] = "",
    since: Since = None,
    until: Until = None,
    csv: Csv = None,
    most: Most = 200,
    as_json: Json = False,
) -> None:
    """The lines themselves, the newest first."""
    _all("記録", tuple(kind or ()), actor, since, until, csv, most, as_json)


def _all(
    title: str,
    kinds: tuple[str, ...],
    actor: str,
    since: datetime | None,
    until: datetime | None,
    csv: Path | None,
    most: int,
    as_json: bool,
) -> None:
    from kiban.access import audit
    from kiban.cli import auditing
    from kiban.kernel import Problem

    unknown = [each for each in kinds if each not in audit.kinds()]
    if unknown:
        raise Problem(
            "audit-kind", f"there is no kind {unknown[0]}", fix=f"one of {', '.join(audit.kinds())}"
        )
    wanted = audit.Wanted(*auditing.moments(since, until), kinds=kinds, actor=actor)
    with auditing.opened() as (_, trail, _keeper):
        auditing.leave_line(trail, "lines")
        auditing.show(title, _LINES, _pages(trail, wanted), csv, most, as_json=as_json)


def _pages(trail: audit.Audit, wanted: audit.Wanted) -> Iterator[Row]:
    before: int | None = None
    while True:
        page: audit.Lines = trail.lines(wanted, before, limit=500)
        yield from map(_line, page.entries)
        before = page.next
        if before is None:
            return


def _line(entry: object) -> Row:
    from kiban.access import audit
    from kiban.cli import auditing

    assert isinstance(entry, audit.Entry)
    e, kind = entry.line, audit.kinds()[entry.line.kind]
    said = "、".join(f"{name}={value}" for name, value in e.detail.items())
    return (
        auditing.in_japan(e.at),
        kind.title,
        _outcome(e.outcome),
        e.actor,
        e.office,
        e.duty,
        e.purpose,
        e.address,
        e.business,
        _some(e.subjects),
        said,
        e.request,
        str(entry.number),
    )


def _outcome(outcome: str) -> str:
    from kiban.access import audit

    return audit.OUTCOMES[outcome]


def _some(subjects: tuple[str, ...]) -> str:
    rest = len(subjects) - _SUBJECTS_SHOWN
    return "、".join(subjects[:_SUBJECTS_SHOWN]) + (f" 他{rest:,}人" if rest > 0 else "")
