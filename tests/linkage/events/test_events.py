"""From the outbox to the replica: events arrive once and in order, whatever happens on the way."""

from __future__ import annotations

from pathlib import Path

from tests.linkage.events.conftest import Line
from tests.linkage.events.scenes import Play, key, names_of, of, play, rename
from tests.store.conftest import CITY_HALL, SINCE, move_in, person
from tests.store.people import moving

from kiban import store
from kiban.kernel import Problem
from kiban.linkage import Contract
from kiban.linkage.broker import names
from kiban.linkage.events import Parcel, waiting
from kiban.linkage.message import encode
from kiban.store import Change

__all__ = ["play"]


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
