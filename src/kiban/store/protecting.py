"""Whom an edition protects, as functions of the database: derived from its section `protection`, asked by protection.sql."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from kiban.standard import Edition, Ground, Protected
from kiban.store.schema import Table
from kiban.store.text import literal, quoted

Tables = Mapping[str, Table]

_UNITS = "(kind text, unit text)"
_HOMES = "(person text, household text)"
_WANTED = {
    "touched": ("touched jsonb, event bigint", _UNITS),
    "grounds": ("people text[], households text[], day date", _UNITS),
    "all_grounds": ("day date", _UNITS),
    "homes": ("people text[], households text[], day date", _HOMES),
    "lived": ("people text[], households text[], event bigint", _HOMES),
}
"""The functions with what they take and give, all as protection.sql calls them."""


def functions(by: Edition | None, tables: Tables) -> dict[str, str]:
    """The bodies of the functions that tell who is protected, by their names; empty where no edition says so.

    They say the same as `kiban.linkage.protection`, which reads the rows as they were known after any event: a row protects
    unless it says that it does not, and the last row of a subject counts when it is over, too.

    Args:
        by: the edition in force that has a section `protection`.
        tables: the registers in force.
    """
    if by is None or by.protection is None:
        return {}
    rows = _Rows(by, by.protection, tables)
    bodies = {
        "touched": rows.touched(),
        "grounds": rows.grounds(among=True),
        "all_grounds": rows.grounds(among=False),
        "homes": rows.homes("closed_by IS NULL", stands=True),
        "lived": rows.homes(_SINCE, stands=False),
    }
    return {
        name: "\n#variable_conflict use_variable\nBEGIN\n    RETURN QUERY "
        + "\n    UNION ".join(queries or ["SELECT NULL::text, NULL::text WHERE false"])
        + ";\nEND "
        for name, queries in bodies.items()
    }


def searched(tables: Tables) -> list[str]:
    """The registers of persons that are searched."""
    return [
        name
        for name, table in tables.items()
        if (section := table.group.search)
        and section.subject == table.subject[0]
        and section.subject in table.naming.people
    ]


def fit(
    connection: psycopg.Connection[Any], by: Edition | None, tables: Tables, *, anew: bool = False
) -> None:
    """Bring the database to what the editions in force say of protection; where that is another, see anew who is protected.

    Args:
        connection: the owner's, in a transaction.
        by: the edition in force that has a section `protection`.
        tables: the registers in force.
        anew: whether to look through the registers in any case.
    """
    said = wanted(by, tables)
    held = connection.execute("SELECT digest FROM kiban.protection").fetchone()
    if said is None:
        connection.execute("DELETE FROM kiban.protected_unit")
        put_back(connection)
        connection.execute("DELETE FROM kiban.protection")
        return
    for name, body in functions(by, tables).items():
        takes, gives = _WANTED[name]
        connection.execute(
            f"CREATE OR REPLACE FUNCTION kiban.{name}({takes}) RETURNS TABLE {gives} LANGUAGE plpgsql STABLE "
            "SET search_path = pg_catalog, pg_temp SET enable_hashjoin = off SET enable_mergejoin = off "
            "SET plan_cache_mode = force_generic_plan "  # a few rows by their index, planned once a connection
            f"AS $k${body}$k$; REVOKE ALL ON FUNCTION kiban.{name} FROM PUBLIC".encode()
        )
    digest, registers, searched_registers, named = said
    connection.execute(
        "INSERT INTO kiban.protection VALUES (true, %s, %s, %s, %s) ON CONFLICT (single) DO UPDATE SET "
        "digest = excluded.digest, registers = excluded.registers, searched = excluded.searched, names = excluded.names",
        (digest, registers, searched_registers, Jsonb(named)),
    )
    if anew or held != (digest,):
        connection.execute("SELECT kiban.protect_all()")
    else:
        put_back(connection)


def wanted(by: Edition | None, tables: Tables) -> tuple[str, list[str], list[str], dict[str, Any]] | None:
    """What the database keeps of protection: digest of the functions, registers, those searched, names; see protection.sql."""
    if by is None or by.protection is None:
        return None
    digest = hashlib.sha256(repr(sorted(functions(by, tables).items())).encode()).hexdigest()
    registers = sorted(f"{by.id}.{group}" for group in by.protection.groups)
    return digest, registers, searched(tables), names(tables)


def names(tables: Tables) -> dict[str, dict[str, Any]]:
    """Of each register that names persons: which rows are hidden, the subject, and the numbers by which search finds it."""
    found = {}
    for name, table in tables.items():
        naming, section = table.naming, table.group.search
        if naming.hidden is None:
            continue
        numbers = [section.subject, *section.numbers] if section and name in searched(tables) else []
        found[name] = {
            "hidden": naming.hidden,
            "subject": table.subject[0],
            "numbers": [number for number in numbers if number not in naming.households],
        }
    return found


def put_back(connection: psycopg.Connection[Any]) -> None:
    """Put search entries to where they belong, whose search table was made anew or whose protection is over."""
    connection.execute(
        "SELECT kiban.name_protected(ARRAY(SELECT unit FROM kiban.protected_unit WHERE kind = 'person' "
        "UNION SELECT subject FROM kiban.protected_name)) FROM kiban.protection"
    )


def loaded(connection: psycopg.Connection[Any], registers: Collection[str]) -> None:
    """See anew who is protected, where any of these registers, which got rows in bulk, has to do with it."""
    connection.execute(
        "SELECT kiban.protect_all() FROM kiban.protection WHERE registers || searched && %s::text[]",
        (list(registers),),
    )


_SINCE = "(t.closed_by IS NULL OR t.closed_by >= event)"


class _Rows:
    """The queries for the rows of one edition."""

    def __init__(self, by: Edition, said: Protected, tables: Tables) -> None:
        self._by, self._said, self._tables = by, said, tables

    def grounds(self, *, among: bool) -> list[str]:
        """Whom rows name that stand and count, among some or all; each register is looked through once for each item."""
        found: dict[tuple[str, str, str, str], list[str]] = {}
        for ground in self._said.grounds:
            for kind, which, item in _named(ground):
                counts = f"{self._counts(ground)} AND {self._stands('t', ground.group, ground, item)}"
                found.setdefault((ground.group, kind, which, item), []).append(f"({counts})")
        return [
            f"SELECT '{kind}', t.{quoted(item)} FROM {self._name(group)} t WHERE t.{quoted(item)} "
            f"{f'= ANY ({which})' if among else 'IS NOT NULL'} AND t.closed_by IS NULL AND ({' OR '.join(each)})"
            for (group, kind, which, item), each in found.items()
        ]

    def homes(self, known: str, *, stands: bool) -> list[str]:
        """Who lives where, for people and for households."""
        said = self._said
        person, household = f"t.{quoted(said.person)}", f"t.{quoted(said.household)}"
        where = f"{known} AND {person} IS NOT NULL AND {household} IS NOT NULL"
        if stands:
            where += f" AND {self._stands('t', said.group, None, said.person)}"
        return [
            f"SELECT {person}, {household} FROM {self._name(said.group)} t WHERE {column} = ANY ({which}) AND {where}"
            for column, which in ((person, "people"), (household, "households"))
        ]

    def touched(self) -> list[str]:
        """Whom the rows of changed subjects name, or named before an event; through which rows ever."""
        found = []
        said = self._said
        # Of who lives where, the person is enough: her homes are looked up anyway.
        found.append(self._of(said.group, said.group, self._first(said.group), "person", said.person))
        for ground in said.grounds:
            for kind, _, item in _named(ground):
                found.append(self._of(ground.group, ground.group, self._first(ground.group), kind, item))
                if ground.through and ground.target:
                    found.append(self._of(ground.target, ground.group, ground.through, kind, item))
        return list(dict.fromkeys(found))

    def _of(self, changed: str, group: str, by: str, kind: str, item: str) -> str:
        numbers = f"SELECT jsonb_array_elements_text(touched -> {literal(f'{self._by.id}.{changed}')})"
        return (
            f"SELECT '{kind}', t.{quoted(item)} FROM {self._name(group)} t "
            f"WHERE t.{quoted(by)} = ANY (ARRAY({numbers})) AND {_SINCE}"
        )

    def _counts(self, ground: Ground) -> str:
        """That a row, or the one it points to, does not say that it does not protect."""
        if not ground.through or not ground.target:
            return _unless("t", ground)
        there = (
            f"SELECT FROM {self._name(ground.target)} s WHERE s.{quoted(self._first(ground.target))} = t.{quoted(ground.through)} "
            f"AND s.closed_by IS NULL AND {self._stands('s', ground.target, ground, None)}"
        )
        return f"(NOT EXISTS ({there}) OR EXISTS ({there} AND {_unless('s', ground)}))"

    def _stands(self, alias: str, group: str, ground: Ground | None, named: str | None) -> str:
        """That a row is true on the day or later, or is the last of its subject that names the same."""
        table = self._tables[f"{self._by.id}.{group}"]
        if not table.has_periods:
            return "true"
        lasts = f"{alias}.valid_to > day"
        if ground and ground.ends_by_date:
            return lasts
        columns = dict.fromkeys((*table.subject, *((named,) if named else ())))
        same = " AND ".join(f"n.{quoted(name)} = {alias}.{quoted(name)}" for name in columns)
        later = f"SELECT FROM {table.name} n WHERE {same} AND n.closed_by IS NULL AND n.valid_from > {alias}.valid_from"
        return f"({lasts} OR NOT EXISTS ({later}))"

    def _name(self, group: str) -> str:
        return self._tables[f"{self._by.id}.{group}"].name

    def _first(self, group: str) -> str:
        return self._by.group(group).subject[0].romaji


def _named(ground: Ground) -> Iterator[tuple[str, str, str]]:
    """Kind, the list of those asked, and the item that names one."""
    for kind, which, item in (
        ("person", "people", ground.person),
        ("household", "households", ground.household),
    ):
        if item:
            yield kind, which, item


def _unless(alias: str, ground: Ground) -> str:
    """That none of the values is there with which a row does not count."""
    found = [
        f"coalesce({alias}.{quoted(name)}::text, '') <> ALL (ARRAY[{', '.join(map(literal, values))}]::text[])"
        for name, values in ground.unless.items()
    ]
    return " AND ".join(found) or "true"
