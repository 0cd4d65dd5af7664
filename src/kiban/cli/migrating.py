"""What the commands of `kiban migrate` share: their arguments, opening a plan, and showing how its stages stand."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from kiban.migration import Plan, Result, Work
    from kiban.store import Store

PlanArgument = Annotated[Path, typer.Argument(metavar="PLAN", help="plan.yaml, or the folder that holds it.")]
UnloadOption = Annotated[
    Path | None,
    typer.Option("--unload", metavar="DIR", help="Where the files are. Default: as the plan says."),
]
WorkOption = Annotated[
    Path | None,
    typer.Option("--work", metavar="DIR", help="Where to work. Default: the folder work beside the project."),
]


def opened(
    plan: Path, unload: Path | None, work: Path | None, tell: Any, kind: str = "import"
) -> tuple[Plan, Work]:
    """Read a plan with the editions at hand, and the work folder it is worked in.

    Args:
        plan: file or folder, as the command was given it.
        unload: the same, where the files are.
        work: the same, where to work.
        tell: progress.
        kind: of the line that is left in the audit trail as soon as the registers are opened; see `log_kinds.yaml`.

    Raises:
        Problems: every fault of the plan.
    """
    from kiban import main, migration

    given = migration.load_plan(plan, unload, main.library())
    place = (work or given.folder.parent / "work").absolute()
    return given, migration.Work(place, _opener(given.id, kind), tell, lambda: datetime.now(UTC))


def _opener(migration: str, kind: str) -> Callable[[], Store]:
    """Opens the integrated database of the environment's settings, started if needed; the first time with a line of the act."""
    left: list[str] = []

    def open_store() -> Store:
        from kiban import main, settings
        from kiban.cli.acting import acting

        given = settings.read(os.environ)
        registers = main.open_store(given)
        if not left:
            with acting(registers, given.home, kind, "migrate", migration=migration):
                left.append(migration)
        return registers

    return open_store


_STATES = {"done": "済", "stale": "要再実行", "open": "未実行"}


def finish(plan: Plan, results: Sequence[Result], work: Work, command: str = "run") -> None:
    """Hand the packet over and print how a run ended; leaves with exit code 3 where a gate is closed.

    Args:
        plan: that was run.
        results: of the run.
        work: where it worked.
        command: of `kiban migrate`, that goes on with it.
    """
    from kiban import migration

    page = migration.hand_over(plan, results, work)
    show(plan, results, command)
    if page is not None:
        typer.echo(f"移行結果確認書：{page}（PDF は同じ場所の packet.pdf）")
    if any(one.gate is not None and not one.gate.open for one in results):
        raise typer.Exit(3)


def show(plan: Plan, results: Sequence[Result], command: str = "run") -> None:
    """Print how every stage stands, why gates are closed, and what comes next."""
    from rich.console import Console
    from rich.table import Table

    typer.echo(f"{plan.title}（基準日 {plan.cut_date}）")
    table = Table("工程", "", "状態", "ゲート", "件数")
    for one in results:
        opened = "" if one.gate is None else ("開" if one.gate.open else "閉")
        state = "済（今回）" if one.fresh else _STATES[one.state]
        table.add_row(one.stage.title_ja, one.stage.name, state, opened, _figures(one))
    Console().print(table)
    closed = [one for one in results if one.gate is not None and not one.gate.open]
    for one in closed:
        for reason in one.gate.reasons if one.gate else ():
            typer.echo(f"→ {one.stage.title_ja}：{reason}")
    waiting = next((one for one in results if one.state != "done"), None)
    if waiting and not closed:
        typer.echo(
            f"→ 次は {waiting.stage.title_ja}（{waiting.stage.name}）です。`kiban migrate {command}` で進みます。"
        )


def _figures(one: Result) -> str:
    summary = one.summary or {}
    return "  ".join(f"{name} {value:,}" for name, value in summary.items() if isinstance(value, int))
