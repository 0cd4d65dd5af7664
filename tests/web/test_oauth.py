"""A client library that is not ours signs in, asks about tokens and revokes them; every other way in is closed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from requests_oauth2client import (
    ClientSecretBasic,
    ClientSecretJwt,
    ClientSecretPost,
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    OAuth2Client,
    UnauthorizedClient,
)
from tests.linkage.api.conftest import request

from kiban.access import Registration, Scope

from .conftest import NUMBERING, READING, Live

PATH = "/app_submit/v10/jutogaishaatenabangofuban"


def test_client_secret_jwt_gets_a_token_for_ten_minutes(served: Live) -> None:
    token = served.oauth(served.library).client_credentials(scope=NUMBERING)
    assert token.token_type == "Bearer"
    assert 595 <= token.expires_in <= 600
    assert token.refresh_token is None


def test_client_secret_basic_only_where_the_registration_says_so(served: Live) -> None:
    basic = ClientSecretBasic(served.library.client_id, served.library.secret)
    with pytest.raises(InvalidClient):
        served.oauth(served.library, basic).client_credentials(scope=NUMBERING)
    scopes = frozenset({Scope.parse(NUMBERING)})
    until = served.clock().date() + timedelta(days=1)
    old = served.access.systems.add(
        Registration("B01", "旧", scopes=scopes, basic_until=until), served.clock()
    )
    basic = ClientSecretBasic(old.client_id, old.secret)
    assert served.oauth(old, basic).client_credentials(scope=NUMBERING).access_token
    served.clock.ahead = timedelta(days=2)
    with pytest.raises(InvalidClient):
        served.oauth(old, basic).client_credentials(scope=NUMBERING)


def test_client_secret_post_is_refused(served: Live) -> None:
    post = ClientSecretPost(served.library.client_id, served.library.secret)
    with pytest.raises(InvalidRequest):
        served.oauth(served.library, post).client_credentials(scope=NUMBERING)


def test_one_token_is_for_one_provider(served: Live) -> None:
    with pytest.raises(InvalidScope):
        served.oauth(served.library).client_credentials(scope=f"{NUMBERING} {READING}")


def test_a_wrong_secret_is_refused(served: Live) -> None:
    wrong = ClientSecretJwt(served.tax.client_id, "x" * 43)
    with pytest.raises(InvalidClient):
        served.oauth(served.tax, wrong).client_credentials(scope=NUMBERING)


def test_a_provider_introspects_a_consumer_does_not(served: Live) -> None:
    token = served.token(served.library, NUMBERING)
    told = served.oauth(served.numberer).introspect_token(token)
    assert told["active"] is True and told["sub"] == "L01" and told["scope"] == NUMBERING
    reading = served.token(served.library, READING)
    assert served.oauth(served.numberer).introspect_token(reading) == {"active": False}
    with pytest.raises(UnauthorizedClient):
        served.oauth(served.library).introspect_token(token)


def test_a_revoked_token_is_refused_by_the_next_request(served: Live) -> None:
    token = served.token(served.library, NUMBERING)
    headers = {"Authorization": f"Bearer {token}"}
    assert served.post(PATH, json=request(), headers=headers).status_code == 200
    assert served.oauth(served.library).revoke_access_token(token) is True
    refused = served.post(PATH, json=request(), headers=headers)
    assert refused.status_code == 401
    assert refused.json()["detail"] == "アクセストークンが無効です。"
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_an_expired_token_is_refused(served: Live) -> None:
    token = served.token(served.library, NUMBERING)
    served.clock.ahead = timedelta(seconds=601)
    assert served.post(PATH, json=request(), headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_revoked_system_is_refused_at_once(served: Live) -> None:
    scopes = frozenset({Scope.parse(NUMBERING)})
    gone = served.access.systems.add(Registration("G01", "廃止", scopes=scopes), served.clock())
    token = served.token(gone, NUMBERING)
    served.access.systems.revoke("G01", served.clock())
    assert served.post(PATH, json=request(), headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_stands_in_the_header_and_nowhere_else(served: Live) -> None:
    token = served.token(served.library, NUMBERING)
    in_address = served.post(f"{PATH}?access_token={token}", json=request())
    assert (in_address.status_code, in_address.json()["code"]) == (400, "secret-in-address")
    in_body = served.post(PATH, json={**request(), "access_token": token})
    assert in_body.status_code == 401
    in_cookie = served.post(PATH, json=request(), cookies={"access_token": token})
    assert in_cookie.status_code == 401
    basic = served.post(PATH, json=request(), headers={"Authorization": f"Basic {token}"})
    assert basic.status_code == 401


def test_the_metadata_leads_a_client_there(served: Live) -> None:
    about = served.get("/.well-known/oauth-authorization-server").json()
    client = OAuth2Client.from_discovery_document(
        about,
        auth=ClientSecretJwt(served.library.client_id, served.library.secret),
        testing=True,
    )
    assert client.client_credentials(scope=NUMBERING).access_token


@pytest.mark.parametrize("endpoint", ["token", "introspect", "revoke"])
def test_an_endpoint_takes_a_form_by_post_and_nothing_else(served: Live, endpoint: str) -> None:
    path = f"/oauth/{endpoint}"
    assert served.get(path).status_code == 405
    assert served.post(path, json={"grant_type": "client_credentials"}).status_code == 415
    assert served.post(path, data=b"\xff", headers=FORM).status_code == 400
    assert served.post(path, data=b"a=1&" * 50, headers=FORM).status_code == 400


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
