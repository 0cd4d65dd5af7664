"""From the outbox to the replica: events arrive once and in order, whatever happens on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.events.conftest import NOW, Line, line
from tests.linkage.flows import resident
from tests.store.conftest import CITY_HALL, SINCE, move_in, person
from tests.store.people import moving

from kiban import store
from kiban.kernel import Period, Problem
from kiban.linkage import Contract, Message, Receiver
from kiban.linkage.broker import Broker, names
from kiban.linkage.events import FlowStatus, Parcel, status, waiting
from kiban.linkage.events.places import alone, places
from kiban.linkage.message import encode
from kiban.linkage.protection import Notice
from kiban.store import Books, Change, Store

Scene = Callable[[Line], Coroutine[Any, Any, None]]
Play = Callable[..., None]


@pytest.fixture
def play(city: Store, books: Books, broker: Broker, tmp_path: Path) -> Play:
    """Runs a scene on a line."""

    def run(scene: Scene, *contracts: Contract, **options: Any) -> None:
        async def all_of_it() -> None:
            async with line(city, books, broker, tmp_path, list(contracts), **options) as made:
                await scene(made)

        asyncio.run(all_of_it())

    return run


def key(number: str) -> str:
    return number.zfill(15)


def names_of(made: Line, flow: Contract, number: str) -> list[Any]:
    return [row["shimei"] for row in made.replicas[flow.flow].rows("jumin", key(number))]


def of(made: Line, flow: Contract) -> FlowStatus:
    (found,) = status(made.city, made.books, flow.flow)
    return found


def rename(city: Store, number: str, name: str, **note: str) -> int:
    """Give a person another name from a later day on."""
    with city.session(CITY_HALL) as session:
        row = person(number, name, rirekibango=2)
        return session.record(
            "氏名変更", key(number), [Change("resident.jumin", row, Period(date(2024, 7, 1)))], note=note
        )


def test_what_is_recorded_arrives_as_it_was_known_after_each_event(
    play: Play, tax: Contract, card: Contract
) -> None:
    async def scene(made: Line) -> None:
        first = move_in(made.city, person("1"))
        rename(made.city, "1", "山田　花子")
        with made.city.session(CITY_HALL) as session:
            session.record("転居", key("1"), [Change("resident.ido", moving("I1", key("1")))])
            last = session.record(
                "取消", key("1"), [Change("resident.jumin", None, SINCE, {"atenabango": key("1")})]
            )
        move_in(made.city, person("2", "別　人"))
        assert await made.publish()
        for flow in (tax, card):
            assert await made.deliver(flow) == 5
            replica = made.replicas[flow.flow]
            assert names_of(made, flow, "1") == [] and names_of(made, flow, "2") == ["別　人"]
            assert replica.version(key("1")) == last and replica.version(key("2")) == last + 1
            (move,) = replica.rows("ido", key("1"))
            assert move["idobango"] == "I1" and set(move) == set(flow.feed("ido").columns)
            assert [effect.event for effect in replica.effects()] == list(range(first, last + 2))
            told = of(made, flow)
            assert (told.sent, told.counted, told.applied, told.due, told.lag) == (5, 5, 5, 0, 0)
            assert told.equal and told.applied_event == last + 1
        assert await made.publish() == 0

    play(scene, tax, card)


def test_a_publisher_that_starts_again_sends_the_same(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        move_in(made.city, person("1"))
        rename(made.city, "1", "山田　花子")
        told = store.told_after(made.city, made.replicas[tax.flow].floor, 10)
        publisher = made.platform.publisher
        before = [encode(each) for each in publisher.batch([tax], told)[tax.flow].messages]
        parcels = [Parcel(names.subject(names.CHANGE, tax.flow), None, each) for each in before]
        assert (
            await publisher.sender.send(parcels) == set()
        )  # and there it was killed, before it noted anything
        assert [encode(each) for each in publisher.batch([tax], told)[tax.flow].messages] == before
        await made.publish()
        assert await made.deliver(tax) == 4
        assert len(made.replicas[tax.flow].effects()) == 2 and of(made, tax).equal

    play(scene, tax)


def test_a_bad_record_makes_only_its_unit_wait_until_it_is_mended(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        replica = made.replicas[tax.flow]
        replica._check = lambda _, m: [Problem("quality-name", "refused")] if "悪" in str(m.parts) else []
        for number, name in (("1", "悪　人"), ("2", "善　人")):
            move_in(made.city, person(number, name))
        rename(made.city, "1", "善　後")
        await made.publish()
        await made.deliver(tax)
        assert names_of(made, tax, "2") == ["善　人"] and names_of(made, tax, "1") == []
        (found,) = waiting(made.books, tax.flow)
        assert (found.unit, found.reason, found.behind) == (key("1"), "quality-name", 1)
        assert of(made, tax).quarantined == 1 and not of(made, tax).equal
        await made.platform.replayer.mend(tax, [key("1")])
        replica._check = lambda *_: []
        await made.deliver(tax)
        assert names_of(made, tax, "1") == ["悪　人", "善　後"]
        assert waiting(made.books, tax.flow) == [] and of(made, tax).quarantined == 0 and of(made, tax).equal

    play(scene, tax)


def test_a_gap_is_asked_for_and_sent_again(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        move_in(made.city, person("1"))
        await made.publish()
        await made.js.purge_stream(names.CHANGE)  # it got lost
        rename(made.city, "1", "山田　花子")
        await made.publish()
        await made.deliver(tax)
        assert names_of(made, tax, "1") == []
        assert [each.missing for each in waiting(made.books)] == [store.last_event(made.city)[0] - 1]
        await made.deliver(tax)
        assert names_of(made, tax, "1") == ["渡邉　花子", "山田　花子"]
        assert len(made.replicas[tax.flow].effects()) == 2
        assert waiting(made.books) == [] and of(made, tax).equal

    play(scene, tax)


def test_a_replay_of_the_past_changes_nothing_and_has_no_effect(play: Play, tax: Contract) -> None:
    async def scene(made: Line) -> None:
        replica = made.replicas[tax.flow]
        start = replica.floor
        move_in(made.city, person("1"))
        last = rename(made.city, "1", "山田　花子")
        await made.publish()
        await made.deliver(tax)
        assert await made.platform.replayer.replay(tax, start, last) == 2
        rename(made.city, "1", "川田　花子")
        await made.publish()
        assert await made.deliver(tax) == 3
        assert names_of(made, tax, "1") == ["渡邉　花子", "川田　花子"]
        assert len(replica.effects()) == 3 and of(made, tax).equal

    play(scene, tax)


def test_a_lost_replica_is_built_again_by_a_replay(play: Play, tax: Contract, tmp_path: Path) -> None:
    async def scene(made: Line) -> None:
        start = made.replicas[tax.flow].floor
        move_in(made.city, person("1"))
        last = rename(made.city, "1", "山田　花子")
        await made.publish()
        await made.deliver(tax)
        made.replicas[tax.flow] = type(made.replicas[tax.flow]).open(tmp_path / "again", tax)
        made.stack.callback(made.replicas[tax.flow].close)
        await made.platform.replayer.replay(tax, start, last)
        await made.deliver(tax)
        assert names_of(made, tax, "1") == ["渡邉　花子", "山田　花子"]
        assert made.replicas[tax.flow].effects() == []

    play(scene, tax)


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
        assert not made.platform.publisher.floor(tax.flow, swapped - 1, 2)
        with made.replicas[tax.flow].replacing(swapped, 2):
            pass
        assert made.platform.publisher.floor(tax.flow, swapped, 2)
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
        made.platform.publisher.pause(slow.flow)
        made.platform.publisher._budget.clear()
        made.platform.publisher._later.clear()
        assert await made.publish() == 0 and of(made, slow).paused
        made.platform.publisher.pause(slow.flow, False)
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
        assert made.replicas[tax.flow].protection(key("1")) == ("protected", 7)
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


assert NOW
