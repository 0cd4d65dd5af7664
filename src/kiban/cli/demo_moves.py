"""Moves for the demonstration: people who live alone go to another ward, as one event each."""

from __future__ import annotations

from datetime import date
from typing import Any

from kiban.kernel import ALL_WARDS, Actor, Period, next_setaibango
from kiban.store import Change, Store

_PEOPLE, _HOMES = "resident.jumin", "resident.setai"
_PLACE = ("jusho_", "shiteitoshi_gyoseikutokodo")
_ACTOR = Actor("demo", None, ALL_WARDS, "区間異動（実演）", protected=True)


def alone(opened: Store, many: int) -> list[str]:
    """宛名番号 of people who live alone, are not protected, and live in the city now; in a fixed order."""
    with opened.session(_ACTOR) as session:
        rows = session.sql(
            "SELECT min(atenabango) AS number FROM resident.jumin WHERE closed_by IS NULL AND valid_to = 'infinity' "
            "AND juminjotai = '1' AND coalesce(shiensochifuragu, '0') <> '1' AND coalesce(yokushifuragu, '0') <> '1' "
            "GROUP BY setaibango HAVING count(*) = 1 ORDER BY md5(setaibango) LIMIT %s",
            [many],
        )
    return [str(row["number"]) for row in rows]


def protected(opened: Store, many: int) -> list[str]:
    """宛名番号 of people who are protected (支援措置) now."""
    with opened.session(_ACTOR) as session:
        rows = session.sql(
            "SELECT atenabango AS number FROM resident.jumin WHERE closed_by IS NULL AND valid_to = 'infinity' "
            "AND juminjotai = '1' AND shiensochifuragu = '1' ORDER BY md5(atenabango) LIMIT %s",
            [many],
        )
    return [str(row["number"]) for row in rows]


def move(opened: Store, number: str, day: date) -> tuple[str, str]:
    """Record that a person who lives alone moves to another ward on a day; the names of the two wards.

    The 宛名番号 stays, the 世帯番号 is a new one, and the household of before ends, as in every designated city.
    """
    with opened.session(_ACTOR) as session:
        person = _now(session.history(_PEOPLE, atenabango=number))
        home = _now(session.history(_HOMES, setaibango=person["setaibango"]))
        place = session.sql(
            "SELECT atenabango FROM resident.jumin WHERE closed_by IS NULL AND valid_to = 'infinity' "
            "AND shiteitoshi_gyoseikutokodo <> %s AND juminjotai = '1' ORDER BY md5(atenabango || %s) LIMIT 1",
            [person["shiteitoshi_gyoseikutokodo"], number],
        )
        there = _now(session.history(_PEOPLE, atenabango=str(place[0]["atenabango"])))
        largest = session.sql("SELECT max(setaibango) AS number FROM resident.setai")[0]["number"]
        fresh, _ = next_setaibango(int(str(largest)[:-1]) + 1)
        moved = _items(opened, _PEOPLE, person) | {
            **_where(there),
            "setaibango": fresh,
            "rirekibango": person["rirekibango"] + 1,
            "idonengappi": day.isoformat(),
        }
        founded = _items(opened, _HOMES, home) | {
            **{name: text for name, text in _where(there).items() if name in home},
            "setaibango": fresh,
            "rirekibango": 1,
        }
        changes = [
            Change(_HOMES, None, Period(day), {"setaibango": person["setaibango"]}),
            Change(_HOMES, founded, Period(day)),
            Change(_PEOPLE, moved, Period(day)),
        ]
        session.record("区間異動", number, changes, valid=day)
    return str(person["jusho_shikugunchosonmei"]), str(there["jusho_shikugunchosonmei"])


def _now(history: list[dict[str, Any]]) -> dict[str, Any]:
    return next(row for row in reversed(history) if row["valid"].end is None)


def _items(opened: Store, register: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in opened.table(register).items}


def _where(row: dict[str, Any]) -> dict[str, Any]:
    return {name: text for name, text in row.items() if name.startswith(_PLACE)}
