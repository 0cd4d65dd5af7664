"""An officer decides on what was seen: old beside new, by official titles, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from tests.store.conftest import CITY_HALL, EAST_CLERK, NADA, NADA_CLERK, SINCE, move_in, person

from kiban import store
from kiban.kernel import Period, Problem
from kiban.linkage import Contract, Message
from kiban.linkage.incoming import Authority, Intake, Mastery, Shown, WorkList
from kiban.store import Change, Store

from .conftest import KIHON, NOW, OFFICER, donor, events_of, now_known, number

Say = Callable[..., Message]


@pytest.fixture
def proposal(intake: Intake, say: Say, work: WorkList) -> Shown:
    intake.receive([say(1, 0, jusho_choaza="虎ノ門一丁目")], NOW)
    [found] = work.open(OFFICER)
    return found


def refused(code: str, act: Callable[[], object]) -> None:
    with pytest.raises(Problem) as problem:
        act()
    assert problem.value.code == code


def test_what_is_accepted_is_an_event_with_the_names_of_both(
    work: WorkList, proposal: Shown, city: Store
) -> None:
    before, _ = store.last_event(city)
    done = work.accept(OFFICER, proposal.number, proposal.seen, "申出書を確認した", NOW)
    assert (done.state, done.event) == ("accepted", before + 1)
    [row] = now_known(city)
    assert (row["jusho_choaza"], row["jusho_banchigohyoki"]) == ("虎ノ門一丁目", "１番６号")
    [told] = events_of(city, before)
    assert told.note == {
        "origin": "F01",
        "provider": "寄附者管理システム",
        "flow": "donor-nonresident.v1",
        "proposal": str(proposal.number),
        "accepted_by": "mori",
        "reason": "申出書を確認した",
    }
    assert work.open(OFFICER) == []
    refused("proposal-unknown", lambda: work.accept(OFFICER, proposal.number, proposal.seen, "", NOW))
    assert store.last_event(city)[0] == before + 1


def test_what_is_rejected_leaves_the_register(work: WorkList, proposal: Shown, city: Store) -> None:
    before, _ = store.last_event(city)
    refused("proposal-reason", lambda: work.reject(OFFICER, proposal.number, proposal.seen, " ", NOW))
    assert work.reject(OFFICER, proposal.number, proposal.seen, "本人に確認できない", NOW).state == "rejected"
    assert store.last_event(city)[0] == before
    assert work.open(OFFICER) == []


def test_what_was_rejected_is_not_asked_again_until_something_changes(
    intake: Intake, say: Say, work: WorkList, proposal: Shown, city: Store
) -> None:
    work.reject(OFFICER, proposal.number, proposal.seen, "本人に確認できない", NOW)
    same = {"jusho_choaza": "虎ノ門一丁目"}
    assert intake.receive([say(2, 1, **same)], NOW)[0].state == "same"
    assert work.open(OFFICER) == []
    assert intake.receive([say(3, 2, jusho_choaza="虎ノ門二丁目")], NOW)[0].state == "proposed"
    with city.session(OFFICER) as session:
        session.record("訂正", "1", [Change(KIHON, donor("1", jusho_choaza="永田町一丁目"), SINCE)])
    assert intake.receive([say(4, 3, **same)], NOW)[0].state == "proposed"


def test_an_officer_corrects_with_a_reason(work: WorkList, proposal: Shown, city: Store) -> None:
    edited = {"jusho_choaza": "虎ノ門三丁目"}
    refused("proposal-reason", lambda: work.accept(OFFICER, proposal.number, proposal.seen, "", NOW, edited))
    refused(
        "item-unknown",
        lambda: work.accept(OFFICER, proposal.number, proposal.seen, "訂正", NOW, {"atenabango": "2"}),
    )
    work.accept(OFFICER, proposal.number, proposal.seen, "町名の誤り", NOW, edited)
    assert now_known(city)[0]["jusho_choaza"] == "虎ノ門三丁目"


def test_a_stale_proposal_is_shown_anew_and_never_applied_blindly(
    work: WorkList, proposal: Shown, city: Store
) -> None:
    with city.session(OFFICER) as session:
        changed = donor("1", jusho_choaza="永田町一丁目")
        session.record("訂正", "1", [Change(KIHON, changed, SINCE)])
    refused("proposal-stale", lambda: work.accept(OFFICER, proposal.number, proposal.seen, "", NOW))
    refused("proposal-stale", lambda: work.reject(OFFICER, proposal.number, proposal.seen, "否", NOW))
    assert now_known(city)[0]["jusho_choaza"] == "永田町一丁目"
    again = work.show(OFFICER, proposal.number)
    assert again.changed_since
    assert again.steps[0].old == {"jusho_choaza": "永田町一丁目"}
    work.accept(OFFICER, again.number, again.seen, "", NOW)
    assert now_known(city)[0]["jusho_choaza"] == "虎ノ門一丁目"


def test_a_proposal_that_came_true_by_itself_records_nothing(
    work: WorkList, proposal: Shown, city: Store
) -> None:
    with city.session(OFFICER) as session:
        event = session.record("訂正", "1", [Change(KIHON, donor("1", jusho_choaza="虎ノ門一丁目"), SINCE)])
    again = work.show(OFFICER, proposal.number)
    assert again.steps == ()
    done = work.accept(OFFICER, again.number, again.seen, "", NOW)
    assert (done.state, done.event) == ("same", None)
    assert store.last_event(city)[0] == event


def test_a_register_that_moves_under_the_officer_is_not_written_over(
    work: WorkList, proposal: Shown, city: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiban.linkage.incoming import register

    write = register.write

    def late(*given: object) -> int:
        monkeypatch.undo()
        with city.session(OFFICER) as other:
            other.record("訂正", "1", [Change(KIHON, donor("1", jusho_banchigohyoki="９番"), SINCE)])
        return write(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(register, "write", late)
    refused("proposal-stale", lambda: work.accept(OFFICER, proposal.number, proposal.seen, "", NOW))
    [row] = now_known(city)
    assert (row["jusho_banchigohyoki"], row["jusho_choaza"]) == ("９番", "霞が関二丁目")


class _Stopped(BaseException):
    """Stands for kill -9."""


def test_who_is_stopped_between_event_and_book_leaves_no_double(
    work: WorkList, proposal: Shown, city: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = store.last_event(city)

    def stop(*_: object) -> None:
        raise _Stopped

    with monkeypatch.context() as patched:
        patched.setattr(WorkList, "_decide", stop)
        with pytest.raises(_Stopped):
            work.accept(OFFICER, proposal.number, proposal.seen, "", NOW)
    assert store.last_event(city)[0] == before + 1
    done = work.accept(OFFICER, proposal.number, proposal.seen, "", NOW)
    assert (done.state, done.event) == ("accepted", before + 1)
    assert store.last_event(city)[0] == before + 1


def test_a_new_person_is_completed_by_the_officer(
    intake: Intake, say: Say, work: WorkList, city: Store
) -> None:
    intake.receive([say(1, 0, of="2")], NOW)
    [found] = work.open(OFFICER)
    refused("value-missing", lambda: work.accept(OFFICER, found.number, found.seen, "", NOW))
    rest = {"daihyoatenafuragu": 1, "sosashaid": "1", "sosanengappi": "2026-10-01", "sosajikoku": "09:00:00"}
    work.accept(OFFICER, found.number, found.seen, "必須項目を補った", NOW, rest)
    assert now_known(city, "2")[0]["shimei"] == "佐藤　一郎"


def test_an_end_closes_what_is_there_from_its_day(
    intake: Intake, say: Say, work: WorkList, city: Store
) -> None:
    intake.receive([say(1, 0, rows=[])], NOW)
    [found] = work.open(OFFICER)
    work.accept(OFFICER, found.number, found.seen, "", NOW)
    assert [row["valid"] for row in now_known(city)] == [Period(SINCE.start, date(2026, 10, 1))]


def test_a_ward_sees_only_proposals_about_its_own_rows(
    city: Store, books: store.Books, ward_flow: Contract
) -> None:
    """The address of a person of another ward, protected or not, is never shown by way of a proposal."""
    move_in(city, person("1"))
    move_in(city, person("2", shiteitoshi_gyoseikutokodo=NADA))
    authority = Authority((Mastery("resident.jumin", "*", None, None, "WEL"),))
    intake = Intake(city, books, ward_flow, authority)
    for of in ("1", "2", "3"):
        row = {
            "atenabango": number(of),
            "rirekibango": 1,
            "shimei": "渡邉　花子",
            "jusho_banchigohyoki": "９番９号",
            "shiteitoshi_gyoseikutokodo": {"2": NADA}.get(of, "281018"),
            "valid_from": "2020-04-01",
            "valid_to": None,
        }
        message = Message(
            ward_flow.flow, ward_flow.digest, number(of), 1, 0, "2026-10-01T00:00:00+00:00",
            "訂正", "2026-10-01", None, "unknown", 0, {"jumin": [row]},
        )  # fmt: skip
        assert intake.receive([message], NOW)[0].state == "proposed"
    work = WorkList(city, books, ward_flow)
    seen = {
        actor.id: [each.steps[0].subject["atenabango"].lstrip("0") for each in work.open(actor)]
        for actor in (CITY_HALL, EAST_CLERK, NADA_CLERK)
    }
    assert seen == {"hall": ["1", "2", "3"], "east": ["1", "3"], "nada": ["2"]}
    hidden = next(each for each in work.open(CITY_HALL) if each.steps[0].subject["atenabango"] == number("2"))
    refused("proposal-unknown", lambda: work.show(EAST_CLERK, hidden.number))
    refused("proposal-unknown", lambda: work.accept(EAST_CLERK, hidden.number, hidden.seen, "", NOW))
    mine = work.open(EAST_CLERK)[0]
    work.accept(EAST_CLERK, mine.number, mine.seen, "", NOW)
    with city.session(EAST_CLERK) as session:
        [row] = session.history("resident.jumin", None, atenabango=number("1"))
    assert (row["jusho_banchigohyoki"], row["rirekibango"]) == ("９番９号", 2)
