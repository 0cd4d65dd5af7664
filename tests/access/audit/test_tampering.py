"""Whoever has the whole database but neither the home nor the roots that were given away changes nothing unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiban.access import Access, audit
from kiban.access.audit import Keeper, Ledger, Line, Verdict
from kiban.kernel import Problem

from .conftest import NOON, restore

Tamper = Callable[[str], None]
LINE, LOOKUP, SEAL, BLOCK, ROOT = (
    "access.audit_line",
    "kiban.lookup",
    "access.audit_seal",
    "access.audit_block",
    "access.audit_root",
)


def verified(ledger: Ledger, keeper: Keeper) -> Verdict:
    return audit.verify(ledger, keeper)


def told(ledger: Ledger, keeper: Keeper) -> list[tuple[str, str | None]]:
    return [(each.code, each.where) for each in verified(ledger, keeper).problems]


def test_what_nobody_touched_holds(untouched: Ledger, keeper: Keeper) -> None:
    found = verified(untouched, keeper)
    assert found.problems == ()
    assert found.sealed == {"line": 9, "lookup": 9}
    assert (found.blocks, found.root, found.waiting) == (3, "2026-11-23", {"line": 0, "lookup": 0})


def test_sealing_again_seals_nothing_twice(untouched: Ledger, keeper: Keeper) -> None:
    assert audit.seal_trail(untouched, keeper, NOON).seals == 0


@pytest.mark.parametrize(("table", "key", "name"), [(LINE, "number", "line"), (LOOKUP, "lookup", "look-up")])
class TestRows:
    """One row is changed, lost, smuggled in or exchanged."""

    def test_a_changed_row_is_named(
        self, untouched: Ledger, keeper: Keeper, tamper: Tamper, table: str, key: str, name: str
    ) -> None:
        tamper(f"UPDATE {table} SET actor = 'somebody' WHERE {key} = 4")
        assert told(untouched, keeper) == [("audit-changed", f"{name} 4")]

    @pytest.mark.parametrize("number", [1, 5, 9])
    def test_a_lost_row_is_named(
        self, untouched: Ledger, keeper: Keeper, tamper: Tamper, table: str, key: str, name: str, number: int
    ) -> None:
        tamper(f"DELETE FROM {table} WHERE {key} = {number}")
        assert told(untouched, keeper) == [("audit-lost", f"{name} {number}")]

    def test_a_row_among_sealed_ones_is_named(
        self, untouched: Ledger, keeper: Keeper, tamper: Tamper, table: str, key: str, name: str
    ) -> None:
        tamper(
            f"CREATE TEMP TABLE one AS SELECT * FROM {table} WHERE {key} = 1; UPDATE one SET {key} = -7;"
            f"INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE one"
        )
        assert told(untouched, keeper) == [("audit-inserted", f"{name} -7")]

    def test_exchanged_rows_are_named_with_each_other(
        self, untouched: Ledger, keeper: Keeper, tamper: Tamper, table: str, key: str, name: str
    ) -> None:
        tamper(
            f"CREATE TEMP TABLE two AS SELECT * FROM {table} WHERE {key} IN (2, 6); UPDATE two SET {key} = 8 - {key};"
            f"DELETE FROM {table} WHERE {key} IN (2, 6); INSERT INTO {table} OVERRIDING SYSTEM VALUE TABLE two"
        )
        found = verified(untouched, keeper).problems
        assert [(each.code, each.where) for each in found] == [
            ("audit-order", f"{name} 2"),
            ("audit-order", f"{name} 6"),
        ]
        assert found[0].what == f"it says what {name} 6 said"


COLUMNS = {
    LINE: (
        "number",
        {
            "at": "at + interval '1 microsecond'",
            "detail": "detail || '{\"x\": 1}'",
            "subjects": "subjects || '{1}'",
        },
    ),
    LOOKUP: (
        "lookup",
        {"looked_at": "looked_at - interval '1 day'", "asked": "asked || '{\"x\": 1}'", "found": "found[:1]"},
    ),
    SEAL: (
        "place",
        {
            "digest": "sha256(digest)",
            "chain": "sha256(chain)",
            "number": "number + 100",
            "place": "place + 100",
        },
    ),
    BLOCK: ("block", {n: f"{n} + 1" for n in ("last", "line", "lookup")} | {"block": "block + 100"}),
    ROOT: ("day", {"first": "first + 1", "last": "last - 1", "day": "'2026-11-22'"}),
}
TEXTS = {
    LINE: (
        "kind",
        "outcome",
        "actor",
        "office",
        "duty",
        "purpose",
        "address",
        "session",
        "request",
        "business",
    ),
    LOOKUP: ("actor", "ward", "purpose", "register"),
    BLOCK: ("chain", "previous", "made_at", "key", "signature"),
    ROOT: ("side", "chain", "previous", "made_at", "key", "signature"),
}


@st.composite
def edits(draw: st.DrawFn) -> str:
    """Any single edit: one value of one row, or one row lost or doubled, in any table of the trail."""
    table = draw(st.sampled_from(sorted(COLUMNS)))
    key, special = COLUMNS[table]
    one = f"{key} = (SELECT {key} FROM {table} ORDER BY {key} OFFSET {draw(st.integers(0, 20))} % (SELECT count(*) FROM {table}) LIMIT 1)"
    if draw(st.integers(0, 4)) == 0:
        return f"DELETE FROM {table} WHERE {one}"
    column = draw(st.sampled_from([*special, *TEXTS.get(table, ())]))
    return f"UPDATE {table} SET {column} = {special.get(column, f'{column} || chr(120)')} WHERE {one}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edit=edits())
def test_any_single_edit_is_found(untouched: Ledger, keeper: Keeper, tamper: Tamper, edit: str) -> None:
    restore(tamper)
    tamper(edit)
    assert told(untouched, keeper) != []


def test_an_end_that_is_cut_off_is_missed_by_the_home(
    untouched: Ledger, keeper: Keeper, tamper: Tamper
) -> None:
    tamper(
        f"DELETE FROM {SEAL} WHERE place > (SELECT last FROM {BLOCK} WHERE block = 2); DELETE FROM {BLOCK} WHERE block = 3;"
        f"DELETE FROM {LINE} WHERE number > 6; DELETE FROM {LOOKUP} WHERE lookup > 6"
    )
    assert told(untouched, keeper) == [("audit-head", "block 3")]
    with pytest.raises(Problem, match="audit-rewound"):
        audit.seal_trail(untouched, keeper, NOON)


def test_who_has_the_home_too_is_found_by_a_root_that_was_given_away(
    untouched: Ledger, keeper: Keeper, tamper: Tamper, tmp_path: Path
) -> None:
    file = tmp_path / "root.json"
    file.write_bytes(audit.root_bytes(untouched.roots()[0]))
    kept = audit.read_root(file)
    [kept_at_home] = keeper.folder.glob("roots/*.json")
    tamper(f"UPDATE {LINE} SET actor = 'somebody' WHERE number = 1; TRUNCATE {SEAL}, {BLOCK}, {ROOT}")
    keeper.head.unlink()
    kept_at_home.unlink()
    audit.seal_trail(untouched, keeper, NOON)
    audit.sign_day(untouched, keeper, NOON.date() - timedelta(days=1), NOON)
    assert told(untouched, keeper) == []
    found = audit.verify(untouched, keeper, [kept])
    assert {(each.code, each.where) for each in found.problems} == {("evidence-root", "2026-11-23")}


def test_a_root_that_somebody_made_up_is_none(untouched: Ledger, keeper: Keeper) -> None:
    [root] = untouched.roots()
    found = audit.verify(untouched, keeper, [replace(root, day="2026-11-20")])
    assert [each.where for each in found.problems] == ["2026-11-20"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"side": 1}', "\x00", '{"day": "2026-11-23"}'])
def test_a_file_without_a_root_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "root.json").write_text(text)
    with pytest.raises(Problem, match="audit-root-file"):
        audit.read_root(tmp_path / "root.json")


def test_a_day_that_does_not_hold_is_not_signed(untouched: Ledger, keeper: Keeper, tamper: Tamper) -> None:
    tamper(f"UPDATE {LOOKUP} SET actor = 'somebody' WHERE lookup = 8")
    with pytest.raises(Problem) as refused:
        audit.sign_day(untouched, keeper, NOON.date(), NOON + timedelta(days=1))
    assert (refused.value.code, refused.value.where) == ("audit-changed", "look-up 8")


def test_a_day_is_signed_once_and_only_when_it_has_ended(untouched: Ledger, keeper: Keeper) -> None:
    with pytest.raises(Problem, match="audit-day-open"):
        audit.sign_day(untouched, keeper, NOON.date(), NOON)
    with pytest.raises(Problem, match="evidence-root-late"):
        audit.sign_day(untouched, keeper, NOON.date() - timedelta(days=1), NOON)


def test_what_is_written_meanwhile_waits_for_the_next_sealing(
    untouched: Ledger, keeper: Keeper, installed: Access
) -> None:
    with installed.books.transaction() as page:
        installed.audit.write(Line("read", "done", "slow", NOON), page=page)
        installed.audit.write(Line("read", "done", "quick", NOON))
        held = audit.seal_trail(untouched, keeper, NOON, patience=0.1)
    assert (held.waiting, held.seals) == (("line",), 0)
    assert audit.seal_trail(untouched, keeper, NOON).seals == 2
    assert told(untouched, keeper) == []


def test_the_key_is_its_owners_alone(keeper: Keeper) -> None:
    file = keeper.folder / "key.pem"
    assert audit.keeper(file.parent).signer.key == keeper.signer.key
    file.chmod(0o644)
    with pytest.raises(Problem, match="audit-key-open"):
        audit.keeper(file.parent)
    file.chmod(0o600)
