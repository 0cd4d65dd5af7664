"""What comes into Kiban: applied where the contract says so, proposed elsewhere, once and in order along a unit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.store.conftest import KEY, SINCE

from kiban import linkage, store
from kiban.kernel import Period, Problem
from kiban.linkage import Contract, Message, evidence
from kiban.linkage.incoming import Authority, Intake, Mastery, Received, WorkList, summary
from kiban.store import Change, Store

from .conftest import KIHON, NOW, OFFICER, donor, events_of, now_known, number

Say = Callable[..., Message]


def take(intake: Intake, *messages: Message) -> list[str]:
    return [each.state for each in intake.receive(messages, NOW)]


def shown(work: WorkList) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    return [(step.kind, dict(step.old), dict(step.new)) for each in work.open(OFFICER) for step in each.steps]


def test_items_that_the_contract_names_are_applied_as_an_event(intake: Intake, say: Say, city: Store) -> None:
    before, _ = store.last_event(city)
    message = say(1, 0, jusho_katagaki="虎ノ門ハイツ１０１号")
    [received] = intake.receive([message], NOW)
    assert received == Received(message.id, "applied", before + 1)
    [row] = now_known(city)
    assert (row["jusho_katagaki"], row["daihyoatenafuragu"]) == ("虎ノ門ハイツ１０１号", 1)
    [told] = events_of(city, before)
    assert told.kind == "住所変更"
    assert told.note == {"origin": "F01", "flow": "donor-nonresident.v1", "message": message.id}


def test_all_other_items_become_a_proposal(intake: Intake, say: Say, city: Store, work: WorkList) -> None:
    before, _ = store.last_event(city)
    [received] = intake.receive([say(1, 0, jusho_choaza="虎ノ門一丁目")], NOW)
    assert (received.state, received.event, len(received.proposals)) == ("proposed", None, 1)
    assert store.last_event(city)[0] == before
    assert shown(work) == [("change", {"jusho_choaza": "霞が関二丁目"}, {"jusho_choaza": "虎ノ門一丁目"})]
    [proposal] = work.open(OFFICER)
    assert proposal.titles["jusho_choaza"] == "住所_町字"
    assert (proposal.provider, proposal.changed_since) == ("寄附者管理システム", False)


def test_a_message_may_be_applied_in_part(intake: Intake, say: Say, city: Store, work: WorkList) -> None:
    [received] = intake.receive([say(1, 0, jusho_choaza="虎ノ門一丁目", jusho_yubinbango="1050001")], NOW)
    assert received.state == "proposed" and received.event
    assert now_known(city)[0]["jusho_yubinbango"] == "1050001"
    assert shown(work) == [("change", {"jusho_choaza": "霞が関二丁目"}, {"jusho_choaza": "虎ノ門一丁目"})]


def test_what_the_register_says_already_changes_nothing(intake: Intake, say: Say, city: Store) -> None:
    before, _ = store.last_event(city)
    assert take(intake, say(1, 0)) == ["same"]
    assert store.last_event(city)[0] == before


def test_a_change_for_some_time_is_one_of_that_time_only(intake: Intake, say: Say, city: Store) -> None:
    row = say(1, 0, jusho_yubinbango="1050001").parts
    name, [given] = next(iter(row.items()))
    rows = [
        {**given, "jusho_yubinbango": "1000014", "valid_to": "2026-10-01"},
        {**given, "valid_from": "2026-10-01"},
    ]
    assert take(intake, say(1, 0, rows=rows)) == ["applied"]
    assert [(each["jusho_yubinbango"], each["valid"]) for each in now_known(city)] == [
        ("1000014", Period(SINCE.start, date(2026, 10, 1))),
        ("1050001", Period(date(2026, 10, 1))),
    ]
    assert name == KIHON.partition(".")[2]


def test_a_new_person_and_an_end_are_always_proposed(intake: Intake, say: Say, work: WorkList) -> None:
    assert take(intake, say(1, 0, of="2"), say(1, 0, rows=[])) == ["proposed", "proposed"]
    assert [(kind, bool(new)) for kind, _, new in shown(work)] == [("create", True), ("end", False)]


def test_what_is_withheld_of_a_protected_person_is_no_change(
    city: Store, books: store.Books, flow: Contract, authority: Authority, say: Say, intake: Intake
) -> None:
    hidden = frozenset({"jusho_choaza", "jusho_banchigohyoki"})
    strict = replace(flow, protection=replace(flow.protection, withheld={flow.feeds[0].name: hidden}))
    message = replace(say(1, 0, jusho_choaza=None, jusho_banchigohyoki=None), protection="unknown")
    assert take(Intake(city, books, strict, authority), message) == ["same"]


# Once


def test_a_repeat_changes_nothing(intake: Intake, say: Say, city: Store, work: WorkList) -> None:
    message = say(1, 0, jusho_yubinbango="1050001", jusho_choaza="虎ノ門一丁目")
    assert take(intake, message, message) == ["proposed", "repeated"]
    before, _ = store.last_event(city)
    assert take(intake, message) == ["repeated"]
    assert store.last_event(city)[0] == before
    assert len(work.open(OFFICER)) == 1


def test_another_content_under_the_same_name_is_told_and_changes_nothing(
    intake: Intake, say: Say, city: Store
) -> None:
    take(intake, say(1, 0, jusho_yubinbango="1050001"))
    [received] = intake.receive([say(1, 0, jusho_yubinbango="9999999")], NOW)
    assert (received.state, [each.code for each in received.problems]) == ("quarantined", ["message-changed"])
    assert now_known(city)[0]["jusho_yubinbango"] == "1050001"


class _Stopped(BaseException):
    """Stands for kill -9: nothing behind it runs."""


@pytest.mark.parametrize("step", ["before the event", "after the event"])
def test_who_is_stopped_anywhere_leaves_no_double_and_loses_nothing(
    intake: Intake, say: Say, city: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kiban.linkage.incoming import journal, register

    before, _ = store.last_event(city)
    message = say(1, 0, jusho_yubinbango="1050001")

    def stop(*_: object, **__: object) -> None:
        raise _Stopped

    with monkeypatch.context() as patched:
        if step == "before the event":
            patched.setattr(register, "write", stop)
        else:
            patched.setattr(journal, "settle", stop)
        with pytest.raises(_Stopped):
            intake.receive([message], NOW)
    recorded = [told for told in events_of(city, before) if told.note.get("message")]
    assert len(recorded) == (step == "after the event")
    if step == "after the event":  # somebody corrects it before it comes again: it must not be written over
        with city.session(OFFICER) as session:
            session.record("訂正", "1", [Change(KIHON, donor("1", jusho_yubinbango="1110000"), SINCE)])
    [received] = intake.resume(NOW)
    assert received.state in ("applied", "proposed")
    assert take(intake, message) == ["repeated"]
    recorded = [told for told in events_of(city, before) if told.note.get("message") == message.id]
    assert len(recorded) == 1
    expected = "1110000" if step == "after the event" else "1050001"
    assert now_known(city)[0]["jusho_yubinbango"] == expected


def test_of_many_who_receive_one_message_at_once_one_applies_it(
    intake: Intake, say: Say, city: Store
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    before, _ = store.last_event(city)
    message = say(1, 0, jusho_yubinbango="1050001")
    with ThreadPoolExecutor(5) as pool:
        states = [each[0] for each in pool.map(lambda _: take(intake, message), range(10))]
    assert sorted(states) == ["applied", *["repeated"] * 9]
    assert store.last_event(city)[0] == before + 1


# Order


def test_a_gap_waits_and_is_closed(intake: Intake, say: Say, city: Store) -> None:
    assert take(intake, say(3, 2, jusho_yubinbango="3000000"), say(2, 1, jusho_yubinbango="2000000")) == [
        "held",
        "held",
    ]
    assert take(intake, say(1, 0)) == ["same", "applied", "applied"]
    assert now_known(city)[0]["jusho_yubinbango"] == "3000000"


def test_behind_a_full_set_older_ones_are_late(intake: Intake, say: Say, city: Store) -> None:
    intake.floor(5)
    assert take(intake, say(4, 3, jusho_yubinbango="4000000")) == ["late"]
    assert take(intake, say(7, 5, jusho_yubinbango="7000000")) == ["applied"]
    assert now_known(city)[0]["jusho_yubinbango"] == "7000000"


def test_bad_content_makes_only_its_person_wait(
    intake: Intake, say: Say, city: Store, books: store.Books
) -> None:
    with city.session(OFFICER) as session:
        session.record("付番", "2", [Change(KIHON, donor("2"), SINCE)])
    bad = say(1, 0, jusho_yubinbango="12345678")
    states = take(
        intake, bad, say(2, 1, jusho_yubinbango="2000000"), say(1, 0, of="2", jusho_yubinbango="1050001")
    )
    assert states == ["quarantined", "held", "applied"]
    [flow] = summary(books)
    assert flow.states == {"applied": 1, "held": 1, "quarantined": 1}
    assert take(intake, say(1, 0, jusho_yubinbango="1111111")) == ["applied", "applied"]
    assert now_known(city)[0]["jusho_yubinbango"] == "2000000"


def test_a_newer_message_takes_the_place_of_open_proposals(intake: Intake, say: Say, work: WorkList) -> None:
    take(intake, say(1, 0, jusho_choaza="虎ノ門一丁目"), say(2, 1, jusho_choaza="虎ノ門二丁目"))
    assert shown(work) == [("change", {"jusho_choaza": "霞が関二丁目"}, {"jusho_choaza": "虎ノ門二丁目"})]
    take(intake, say(3, 2))
    assert shown(work) == []


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_and_however_often_the_register_and_the_work_list_are_the_same(
    databases: Any,
    city_template: str,
    library: Any,
    flow: Contract,
    authority: Authority,
    say: Say,
    seed: int,
) -> None:
    pick = random.Random(seed)
    texts = ("虎ノ門一丁目", "虎ノ門二丁目", "霞が関二丁目")
    messages = [
        say(
            event,
            event - 1,
            of=of,
            jusho_choaza=pick.choice(texts),
            jusho_yubinbango=str(1_000_000 + pick.randint(0, 2)),
            jusho_katagaki=pick.choice((None, "１０１号")),
        )
        for of in ("1", "2")
        for event in range(1, 6)
    ]
    shuffled = messages * 2
    pick.shuffle(shuffled)
    told = []
    for order in (messages, shuffled):
        with (
            databases.fresh(city_template) as database,
            Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
            linkage.open_linkage(city) as books,
        ):
            with city.session(OFFICER) as session:
                session.record("付番", "1", [Change(KIHON, donor(of), SINCE) for of in ("1", "2")])
            Intake(city, books, flow, authority).receive(order, NOW)
            known = [
                {name: row[name] for name in (*donor("1"), "jusho_katagaki", "valid")}
                for of in ("1", "2")
                for row in now_known(city, of)
            ]
            told.append((known, sorted(map(str, shown(WorkList(city, books, flow))))))
    assert told[0] == told[1]


# Who may write


def test_who_is_not_the_master_is_refused_by_name(
    city: Store, books: store.Books, flow: Contract, intake: Intake, say: Say, work: WorkList
) -> None:
    split = Authority((Mastery(KIHON, "*", None, None, "F01"), Mastery(KIHON, "shimei", None, None, "031")))
    message = say(1, 0, shimei="佐藤　二郎", jusho_yubinbango="1050001")
    assert take(Intake(city, books, flow, split), message) == ["applied"]
    assert (now_known(city)[0]["shimei"], now_known(city)[0]["jusho_yubinbango"]) == ("佐藤　一郎", "1050001")
    assert shown(work) == []
    with books.transaction() as page:
        [refusal] = page.rows("SELECT * FROM incoming_refusal")
    assert (refusal["item"], refusal["provider"], refusal["master"]) == ("shimei", "F01", "031")
    assert summary(books)[0].refusals == 1


def test_a_message_of_which_nothing_may_be_written_is_refused(
    city: Store, books: store.Books, flow: Contract, intake: Intake, say: Say
) -> None:
    nobody = Authority((Mastery(KIHON, "*", None, None, "031"),))
    other = Intake(city, books, flow, nobody)
    assert (
        take(other, say(1, 0, jusho_yubinbango="1050001"), say(1, 0, of="2"), say(2, 1, rows=[]))
        == ["refused"] * 3
    )


def test_a_master_writes_only_the_time_it_is_master_of(
    city: Store, books: store.Books, flow: Contract, intake: Intake, say: Say
) -> None:
    turn = date(2026, 4, 1)
    until = Authority((Mastery(KIHON, "*", None, turn, "F01"), Mastery(KIHON, "*", turn, None, "031")))
    assert take(Intake(city, books, flow, until), say(1, 0, jusho_yubinbango="1050001")) == ["applied"]
    assert [(each["jusho_yubinbango"], each["valid"]) for each in now_known(city)] == [
        ("1050001", Period(SINCE.start, turn)),
        ("1000014", Period(turn)),
    ]


def test_what_comes_back_to_where_it_was_made_is_cut(intake: Intake, say: Say, city: Store) -> None:
    before, _ = store.last_event(city)
    assert take(intake, replace(say(1, 0, jusho_yubinbango="1050001"), origin="031")) == ["loop"]
    assert store.last_event(city)[0] == before
    assert take(intake, replace(say(2, 1, jusho_yubinbango="1050001"), origin="X99")) == ["applied"]
    assert events_of(city, before)[0].note["origin"] == "X99"


def test_a_flow_that_does_not_lead_here_is_refused(
    city: Store, books: store.Books, flow: Contract, authority: Authority
) -> None:
    with pytest.raises(Problem) as refused:
        Intake(city, books, replace(flow, incoming=None), authority)
    assert refused.value.code == "incoming-not-here"


def test_evidence_stands_before_anything_is_taken(
    city: Store,
    books: store.Books,
    flow: Contract,
    authority: Authority,
    say: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger = evidence.BookLedger(books)
    intake = Intake(city, books, flow, authority, (ledger, b"a secret of tests, thirty-two bytes"))

    def stop(*_: object) -> None:
        raise _Stopped

    monkeypatch.setattr(Intake, "_take", stop)
    with pytest.raises(_Stopped):
        intake.receive([say(1, 0)], NOW)
    [entry] = ledger.entries()
    assert (entry.line.item, entry.line.direction, entry.line.who) == (say(1, 0).id, "received", "F01")
    assert number("1") not in str(entry)
