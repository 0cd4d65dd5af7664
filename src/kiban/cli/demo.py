"""The demonstration: a synthetic designated city from nothing to answers, with the time each step took."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from kiban.kernel import Actor
    from kiban.settings import Settings
    from kiban.store import Hit, Page, Query, Session, Store

app = typer.Typer(add_completion=False, rich_markup_mode="rich")
_console = Console()
_REFERENCE_DAY = date(2026, 10, 1)
_PEOPLE = "resident.jumin"


@app.command()
def demo(
    residents: Annotated[int, typer.Option(min=1, help="How many people live in the city.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same city.")] = 1,
    city: Annotated[
        str, typer.Option(help="A designated city, such as 28100 (Kobe) or 14100 (Yokohama).")
    ] = "28100",
    code: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Only print the one-time code of somebody of the demonstration, such as W0001.",
        ),
    ] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Only end the pages of an earlier demonstration.")
    ] = False,
) -> None:
    """Build a synthetic designated city and show what Kiban does with it.

    It works in its own home (.kiban/demo), begins anew each time, and keeps the generated city for the next run.
    At its end the city runs: pages on this machine, with people to sign in as. Nobody in it is real.
    """
    from kiban import main, settings, store
    from kiban.cli import demo_link, demo_web

    given = settings.read(os.environ)
    given = replace(given, home=given.home / "demo", database=None, database_app=None)
    if code is not None:
        typer.echo(demo_web.code(given.home, code))
        return
    running = demo_web.stop(given.home)
    if stop:
        typer.echo(
            "the pages of the demonstration have ended" if running else "no pages of a demonstration run"
        )
        return
    _console.rule(f"[b]Kiban 基盤[/b]  a synthetic designated city of {residents:,} people")
    folder = _town(given, residents, seed, city)
    with _timed("empty database"):
        demo_link.forget(given)
        main.cluster(given).destroy()
    packet = _migrate(given, folder)
    with main.open_store(given) as opened:
        _load_nonresidents(opened, folder)
        _totals(opened, folder)
        person = _history(opened)
        _searches(opened, person)
        status = _link(given, opened, folder)
        with _timed("kiban db verify"):
            report = store.verify(opened)
        verdict = "sound" if not report.problems else "\n".join(map(str, report.problems))
        _console.print(
            f"  {report.events} events, {sum(report.rows.values()):,} rows: the store is {verdict}"
        )
        title = json.loads((folder / "town.json").read_text(encoding="utf-8"))["city"]["name"]
        with _timed("people at work, with their duties and sign-ins"):
            signins = demo_web.prepare(given, opened, _wards(opened), title)
            offices = _wards(opened)
    with _timed("kiban serve, on this machine only"):
        address, vendor = demo_web.start(given, title)
    _running(address, vendor, signins, offices)
    _console.rule("look around")
    _console.print(f"  sign-off packet (移行結果確認書): {packet}", highlight=False, soft_wrap=True)
    _console.print(f"  linkage (データ連携の状況): {status}", highlight=False, soft_wrap=True)
    program = _program()
    _console.print(
        f"  export KIBAN_HOME={given.home}   [dim]then[/dim]\n"
        f'  {program} db psql --owner -- -x -c \'SELECT * FROM "住民基本台帳"."住民" LIMIT 3\'\n'
        f"  {program} standard show resident     {program} --help\n"
        f"  {program} db down                    [dim]stops the database[/dim]",
        highlight=False,
        soft_wrap=True,
    )


def _running(address: str, vendor: str, signins: dict[str, str], wards: dict[str, str]) -> None:
    """Where the city runs, and as whom to sign in."""
    from kiban.cli import demo_web

    _console.rule("the city is running")
    _console.print(f"  [b]{address}[/b]   password of everybody: [b]{signins['']}[/b]", highlight=False)
    table = Table("number", "who", "code now", box=None)
    table.add_column("secret of the codes", overflow="fold")
    for each in demo_web.staff(wards)[1]:
        table.add_row(each.number, each.what, demo_web.code_now(signins, each.number), signins[each.number])
    _console.print(table)
    _console.print(
        f"  {vendor}   a vendor's system: it lets the city say who is there (OpenID Connect)",
        highlight=False,
        soft_wrap=True,
    )
    _console.print(
        "  A code is good for half a minute: the secret goes into an authenticator app, or ask again with\n"
        f"  {_program()} demo --code W0001     {_program()} demo --stop   [dim]ends the pages[/dim]",
        highlight=False,
        soft_wrap=True,
    )


def _program() -> str:
    return os.path.relpath(sys.argv[0]) if Path(sys.argv[0]).exists() else "kiban"


@contextmanager
def _timed(step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    taken = time.perf_counter() - started
    shown = f"{taken:.1f} s" if taken >= 1 else f"{taken * 1000:.1f} ms"
    _console.print(f"[dim]{step}: {shown}[/dim]", highlight=False)


def _town(given: Settings, residents: int, seed: int, city: str) -> Path:
    """The generated city; made only where the same one does not lie there already."""
    from kiban import main, town
    from kiban.cli import progress

    folder = given.home / f"town-{city}-{residents}-{seed}"
    editions = main.library(given=given)
    if (folder / "town.json").exists():
        _console.print(f"[dim]the city of an earlier run is used again: {folder}[/dim]", highlight=False)
        return folder
    with _timed("make the city"), progress.shown() as tell:
        town.make(
            folder,
            resident=editions.edition("resident"),
            nonresident=editions.edition("nonresident_addressee"),
            tax=editions.edition("individual_resident_tax"),
            residents=residents,
            seed=seed,
            city=city,
            population=None,
            as_of=_REFERENCE_DAY,
            replace=True,
            progress=lambda done, total: tell("town", done, total),
        )
    return folder


def _migrate(given: Settings, folder: Path) -> Path:
    """The city from its mainframes' files into the database, with every proof on the way.

    Returns:
        The page of the sign-off packet.

    Raises:
        Problem: `demo-gate` where a stage did not come through; its reasons are printed before.
    """
    from kiban import main, migration, town
    from kiban.cli import progress
    from kiban.kernel import Problem

    old = folder.with_name(folder.name.replace("town-", "old-", 1))
    shutil.rmtree(old, ignore_errors=True)
    with (
        _timed("unload it as its mainframes would (JEF, KEIS, EBCDIC, packed, CP932)"),
        progress.shown() as tell,
    ):
        town.unload(folder, old, progress=lambda done, total: tell("unload", done, total))
    plan = migration.load_plan(old / "project", old / "unload", main.library(given=given))
    place = given.home / "migrations" / old.name.replace("old-", "", 1)
    place.parent.mkdir(exist_ok=True)
    with _timed("kiban migrate run: from the files to the packet"), progress.shown() as tell:
        work = migration.Work(place, lambda: main.open_store(given), tell, lambda: datetime.now(UTC))
        results = migration.run(migration.STAGES, plan, work)
        page = migration.hand_over(plan, results, work)
        seconds = migration.times(results, work)
    for one in results:
        figures = "  ".join(
            f"{name} {value:,}" for name, value in (one.summary or {}).items() if isinstance(value, int)
        )
        opened = "開" if one.gate and one.gate.open else "閉"
        _console.print(
            f"  {one.stage.title_ja}（{one.stage.name}） {seconds.get(one.stage.name, 0):.1f} s ゲート{opened}  [dim]{figures}[/dim]",
            highlight=False,
            soft_wrap=True,
        )
        for reason in one.gate.reasons if one.gate else ():
            _console.print(f"    → {reason}", highlight=False, soft_wrap=True)
    if page is None or results[-1].stage.name != "signoff" or "reconcile" not in seconds:
        raise Problem(
            "demo-gate", "the migration did not come through to its packet", fix="see the gates above"
        )
    return page


def _load_nonresidents(opened: Store, folder: Path) -> None:
    """The register of non-residents, which no mainframe of the sample holds: it comes from the town itself."""
    from kiban import store
    from kiban.cli import progress

    business = "nonresident_addressee"
    store.apply(opened, opened.library.edition(business), _operator())
    parts = [part for part in store.folder_parts(opened, folder) if part.register.startswith(f"{business}.")]
    with _timed(f"load {sum(part.rows for part in parts):,} non-residents"), progress.shown() as tell:
        store.import_arrow(opened, parts, _operator(), progress=tell)


def _totals(opened: Store, folder: Path) -> None:
    """The city's totals by ward beside those the generator wrote down on its own."""
    import csv

    with (folder / "totals.csv").open(encoding="utf-8") as file:
        written = {row["ward_code"]: row for row in csv.DictReader(file)}
    day = json.loads((folder / "town.json").read_text(encoding="utf-8"))["as_of"]
    label = {code.label: code.value for code in _codes(opened, "seibetsu")}
    with _timed("totals by ward"), opened.session(_operator()) as session:
        counted = {
            row["ward"]: row
            for row in session.sql(
                "SELECT shiteitoshi_gyoseikutokodo AS ward, count(*) AS total, "
                "count(*) FILTER (WHERE seibetsu = %s) AS men, count(*) FILTER (WHERE seibetsu = %s) AS women, "
                "count(DISTINCT setaibango) AS households FROM resident.jumin "
                "WHERE closed_by IS NULL AND valid_from <= %s AND %s < valid_to GROUP BY 1 ORDER BY 1",
                [label["男"], label["女"], day, day],
            )
        }
    table = Table("ward", title=f"residents on {day}", title_justify="left")
    for column in ("households", "men", "women", "total"):
        table.add_column(column, justify="right")
    equal = True
    for code, row in written.items():
        held = counted.get(code, {})
        pairs = [(held.get(name, 0), int(row[name])) for name in ("households", "men", "women", "total")]
        equal = equal and all(a == b for a, b in pairs)
        table.add_row(row["ward"], *(f"{a:,}" if a == b else f"[red]{a:,} / {b:,}[/red]" for a, b in pairs))
    _console.print(table)
    _console.print(
        "  every figure equals the input" if equal else "  [red]red: in the database / in the input[/red]"
    )


def _history(opened: Store) -> dict[str, Any]:
    """One person who moved between wards: as of two days, and after a correction as of two moments of knowledge."""
    from kiban.kernel import AsOf, Period
    from kiban.store import Change

    with opened.session(_operator()) as session:
        [mover] = session.sql(
            "SELECT atenabango, max(valid_from) AS moved FROM resident.jumin WHERE closed_by IS NULL "
            "GROUP BY 1 HAVING count(DISTINCT shiteitoshi_gyoseikutokodo) > 1 AND max(valid_to) = 'infinity' "
            "ORDER BY 2 DESC, 1 LIMIT 1"
        )
    number, moved = str(mover["atenabango"]), mover["moved"]
    before = date.fromordinal(moved.toordinal() - 1)
    with opened.session(_operator()) as session:
        history = session.history(_PEOPLE, atenabango=number)
    _console.print(
        "\n[b]one person's history[/b] (a ward-to-ward move keeps the 宛名番号 and gives a new 世帯番号)"
    )
    for row in history:
        ends = (row["valid"].start, row["valid"].end)
        valid = " – ".join(str(end) if end else "…" for end in ends)
        address = (
            f"{row['jusho_shikugunchosonmei']}{row['jusho_choaza'] or ''}{row['jusho_banchigohyoki'] or ''}"
        )
        numbers = f"宛名番号 {row['atenabango']}  世帯番号 {row['setaibango']}"
        _console.print(f"  {valid}  {address}\n    [dim]{numbers}[/dim]", highlight=False, soft_wrap=True)
    for day in (before, moved):
        with _timed(f"as of {day}"), opened.session(_operator()) as session:
            rows = session.read(_PEOPLE, AsOf(day), atenabango=number)
        _console.print(f"  {day}: {rows[0]['jusho_shikugunchosonmei'] if rows else '－'}")
    then = datetime.now(UTC)
    current = history[-1]
    items = opened.table(_PEOPLE).items
    corrected = {name: current[name] for name in items} | {
        "jusho_katagaki": "訂正荘１０１号",
        "rirekibango": current["rirekibango"] + 1,
    }
    with _timed("a correction, recorded as an event"), opened.session(_operator()) as session:
        session.record("誤記修正", number, [Change(_PEOPLE, corrected, Period(moved))], valid=moved)
    with opened.session(_operator()) as session:
        [known_then] = session.read(_PEOPLE, AsOf(moved, then), atenabango=number)
        [known_now] = session.read(_PEOPLE, AsOf(moved), atenabango=number)
    written = [row["jusho_katagaki"] or "（方書なし）" for row in (known_then, known_now)]
    _console.print(f"  known before the correction: {written[0]}; known now: {written[1]}")
    return current


def _searches(opened: Store, person: dict[str, Any]) -> None:
    """A search with a variant kanji, by clerks of two wards, and by one who may look further."""
    from kiban.kernel import Actor
    from kiban.store import Query

    wards = [code for code in _wards(opened) if code != person["shiteitoshi_gyoseikutokodo"]]
    own, other = str(person["shiteitoshi_gyoseikutokodo"]), wards[0]
    names = _wards(opened)
    asked = Query(as_of=_REFERENCE_DAY, name="渡邊", limit=100)
    _console.print("\n[b]search: 渡邊[/b] (finds 渡辺 渡邉 and its other forms)")
    for ward, seen, query, who in (
        (own, {own}, asked, f"clerk of {names[own]}"),
        (other, {other}, asked, f"clerk of {names[other]}"),
        (
            other,
            {own, other},
            replace(asked, wards="all", limit=200),
            f"clerk of {names[other]} who may also see {names[own]}",
        ),
    ):
        _found(opened, Actor(f"clerk-{ward}", ward, frozenset(seen), "住民票の写しの交付"), query, who, names)
    with (
        opened.session(Actor("clerk", other, frozenset({other}), "住民票の写しの交付")) as session,
        _timed("raw SQL"),
    ):
        hidden = session.sql(
            "SELECT count(*) AS n FROM resident.jumin WHERE shiteitoshi_gyoseikutokodo = %s", [own]
        )[0]["n"]
    _console.print(f"  rows of {names[own]} that raw SQL shows to the clerk of {names[other]}: {hidden}")


def _found(opened: Store, actor: Actor, query: Query, who: str, names: dict[str, str]) -> None:
    with _timed(who), opened.session(actor) as session:
        page: Page = session.search(_PEOPLE, query)

    def surname(hit: Hit) -> str:
        return str((hit.row or {}).get("shimei") or "").split("　")[0] or "（旧姓など）"

    spelled: dict[str, int] = {}
    for hit in page.hits:
        spelled[surname(hit)] = spelled.get(surname(hit), 0) + 1
    by_ward: dict[str, int] = {}
    for hit in page.hits:
        by_ward[names.get(hit.ward or "", "")] = by_ward.get(names.get(hit.ward or "", ""), 0) + 1
    more = "and more" if page.next else "in all"
    wards = "、".join(f"{ward} {count}" for ward, count in by_ward.items()) or "nobody"
    spellings = "、".join(f"{name} {count}" for name, count in spelled.items())
    _console.print(f"  {len(page.hits)} {more} ({wards}): {spellings}", highlight=False, soft_wrap=True)


def _link(given: Settings, opened: Store, folder: Path) -> Path:
    """Three systems are fed from the migrated city, people move, and all sides are shown equal; the page of the status.

    Raises:
        Problem: `demo-drift` where a consumer does not hold what was delivered.
    """
    from kiban import linkage
    from kiban.cli import demo_ask, demo_link

    def say(text: str) -> None:
        _console.print(text, highlight=False, soft_wrap=True)

    _console.print("\n[b]linkage[/b]: contracts, signed by the city")
    characters = folder.with_name(folder.name.replace("town-", "old-", 1)) / "project" / "characters"
    with linkage.open_linkage(opened) as books:
        line = demo_link.begin(given, opened, books, characters, say)
        for flow, how in ((demo_link.TAX, "CSV"), (demo_link.LEGACY, "JEF records of fixed length")):
            with _timed(f"everybody, as a full set ({how}), validated and applied"):
                demo_link.everything(line, flow)
        with _timed(f"{demo_link.MOVES} people move to another ward"):
            movers = demo_link.move(line)
        with _timed("what changed, as events over NATS JetStream"):
            demo_link.deliver(line, demo_link.TAX)
        with _timed("what changed, as a delta of records"):
            demo_link.changes(line, demo_link.LEGACY)
        with _timed("who moved, asked by the API (OAuth 2.0, client_secret_jwt)"):
            demo_ask.ask(line, movers)
        for flow in (demo_link.TAX, demo_link.LEGACY):
            with _timed("both sides compared by digest"):
                demo_link.compared(line, flow)
        page = demo_link.status_page(line)
    linkage.broker.Broker(given.home).down()
    return page


def _wards(opened: Store) -> dict[str, str]:
    def read(session: Session) -> dict[str, str]:
        rows = session.sql(
            "SELECT gyoseikukodo, gyoseikumei FROM resident.gyoseiku WHERE closed_by IS NULL ORDER BY 1"
        )
        return {row["gyoseikukodo"]: row["gyoseikumei"] for row in rows}

    with opened.session(_operator()) as session:
        return read(session)


def _codes(opened: Store, romaji: str) -> Any:
    edition = opened.edition("resident")
    code_list = edition.code_list(edition.group("jumin").item(romaji))
    return code_list.codes if code_list else ()


def _operator() -> Actor:
    from kiban.kernel import ALL_WARDS, Actor

    return Actor("demo", None, ALL_WARDS, "実演", protected=True)
