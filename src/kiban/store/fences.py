"""What the database must enforce is switched on, and nobody has more rights than the frame gives."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

import psycopg

from kiban.kernel import Problem
from kiban.store import scoping
from kiban.store.schema import Table

FRAME = (
    "base.sql",
    "events.sql",
    "recording.sql",
    "protection.sql",
    "finding.sql",
    "lifts.sql",
    "rights.sql",
)
"""The files in sql/ that make the frame, in their order."""

_DOORS = (  # what the application role may run in the owner's name
    *(
        "verified_actor",
        "record_lookup",
        "record_event",
        "settle",
        "sieve",
        "hides",
        "open_among",
        "open_numbers",
        "search_protected",
        "find_protected_number",
    ),
    *("protected_among", "ask_lift", "grant_lift", "lifts"),
)
_MEND = "run `kiban db apply` again, or restore from a backup, and find out who did it"

_FUNCTION = re.compile(
    r"^CREATE (?:OR REPLACE )?FUNCTION kiban\.(\w+)\(.*?\$(q?)\$(.*?)\$\2\$;$", re.DOTALL | re.MULTILINE
)
_OPEN = {  # what PostgreSQL gives to everybody: SQL that holds where it is open, and what it is
    "has_database_privilege('kiban_app', current_database(), 'TEMPORARY')": "make temporary tables",
    "has_language_privilege('kiban_app', 'plpgsql', 'USAGE')": "run blocks of PL/pgSQL",
    "has_function_privilege('kiban_app', 'pg_advisory_lock(bigint)', 'EXECUTE')": "take the lock of long jobs",
    "has_function_privilege('kiban_app', 'lo_create(oid)', 'EXECUTE')": "keep large objects",
    "has_function_privilege('kiban_app', 'pg_terminate_backend(int, bigint)', 'EXECUTE')": "end its other sessions",
    "has_table_privilege('kiban_app', 'pg_stat_activity', 'SELECT')": "see the statements of its other sessions",
}


def frame(connection: psycopg.Connection[Any], derived: Mapping[str, str]) -> Iterator[Problem]:
    """The functions of the frame are those of this version, its triggers fire, and the application role is confined.

    Args:
        connection: the owner's.
        derived: the bodies of further functions by their names; see `protecting.functions`.
    """
    yield from _functions(connection, derived)
    row = connection.execute(
        """SELECT array_agg(tgname::text ORDER BY tgname) FROM pg_trigger
        WHERE tgenabled = 'O' AND tgname IN ('no_open_event', 'event_append_only', 'lift_append_only', 'lookup_append_only', 'sieve')
          AND tgrelid IN ('kiban.head'::regclass, 'kiban.event'::regclass, 'kiban.lookup'::regclass, 'kiban.lift'::regclass,
            'kiban.protected_unit'::regclass)"""
    ).fetchone()
    if not row or row[0] != [
        "event_append_only",
        "lift_append_only",
        "lookup_append_only",
        "no_open_event",
        "sieve",
    ]:
        yield Problem("guard-missing", "a trigger of the frame is missing or switched off", "kiban", _MEND)
    yield from _role(connection)
    yield from _rights(connection)


def _functions(connection: psycopg.Connection[Any], derived: Mapping[str, str]) -> Iterator[Problem]:
    files = (
        resources.files("kiban.store").joinpath(f"sql/{name}").read_text(encoding="utf-8") for name in FRAME
    )
    wanted = [
        (name, body.strip(), "SECURITY DEFINER" in header)
        for base in files
        for name, header, body in ((m[1], m[0].split("$$")[0], m[3]) for m in _FUNCTION.finditer(base))
    ]
    wanted += [(name, body.strip(), False) for name, body in derived.items()]
    held = [  # as a list: a second function of the same name for other arguments is strange, too
        (name, body.strip(), definer)
        for name, body, definer in connection.execute(
            "SELECT proname, prosrc, prosecdef FROM pg_proc p WHERE pronamespace = 'kiban'::regnamespace "
            "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
    ]
    differing = Counter(wanted)
    differing.subtract(Counter(held))
    for name in sorted({function[0] for function, more in differing.items() if more}):
        what = f"the function {name} is not the one of this version of Kiban"
        yield Problem("frame-altered", what, "kiban", _MEND)


def _role(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    row = connection.execute(
        """SELECT rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
               OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid)
               OR EXISTS (SELECT FROM pg_namespace n WHERE has_schema_privilege(r.oid, n.oid, 'CREATE'))
               OR EXISTS (SELECT FROM pg_proc p WHERE p.prosecdef AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
                          AND p.oid::regproc::text <> ALL (%s))
        FROM pg_roles r WHERE rolname = 'kiban_app'""",
        ([f"kiban.{name}" for name in _DOORS],),
    ).fetchone()
    if not row or row[0]:
        yield Problem(
            "rights-too-wide", "the application role may do more than Kiban gives it", "kiban_app", _MEND
        )


def _rights(connection: psycopg.Connection[Any]) -> Iterator[Problem]:
    """Whatever the application role can reach, it can only read, and only behind the fences."""
    reached = connection.execute(
        """SELECT code, c.oid::regclass::text FROM pg_class c, LATERAL (VALUES
            ('rights-too-wide', CASE WHEN c.relkind = 'S'
                THEN has_sequence_privilege('kiban_app', c.oid, 'USAGE, SELECT, UPDATE')
                ELSE has_table_privilege('kiban_app', c.oid,
                    'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER, MAINTAIN')
                  OR has_any_column_privilege('kiban_app', c.oid, 'INSERT, UPDATE, REFERENCES') END),
            ('scope-missing', c.relkind <> 'S' AND has_any_column_privilege('kiban_app', c.oid, 'SELECT')
                AND NOT CASE c.relkind WHEN 'v' THEN coalesce(c.reloptions @> '{security_invoker=true}', false)
                                       WHEN 'r' THEN c.relrowsecurity ELSE false END
                AND c.oid NOT IN ('kiban.edition'::regclass, 'kiban.register'::regclass))
        ) v(code, bad)
        WHERE bad AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relnamespace NOT IN
            ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace) ORDER BY 2, 1"""
    ).fetchall()
    for code, name in reached:
        yield Problem(code, "the application role reaches more than it should", name, _MEND)


def register(connection: psycopg.Connection[Any], table: Table) -> Iterator[Problem]:
    """The definition, triggers and fence of one register."""
    held = connection.execute(
        "SELECT kind, subject, items, ward, search, refers FROM kiban.register WHERE register = %s",
        (table.register,),
    ).fetchone()
    ward = table.group.ward.romaji if table.group.ward else None
    refers = {name: list(target) for name, target in table.references.items()}
    wanted = (
        table.group.kind,
        list(table.subject),
        list(table.items),
        ward,
        table.group.search is not None,
        refers,
    )
    if held != wanted:
        what = "the register is not noted as its edition defines it"
        yield Problem("register-altered", what, table.register, _MEND)
    wanted_triggers = {"guard": "kiban.guard", "no_truncate": "kiban.append_only"}
    wanted_triggers |= {"no_overlap": "kiban.no_overlap"} if table.has_periods else {}
    triggers = dict(
        connection.execute(
            "SELECT tgname, tgfoid::regproc::text || CASE tgenabled WHEN 'O' THEN '' ELSE ' (off)' END "
            "FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal",
            (table.name,),
        ).fetchall()
    )
    for name in sorted(wanted_triggers.keys() | triggers.keys()):
        if wanted_triggers.get(name) != triggers.get(name):
            code = "key-missing" if name == "no_overlap" else "guard-missing"
            what = f"the trigger {name} is missing, switched off, or not Kiban's"
            yield Problem(code, what, table.register, _MEND)
    for name, rule in scoping.rules(table).items():
        if not scoping.scoped(connection, name, rule):
            what = "the fence of the register is not the one it was given"
            yield Problem("scope-missing", what, table.register, _MEND)


def notes(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """What is open that Kiban itself cannot close on this server."""
    for holds, what in _OPEN.items():
        row = connection.execute(f"SELECT {holds}".encode()).fetchone()
        if row and row[0]:
            yield f"the application role may {what}: a superuser closes it by running `kiban db apply` once"
    settings = connection.execute(
        "SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = 'kiban_app'::regrole"
    ).fetchall()
    for (setting,) in settings:
        yield f"the application role has a setting of its own ({str(setting).split('=')[0]}): was it you who gave it?"
