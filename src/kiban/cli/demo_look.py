"""Acts of the demonstration that ask the database: totals, one person's history, searches by several clerks."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from kiban.cli.demo_stage import OPERATOR, REFERENCE_DAY, console, say, timed, wards
from kiban.kernel import Actor, AsOf, Period
from kiban.store import Change, Hit, Page, Query, Store

_PEOPLE = "resident.jumin"


def totals(opened: Store, folder: Path) -> None:
    """The city's totals by ward beside those the generator wrote down on its own."""
    with (folder / "totals.csv").open(encoding="utf-8") as file:
        written = {row["ward_code"]: row for row in csv.DictReader(file)}
    day = json.loads((folder / "town.json").read_text(encoding="utf-8"))["as_of"]
    label = {code.label: code.value for code in _codes(opened, "seibetsu")}
    with timed("totals by ward"), opened.session(OPERATOR) as session:
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
    console.print(table)
    console.print(
        "  every figure equals the input" if equal else "  [red]red: in the database / in the input[/red]"
    )


def history(opened: Store) -> dict[str, Any]:
    """One person who moved between wards: as of two days, and after a correction as of two moments of knowledge."""
    with opened.session(OPERATOR) as session:
        [mover] = session.sql(
            "SELECT atenabango, max(valid_from) AS moved FROM resident.jumin WHERE closed_by IS NULL "
            "GROUP BY 1 HAVING count(DISTINCT shiteitoshi_gyoseikutokodo) > 1 AND max(valid_to) = 'infinity' "
            "ORDER BY 2 DESC, 1 LIMIT 1"
        )
    number, moved = str(mover["atenabango"]), mover["moved"]
    with opened.session(OPERATOR) as session:
        periods = session.history(_PEOPLE, atenabango=number)
    console.print(
        "\n[b]one person's history[/b] (a ward-to-ward move keeps the 宛名番号 and gives a new 世帯番号)"
    )
    for row in periods:
        ends = (row["valid"].start, row["valid"].end)
        valid = " – ".join(str(end) if end else "…" for end in ends)
        address = (
            f"{row['jusho_shikugunchosonmei']}{row['jusho_choaza'] or ''}{row['jusho_banchigohyoki'] or ''}"
        )
        numbers = f"宛名番号 {row['atenabango']}  世帯番号 {row['setaibango']}"
        say(f"  {valid}  {address}\n    [dim]{numbers}[/dim]")
    for day in (moved - timedelta(days=1), moved):
        with timed(f"as of {day}"), opened.session(OPERATOR) as session:
            rows = session.read(_PEOPLE, AsOf(day), atenabango=number)
        console.print(f"  {day}: {rows[0]['jusho_shikugunchosonmei'] if rows else '－'}")
    _correct(opened, periods[-1], moved)
    return periods[-1]


def _correct(opened: Store, current: dict[str, Any], moved: date) -> None:
    then = datetime.now(UTC)
    number = str(current["atenabango"])
    items = opened.table(_PEOPLE).items
    corrected = {name: current[name] for name in items} | {
        "jusho_katagaki": "訂正荘１０１号",
        "rirekibango": current["rirekibango"] + 1,
    }
    with timed("a correction, recorded as an event"), opened.session(OPERATOR) as session:
        session.record("誤記修正", number, [Change(_PEOPLE, corrected, Period(moved))], valid=moved)
    with opened.session(OPERATOR) as session:
        [known_then] = session.read(_PEOPLE, AsOf(moved, then), atenabango=number)
        [known_now] = session.read(_PEOPLE, AsOf(moved), atenabango=number)
    written = [row["jusho_katagaki"] or "（方書なし）" for row in (known_then, known_now)]
    console.print(f"  known before the correction: {written[0]}; known now: {written[1]}")


def searches(opened: Store, person: dict[str, Any]) -> None:
    """A search with a variant kanji, by clerks of two wards, and by one who may look further."""
    names = wards(opened)
    own = str(person["shiteitoshi_gyoseikutokodo"])
    other = next(code for code in names if code != own)
    asked = Query(as_of=REFERENCE_DAY, name="渡邊", limit=100)
    console.print("\n[b]search: 渡邊[/b] (finds 渡辺 渡邉 and its other forms)")
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
        timed("raw SQL"),
    ):
        hidden = session.sql(
            "SELECT count(*) AS n FROM resident.jumin WHERE shiteitoshi_gyoseikutokodo = %s", [own]
        )[0]["n"]
    console.print(f"  rows of {names[own]} that raw SQL shows to the clerk of {names[other]}: {hidden}")


def _found(opened: Store, actor: Actor, query: Query, who: str, names: dict[str, str]) -> None:
    with timed(who), opened.session(actor) as session:
        page: Page = session.search(_PEOPLE, query)

    def surname(hit: Hit) -> str:
        return str((hit.row or {}).get("shimei") or "").split("　")[0] or "（旧姓など）"

    def counted(words: Iterable[str]) -> str:
        return "、".join(f"{word} {count}" for word, count in Counter(words).items())

    more = "and more" if page.next else "in all"
    where = counted(names.get(hit.ward or "", "") for hit in page.hits) or "nobody"
    say(f"  {len(page.hits)} {more} ({where}): {counted(map(surname, page.hits))}")


def _codes(opened: Store, romaji: str) -> Any:
    edition = opened.edition("resident")
    code_list = edition.code_list(edition.group("jumin").item(romaji))
    return code_list.codes if code_list else ()
