"""`kiban migrate back`: changes after the cut-over as files for the legacy system, or the proof that everything could go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from kiban.cli.migrating import PlanArgument, UnloadOption, WorkOption, opened


def back(
    plan: PlanArgument,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="An empty or new folder for the files.")],
    unload: UnloadOption = None,
    work: WorkOption = None,
    cut_date: Annotated[
        datetime | None,
        typer.Option(
            "--cut-date",
            formats=["%Y-%m-%d"],
            metavar="DAY",
            help="The day of the last delta, where there was one.",
        ),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Write every row back and compare it with the landed files instead.")
    ] = False,
    beyond: Annotated[
        bool,
        typer.Option(
            "--beyond", help="Also after the day return_until of the plan: officials have decided so."
        ),
    ] = False,
) -> None:
    """Go back to the legacy system: write what changed since the load as files it can read, and list what they cannot hold.

    For each kind of source file a file KIND.RETURN in its layout and code page, with all records of everybody who changed: they take the
    place of those the legacy system has. rekey.csv lists what officials enter by hand or keep elsewhere, with the reason; nobody who
    changed is missing from both. The files hold personal data and only you can read them.

    Exit code 0: everything went back (or, with --all, every record came back byte for byte); 3: look at the list.
    """
    from kiban import migration
    from kiban.cli import progress

    with progress.shown() as tell:
        given, place = opened(plan, unload, work, tell, "export")
        if not everything and not beyond:
            migration.check_day(given, (datetime.now(UTC) + timedelta(hours=9)).date())
        stages = migration.STAGES
        if cut_date is not None:
            given, stages = migration.newer(given, cut_date.date()), migration.DELTA_STAGES
            place = replace(place, folder=place.folder / f"delta-{given.cut_date}") if work is None else place
        results = migration.status(stages, given, place)
        inputs = {one.stage.name: one.out for one in results if one.out is not None}
        with place.open_store() as database:
            done = (migration.compare_back if everything else migration.go_back)(
                given, inputs, database, out, tell
            )
    left = _compared(done) if everything else _returned(done)
    typer.echo(f"結果：{out}")
    if left:
        raise typer.Exit(3)


def _returned(done: Mapping[str, Any]) -> bool:
    """Say what went back; whether something is left to do by hand."""
    from rich.console import Console
    from rich.table import Table

    table = Table("台帳", "", "変わった対象者", "返した", "返した（一部は一覧）", "一覧のみ")
    for one in done["registers"]:
        figures = [f"{one[name]:,}" for name in ("changed", "whole", "part", "listed")]
        table.add_row(one["title"], one["register"], *figures)
    if done["registers"]:
        Console().print(table)
    records = sum(one["records"] for one in done["files"])
    typer.echo(
        f"取込みの後に変わった対象者を、{records:,}件のレコードにして返しました。手で入力・確認するもの（rekey.csv）は{done['lines']:,}件です。"
    )
    for kind, fields in done["unfilled"].items():
        typer.echo(f"→ {kind}：新しいレコードの次の項目は、標準に元がないため空です：{'、'.join(fields)}")
    return bool(done["lines"] or done["unfilled"])


def _compared(done: Mapping[str, Any]) -> bool:
    """Say how the records written back agree with the landed files; whether any does not."""
    from rich.console import Console
    from rich.table import Table

    table = Table("ファイル", "", "受領したレコード", "書き戻し", "元のバイトと同じ", "新しい")
    for one in done["forms"]:
        figures = [f"{one[name]:,}" for name in ("landed", "records", "same", "new")]
        table.add_row(one["kind"], one["segment"], *figures)
    Console().print(table)
    for form in done["forms"]:
        if form["left"]:
            typer.echo(
                f"→ {form['kind']}：標準に項目がなく、元のバイトのままとしたもの：{'、'.join(form['left'])}"
            )
        for one in form["other"]:
            typer.echo(
                f"→ {form['kind']} {one['field']}：{_REASONS.get(one['reason'], one['reason'])} {one['count']:,}件"
            )
        for one in form["lost"]:
            typer.echo(
                f"→ {one['register']} {one['item'] or '（行の全体）'} [{one['code']}] {one['count']:,}件"
            )
    for name in done["without_record"]:
        typer.echo(f"→ {name}：どのレコードに入るかが決まらず、書き戻せません。")
    whole = all(one["same"] == one["landed"] == one["records"] and not one["lost"] for one in done["forms"])
    records, same = (sum(one[name] for one in done["forms"]) for name in ("landed", "same"))
    typer.echo(f"受領した{records:,}件のうち{same:,}件が、1バイトも違わずに戻りました。")
    return not whole or bool(done["without_record"])


_REASONS = {
    "other-bytes": "値は同じで、バイトの書き方だけが違う",
    "other-writing": "書き方が違い、標準での意味は同じ",
    "other-value": "値が違う（取込みの後の異動など）",
    "other-rows": "繰り返しの行の数か順序が違う",
}
