"""The demonstration, act after act."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from rich.table import Table

from kiban import linkage, main, store
from kiban.cli import demo_ask, demo_link, demo_look, demo_move, demo_web
from kiban.cli.demo_stage import console, program, say, timed, wards
from kiban.kernel import Problem
from kiban.settings import Settings
from kiban.store import Store

_BYTES = 13_000
"""Of disk for each resident: the city, its mainframe files, what the migration keeps, registers, sets, consumers."""


def run(given: Settings, residents: int, seed: int, city: str) -> None:
    """Make the city, migrate it, ask it, link it, check it, and let it run.

    Args:
        given: the settings of the demonstration, with a home of its own.
        residents: how many people live there.
        seed: the same one makes the same city.
        city: code of a designated city.

    Raises:
        Problem: `disk-full` before anything is done; what keeps an act from coming through.
    """
    _require_space(given.home, residents * _BYTES)
    console.rule(f"[b]Kiban 基盤[/b]  a synthetic designated city of {residents:,} people")
    folder = demo_move.made(given, residents, seed, city)
    with timed("empty database"):
        demo_link.forget(given)
        main.cluster(given).destroy()
    packet = demo_move.migrate(given, folder)
    title = json.loads((folder / "town.json").read_text(encoding="utf-8"))["city"]["name"]
    with main.open_store(given) as opened:
        demo_move.load_nonresidents(opened, folder)
        demo_look.totals(opened, folder)
        demo_look.searches(opened, demo_look.history(opened))
        status = _link(given, opened, folder)
        _verify(opened)
        offices = wards(opened)
        with timed("people at work, with their duties and sign-ins"):
            signins = demo_web.prepare(given, opened, offices, title)
    with timed("kiban serve, on this machine only"):
        address, vendor = demo_web.start(given, title)
    _running(address, vendor, signins, offices)
    _look_around(given, packet, status)


def _require_space(home: Path, needed: int) -> None:
    """Refuse what would fill the disk on its way; what an earlier demonstration left makes room."""
    place = next(each for each in (home, *home.parents) if each.exists())
    left = sum(each.lstat().st_size for each in home.rglob("*") if each.is_file()) if home.exists() else 0
    free = shutil.disk_usage(place).free + left
    if free < needed:
        what = f"a city of this size needs {needed / 2**30:,.1f} GiB of disk, {free / 2**30:,.1f} are free"
        fix = "free some space, name fewer RESIDENTS, or set KIBAN_HOME to a folder on another disk"
        raise Problem("disk-full", what, str(place), fix)


def _link(given: Settings, opened: Store, folder: Path) -> Path:
    """Three systems are fed from the migrated city, people move, and all sides are shown equal; the page of the status.

    Raises:
        Problem: `demo-drift` where a consumer does not hold what was delivered.
    """
    console.print("\n[b]linkage[/b]: contracts, signed by the city")
    characters = folder.with_name(folder.name.replace("town-", "old-", 1)) / "project" / "characters"
    with linkage.open_linkage(opened) as books:
        line = demo_link.begin(given, opened, books, characters, say)
        for flow, how in ((demo_link.TAX, "CSV"), (demo_link.LEGACY, "JEF records of fixed length")):
            with timed(f"everybody, as a full set ({how}), validated and applied"):
                demo_link.everything(line, flow)
        with timed(f"{demo_link.MOVES} people move to another ward"):
            movers = demo_link.move(line)
        with timed("what changed, as events over NATS JetStream"):
            demo_link.deliver(line, demo_link.TAX)
        with timed("what changed, as a delta of records"):
            demo_link.changes(line, demo_link.LEGACY)
        with timed("who moved, asked by the API (OAuth 2.0, client_secret_jwt)"):
            demo_ask.ask(line, movers)
        for flow in (demo_link.TAX, demo_link.LEGACY):
            with timed("both sides compared by digest"):
                demo_link.compared(line, flow)
        page = demo_link.status_page(line)
    linkage.broker.Broker(given.home).down()
    return page


def _verify(opened: Store) -> None:
    with timed("kiban db verify"):
        report = store.verify(opened)
    verdict = "sound" if not report.problems else "\n".join(map(str, report.problems))
    console.print(f"  {report.events} events, {sum(report.rows.values()):,} rows: the store is {verdict}")


def _running(address: str, vendor: str, signins: dict[str, str], offices: dict[str, str]) -> None:
    """Where the city runs, and as whom to sign in."""
    console.rule("the city is running")
    console.print(f"  [b]{address}[/b]   password of everybody: [b]{signins['']}[/b]", highlight=False)
    table = Table("number", "who", "code now", box=None)
    table.add_column("secret of the codes", overflow="fold")
    for each in demo_web.staff(offices)[1]:
        table.add_row(each.number, each.what, demo_web.code_now(signins, each.number), signins[each.number])
    console.print(table)
    say(f"  {vendor}   a vendor's system: it lets the city say who is there (OpenID Connect)")
    say(
        "  A code is good for half a minute: the secret goes into an authenticator app, or ask again with\n"
        f"  {program()} demo --code W0001     {program()} demo --stop   [dim]ends the pages[/dim]"
    )


def _look_around(given: Settings, packet: Path, status: Path) -> None:
    kiban = program()
    console.rule("look around")
    say(f"  sign-off packet (移行結果確認書): {packet}")
    say(f"  linkage (データ連携の状況): {status}")
    say(
        f"  export KIBAN_HOME={given.home}   [dim]then[/dim]\n"
        f'  {kiban} db psql --owner -- -x -c \'SELECT * FROM "住民基本台帳"."住民" LIMIT 3\'\n'
        f"  {kiban} standard show resident     {kiban} --help\n"
        f"  {kiban} db down                    [dim]stops the database[/dim]"
    )
