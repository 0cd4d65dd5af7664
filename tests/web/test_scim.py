"""SCIM over HTTP: a token of its own scope, its own form of refusals, and nothing about it in cookies or pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.web.housing import NADA

from kiban import web
from kiban.access import SCIM_SCOPE, Authority, Registration, Scope, audit
from kiban.web.house import NAME

MEDIA = "application/scim+json"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
READING = Scope.parse("001:link/tosho.v1/jumin:Read")
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def desk(house: web.House) -> web.House:
    """The house with an authority that gives out real tokens."""
    assert house.city is not None
    opened = house.city.access
    authority = Authority(
        opened.systems, opened.tokens, opened.guard, "http://localhost", lambda _: (), house.now
    )
    return replace(house, authority=authority)


@pytest.fixture(scope="module")
def token(desk: web.House) -> Callable[..., str]:
    assert desk.city is not None
    opened, made = desk.city.access, iter(["HR1", "HR2", "HR3"])

    def issue(*scopes: Scope) -> str:
        system = next(made)
        given = opened.systems.add(
            Registration(system, "人事給与システム", scopes=frozenset(scopes)), desk.now()
        )
        client = opened.systems.client(given.client_id)
        assert client is not None
        return str(opened.tokens.issue(client, frozenset(scopes), desk.now()))

    return issue


@pytest.fixture(scope="module")
def personnel(token: Callable[..., str]) -> str:
    return token(SCIM_SCOPE)


@pytest.fixture
def ask(desk: web.House, personnel: str) -> Ask:
    from django.test import Client

    client = Client(enforce_csrf_checks=True, **{NAME: desk})

    def made(
        method: str,
        path: str,
        body: Any = None,
        bearer: str | None = personnel,
        media: str = MEDIA,
        **headers: str,
    ) -> Any:
        given = {"host": "localhost", **({"authorization": f"Bearer {bearer}"} if bearer else {}), **headers}
        data = body if isinstance(body, str) else json.dumps(body)
        return client.generic(
            method, f"/scim/v2/{path}", data if body is not None else "", media, headers=given
        )

    return made


def test_the_personnel_system_hires_transfers_and_ends(ask: Ask, desk: web.House) -> None:
    assert desk.city is not None
    term = "urn:kiban:params:scim:schemas:extension:staff:1.0:User"
    user = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", term],
        "userName": "390001",
        "name": {"formatted": "新採　一葉"},
        term: {"kana": "シンサイ　カズハ"},
    }
    made = ask("POST", "Users", user)
    assert (
        made.status_code == 201
        and made["Content-Type"] == MEDIA
        and made["Location"].endswith("/Users/390001")
    )
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": "390001"}]}],
    }
    assert ask("PATCH", "Groups/resident-counter@nada", patch, media="application/json").status_code == 200
    people, day = desk.city.people, web.city.today(desk.city)
    assert people.acting("390001", day, "住民基本台帳事務").office.ward == NADA
    patch["Operations"] = [{"op": "replace", "path": "active", "value": False}]
    stale = ask("PATCH", "Users/390001", patch, **{"if-match": made["ETag"]})
    assert stale.status_code == 412  # the duty was added since
    assert ask("PATCH", "Users/390001", patch).status_code == 200
    assert not people.may_sign_in("390001", day)
    found = ask("GET", "Users?filter=userName%20eq%20%22390001%22").json()
    assert found["totalResults"] == 1 and found["Resources"][0]["active"] is False


def test_every_call_leaves_a_line(ask: Ask, desk: web.House) -> None:
    assert desk.city is not None
    ask("GET", "Users/nobody")
    trail = desk.city.access.audit
    [entry] = trail.lines(audit.Wanted(kinds=("communication",)), limit=1).entries
    assert (entry.line.actor, entry.line.outcome) == ("HR1", "refused")
    assert dict(entry.line.detail) == {"act": "scim", "method": "GET", "of": "Users", "status": 404}


def test_without_a_good_token_nothing_is_told(ask: Ask, token: Callable[..., str]) -> None:
    for bearer, status in ((None, 401), ("0" * 43, 401), (token(READING), 403)):
        refused = ask("GET", "Users", bearer=bearer)
        assert refused.status_code == status and refused.json()["schemas"] == [ERROR]
        assert refused["WWW-Authenticate"].startswith("Bearer ") and refused["Content-Type"] == MEDIA


def test_a_session_of_a_person_opens_nothing(desk: web.House) -> None:
    from tests.web.housing import Client as Browser

    browser = Browser(desk).sign_in("900001")
    assert browser.get("/scim/v2/Users").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "media", "status"),
    [
        ("POST", "Users", "{", MEDIA, 400),
        ("POST", "Users", "<user/>", "application/xml", 415),
        ("TRACE", "Users", None, MEDIA, 405),
        ("GET", "Users/1/2", None, MEDIA, 404),
        ("GET", "Me", None, MEDIA, 404),
        ("GET", "Users?filter=(", None, MEDIA, 400),
        ("GET", "Users?count=many", None, MEDIA, 400),
        ("POST", "Bulk", {}, MEDIA, 404),
    ],
)
def test_every_refusal_is_in_the_form_of_scim(
    ask: Ask, method: str, path: str, body: Any, media: str, status: int
) -> None:
    refused = ask(method, path, body, media=media)
    assert refused.status_code == status, refused.content
    assert refused.json()["schemas"] == [ERROR] and refused.json()["status"] == str(status)


def test_where_only_the_api_is_served_there_is_no_scim(ask: Ask, desk: web.House, personnel: str) -> None:
    from django.test import Client

    bare = Client(**{NAME: replace(desk, city=None)})
    assert (
        bare.get(
            "/scim/v2/Users", headers={"host": "localhost", "authorization": f"Bearer {personnel}"}
        ).status_code
        == 404
    )
