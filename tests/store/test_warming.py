"""The warm-up: what a search needs is in the server's memory afterwards, whatever happens beside it."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from kiban import store
from kiban.kernel import Problem
from kiban.store import Store

_SEARCHED = (
    "resident.jumin",
    "resident.jumin_search",
    "nonresident_addressee.jutogaisha_atena_kihon_joho_search",
)


def held(city: Store) -> dict[str, tuple[int, int]]:
    """Of the tables that are searched and their indexes: blocks in the server's memory, and blocks."""
    with city.owner() as connection:
        return {
            name: (buffered, blocks)
            for name, buffered, blocks in connection.execute(
                "SELECT c.oid::regclass::text, (SELECT count(*) FROM kiban.pg_buffercache b "
                "WHERE b.relfilenode = c.relfilenode AND b.relforknumber = 0 AND b.reldatabase = "
                "(SELECT oid FROM pg_database WHERE datname = current_database())), pg_relation_size(c.oid) / 8192 "
                "FROM unnest(%s::regclass[]) t JOIN pg_class c ON c.oid = t "
                "OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t)",
                (list(_SEARCHED),),
            )
        }


def forget(city: Store) -> None:
    """Put the tables that are searched out of the server's memory."""
    with city.owner() as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_buffercache SCHEMA kiban")
        connection.execute(
            "SELECT kiban.pg_buffercache_evict_relation(c.oid) FROM unnest(%s::regclass[]) t "
            "JOIN pg_class c ON c.oid = t OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t)",
            (list(_SEARCHED),),
        )


def test_all_that_a_search_needs_is_in_memory_afterwards_and_the_store_is_as_it_was(town: Store) -> None:
    forget(town)
    assert all(buffered == 0 for buffered, _ in held(town).values())
    told: list[tuple[str, int, int]] = []
    found = store.warm(town, lambda *step: told.append(step))
    assert all(buffered == blocks for buffered, blocks in held(town).values())
    assert (found.left, told[-1][1]) == (0, found.mib)
    store.warm(town)  # may run at any time again
    assert not store.verify(town).problems


def test_what_vanishes_meanwhile_is_passed_over_and_the_rest_is_read(town: Store) -> None:
    forget(town)
    with town.owner() as connection:

        def swap(_step: str, _done: int, _total: int) -> None:
            connection.execute("ALTER INDEX IF EXISTS resident.resident_jumin_key RENAME TO gone")

        store.warm(town, swap)
    blocks = held(town)
    assert blocks["resident.gone"][0] == 0
    assert blocks["resident.jumin"][0] == blocks["resident.jumin"][1] > 0


def test_a_server_without_the_extension_says_so(town: Store, library: Any) -> None:
    """An owner who is no superuser, as on a server of the city's own."""
    plain = make_conninfo(town.server.owner_dsn, options="-c role=kiban_app")
    with (
        Store(store.Server(plain, town.server.app_dsn), library, town._actor_key) as city,
        pytest.raises(Problem) as refused,
    ):
        store.warm(city)
    assert refused.value.code == "warm-missing"
