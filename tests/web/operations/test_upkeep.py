"""What the house does by itself: the nightly root, who is protected, and a policy set that changes while people work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.web.housing import Client

from kiban import access, web
from kiban.access import REFERENCE, audit, upkeep
from kiban.cli.upkeeping import Keeping, Looking, nightly
from kiban.kernel import JAPAN, Problem

NIGHT = datetime(2026, 11, 25, 1, 0, tzinfo=JAPAN)


def city(house: web.House) -> web.City:
    assert house.city is not None
    return house.city


@pytest.fixture
def keeping(house: web.House, tmp_path: Path) -> Iterator[Keeping]:
    """The policies that answer, from a folder of their own; put back afterwards."""
    folder = tmp_path / "policies"
    shutil.copytree(REFERENCE, folder)
    there = city(house)
    assert there.keeping is not None
    (there.keeping / "upkeep.json").unlink(missing_ok=True)
    yield Keeping(there.store, there.access, there.policies, (folder,), there.keeping, there.now)
    there.policies.take(access.load_policies([REFERENCE], there.store.library))
    (there.keeping / "upkeep.json").unlink(missing_ok=True)


def change(keeping: Keeping, before: str, after: str) -> None:
    file = keeping.folders[0] / "shared.cedar"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def lines(house: web.House, kind: str) -> list[audit.Line]:
    return [each.line for each in city(house).audit.lines(audit.Wanted(kinds=(kind,), actor="kiban")).entries]


def shown(house: web.House) -> str:
    return str(Client(house).work("900004").get("/operations/upkeep").content.decode())


def test_a_changed_policy_set_is_taken_as_a_whole_at_the_next_click(
    house: web.House, keeping: Keeping
) -> None:
    auditor = Client(house).work("900003")
    assert auditor.get("/operations/link").status_code == 200
    first, second = Looking(keeping), Looking(keeping)  # two workers that answer by one set here
    change(keeping, 'Action::"operations", Action::"standards"],', 'Action::"standards"],')
    first.look()
    assert auditor.get("/operations/link").status_code == 200  # somebody may still be writing
    before = len(lines(house, "setting"))
    first.look()
    second.look(), second.look()
    assert auditor.get("/operations/link").status_code == 403
    assert auditor.get("/operations/standards").status_code == 200
    line, *older = lines(house, "setting")
    assert (line.outcome, line.detail["what"]) == ("done", "policies")
    assert len(older) == before  # one line, however many processes look
    assert "読み直しました" in shown(house)


def test_a_broken_policy_set_changes_nothing_and_says_so_until_it_is_mended(
    house: web.House, keeping: Keeping
) -> None:
    auditor, looking = Client(house).work("900003"), Looking(keeping)
    change(keeping, 'Action::"operations", Action::"standards"],', 'Action::"standard"],')
    looking.look(), looking.look()
    assert auditor.get("/operations/link").status_code == 200
    assert lines(house, "setting")[0].outcome == "failed"
    assert "前の方針のままです" in shown(house)
    change(keeping, 'Action::"standard"],', 'Action::"operations", Action::"standards"],')
    looking.look(), looking.look()
    assert lines(house, "setting")[0].outcome == "done"
    assert "前の方針のままです" not in shown(house)


def test_each_night_the_day_before_is_signed_and_the_protected_are_seen_anew_once(
    house: web.House, keeping: Keeping
) -> None:
    ledger, before = audit.Ledger(city(house).audit), len(lines(house, "event"))
    nightly(keeping)
    nightly(keeping)
    roots = ledger.roots()
    today = city(house).now().astimezone(JAPAN)
    day = today.date() - timedelta(days=1 if today.hour >= upkeep.HOUR else 2)
    assert roots[-1].day == day.isoformat()
    assert (keeping.home / "roots" / f"{day}.json").is_file()
    told = lines(house, "event")[: -before or None]
    assert [(line.detail["task"], line.outcome) for line in told] == [("protect", "done"), ("root", "done")]
    assert shown(house).count("完了") == 2


def test_what_fails_at_night_is_told_and_tried_again(
    house: web.House, keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise Problem("audit-rewound", "less than was sealed before", fix="find out")

    monkeypatch.setattr(audit, "seal_trail", fails)
    nightly(keeping)
    assert lines(house, "event")[1].outcome == "failed"
    assert "失敗（audit-rewound）。封印した記録がデータベースにありません" in shown(house)
    last = upkeep.runs(keeping.home)["root"]
    at = datetime.fromisoformat(last.at)
    assert upkeep.due(last, at + timedelta(minutes=29)) is None
    assert upkeep.due(last, at + timedelta(minutes=30)) is not None


def test_a_task_is_due_once_a_night_from_one_o_clock_on() -> None:
    done = upkeep.Run("root", "2026-11-24", NIGHT.isoformat())
    assert upkeep.due(done, NIGHT - timedelta(seconds=1)) is None
    assert upkeep.due(done, NIGHT) == NIGHT.date()
    assert upkeep.next_run(done, NIGHT - timedelta(hours=5)) == NIGHT
    assert (
        upkeep.due(upkeep.Run("root", "2026-11-25", NIGHT.isoformat()), NIGHT + timedelta(hours=22)) is None
    )


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with upkeep.turn(tmp_path) as mine, upkeep.turn(tmp_path) as other:
        assert (mine, other) == (True, False)
