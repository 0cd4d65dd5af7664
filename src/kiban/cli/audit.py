"""`kiban audit`: seal, verify, sign days, and ask the audit trail."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kiban.cli import audit_analyses, audit_asking

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""Seal, verify and ask the audit trail: who did what, to whom, when and why.

    Lines of acts and look-ups of registers are sealed in one chain; its end is signed block by block with a key in the home
    (audit/key.pem), and once a day with a root that is given to somebody else. Run `seal` every few minutes and `root` every
    morning. Whoever asks leaves a line, too.""",
    epilog="""Examples:

    [b]kiban audit seal[/b]                                 seal what was written since the last time

    [b]kiban audit verify --root 2026-11-23.json[/b]        compute everything again; also against a root that was given away

    [b]kiban audit root 2026-11-23 --out /mnt/stick[/b]     sign a day that has ended

    [b]kiban audit who 000000000000900 --since 2026-11-01[/b]   who looked at a person (- reads the number from the input)

    [b]kiban audit mass --threshold 300 --csv mass.csv[/b]  who looked at very many persons on a day""",
)
audit_asking.add(app)
audit_analyses.add(app)

_SAID = {
    "audit-changed": "内容が、封印したときと異なる",
    "audit-lost": "封印した行がない",
    "audit-inserted": "封印した後に、その前へ差し込まれた",
    "audit-order": "他の行と入れ替わっている",
    "audit-seal": "封印が、書かれたときのものでない",
    "audit-block": "署名された区切りが合わない",
    "audit-head": "最後の区切りが失われている（巻き戻し）",
    "evidence-root": "日次の署名が合わない",
}


@app.command()
def seal(
    patience: Annotated[float, typer.Option(help="Seconds to wait for those who are writing.")] = 10,
) -> None:
    """Seal all lines and look-ups written since the last time. May run at any time, also twice at once."""
    from kiban.access import audit
    from kiban.cli import auditing

    with auditing.opened() as (_, trail, keeper):
        made = audit.seal_trail(audit.Ledger(trail), keeper, auditing.now(), patience)
    typer.echo(f"{made.seals:,}件を封印した（区切り {made.block.block:,}、通し番号 {made.block.last:,}まで）")
    if made.waiting:
        typer.echo("書込み中の処理が終わらないため、次回に封印するものがある", err=True)


@app.command()
def verify(
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", metavar="FILE", exists=True, help="A root that was given away. Repeatable."),
    ] = None,
) -> None:
    """Compute everything again: names every row that was changed, lost, inserted or exchanged. Leaves with 1 where there is one."""
    from kiban.access import audit
    from kiban.cli import auditing

    given = [audit.read_root(file) for file in root or ()]
    with auditing.opened() as (_, trail, keeper):
        auditing.leave_line(trail, "verify")
        found = audit.verify(audit.Ledger(trail), keeper, given)
    for each in found.problems:
        typer.echo(f"→ {each.where or ''}：{_SAID.get(each.code, each.what)}（{each.what}）[{each.code}]")
    typer.echo(
        f"操作等の記録 {found.sealed['line']:,}件、台帳の参照 {found.sealed['lookup']:,}件を確かめた"
        f"（区切り {found.blocks:,}、日次の署名は {found.root or 'まだない'}）。"
        f"{'誤りはない' if not found.problems else '誤りがある'}"
    )
    if any(found.waiting.values()):
        typer.echo(
            f"封印前：記録 {found.waiting['line']:,}件、参照 {found.waiting['lookup']:,}件（まだ何も言えない）"
        )
    if found.problems:
        raise typer.Exit(1)


@app.command("root")
def root_(
    day: Annotated[
        datetime, typer.Argument(metavar="DAY", formats=["%Y-%m-%d"], help="In Japan; it has to have ended.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", exists=True, file_okay=False, help="Where to put a copy."),
    ] = None,
) -> None:
    """Seal the rest and sign a day that has ended; prints its root. Give it where nobody of the city's systems has a hand."""
    from kiban.access import audit
    from kiban.cli import auditing

    with auditing.opened() as (_, trail, keeper):
        made = audit.sign_day(audit.Ledger(trail), keeper, day.date(), auditing.now())
    if out is not None:
        with (out / f"{made.day}.json").open("xb") as file:
            file.write(audit.root_bytes(made))
    typer.echo(audit.root_bytes(made).decode(), nl=False)
