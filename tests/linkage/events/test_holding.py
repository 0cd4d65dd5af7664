"""What is not sent back, what waits, what goes first, and who may send."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.linkage.events.conftest import Line
from tests.linkage.events.scenes import Play, key, names_of, of, play, rename
from tests.linkage.flows import resident
from tests.store.conftest import CITY_HALL, move_in, person

from kiban import store
from kiban.kernel import Period, Problem
from kiban.linkage import Contract, Message, Receiver
from kiban.linkage.broker import names
from kiban.linkage.events import floor, pause, waiting
from kiban.linkage.events.places import alone, places
from kiban.linkage.message import encode
from kiban.linkage.protection import Notice
from kiban.store import Change

__all__ = ["play"]


def test_what_came_from_a_consumer_is_not_sent_back_and_leaves_no_gap(
    play: Play, tax: Contract, card: Contract
) -> None:
    async def scene(made: Line) -> None:
        move_in(made.city, person("1"))
        rename(made.city, "1", "税　花子", origin=tax.consumer.id)
        rename(made.city, "1", "市　花子")
        await made.publish()
        assert await made.deliver(tax) == 2 and await made.deliver(card) == 3
        assert names_of(made, tax, "1") == names_of(made, card, "1") == ["渡邉　花子", "市　花子"]
        assert of(made, tax).not_returned == 1 and of(made, card).not_returned == 0
        assert of(made, tax).equal and waiting(made.books) == []

    play(scene, tax, card)


def test_a_bulk_change_holds_a_flow_until_a_full_set(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        move_in(made.city, person("1"))
        group = made.city.table("resident.jumin").group
        edition = replace(
            made.city.edition("resident"),
            edition="kiban-test",
            replaces=made.city.edition("resident").edition,
        )
        assert group is not None
        made.city.library = type(made.city.library)((*made.city.library.editions, edition))
        plan = store.plan(made.city, edition)
        swapped = store.apply(made.city, edition, CITY_HALL, reviewed=plan.digest)
        rename(made.city, "1", "山田　花子")
        await made.publish()
        await made.deliver(tax)
        assert names_of(made, tax, "1") == ["渡邉　花子"]
        assert of(made, tax).needs_set == swapped and of(made, tax).due == 1
        assert not floor(made.books, tax.flow, swapped - 1, 2)
        with made.replicas[tax.flow].replacing(swapped, 2):
            pass
        assert floor(made.books, tax.flow, swapped, 2)
        await made.publish()
        await made.deliver(tax)
        assert names_of(made, tax, "1") == ["渡邉　花子", "山田　花子"]
        assert of(made, tax).needs_set is None and of(made, tax).equal

    play(scene, tax)


def test_an_outage_waits_in_the_outbox_and_is_caught_up(
    play: Play, tax: Contract, card: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiban.linkage.broker.streams.WAITING", 30)

    async def scene(made: Line) -> None:
        for number in range(1, 101):
            move_in(made.city, person(str(number)))
        await made.publish()
        assert of(made, tax).sent == of(made, card).sent == 30  # the broker holds no more of a flow
        await made.deliver(card)
        while of(made, card).due:
            made.platform.publisher._later.clear()
            await made.publish()
            await made.deliver(card)
        assert of(made, card).equal and of(made, tax).sent == 30
        while not of(made, tax).equal or of(made, tax).due:
            await made.deliver(tax)
            made.platform.publisher._later.clear()
            await made.publish()
        assert len(made.replicas[tax.flow].effects()) == 100 and of(made, tax).equal

    play(scene, tax, card)


def test_a_receiver_is_sent_no_more_than_it_takes_and_a_paused_flow_nothing(
    play: Play, tax: Contract
) -> None:
    slow = replace(tax, receiver=Receiver(per_second=3, pending=2))

    async def scene(made: Line) -> None:
        for number in range(1, 11):
            move_in(made.city, person(str(number)))
        await made.publish()
        assert of(made, slow).sent == 3 and of(made, slow).due == 7
        pause(made.books, slow.flow)
        made.platform.publisher._budget.clear()
        made.platform.publisher._later.clear()
        assert await made.publish() == 0 and of(made, slow).paused
        pause(made.books, slow.flow, False)
        assert await made.publish() and of(made, slow).oldest is not None
        assert await made.deliver(slow) == 6

    play(scene, slow)


def test_protection_goes_first_and_is_acknowledged(play: Play, tax: Contract) -> None:
    class Guard:
        def __init__(self) -> None:
            self.told: list[Notice] = []

        def notices(self, until: int, now: Any) -> list[Notice]:
            if self.told:
                return []
            return [Notice(tax.flow, key("1"), "person", "protected", 7, now.isoformat(), "n1")]

        def published(self, notices: Any, now: Any) -> None:
            self.told += notices

        def states(self, _: Contract, pairs: Any) -> list[tuple[str, int]]:
            return [("protected", 7)] * len(pairs)

    guard = Guard()
    withheld = replace(
        tax, protection=replace(tax.protection, withheld={"jumin": frozenset({"jusho_banchigohyoki"})})
    )

    async def scene(made: Line) -> None:
        heard: list[Any] = []
        made.platform.desk.acknowledged = lambda flow, states: heard.append((flow, states))
        move_in(made.city, person("1"))
        await made.publish()
        await made.deliver(withheld)
        assert [notice.id for notice in guard.told] == ["n1"]
        assert made.replicas[tax.flow].protection_held(key("1")) == ("protected", 7)
        assert heard == [(tax.flow, ((key("1"), "protected", 7),))]
        (row,) = made.replicas[tax.flow].rows("jumin", key("1"))
        assert row["jusho_banchigohyoki"] is None and row["shimei"] == "渡邉　花子"

    play(scene, withheld, guard=guard)


def test_evidence_is_written_before_anything_is_delivered(play: Play, tax: Contract) -> None:
    lines: list[str] = []

    def write(messages: Any) -> None:
        if len(lines) == 1:
            raise Problem("evidence-full", "no room")
        lines.extend(message.id for _, message in messages)

    async def scene(made: Line) -> None:
        move_in(made.city, person("1"))
        await made.publish()
        move_in(made.city, person("2"))
        with pytest.raises(Problem, match="evidence-full"):
            await made.publish()
        assert await made.deliver(tax) == 1
        lines.clear()
        await made.publish()
        assert await made.deliver(tax) == 1 and of(made, tax).equal

    play(scene, tax, evidence=write)


def test_what_nobody_can_read_is_kept_and_holds_up_nobody(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        subject = names.subject(names.CHANGE, tax.flow)
        await made.js.publish(subject, b"{")
        await made.js.publish(
            subject, encode(Message("other.v1", "", "1", 1, 0, "", "", None, None, "clear", 0, {}))
        )
        move_in(made.city, person("1"))
        await made.publish()
        await made.deliver(tax)
        assert names_of(made, tax, "1") == ["渡邉　花子"]
        assert sorted(str(each.reason) for each in waiting(made.books)) == [
            "message-elsewhere",
            "message-unreadable",
        ]

    play(scene, tax)


def test_two_publishers_do_not_work_at_once(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:

        with alone(made.books), pytest.raises(Problem, match="publisher-twice"):
            await made.publish()
        with made.books.transaction() as page:
            assert [each.needs_set for each in places(page, [tax.flow], 0)] == [None]

    play(scene, tax)


def test_lanes_run_until_they_are_stopped(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        stop = asyncio.Event()
        work = [
            asyncio.create_task(made.platform.run(stop)),
            asyncio.create_task((await made.consumer(tax)).run(stop)),
        ]
        for number in range(1, 6):
            await asyncio.to_thread(move_in, made.city, person(str(number)))
        while not (of(made, tax).equal and of(made, tax).sent == 5) and not any(each.done() for each in work):
            await asyncio.sleep(0.05)
        stop.set()
        await asyncio.gather(*work)
        assert len(made.replicas[tax.flow].effects()) == 5

    play(scene, tax)


def test_rows_are_told_in_the_order_of_their_key(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        move_in(made.city, person("1"), Period(date(2021, 1, 1)))
        with made.city.session(CITY_HALL) as session:
            row = person("1", "前", rirekibango=2)
            session.record("訂正", key("1"), [Change("resident.jumin", row, Period(None, date(2021, 1, 1)))])
        await made.publish()
        await made.deliver(tax)
        rows = made.replicas[tax.flow].rows("jumin", key("1"))
        assert [row["valid_from"] for row in rows] == [None, "2021-01-01"]
        assert rows[0] == {
            **resident(key("1"), "前", rirekibango=2, valid_from=None, valid_to="2021-01-01"),
            **{name: rows[0][name] for name in ("seinengappi", "jusho_banchigohyoki", "shiensochifuragu")},
        }

    play(scene, tax)
