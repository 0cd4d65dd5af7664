"""Evidence: lines in chains on both sides; nothing changes them unseen."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kiban import linkage, sets, store
from kiban.kernel import Problem
from kiban.linkage import evidence
from kiban.linkage.evidence import BookLedger, FileLedger, Ledger, Line
from kiban.store import Store

DAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
SIGNER = sets.Signer(Ed25519PrivateKey.from_private_bytes(b"a key of tests, thirty-two bytes"))
TRUSTED = frozenset({SIGNER.key})
SECRET = b"a secret of tests, thirty-two bytes"


def line(item: str = "m1", at: datetime = NOON, **said: Any) -> Line:
    values: dict[str, Any] = {
        "at": evidence.stamp(at),
        "flow": "jumin-tax.v1",
        "contract": "c" * 64,
        "purpose": "個人住民税の賦課",
        "who": "TAX",
        "way": "event",
        "direction": "sent",
        "item": item,
        "unit": evidence.unit_hash(SECRET, "900"),
        "event": 7,
        "digest": hashlib.sha256(item.encode()).hexdigest(),
        "count": 1,
        "outcome": "offered",
    }
    return Line(**{**values, **said})


@pytest.fixture(params=["books", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "books":
        yield BookLedger(request.getfixturevalue("books"))
    else:
        opened = FileLedger.open(tmp_path / "evidence.sqlite", "TAX")
        yield opened
        opened.close()


def codes(ledger: Ledger, kept: tuple[str, ...] = ()) -> list[str]:
    return [problem.code for problem in evidence.verify(ledger, TRUSTED, kept).problems]


def test_lines_are_numbered_without_gaps_and_hold_together(ledger: Ledger) -> None:
    assert ledger.append([line("a"), line("b")]) == 2
    assert ledger.append([]) == 2
    assert ledger.append([line("c")]) == 3
    assert [(each.number, each.line.item) for each in ledger.entries()] == [(1, "a"), (2, "b"), (3, "c")]
    assert [each.line.item for each in ledger.entries(1, 2)] == ["b"]
    assert evidence.verify(ledger, TRUSTED) == evidence.Verdict(3, 0, ())


def test_what_is_read_is_what_was_written(ledger: Ledger) -> None:
    given = [line("a"), line("b", unit=None, event=None, count=200_000, way="file"), line("三", purpose="")]
    ledger.append(given)
    assert [each.line for each in ledger.entries()] == given


def test_both_kinds_of_ledger_write_the_same_bytes(books: store.Books, tmp_path: Path) -> None:
    file = FileLedger.open(tmp_path / "evidence.sqlite", "platform")
    for each in (BookLedger(books), file):
        each.append([line("a"), line("b", unit=None, event=None)])
    assert list(BookLedger(books).entries()) == list(file.entries())
    assert BookLedger(books).head() == file.head()


def test_no_ledger_passes_for_that_of_another_side(tmp_path: Path) -> None:
    FileLedger.open(tmp_path / "evidence.sqlite", "TAX").close()
    with pytest.raises(Problem) as refused:
        FileLedger.open(tmp_path / "evidence.sqlite", "LIB")
    assert refused.value.code == "evidence-side"
    assert evidence.genesis("TAX") != evidence.genesis("LIB")


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evidence.sqlite").write_text("x" * 5_000)
    with pytest.raises(Problem) as refused:
        FileLedger.open(tmp_path / "evidence.sqlite", "TAX")
    assert refused.value.code == "evidence-unreadable"


@pytest.mark.parametrize(
    "said", [{"way": "fax"}, {"direction": "up"}, {"outcome": "fine"}, {"at": "2026-11-24"}], ids=str
)
def test_a_word_that_no_line_has_is_refused(ledger: Ledger, said: dict[str, str]) -> None:
    with pytest.raises(Problem) as refused:
        ledger.append([line("a"), replace(line("b"), **said)])  # type: ignore[arg-type]
    assert refused.value.code == "evidence-line"
    assert list(ledger.entries()) == []


def test_an_append_is_part_of_the_callers_transaction(books: store.Books, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"), books.transaction() as page:
        BookLedger(books).append([line("a")], page)
        raise ValueError("no")
    assert list(BookLedger(books).entries()) == []
    connection = sqlite3.connect(tmp_path / "replica.sqlite", isolation_level=None)
    file = FileLedger("TAX", connection)
    connection.execute("BEGIN")
    file.append([line("a")])
    connection.execute("ROLLBACK")
    assert list(file.entries()) == []
    assert file.head() == (0, evidence.genesis("TAX"))


def test_the_room_cannot_change_what_is_written(books: store.Books) -> None:
    ledger = BookLedger(books)
    ledger.append([line("a"), line("b")])
    evidence.root(ledger, DAY, SIGNER, NOON + timedelta(days=1))
    for statement in (
        "UPDATE evidence_line SET outcome = 'applied'",
        "DELETE FROM evidence_line WHERE number = 2",
        "DELETE FROM evidence_root",
        "UPDATE evidence_root SET day = '2026-01-01'",
        "DELETE FROM evidence_head",
        "UPDATE evidence_head SET number = 1",
        "UPDATE evidence_head SET number = 3, chain = 'x'",
        "TRUNCATE evidence_line",
    ):
        with pytest.raises(Problem), books.transaction() as page:
            page.run(statement)
    assert codes(ledger) == []


def test_a_consumers_program_cannot_change_what_is_written(tmp_path: Path) -> None:
    ledger = FileLedger.open(tmp_path / "evidence.sqlite", "TAX")
    ledger.append([line("a")])
    other = sqlite3.connect(tmp_path / "evidence.sqlite")
    for statement in ("UPDATE evidence_line SET outcome = 'late'", "DELETE FROM evidence_line"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            other.execute(statement)


_COLUMNS = ("number", "at", "flow", "contract", "purpose", "who", "way", "direction", "item", "unit")
_COLUMNS += ("event", "digest", "count", "outcome", "chain")
_OTHER = {"number": 999, "event": 8, "count": 2, "way": "api", "direction": "received", "outcome": "late"}
_OTHER |= {"at": "2026-11-24T03:00:00.000001Z"}


def _edit(connection: Any, what: str, number: int, column: str, last: int) -> None:
    """Do to a ledger what somebody with the keys of the database can do."""
    run = connection.execute
    if what == "edit":
        value = _OTHER.get(column, "0" * 64)
        run(f"UPDATE evidence_line SET {column} = '{value}' WHERE number = {number}")
    elif what == "delete":
        run(f"DELETE FROM evidence_line WHERE number = {number}")
    elif what == "close the gap":
        run(f"DELETE FROM evidence_line WHERE number = {number}")
        for moved in range(number + 1, last + 1):
            run(f"UPDATE evidence_line SET number = {moved - 1} WHERE number = {moved}")
    elif what == "insert":
        chosen = ", ".join(f"{last + 1}" if name == "number" else name for name in _COLUMNS)
        run(f"INSERT INTO evidence_line SELECT {chosen} FROM evidence_line WHERE number = {number}")
    elif what == "exchange":
        other = number % last + 1
        for old, new in ((number, 10**6), (other, number), (10**6, other)):
            run(f"UPDATE evidence_line SET number = {new} WHERE number = {old}")
    elif what == "head":
        run("UPDATE evidence_head SET number = number - 1")
    else:
        run(f"UPDATE evidence_root SET {what} = '99' WHERE day = '{DAY + timedelta(days=number % 2)}'")


EDITS = st.one_of(
    st.tuples(st.just("edit"), st.integers(1, 8), st.sampled_from(_COLUMNS)),
    st.tuples(
        st.sampled_from(["delete", "close the gap", "insert", "exchange", "head"]),
        st.integers(1, 8),
        st.just(""),
    ),
    st.tuples(
        st.sampled_from(["side", "previous", "chain", "made_at", "key", "signature", "first", "last", "day"]),
        st.integers(1, 8),
        st.just(""),
    ),
)


def _filled(ledger: Ledger) -> None:
    ledger.append([line(f"m{n}") for n in range(4)])
    evidence.root(ledger, DAY, SIGNER, NOON + timedelta(days=1))
    ledger.append([line(f"m{n}", NOON + timedelta(days=1)) for n in range(4, 6)])
    evidence.root(ledger, DAY + timedelta(days=1), SIGNER, NOON + timedelta(days=2))
    ledger.append([line(f"m{n}", NOON + timedelta(days=2)) for n in range(6, 8)])


@given(EDITS)
def test_any_single_edit_of_a_file_is_found(edit: tuple[str, int, str]) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    ledger = FileLedger("TAX", connection)
    _filled(ledger)
    assert codes(ledger) == []
    for table in ("evidence_line", "evidence_root"):
        for what in ("UPDATE", "DELETE"):
            connection.execute(f"DROP TRIGGER {table}_no_{what}")
    _edit(connection, *edit, 8)
    assert codes(ledger) != []
    connection.close()


def test_any_edit_of_the_books_is_found(city: Store, books: store.Books) -> None:
    ledger = BookLedger(books)
    _filled(ledger)
    pick = random.Random(1)
    edits = [("edit", pick.randint(1, 8), column) for column in _COLUMNS]
    edits += [(what, pick.randint(1, 8), "") for what in ("delete", "close the gap", "insert", "exchange")]
    edits += [(what, 1, "") for what in ("head", "previous", "chain", "signature")]
    with psycopg.connect(city.server.owner_dsn, autocommit=True) as owner:
        owner.execute("SET search_path = linkage")
        owner.execute(
            "SET session_replication_role = replica"
        )  # the triggers sleep: an intruder with the owner's key
        for edit in edits:
            before = [owner.execute(f"SELECT * FROM {table}").fetchall() for table in _TABLES]
            _edit(owner, *edit, 8)
            assert codes(ledger) != [], edit
            _restore(owner, before)
    assert codes(ledger) == []


_TABLES = ("evidence_line", "evidence_head", "evidence_root")


def _restore(owner: Any, before: list[list[Any]]) -> None:
    for table, rows in zip(_TABLES, before, strict=True):
        owner.execute(f"DELETE FROM {table}")
        for row in rows:
            owner.execute(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", row)


def test_a_ledger_written_anew_from_end_to_end_is_told_by_the_roots_that_were_given_away(
    tmp_path: Path,
) -> None:
    honest = FileLedger.open(tmp_path / "honest.sqlite", "TAX")
    honest.append([line("a"), line("b")])
    kept = evidence.root(honest, DAY, SIGNER, NOON + timedelta(days=1))
    forged = FileLedger.open(tmp_path / "forged.sqlite", "TAX")
    forged.append([line("a")])
    evidence.root(forged, DAY, SIGNER, NOON + timedelta(days=1))
    assert codes(forged) == []
    assert codes(forged, (kept.digest,)) == ["evidence-root"]


def test_a_root_of_a_key_that_does_not_count_is_told(ledger: Ledger) -> None:
    ledger.append([line("a")])
    other = sets.Signer(Ed25519PrivateKey.from_private_bytes(b"another key, also thirty-two byte"[:32]))
    evidence.root(ledger, DAY, other, NOON + timedelta(days=1))
    assert codes(ledger) == ["evidence-root"]


def test_a_root_covers_what_was_written_until_the_end_of_its_day_in_japan(ledger: Ledger) -> None:
    midnight = datetime(2026, 11, 24, 15, tzinfo=UTC)
    ledger.append([line("a", midnight - timedelta(microseconds=1)), line("b", midnight)])
    with pytest.raises(Problem) as refused:
        evidence.root(ledger, DAY, SIGNER, midnight - timedelta(seconds=1))
    assert refused.value.code == "evidence-day-open"
    first = evidence.root(ledger, DAY, SIGNER, midnight)
    assert (first.first, first.last) == (1, 1)
    with pytest.raises(Problem) as refused:
        evidence.root(ledger, DAY, SIGNER, midnight)
    assert refused.value.code == "evidence-root-late"
    second = evidence.root(ledger, DAY + timedelta(days=1), SIGNER, midnight + timedelta(days=1))
    assert (second.first, second.last, second.previous) == (2, 2, first.digest)
    empty = evidence.root(ledger, DAY + timedelta(days=2), SIGNER, midnight + timedelta(days=2))
    assert (empty.first, empty.last, empty.chain) == (3, 2, second.chain)
    assert evidence.verify(ledger, TRUSTED) == evidence.Verdict(2, 2, ())


def test_a_broken_ledger_is_not_signed(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "evidence.sqlite", isolation_level=None)
    ledger = FileLedger("TAX", connection)
    ledger.append([line("a"), line("b")])
    connection.execute("DROP TRIGGER evidence_line_no_UPDATE")
    connection.execute("UPDATE evidence_line SET who = 'X' WHERE number = 1")
    with pytest.raises(Problem) as refused:
        evidence.root(ledger, DAY, SIGNER, NOON + timedelta(days=1))
    assert refused.value.code == "evidence-changed"


def test_many_processes_append_to_one_chain(books: store.Books) -> None:
    from concurrent.futures import ThreadPoolExecutor

    ledger = BookLedger(books)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: ledger.append([line(f"{n}-{k}") for k in range(20)]), range(12)))
    assert evidence.verify(ledger, TRUSTED).lines == 240
    assert codes(ledger) == []
    items = [each.line.item.split("-") for each in ledger.entries()]
    batches = [items[start : start + 20] for start in range(0, 240, 20)]
    assert all(len({batch for batch, _ in each}) == 1 for each in batches), "a batch stays together"


def test_more_lines_than_are_fetched_at_once_are_read_in_their_order(ledger: Ledger) -> None:
    ledger.append([line(str(n)) for n in range(10_001)])
    assert evidence.verify(ledger, TRUSTED) == evidence.Verdict(10_001, 0, ())


def test_a_unit_is_named_only_to_who_has_the_secret() -> None:
    hashed = evidence.unit_hash(SECRET, "000000000000900")
    assert hashed == evidence.unit_hash(SECRET, "000000000000900")
    assert hashed != evidence.unit_hash(SECRET[::-1], "000000000000900")
    assert "900" not in hashed or len(hashed) == 64
    with pytest.raises(Problem) as refused:
        evidence.unit_hash(b"short", "1")
    assert refused.value.code == "evidence-secret-weak"


def test_the_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    file = tmp_path / "linkage" / "evidence.secret"
    secret = evidence.city_secret(file)
    assert evidence.city_secret(file) == secret
    assert file.stat().st_mode & 0o077 == 0
    assert [each.name for each in file.parent.iterdir()] == ["evidence.secret"]
    file.chmod(0o644)
    with pytest.raises(Problem) as refused:
        evidence.city_secret(file)
    assert refused.value.code == "evidence-secret-open"


def test_a_replay_says_what_the_message_said(message: Callable[..., linkage.Message]) -> None:
    assert evidence.message_digest(message(replay=True)) == evidence.message_digest(message())
    assert evidence.message_digest(message(event=8)) != evidence.message_digest(message())


@pytest.fixture
def message() -> Callable[..., linkage.Message]:
    def make(**said: Any) -> linkage.Message:
        values: dict[str, Any] = {
            "flow": "jumin-tax.v1",
            "contract": "c" * 64,
            "unit": "000000000000900",
            "event": 7,
            "previous": 0,
            "recorded_at": "2026-11-24T03:00:00Z",
            "kind": "国内転入",
            "valid": None,
            "origin": None,
            "protection": "clear",
            "protection_event": 0,
            "parts": {"jumin": []},
        }
        return linkage.Message(**{**values, **said})

    return make
