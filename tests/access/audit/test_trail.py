"""The audit trail: every act leaves a line, a line never says too much, and nobody takes one back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from kiban.access import Access
from kiban.access.audit import Entry, Line, Wanted, kinds, session_mark, sign_in_acts
from kiban.kernel import Problem, Problems

NOON = datetime(2026, 11, 24, 3, tzinfo=UTC)
HANAKO = "900".zfill(15)


def line(kind: str = "read", **said: Any) -> Line:
    return Line(**{"kind": kind, "outcome": "done", "actor": "1001", "at": NOON, **said})


def numbers(entries: tuple[Entry, ...]) -> list[int]:
    return [each.number for each in entries]


def test_there_are_nine_kinds_of_operation_and_they_are_marked_as_kibans_own() -> None:
    operations = [each for each in kinds().values() if each.operation]
    assert len(operations) == 9
    assert {each.source for each in operations} == {"kiban"}
    assert {each.log for each in kinds().values()} >= {"認証ログ", "印刷ログ", "設定変更ログ", "エラーログ"}


def test_what_is_written_is_read_again(opened: Access) -> None:
    written = line(
        office="東灘区市民課",
        duty="resident-counter",
        purpose="住民票の写しの交付",
        address="192.0.2.7",
        session=session_mark("a session"),
        request="R-7",
        business="resident",
        subjects=(HANAKO,),
        detail={"items": 3, "widened": True, "group": "jumin"},
    )
    opened.audit.write(written)
    assert opened.audit.lines(Wanted(subject=HANAKO), limit=1).entries[0].line == written


def test_lines_are_found_by_what_they_say(opened: Access) -> None:
    marks = {
        "actor": "2001",
        "session": session_mark("x"),
        "request": "R-9",
        "business": "tax",
        "subject": "77",
    }
    before = opened.audit.lines(Wanted(actor="2001")).entries
    opened.audit.write(
        line(
            "extract",
            outcome="refused",
            actor="2001",
            session=session_mark("x"),
            request="R-9",
            business="tax",
            subjects=("77", "78"),
            at=NOON + timedelta(days=90),
        )
    )
    assert before == ()
    for name, value in marks.items():
        [found] = opened.audit.lines(Wanted(**{name: value})).entries  # type: ignore[arg-type]
        assert found.line.kind == "extract"
    assert len(opened.audit.lines(Wanted(since=NOON + timedelta(days=89))).entries) == 1
    assert len(opened.audit.lines(Wanted(kinds=("extract",), outcome="refused", until=NOON)).entries) == 0


def test_pages_follow_each_other_by_key_and_miss_nothing(opened: Access) -> None:
    opened.audit.write(*(line(actor="3001", request=f"R-{n}") for n in range(7)))
    seen: list[str] = []
    before: int | None = None
    while True:
        page = opened.audit.lines(Wanted(actor="3001"), before, limit=3)
        seen += [each.line.request for each in page.entries]
        opened.audit.write(line(actor="3001", request="later"))
        before = page.next
        if before is None:
            break
    assert seen == [f"R-{n}" for n in reversed(range(7))]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("audit-kind", {"kind": "peek"}),
        ("audit-outcome", {"outcome": "fine"}),
        ("audit-act", {"kind": "signin"}),
        ("audit-act", {"kind": "signin", "detail": {"act": "telepathy"}}),
        ("audit-moment", {"at": NOON.replace(tzinfo=None)}),
        ("audit-session", {"session": "8h3kfj20dkslw0fj2kd0s9fk2l3k4j5h"}),
        ("audit-text", {"purpose": "x" * 201}),
        ("audit-text", {"actor": "a\x1b[2J"}),
        ("audit-subjects", {"subjects": ("",)}),
        ("audit-secret", {"detail": {"new_password": "x"}}),
        ("audit-secret", {"detail": {"access-token": "x"}}),
        ("audit-number", {"detail": {"reason": "番号は123456789018です"}}),
        ("audit-number", {"detail": {"reason": "１２３４-５６７８-９０１８"}}),
        ("audit-number", {"detail": {"person": HANAKO}}),
        ("audit-number", {"detail": {"number": 12345678901}}),
    ],
)
def test_a_line_that_says_too_little_or_too_much_is_not_written(opened: Access, code: str, said: Any) -> None:
    with pytest.raises(Problems) as refused:
        opened.audit.write(line(request="never"), line(**{"request": "never", **said}))
    assert [each.code for each in refused.value.problems] == [code]
    assert opened.audit.lines(Wanted(request="never")).entries == ()


@pytest.mark.parametrize(
    "value", ["2026-11-24 09:30", "2026-11-24 2026-11-25", "a" * 64, "3,800,000", "03-1234-5678", 20261124]
)
def test_dates_counts_and_digests_are_no_numbers_of_persons(opened: Access, value: str | int) -> None:
    opened.audit.write(line(detail={"asked": value}))


def test_every_act_of_a_sign_in_may_be_written(opened: Access) -> None:
    opened.audit.write(*(line("signin", actor="4001", detail={"act": act}) for act in sign_in_acts()))
    assert len(opened.audit.lines(Wanted(actor="4001")).entries) == len(sign_in_acts())


def test_an_act_in_the_books_and_its_line_are_there_together_or_not_at_all(opened: Access) -> None:
    with pytest.raises(ValueError, match="no"), opened.books.transaction() as page:
        opened.audit.write(line(request="undone"), page=page)
        raise ValueError("no")
    assert opened.audit.lines(Wanted(request="undone")).entries == ()


@pytest.mark.parametrize(
    "what", ["UPDATE audit_line SET actor = ''", "DELETE FROM audit_line", "TRUNCATE audit_line"]
)
def test_the_room_may_only_add_lines(opened: Access, what: str) -> None:
    opened.audit.write(line())
    with pytest.raises(Problem, match="permission-denied"), opened.books.transaction() as page:
        page.run(what)


@pytest.mark.parametrize("what", ["UPDATE access.audit_line SET actor = ''", "DELETE FROM access.audit_line"])
def test_not_even_the_owner_changes_lines_in_passing(opened: Access, owner: str, what: str) -> None:
    opened.audit.write(line())
    with psycopg.connect(owner) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(what)  # type: ignore[call-overload]


def test_an_act_whose_line_cannot_be_written_is_stopped(opened: Access, owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute("ALTER TABLE access.audit_line RENAME TO elsewhere")
        try:
            with pytest.raises(Problem, match="audit-unwritten"):
                opened.audit.write(line())
        finally:
            connection.execute("ALTER TABLE access.elsewhere RENAME TO audit_line")
