"""A lift of protection: asked for by one, granted by another, over by itself, written down at each step."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.store.conftest import CITY_HALL, SINCE, person
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Wanted
from kiban.kernel import AsOf
from kiban.store import Change

ASKER, GRANTER, CLERK = "100002", "100003", "100001"
HER = "38".zfill(15)
LIFTS = "/operations/lifts"


def city(house: web.House) -> web.City:
    assert house.city is not None
    return house.city


@pytest.fixture(scope="module")
def protected(house: web.House) -> str:
    """Somebody under support measures, who lives in the ward of the asker."""
    row = person("38", "保護　花子", shiensochifuragu="1", shiteitoshi_gyoseikutokodo="281026")
    with city(house).store.session(CITY_HALL) as session:
        session.record("支援措置", HER, [Change("resident.jumin", row, SINCE)])
    return HER


def asked(client: Client, subject: str, **said: str) -> int:
    form = {"subject": subject, "whom": ASKER, "hours": "1", "reason": "本人が窓口に来ている", **said}
    return int(client.work(ASKER).post(LIFTS, form).status_code)


def sees_her(house: web.House) -> bool:
    policies, people = city(house).policies, city(house).people
    today = datetime.now(UTC).date()
    grant = policies.grant(people.acting(ASKER, today, "住民基本台帳事務"))
    with city(house).store.session(grant.actor("read", "resident")) as session:
        return bool(session.read("resident.jumin", AsOf(today), atenabango=HER))


def test_a_lift_opens_one_person_to_one_clerk_once_another_has_granted_it(
    client: Client, house: web.House, protected: str
) -> None:
    assert not sees_her(house)
    assert asked(client, protected) == 302
    assert not sees_her(house)
    [lift] = (
        e.line.detail["lift"]
        for e in city(house).audit.lines(Wanted(kinds=("lift",), actor=ASKER, subject=HER)).entries
    )
    page = client.work(GRANTER).get(LIFTS).content.decode()
    assert "承認待ち" in page and HER in page
    assert client.post(LIFTS, {"grant": str(lift)}).status_code == 302
    assert sees_her(house)
    assert "有効" in client.get(LIFTS).content.decode()
    steps = [
        (e.line.actor, e.line.detail["act"])
        for e in city(house).audit.lines(Wanted(kinds=("lift",), subject=HER)).entries
    ]
    assert steps == [(GRANTER, "grant"), (ASKER, "ask")]


def test_nobody_grants_what_is_for_herself_and_a_refusal_is_written_down(
    client: Client, house: web.House, protected: str
) -> None:
    granter = client.work(GRANTER)
    form = {"subject": protected, "whom": GRANTER, "hours": "1", "reason": "確認"}
    assert granter.post(LIFTS, form).status_code == 302
    [mine, *_] = city(house).audit.lines(Wanted(kinds=("lift",), actor=GRANTER)).entries
    answer = granter.post(LIFTS, {"grant": str(mine.line.detail["lift"])})
    assert answer.status_code == 400 and "他の職員に依頼" in answer.content.decode()
    [last, *_] = city(house).audit.lines(Wanted(kinds=("lift",), actor=GRANTER)).entries
    assert (last.line.outcome, last.line.detail["why"]) == ("refused", "lift-same-person")


def test_a_counter_clerk_neither_sees_nor_asks(client: Client, protected: str) -> None:
    clerk = client.work(CLERK)
    assert clerk.get(LIFTS).status_code == 403
    assert clerk.post(LIFTS, {"subject": protected}).status_code == 403


def test_the_asker_cannot_grant_by_sending_the_form(client: Client, house: web.House, protected: str) -> None:
    assert asked(client, protected) == 302
    [mine, *_] = city(house).audit.lines(Wanted(kinds=("lift",), actor=ASKER)).entries
    assert client.post(LIFTS, {"grant": str(mine.line.detail["lift"])}).status_code == 403


@pytest.mark.parametrize(
    "said",
    [{"hours": "999"}, {"whom": "nobody"}, {"reason": " "}, {"subject": "7777777"}, {"subject": ""}],
    ids=str,
)
def test_what_is_not_whole_is_refused_beside_the_form(
    client: Client, protected: str, said: dict[str, str]
) -> None:
    assert asked(client, said.pop("subject", protected), **said) == 400


def test_a_lift_ends_by_itself() -> None:
    from kiban.store import Lift

    now = datetime.now(UTC)
    lift = Lift(1, HER, ASKER, "x", ASKER, now, now, now + timedelta(hours=1), GRANTER, now)
    assert lift.stands(now + timedelta(minutes=59)) and not lift.stands(now + timedelta(hours=1))
