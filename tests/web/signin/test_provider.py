"""Another vendor's system signs people in at a live city, by a certified client library that is not ours."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests
from idpyoidc.client.rp_handler import RPHandler

from kiban.web.signin import keys
from kiban.web.signin.clients import Clients
from kiban.web.signin.lines import By
from kiban.web.signin.wishes import Wish

from .conftest import Live, Person, Visitor, acts

BACK = "https://vendor.example/back"
AFTER = "https://vendor.example/bye"
BY = By("900004")


@dataclass
class Vendor:
    """A system of a vendor."""

    id: str
    secret: str
    live: Live

    def library(self) -> Any:
        """The client library, set up as its documentation says."""
        pkce = {
            "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
            "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
        }
        given = {
            "issuer": self.live.url,
            "client_id": self.id,
            "client_secret": self.secret,
            "client_type": "oidc",
            "redirect_uris": [BACK],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "profile", "kiban"],
            "add_ons": {"pkce": pkce},
        }
        in_memory = {
            "key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]
        }  # by itself it writes files where it stands
        return RPHandler(
            base_url="https://vendor.example", client_configs={"kiban": given}, key_conf=in_memory
        )

    def authorize(self, **changed: str) -> str:
        """The address of a request made by hand."""
        asked = {
            "client_id": self.id,
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid profile kiban",
            "state": "s" * 32,
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
            **changed,
        }
        return "/identity/o/authorize?" + urlencode({name: text for name, text in asked.items() if text})

    def redeem(self, code: str, verifier: str = "", **changed: str) -> requests.Response:
        """Ask for tokens."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": verifier or VERIFIER,
            **changed,
        }
        url = self.live.url + "/identity/o/api/token"
        return requests.post(url, data=form, auth=(self.id, self.secret), timeout=30)


VERIFIER = "v" * 64


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def told(answer: requests.Response) -> dict[str, str]:
    """What a browser brings back."""
    assert answer.headers["Location"].startswith(BACK + "?"), answer.headers["Location"]
    return {name: found[0] for name, found in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture(scope="module")
def vendor(live: Live) -> Iterator[Vendor]:
    wish = Wish("税システム", (BACK,), (AFTER,), ("profile", "kiban"), own=True)
    assert live.house.city is not None
    yield Vendor(*Clients(live.house.city).register(wish, BY), live)


@pytest.fixture
def anna(person: Any) -> Person:
    """A clerk."""
    found: Person = person("100001")
    return found


@pytest.fixture
def visitor(live: Live, anna: Person) -> Visitor:
    """The clerk, who has signed in."""
    found = Visitor(live)
    found.sign_in(anna)
    return found


def test_a_certified_client_signs_a_clerk_in_by_password_and_code(
    vendor: Vendor, live: Live, person: Any
) -> None:
    anna, library, browser = person("100001"), vendor.library(), Visitor(live)
    asked = library.begin("kiban")
    first = browser.go(asked)
    assert "職員番号" in first.text
    assert "form-action 'self' https://vendor.example;" in first.headers["Content-Security-Policy"]
    back = browser.sign_in(anna, asked.removeprefix(live.url))
    found = library.finalize(live.url, told(back))
    assert found["userinfo"]["name"] == "東灘　花子"
    assert found["userinfo"]["staff_number"] == "100001"
    duty = found["userinfo"]["duties"][0]
    assert (duty["duty"], duty["office"], duty["ward"]) == ("resident-counter", "east-residents", "281018")
    assert found["id_token"]["iss"] == live.url
    assert found["id_token"]["aud"] == [vendor.id]
    assert "100001" not in found["id_token"]["sub"]
    assert ("token", "done") in acts(live.house, "100001")


def test_discovery_names_only_what_there_is(live: Live) -> None:
    said = requests.get(live.url + "/.well-known/openid-configuration", timeout=30).json()
    assert said["issuer"] == live.url
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert "device_authorization_endpoint" not in said
    assert all(said[name].startswith(live.url) for name in said if name.endswith("_endpoint"))


def test_who_is_signed_in_is_not_asked_again(vendor: Vendor, visitor: Visitor) -> None:
    assert len(told(visitor.go(vendor.authorize()))["code"]) >= 30
    assert len(told(visitor.go(vendor.authorize(prompt="none")))["code"]) >= 30


def test_nobody_is_sent_to_an_address_that_is_not_registered(vendor: Vendor, visitor: Visitor) -> None:
    for address in ("https://evil.example/back", BACK + "/more", BACK + "?x=1", "https://vendor.example", ""):
        answer = visitor.go(vendor.authorize(redirect_uri=address))
        assert answer.status_code == 400, address
        assert "Location" not in answer.headers
    assert visitor.go(vendor.authorize(client_id="unknown")).status_code == 400


def test_without_pkce_there_is_no_code(vendor: Vendor, visitor: Visitor) -> None:
    for changed in (
        {"code_challenge": ""},
        {"code_challenge_method": ""},
        {"code_challenge_method": "plain"},
    ):
        said = told(visitor.go(vendor.authorize(**changed)))
        assert said["error"] == "invalid_request"
        assert "code" not in said


def test_other_flows_than_a_code_are_refused(vendor: Vendor, visitor: Visitor) -> None:
    for kind in ("token", "id_token", "code id_token", "id_token token"):
        answer = visitor.go(vendor.authorize(response_type=kind, nonce="n" * 16))
        assert "access_token=" not in answer.headers.get("Location", "")
        assert "id_token=" not in answer.headers.get("Location", "")
        assert "error" in answer.headers.get("Location", "error")


def test_a_code_is_good_once_and_only_with_its_verifier(vendor: Vendor, visitor: Visitor) -> None:
    code = told(visitor.go(vendor.authorize()))["code"]
    assert vendor.redeem(code, verifier="w" * 64).json()["error"] == "invalid_grant"
    code = told(visitor.go(vendor.authorize()))["code"]
    first = vendor.redeem(code)
    assert first.status_code == 200
    assert "refresh_token" not in first.json()
    assert vendor.redeem(code).json()["error"] == "invalid_grant"


def test_a_code_is_of_no_use_to_another_system(vendor: Vendor, visitor: Visitor, live: Live) -> None:
    assert live.house.city is not None
    other = Vendor(*Clients(live.house.city).register(Wish("他社", (BACK,), own=True), BY), live)
    code = told(visitor.go(vendor.authorize()))["code"]
    assert other.redeem(code).json()["error"] == "invalid_grant"
    wrong = Vendor(vendor.id, "guessed", live)
    assert wrong.redeem(code).json()["error"] == "invalid_client"
    assert vendor.redeem(code, redirect_uri=AFTER).json()["error"] == "invalid_request"


def test_a_state_that_is_not_its_own_is_refused_by_the_client(
    vendor: Vendor, visitor: Visitor, live: Live
) -> None:
    library = vendor.library()
    said = told(visitor.go(library.begin("kiban").removeprefix(live.url)))
    with pytest.raises(KeyError):
        library.finalize(live.url, {**said, "state": "forged"})


def test_a_stranger_is_asked_for_consent_and_may_say_no(visitor: Visitor, live: Live) -> None:
    assert live.house.city is not None
    other = Vendor(*Clients(live.house.city).register(Wish("他市", (BACK,)), BY), live)
    assert told(visitor.go(other.authorize(scope="openid", prompt="none")))["error"] == "consent_required"
    page = visitor.go(other.authorize(scope="openid profile"))
    assert "「他市」への情報の提供" in page.text
    signed = page.text.split('name="request" value="')[1].split('"')[0]
    no = visitor.go("/identity/o/authorize", request=signed, action="cancel", scopes="openid")
    assert told(no)["error"] == "access_denied"
    yes = visitor.go("/identity/o/authorize", request=signed, action="grant", scopes="openid")
    answer = other.redeem(told(yes)["code"])
    claims = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    known = requests.get(live.url + "/identity/o/api/userinfo", headers=claims, timeout=30).json()
    assert set(known) == {"sub"}  # only what was granted


def test_more_than_was_registered_is_not_given(vendor: Vendor, visitor: Visitor, live: Live) -> None:
    assert live.house.city is not None
    other = Vendor(*Clients(live.house.city).register(Wish("氏名だけ", (BACK,), own=True), BY), live)
    assert told(visitor.go(other.authorize(scope="openid kiban")))["error"] == "invalid_scope"


def test_who_signs_out_everywhere_is_known_to_no_system_any_more(
    vendor: Vendor, visitor: Visitor, live: Live, anna: Person
) -> None:
    tokens = vendor.redeem(told(visitor.go(vendor.authorize()))["code"]).json()
    claims = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert requests.get(live.url + "/identity/o/api/userinfo", headers=claims, timeout=30).status_code == 200
    visitor.sign_out_everywhere(anna)
    assert requests.get(live.url + "/identity/o/api/userinfo", headers=claims, timeout=30).status_code == 401
    assert "職員番号" in visitor.go(vendor.authorize()).text


@pytest.mark.filterwarnings("ignore:The default scheme")  # of allauth, about Django 6
def test_a_system_ends_the_session_and_gets_the_person_back(
    vendor: Vendor, visitor: Visitor, live: Live
) -> None:
    tokens = vendor.redeem(told(visitor.go(vendor.authorize()))["code"]).json()
    asked = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": AFTER, "state": "x"}
    page = visitor.go("/identity/o/logout?" + urlencode(asked))
    assert "サインアウトしますか" in page.text
    assert "form-action 'self' https://vendor.example;" in page.headers["Content-Security-Policy"]
    end = visitor.go("/identity/o/logout", action="logout", **asked)
    assert end.headers["Location"] == AFTER + "?state=x"
    assert "職員番号" in visitor.go("/account").text
    evil = visitor.go(
        "/identity/o/logout?" + urlencode({**asked, "post_logout_redirect_uri": "https://evil.example/"})
    )
    assert "Location" not in evil.headers


def test_what_was_signed_by_a_retired_key_is_still_known(
    vendor: Vendor, visitor: Visitor, live: Live
) -> None:
    city = live.house.city
    assert city is not None
    assert city.home is not None

    def known() -> set[str]:
        return {
            each["kid"]
            for each in requests.get(live.url + "/.well-known/jwks.json", timeout=30).json()["keys"]
        }

    def kid() -> str:
        tokens = vendor.redeem(told(visitor.go(vendor.authorize()))["code"]).json()
        return str(jwt.get_unverified_header(tokens["id_token"])["kid"])

    before, first = kid(), known()
    later = keys.read(city.home)[0].since + timedelta(hours=1)
    keys.rotate(city.home, later)
    after = kid()
    assert after != before
    assert after in first  # it was published before it signed
    assert {before, after} < known()
