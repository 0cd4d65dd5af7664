"""Protection and evidence over a real broker: on before the change, acknowledged by every consumer, both sides equal."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from tests.linkage.events.conftest import NOW, line
from tests.linkage.protection.conftest import READER, measure, number, record, someone
from tests.store.conftest import move_in, person

from kiban import store
from kiban.linkage import Contract, Protection, evidence, protection
from kiban.linkage.broker import Broker
from kiban.linkage.events import status
from kiban.store import Books, Store

ONE = number("1")
SECRET = b"a secret of tests, thirty-two bytes"


def test_from_the_event_to_the_end_of_a_protection_every_side_agrees(
    city: Store, books: Books, broker: Broker, tmp_path: Path, tax: Contract, card: Contract
) -> None:
    flows = (tax, card)
    lane = protection.Lane(city, books, flows, "resident", READER)
    lane.prepare(NOW)
    platform = evidence.BookLedger(books)
    ledgers = {
        flow.flow: evidence.FileLedger.open(tmp_path / f"{flow.id}.sqlite", flow.consumer.id)
        for flow in flows
    }

    def states(made: Any) -> set[tuple[str, int]]:
        return {replica.protection(ONE, NOW) for replica in made.replicas.values()}

    async def deliver(made: Any, flow: Contract) -> None:
        before = evidence.before_taking(ledgers[flow.flow], SECRET, lambda: NOW)
        await (await made.consumer(flow, evidence=before)).catch_up(0.15)
        await made.platform.receive(0.15)

    async def scene() -> None:
        options = {"guard": lane, "evidence": evidence.before_sending(platform, SECRET, lambda: NOW)}
        async with line(city, books, broker, tmp_path, list(flows), **options) as made:
            made.platform.desk.acknowledged = lambda flow, held: protection.acknowledge(
                books, flow, held, NOW
            )
            move_in(city, person("1"))
            await made.publish()
            for flow in flows:
                await deliver(made, flow)
            assert states(made) == {("clear", 0)}
            event = record(city, *measure("1", "1"))
            await made.publish()
            await deliver(made, tax)
            late = NOW + timedelta(minutes=5)
            assert [each.flow for each in protection.unacknowledged(books, late)] == [card.flow]
            ended = record(city, measure("1", "1", "4")[0])
            protection.propose_off(lane, books, someone("1"), event, "mori", "申出", NOW)
            waits = protection.confirm_off(lane, books, someone("1"), event, "hara", NOW).waits
            assert waits == ("subscribers",)
            await deliver(made, card)
            assert states(made) == {("protected", event)}
            assert protection.unacknowledged(books, late) == ()
            assert someone("1") in protection.release_due(lane, books, NOW)
            move_in(city, person("2"))
            await made.publish()
            for flow in flows:
                await deliver(made, flow)
            assert states(made) == {("clear", ended)}

    asyncio.run(scene())
    for flow in flows:
        found = evidence.match(
            platform, ledgers[flow.flow], evidence.day_of(evidence.stamp(NOW)), {flow.flow}
        )
        assert (found.pairs, found.differences) == (2, ())
        assert evidence.verify(ledgers[flow.flow], ()).problems == ()


def test_a_full_set_says_who_is_protected_as_of_its_event(city: Store, books: Books, tax: Contract) -> None:
    from kiban.linkage import CLEAR, files

    move_in(city, person("1"))
    lane = protection.Lane(city, books, [tax], "resident", READER)
    lane.prepare(NOW)
    event = record(city, *measure("1", "1"))
    last, _ = store.last_event(city)
    lane.notices(last, NOW)
    protected = partial(lane.changed, tax)
    assert files.Protected(protected(event), CLEAR).hides(ONE)
    assert not files.Protected(protected(event - 1), CLEAR).hides(ONE)


def test_what_is_withheld_leaves_the_copy_of_who_is_protected_and_comes_back_after_the_end(
    city: Store, books: Books, broker: Broker, tmp_path: Path, tax: Contract
) -> None:
    """The register of measures alone says so: no row of the person changes, and so no message would be made of it."""
    hides = Protection(True, {"jumin": frozenset({"jusho_banchigohyoki"})})
    flow = replace(tax, protection=hides)
    lane = protection.Lane(city, books, [flow], "resident", READER)
    lane.prepare(NOW)

    async def scene() -> None:
        async with line(city, books, broker, tmp_path, [flow], guard=lane) as made:
            made.platform.desk.acknowledged = lambda name, held: protection.acknowledge(
                books, name, held, NOW
            )

            async def deliver() -> list[Any]:
                await made.publish()
                for _ in range(2):  # a notice, its answer, and then the rows anew
                    await (await made.consumer(flow)).catch_up(0.15)
                    await made.platform.receive(0.15)
                (replica,) = made.replicas.values()
                return [row["jusho_banchigohyoki"] for row in replica.rows("jumin", ONE)]

            move_in(city, person("1"))
            assert await deliver() == ["２番３号"]
            event = record(city, *measure("1", "1"))
            assert await deliver() == [None]
            record(city, measure("1", "1", "4")[0])
            protection.propose_off(lane, books, someone("1"), event, "mori", "申出", NOW)
            assert protection.confirm_off(lane, books, someone("1"), event, "hara", NOW).waits == ()
            assert await deliver() == [None]  # clear is who was released, after that event
            move_in(city, person("2"))
            assert await deliver() == ["２番３号"]
            (stands,) = status(city, books)
            assert stands.equal and stands.sent == 2

    asyncio.run(scene())


def test_a_consumer_that_is_cut_off_protects_everybody_until_it_hears_again(
    city: Store, books: Books, broker: Broker, tmp_path: Path, tax: Contract
) -> None:
    lane = protection.Lane(city, books, [tax], "resident", READER)
    lane.prepare(NOW)
    minute = timedelta(minutes=1)
    clock = [NOW]

    async def scene() -> None:
        async with line(city, books, broker, tmp_path, [tax], guard=lane, now=lambda: clock[0]) as made:
            (replica,) = made.replicas.values()
            move_in(city, person("1"))
            await made.publish()
            await (await made.consumer(tax)).catch_up(0.15)
            assert replica.protection(ONE, NOW + 5 * minute) == ("clear", 0)
            assert replica.protection(ONE, NOW + 6 * minute) == ("unknown", 0)
            clock[0] = NOW + 20 * minute
            made.platform.publisher._beats.clear()  # half a minute later
            await made.platform.publisher.step()
            await (await made.consumer(tax)).catch_up(0.15)
            heard = replica.heard
            assert heard is not None and (heard.event, heard.at) == (store.last_event(city)[0], clock[0])
            # It came at 0 minutes of the clock of this consumer, which is behind: only from then on it counts.
            assert replica.protection(ONE, NOW) == ("clear", 0)

    asyncio.run(scene())


def test_a_platform_that_cannot_tell_who_is_protected_gives_no_sign_of_life(
    city: Store, books: Books, broker: Broker, tmp_path: Path, tax: Contract
) -> None:
    async def scene() -> None:
        async with line(city, books, broker, tmp_path, [tax]) as made:
            move_in(city, person("1"))
            await made.publish()
            await (await made.consumer(tax)).catch_up(0.15)
            (replica,) = made.replicas.values()
            assert replica.heard is None and replica.protection(ONE, NOW) == ("unknown", 0)

    asyncio.run(scene())
