"""A flow begins empty; what is forgotten is known again, or refused: never applied twice, never over a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.linkage.events.conftest import NOW, Line
from tests.linkage.events.scenes import Play, key, names_of, of, play, rename
from tests.store.conftest import move_in, person

from kiban import store
from kiban.kernel import Problem
from kiban.linkage import Contract, events
from kiban.linkage.consumer import Replica
from kiban.store import Books, Store

__all__ = ["play"]
LATER = NOW + timedelta(days=1)


def test_a_flow_of_events_begins_empty_once(city: Store, books: Books, tax: Contract) -> None:
    flow = replace(tax, ways=frozenset({"event"}))
    move_in(city, person("1"))
    event = events.begin(city, books, flow)
    assert event == store.last_event(city)[0]
    (found,) = events.status(city, books, flow.flow)
    assert (found.place, found.needs_set, found.floor, found.epoch) == (event, None, event, events.EMPTY)
    with pytest.raises(Problem, match="begun before"):
        events.begin(city, books, flow)
    with pytest.raises(Problem, match="begins with its full set"):
        events.begin(city, books, replace(flow, id="files", ways=frozenset({"event", "file"})))


def carried(books: Books) -> set[tuple[str, int]]:
    with books.transaction() as page:
        return {(row["unit"], row["event"]) for row in page.rows("SELECT unit, event FROM event_carried")}


def test_what_was_sent_long_ago_is_forgotten_and_what_order_needs_is_kept(
    play: Play, city: Store, books: Books, tax: Contract, card: Contract
) -> None:
    async def scene(made: Line) -> None:
        first = move_in(city, person("1"))
        second = rename(city, "1", "二番")
        await made.publish()
        await made.deliver(tax)
        assert events.thin(books, second) == (of(made, card).floor, 0)  # one flow has not answered
        assert of(made, card).holds_thinning and not of(made, tax).holds_thinning
        await made.deliver(card)
        assert events.thin(books, first) == (first, 0)  # the newest of a unit is kept
        assert events.thin(books, second + 9) == (second, 1)
        assert carried(books) == {(key("1"), second)}
        third = rename(city, "1", "三番")
        await made.publish()
        for flow in (tax, card):
            await made.deliver(flow)
            assert names_of(made, flow, "1")[-1] == "三番"
            assert of(made, flow).equal and of(made, flow).held == 0
        with pytest.raises(Problem, match="no longer known"):
            await made.platform.replayer.replay(tax, first - 1, third)
        assert await made.platform.replayer.replay(tax, second, third) == 1

    play(scene, tax, card)


def test_a_replica_that_forgot_a_message_knows_it_when_it_comes_again(
    play: Play, city: Store, tax: Contract
) -> None:
    async def scene(made: Line) -> None:
        replica: Replica = made.replicas[tax.flow]
        first = move_in(city, person("1"))
        rename(city, "1", "二番")
        await made.publish()
        assert replica.thin(LATER, 9) == 0  # nothing is there
        await made.deliver(tax)
        effects = replica.effects()
        assert replica.thin(NOW - timedelta(days=1), 9) == 0  # all is newer
        assert replica.thin(LATER, effects[0].number) == 1  # the second effect is still to be dealt with
        assert replica.effects() == effects[1:]
        await made.platform.replayer.resend(tax, key("1"), first)
        await made.deliver(tax)
        assert replica.effects() == effects[1:] and names_of(made, tax, "1")[-1] == "二番"
        assert of(made, tax).equal and of(made, tax).late == 0

    play(scene, tax)


def test_who_lost_what_is_forgotten_gets_its_unit_whole(
    play: Play, city: Store, books: Books, tax: Contract
) -> None:
    """A copy that was put back from an old backup misses messages that cannot be made again."""

    async def scene(made: Line) -> None:
        replica: Replica = made.replicas[tax.flow]
        move_in(city, person("1"))
        second = rename(city, "1", "二番")
        await made.publish()
        await made.deliver(tax)
        assert events.thin(books, second) == (second, 1)
        with replica._place.writing() as connection:
            for table in ("unit", "ledger", "jumin"):
                connection.execute(f"DELETE FROM {table}")
        rename(city, "1", "三番")
        await made.publish()
        for _ in range(2):
            await made.deliver(tax)
        assert names_of(made, tax, "1")[-1] == "三番" and not replica.units_waiting()

    play(scene, tax)
