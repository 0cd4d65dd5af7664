"""Books are tables of another room, in a schema and a role of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kiban import store
from kiban.kernel import Problem
from kiban.store import Store

_TABLES = "CREATE TABLE IF NOT EXISTS line (number bigint PRIMARY KEY, said text NOT NULL);"


def test_what_is_written_in_a_transaction_is_there_afterwards(city: Store) -> None:
    with store.open_books(city, "trial", _TABLES) as books:
        with books.transaction() as page:
            page.run("INSERT INTO line VALUES (%s, %s)", (1, "一"))
            page.many("INSERT INTO line VALUES (%s, %s)", [(2, "二"), (3, "三")])
            page.copy_in("line", ("number", "said"), [(4, "四")])
        with books.transaction() as page:
            assert [row["said"] for row in page.rows("SELECT * FROM line ORDER BY 1")] == [
                "一",
                "二",
                "三",
                "四",
            ]


def test_an_exception_leaves_nothing(city: Store) -> None:
    with store.open_books(city, "trial", _TABLES) as books:
        with pytest.raises(ValueError, match="no"), books.transaction() as page:
            page.run("INSERT INTO line VALUES (1, '一')")
            raise ValueError("no")
        with books.transaction() as page:
            assert page.rows("SELECT * FROM line") == []


def test_the_role_of_a_room_reads_no_register(city: Store) -> None:
    with store.open_books(city, "trial", _TABLES) as books, books.transaction() as page:
        with pytest.raises(Problem) as refused:
            page.rows("SELECT * FROM resident.jumin")
        assert refused.value.code == "permission-denied"


def test_the_role_of_the_registers_reads_no_book(city: Store) -> None:
    from tests.store.conftest import CITY_HALL

    with store.open_books(city, "trial", _TABLES), city.session(CITY_HALL) as session:
        with pytest.raises(Problem) as refused:
            session.sql("SELECT * FROM trial.line")
        assert refused.value.code == "permission-denied"


def test_books_are_opened_again_with_what_they_hold(city: Store) -> None:
    with store.open_books(city, "trial", _TABLES) as books, books.transaction() as page:
        page.run("INSERT INTO line VALUES (1, '一')")
    with store.open_books(city, "trial", _TABLES) as books, books.transaction() as page:
        assert len(page.rows("SELECT * FROM line")) == 1


_GUARDED = (
    _TABLES
    + """
CREATE OR REPLACE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE OR REPLACE TRIGGER kept BEFORE DELETE ON line FOR EACH ROW EXECUTE FUNCTION kept();"""
)


def test_books_are_opened_beside_whoever_works_in_them(city: Store) -> None:
    with (
        ThreadPoolExecutor(1) as pool,
        store.open_books(city, "trial", _GUARDED) as books,
        books.transaction() as page,
    ):
        page.run("INSERT INTO line VALUES (1, '一')")
        # To make the trigger again would wait for the row above; two who wait so for each other are a deadlock.
        pool.submit(store.open_books, city, "trial", _GUARDED).result(timeout=30).close()


def test_books_of_another_form_are_made_anew(city: Store) -> None:
    store.open_books(city, "trial", _TABLES).close()
    more = _TABLES + "ALTER TABLE line ADD COLUMN IF NOT EXISTS more text;"
    with store.open_books(city, "trial", more) as books, books.transaction() as page:
        page.run("INSERT INTO line VALUES (1, '一', '二')")
