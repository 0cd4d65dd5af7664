"""`kiban link protection`: who has not acknowledged, the end of a protection by two people, lists checked when they are used."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kiban.cli.linking import Json, Root

if TYPE_CHECKING:
    from kiban.linkage import protection
    from kiban.store import Books

_EXAMPLES = """Examples:

    [b]kiban link protection status[/b]                                       who has not acknowledged, and which ends wait

    [b]kiban link protection mark souhu.csv marked.csv[/b]                    put state and version beside each line of a new list

    [b]kiban link protection check marked.csv --out ok.csv[/b]                right before printing: take out whatever changed

    [b]kiban link protection propose 000000000012343 --version 8123 --reason 申出[/b]   the first of two signatures

    [b]kiban link protection confirm 000000000012343 --version 8123[/b]       the second, of somebody else"""

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    help="""The protection of persons (支援措置) across all systems.

    Whoever becomes protected is told to every flow that carries them before anything else, and every consumer acknowledges the
    version it holds. A protection ends when two different people have signed for the version they saw, the register says so, and
    every consumer has acknowledged. A list is checked against the register at the moment it is used, not when it was made.""",
    epilog=_EXAMPLES,
)

_Number = Annotated[str, typer.Argument(metavar="NUMBER", help="宛名番号, or 世帯番号 with --household.")]
_Version = Annotated[int, typer.Option(metavar="EVENT", help="The version that the decision is about.")]
_Household = Annotated[bool, typer.Option("--household", help="The number is that of a household.")]
_List = Annotated[Path, typer.Argument(metavar="LIST", exists=True, dir_okay=False, help="CSV in UTF-8.")]

WAITS = {
    "confirm": "二人目の署名を待っている",
    "register": "台帳で支援措置の終了が記録されていない",
    "subscribers": "支援措置の開始を確認していない連携先がある",
}
WHY = {
    "protected": "支援措置等の対象である",
    "changed": "作成後に支援措置等の状態が変わった",
    "unknown": "支援措置等の状態を確認できない",
}
_COLUMNS = {"atenabango": "person", "setaibango": "household"}


def add(parent: typer.Typer) -> None:
    """Put the commands under `kiban link`."""
    parent.add_typer(app, name="protection")


@app.command()
def status(root: Root = None, as_json: Json = False) -> None:
    """Show for each flow what was told and not acknowledged, and which ends wait for what. Leaves with 1 where somebody is late."""
    import json

    from kiban import linkage
    from kiban.cli import linking, listing

    flows = [each.flow for each in linking.contracts(root) if each.provider.business]
    with _lane(root) as (_, books):
        moment = linking.now()
        told = linkage.protection.status(books, moment, flows=flows)
        silent = [each for each in linkage.protection.unacknowledged(books, moment) if not each.flow]
        offs = linkage.protection.offs(books)
    if as_json:
        body = {"flows": [asdict(each) for each in told], "ends": [asdict(each) for each in offs]}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2, default=str))
    else:
        heads = ("フロー", "通知", "未確認", "5分を超えて未確認", "最も遅い確認")
        rows = [
            (each.flow, f"{each.told:,}", f"{each.open:,}", f"{each.late:,}", str(each.slowest or "－"))
            for each in told
        ]
        listing.show("支援措置等の開始の通知", heads, rows, (heads, rows), as_json=False)
        for each in told:
            if each.late:
                typer.echo(f"→ {each.flow}：届いていない。この連携先では全員を支援措置等の対象として扱う")
        for one in silent:
            typer.echo(
                f"→ {one.notices:,}件の開始が、5分を過ぎてもどこにも通知されていない。発行が動いているか確かめること"
            )
        for off in offs:
            typer.echo(_said(off))
    if silent or any(one.late for one in told):
        raise typer.Exit(1)


@app.command()
def propose(
    number: _Number,
    version: _Version,
    reason: Annotated[str, typer.Option(help="Why it may end, in words. It is kept.")],
    household: _Household = False,
    root: Root = None,
) -> None:
    """Sign, as the first of two people, that a protection may end. Your name is that of your account."""
    from kiban import linkage
    from kiban.cli import linking

    with _lane(root) as (lane, books):
        unit = _unit(number, household)
        off = linkage.protection.propose_off(
            lane, books, unit, version, linking.person(), reason, linking.now()
        )
    typer.echo(_said(off))


@app.command()
def confirm(number: _Number, version: _Version, household: _Household = False, root: Root = None) -> None:
    """Sign as the second, different person. The protection ends when nothing stands against it any more."""
    from kiban import linkage
    from kiban.cli import linking

    with _lane(root) as (lane, books):
        unit = _unit(number, household)
        off = linkage.protection.confirm_off(lane, books, unit, version, linking.person(), linking.now())
    typer.echo(_said(off))


@app.command()
def mark(
    list_: _List,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Where the list with state and version goes.")],
    root: Root = None,
) -> None:
    """Put the state of protection and its version beside one line of a list: what `check` needs when the list is used.

    The list has a column atenabango (宛名番号) or setaibango (世帯番号); all others stay as they are.
    """
    from kiban import linkage
    from kiban.cli import linking

    heads, rows = _read(list_)
    with _lane(root) as (lane, _):
        found = linkage.protection.listed(lane, [_of_row(row, list_) for row in rows], linking.now())
    for row, one in zip(rows, found, strict=True):
        row |= {"protection": one.state.state, "protection_event": str(one.state.event)}
    _write(out, [*heads, "protection", "protection_event"], rows)
    typer.echo(f"{len(rows):,}行に状態と版を付けた：{out}")


@app.command()
def check(
    list_: _List,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the lines that may be used go.")],
    takes: Annotated[
        str,
        typer.Option(
            help="clear: a list that shows addresses. protected: a list of protections that are to end."
        ),
    ] = "clear",
    root: Root = None,
) -> None:
    """Check a marked list at the moment it is used: whatever changed since it was made is taken out and named.

    Leaves with 1 where that is so. Where the check itself fails, nothing passes.
    """
    from kiban import linkage
    from kiban.cli import linking
    from kiban.kernel import Problem

    if takes not in ("clear", "protected"):
        raise Problem("list-takes", f"a list takes no {takes}", "--takes", "write clear or protected")
    heads, rows = _read(list_)
    lines = [_listed(row, list_, place) for place, row in enumerate(rows, 2)]
    with _lane(root) as (lane, _):
        found = linkage.protection.gate(lane, lines, linking.now(), frozenset({takes}))
    passed = {id(line) for line in found.passed}
    _write(out, heads, [row for row, line in zip(rows, lines, strict=True) if id(line) in passed])
    for one in found.removed:
        typer.echo(f"→ {one.unit.number}：{WHY[one.why]}")
    if found.problem:
        typer.echo(str(found.problem), err=True)
    typer.echo(f"使ってよい {len(found.passed):,}行（{out}）、除いた {len(found.removed):,}行")
    if found.removed:
        raise typer.Exit(1)


@contextmanager
def _lane(root: Sequence[Path] | None) -> Iterator[tuple[protection.Lane, Books]]:
    """The lane of the resident register; looked through once where it was not."""
    from kiban import linkage
    from kiban.cli import linking

    with linking.opened() as (place, books):
        flows = [one for one in linking.contracts(root) if one.provider.business]
        actor = linking.officer(None, "支援措置の連携")
        lane = linkage.protection.Lane(place, books, flows, "resident", actor)
        lane.prepare(linking.now())
        yield lane, books


def _said(off: protection.Off) -> str:
    kind = "世帯" if off.unit.kind == "household" else "宛名番号"
    signed = "・".join(name for name in (off.proposed_by, off.confirmed_by) if name)
    if off.released_after is not None:
        return f"{kind} {off.unit.number}（版 {off.event}）：終了した（署名 {signed}）"
    waits = "、".join(WAITS[one] for one in off.waits)
    return f"{kind} {off.unit.number}（版 {off.event}）：署名 {signed}。{waits}"


def _unit(number: str, household: bool) -> protection.Unit:
    from kiban import linkage

    return linkage.protection.Unit("household" if household else "person", number)


def _read(file: Path) -> tuple[list[str], list[dict[str, Any]]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        return list(reader.fieldnames or ()), list(reader)


def _write(file: Path, heads: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    part = file.with_name(f"{file.name}.part")
    with part.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(dict.fromkeys(heads)))
        writer.writeheader()
        writer.writerows(rows)
    part.replace(file)  # whole, or not there


def _of_row(row: dict[str, Any], file: Path) -> protection.Unit:
    from kiban.kernel import Problem

    named = [(kind, row[column]) for column, kind in _COLUMNS.items() if row.get(column)]
    if len(named) != 1:
        fix = "give one line one of atenabango and setaibango"
        raise Problem("list-unit", "a line names nobody, or two", str(file), fix)
    return _unit(named[0][1], named[0][0] == "household")


def _listed(row: dict[str, Any], file: Path, place: int) -> protection.Listed:
    from kiban import linkage
    from kiban.kernel import Problem

    state, event = row.get("protection") or "", row.get("protection_event") or ""
    if state not in ("protected", "clear", "unknown") or not event.isdecimal():
        fix = "make the list with: kiban link protection mark"
        raise Problem("list-unmarked", "a line has no state and version", f"{file}:{place}", fix)
    return linkage.protection.Listed(_of_row(row, file), linkage.protection.State(state, int(event)))
