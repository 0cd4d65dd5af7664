"""What a personnel system does by SCIM 2.0 all year: hire, rename, transfer, end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from kiban import access, main, standard, store
from kiban.access import Access, Office, Scim, ScimCall, ScimReply
from kiban.settings import Settings
from kiban.store import Store

KEY = b"a key of tests, thirty-two bytes!"
AT = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
DAY = date(2026, 11, 24)
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
TERM = "urn:kiban:params:scim:schemas:extension:staff:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
COUNTER = "resident-counter@east"
Ask = Callable[..., ScimReply]
_numbers = count(1)


@pytest.fixture(scope="module")
def room(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    seal = access.seal(tmp_path_factory.mktemp("home") / "access.key")
    library: standard.Library = main.library(given=Settings(home=Path("unused")))
    with (
        databases.fresh() as database,
        Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as empty,
        access.open_access(empty, seal) as opened,
    ):
        offices = [Office("hall", "市役所", "city"), Office("east", "東灘区役所", "ward", "hall", "281018")]
        opened.people.apply(offices, "test", AT)
        yield opened


@pytest.fixture
def ask(room: Access) -> Ask:
    scim = Scim(room.people, room.policies, "https://kiban.example/scim/v2")

    def made(method: str, path: str, body: Any = None, on: date = DAY, **more: Any) -> ScimReply:
        return scim.answer(ScimCall(method, tuple(path.split("/")), body=body, **more), "HR1", AT, on)

    return made


@pytest.fixture
def hired(ask: Ask) -> dict[str, Any]:
    number = f"{next(_numbers):06}"
    reply = ask("POST", "Users", person(number))
    assert reply.status == 201, reply.body
    return dict(reply.body or {})


def person(number: str, **more: Any) -> dict[str, Any]:
    name = {"familyName": "基盤", "givenName": "太郎"}
    body = {
        "schemas": [USER, TERM],
        "userName": number,
        "externalId": f"hr-{number}",
        "name": name,
        "active": True,
    }
    return {**body, TERM: {"kana": "キバン　タロウ", "firstDay": "2026-04-01"}, **more}


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def body_of(reply: ScimReply, status: int = 200) -> dict[str, Any]:
    assert reply.status == status, reply.body
    return dict(reply.body or {})


def test_a_new_member_of_staff_is_on_the_staff(ask: Ask, hired: dict[str, Any], room: Access) -> None:
    staff = room.people.staff(hired["userName"])
    assert (staff.name, staff.kana, staff.start, staff.end) == (
        "基盤　太郎",
        "キバン　タロウ",
        date(2026, 4, 1),
        None,
    )
    assert hired["meta"]["location"] == f"https://kiban.example/scim/v2/Users/{hired['id']}"
    assert body_of(ask("GET", f"Users/{hired['id']}")) == hired
    [line] = room.people.history("staff", hired["id"])
    assert line.by == "HR1"


def test_a_number_or_an_external_id_is_given_once(ask: Ask, hired: dict[str, Any]) -> None:
    for taken in (person(hired["id"]), person("x-1", externalId=hired["externalId"])):
        refused = body_of(ask("POST", "Users", taken), 409)
        assert refused["scimType"] == "uniqueness"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"name": {"formatted": ""}}, "invalidValue"),
        ({"userName": "with blank"}, "invalidValue"),
        ({"name": "基盤太郎"}, "invalidValue"),
        ({TERM: {"kana": "キバン", "firstDay": "soon"}}, "invalidValue"),
        ({TERM: {"kana": "キバン", "firstDay": "2026-04-01", "lastDay": "2025-01-01"}}, "invalidValue"),
    ],
)
def test_what_cannot_be_is_refused(ask: Ask, change: dict[str, Any], kind: str) -> None:
    refused = body_of(ask("POST", "Users", person("y-1", **change)), 400)
    assert refused["scimType"] == kind and refused["schemas"] == [
        "urn:ietf:params:scim:api:messages:2.0:Error"
    ]
    assert ask("GET", "Users/y-1").status == 404


def test_a_person_is_renamed_and_keeps_the_rest(ask: Ask, hired: dict[str, Any]) -> None:
    renamed = patch({"op": "replace", "path": "name.familyName", "value": "改姓"})
    told = body_of(ask("PATCH", f"Users/{hired['id']}", renamed))
    assert told["name"]["formatted"] == "改姓　太郎"
    assert {**told, "name": 0, "meta": 0} == {**hired, "name": 0, "meta": 0}


def test_a_person_leaves_today_and_comes_back(ask: Ask, hired: dict[str, Any], room: Access) -> None:
    here = f"Users/{hired['id']}"
    gone = body_of(ask("PATCH", here, patch({"op": "replace", "value": {"active": False}})))
    assert gone["active"] is False and gone[TERM]["lastDay"] == "2026-11-23"
    assert not room.people.may_sign_in(hired["id"], DAY) and hired["id"] in room.people.gone(DAY)
    back = body_of(ask("PATCH", here, patch({"op": "replace", "path": "active", "value": True})))
    assert back["active"] is True and room.people.may_sign_in(hired["id"], DAY)


def test_an_end_to_come_is_scheduled(ask: Ask, hired: dict[str, Any], room: Access) -> None:
    last = patch({"op": "add", "path": f"{TERM}:lastDay", "value": "2027-03-31"})
    assert body_of(ask("PATCH", f"Users/{hired['id']}", last))["active"] is True
    assert room.people.may_sign_in(hired["id"], date(2027, 3, 31))
    assert not room.people.may_sign_in(hired["id"], date(2027, 4, 1))


def test_who_begins_later_is_not_ended_by_a_change(ask: Ask, room: Access) -> None:
    later = person("z-1", active=False, **{TERM: {"kana": "キバン", "firstDay": "2027-04-01"}})
    assert body_of(ask("POST", "Users", later), 201)["active"] is False
    told = body_of(
        ask("PATCH", "Users/z-1", patch({"op": "replace", "path": "name.familyName", "value": "改姓"}))
    )
    assert told["active"] is False and "lastDay" not in told[TERM]
    assert room.people.may_sign_in("z-1", date(2027, 4, 1))


def test_a_person_is_replaced_whole(ask: Ask, hired: dict[str, Any]) -> None:
    fresh = person(hired["id"], name={"formatted": "基盤　一太郎"}, externalId=None)
    told = body_of(ask("PUT", f"Users/{hired['id']}", fresh))
    assert told["name"]["formatted"] == "基盤　一太郎" and "externalId" not in told
    other = body_of(ask("PUT", f"Users/{hired['id']}", person("another")), 400)
    assert other["scimType"] == "mutability"


def test_nobody_is_deleted(ask: Ask, hired: dict[str, Any]) -> None:
    assert "active" in body_of(ask("DELETE", f"Users/{hired['id']}"), 403)["detail"]
    assert ask("GET", f"Users/{hired['id']}").status == 200


def test_who_has_seen_an_older_version_changes_nothing(ask: Ask, hired: dict[str, Any]) -> None:
    here, tag = f"Users/{hired['id']}", hired["meta"]["version"]
    assert ask("GET", here, if_none_match=tag).status == 304
    renamed = patch({"op": "replace", "path": "name.familyName", "value": "改姓"})
    first = ask("PATCH", here, renamed, if_match=tag)
    assert first.status == 200 and first.headers["ETag"] != tag
    assert ask("PATCH", here, renamed, if_match=tag).status == 412
    assert ask("GET", here, if_none_match=tag).status == 200


def test_people_are_found_by_their_numbers(ask: Ask, hired: dict[str, Any]) -> None:
    for asked in (
        f'userName eq "{hired["id"]}"',
        f'externalId eq "{hired["externalId"]}"',
        f'userName eq "{hired["id"]}" and active eq true',
        f'externalId sw "{hired["externalId"]}" and name.familyName eq "基盤"',
    ):
        told = body_of(ask("GET", "Users", query={"filter": asked}))
        assert [each["id"] for each in told["Resources"]] == [hired["id"]], asked
    nobody = body_of(ask("GET", "Users", query={"filter": 'userName eq "nobody"'}))
    assert nobody["totalResults"] == 0 and "Resources" not in nobody


@pytest.mark.parametrize("asked", ["userName", 'userName is "1"', 'nothing eq "1"', 'groups eq "x"', "("])
def test_a_filter_that_cannot_be_answered_is_refused(ask: Ask, asked: str) -> None:
    assert body_of(ask("GET", "Users", query={"filter": asked}), 400)["scimType"] == "invalidFilter"


def test_lists_come_page_by_page(ask: Ask, room: Access) -> None:
    for _ in range(3):
        ask("POST", "Users", person(f"p-{next(_numbers):06}"))
    everybody = [each.number for each in room.people.page()]
    seen: list[str] = []
    while len(seen) < len(everybody):
        page = body_of(ask("GET", "Users", query={"startIndex": str(len(seen) + 1), "count": "2"}))
        assert page["totalResults"] == len(everybody) and page["startIndex"] == len(seen) + 1
        seen += [each["id"] for each in page["Resources"]]
    assert seen == everybody
    assert "Resources" not in body_of(ask("GET", "Users", query={"count": "0"}))


def test_only_what_is_wanted_is_told(ask: Ask, hired: dict[str, Any]) -> None:
    told = body_of(ask("GET", f"Users/{hired['id']}", query={"attributes": "userName"}))
    assert set(told) == {"schemas", "id", "userName"}


def test_a_duty_begins_and_ends_with_the_group(ask: Ask, hired: dict[str, Any], room: Access) -> None:
    group = body_of(ask("GET", f"Groups/{COUNTER}"))
    assert group["displayName"] == "東灘区役所・住民記録窓口"
    add = patch({"op": "add", "path": "members", "value": [{"value": hired["id"]}]})
    assert hired["id"] in [
        each["value"] for each in body_of(ask("PATCH", f"Groups/{COUNTER}", add))["members"]
    ]
    assert room.people.acting(hired["id"], DAY, "x").assignment.duty == "resident-counter"
    assert [each["value"] for each in body_of(ask("GET", f"Users/{hired['id']}"))["groups"]] == [COUNTER]
    tomorrow = DAY + timedelta(days=1)
    remove = patch({"op": "remove", "path": f'members[value eq "{hired["id"]}"]'})
    assert ask("PATCH", f"Groups/{COUNTER}", remove, on=tomorrow).status == 200
    assert room.people.assignments(hired["id"], DAY) and not room.people.assignments(hired["id"], tomorrow)


def test_a_group_is_replaced_all_or_nothing(ask: Ask, hired: dict[str, Any], room: Access) -> None:
    group = body_of(ask("GET", "Groups/welfare@east"))
    both = {**group, "members": [{"value": hired["id"]}, {"value": "nobody"}]}
    assert body_of(ask("PUT", "Groups/welfare@east", both), 400)["scimType"] == "invalidValue"
    assert room.people.assignments(hired["id"]) == []
    assert ask("PUT", "Groups/welfare@east", {**group, "members": [{"value": hired["id"]}]}).status == 200
    assert len(room.people.assignments(hired["id"], DAY)) == 1


def test_groups_are_those_of_the_policy_set(ask: Ask) -> None:
    told = body_of(ask("GET", "Groups", query={"filter": 'displayName co "東灘区役所"', "count": "3"}))
    assert len(told["Resources"]) == 3 and told["totalResults"] > 3
    assert ask("POST", "Groups", {"displayName": "新しい職務"}).status == 403
    assert ask("GET", "Groups/audit@east").status == 404  # held at the city hall only
    renamed = patch({"op": "replace", "path": "displayName", "value": "別名"})
    assert body_of(ask("PATCH", f"Groups/{COUNTER}", renamed), 400)["scimType"] == "mutability"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "x",
        {"schemas": [PATCH]},
        patch({"op": "fly", "path": "active"}),
        patch({"op": "replace", "path": "nothing", "value": 1}),
    ],
)
def test_a_body_that_is_none_is_refused(ask: Ask, hired: dict[str, Any], body: Any) -> None:
    reply = ask("PATCH", f"Users/{hired['id']}", body)
    assert reply.status == 400 and body_of(ask("GET", f"Users/{hired['id']}")) == hired


def test_the_service_says_what_it_is(ask: Ask) -> None:
    assert body_of(ask("GET", "ServiceProviderConfig"))["etag"] == {"supported": True}
    assert [each["endpoint"] for each in body_of(ask("GET", "ResourceTypes"))["Resources"]] == [
        "/Users",
        "/Groups",
    ]
    assert TERM in [each["id"] for each in body_of(ask("GET", "Schemas"))["Resources"]]
    assert ask("GET", "Nowhere").status == 404
