"""People sign in at a provider elsewhere: a certified one that is not ours, live on a port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from wsgiref.simple_server import make_server

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from tests.web.conftest import _Quiet, _Server

from kiban.kernel import Problem
from kiban.web.signin import providers
from kiban.web.signin.accounts import Accounts
from kiban.web.signin.lines import By
from kiban.web.signin.providers import Provider

from .conftest import Live, Visitor, acts, codes

PATHS = {
    ".well-known/openid-configuration": "provider_config",
    "authorization": "authorization",
    "token": "token",
    "userinfo": "userinfo",
}
CLASSES = {
    "provider_config": "idpyoidc.server.oidc.provider_config.ProviderConfiguration",
    "authorization": "idpyoidc.server.oidc.authorization.Authorization",
    "token": "idpyoidc.server.oidc.token.Token",
    "userinfo": "idpyoidc.server.oidc.userinfo.UserInfo",
}
KEYS = {
    "key_defs": [{"type": "RSA", "use": ["sig"]}, {"type": "EC", "crv": "P-256", "use": ["sig"]}],
    "uri_path": "jwks",
}


@dataclass
class Elsewhere:
    """The provider."""

    url: str
    server: Any
    asked: list[dict[str, str]] = field(default_factory=list)
    twist: Callable[[str, Any], Any] = lambda path, said: said

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """An ID token by the key of the provider, or as a test wants it."""
        [held] = self.server.keyjar.get_signing_key("RSA", "")
        given = {"key": held.private_key(), "algorithm": "RS256", "headers": {"kid": held.kid}, **header}
        return jwt.encode(claims, **given)

    def answer(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        """The provider over WSGI."""
        path = environ["PATH_INFO"].strip("/")
        if path == "jwks":
            return self._said(path, self.server.keyjar.export_jwks_as_json(), start)
        endpoint = self.server.get_endpoint(PATHS[path])
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        given = dict(parse_qsl(body or environ["QUERY_STRING"]))
        if PATHS[path] == "authorization":
            self.asked.append(given)
        headers = {"authorization": environ.get("HTTP_AUTHORIZATION", "")}
        parsed = endpoint.parse_request(given, http_info={"headers": headers})
        done = endpoint.process_request(parsed, http_info={"headers": headers})
        said = endpoint.do_response(request=parsed, **done)
        if PATHS[path] == "authorization":
            start("302 Found", [("Location", said["response"])])
            return [b""]
        return self._said(path, said["response"], start)

    def _said(self, path: str, told: Any, start: Any) -> list[bytes]:
        said = self.twist(path, json.loads(told) if isinstance(told, str) else told)
        if isinstance(said, str):  # sent on to another place
            start("302 Found", [("Location", said)])
            return [b""]
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(said).encode()]


def set_up_provider(url: str, back: str) -> Any:
    """The certified library as a provider that knows one person, as its documentation says."""
    endpoints = {name: {"path": path, "class": CLASSES[name], "kwargs": {}} for path, name in PATHS.items()}
    endpoints["token"]["kwargs"] = {"client_authn_method": ["client_secret_post", "client_secret_basic"]}  # type: ignore[index]
    users = {"jiro": {"name": "灘　次郎", "employee": "100002"}, "anon": {"name": "誰か"}}
    lifetime = {"kwargs": {"lifetime": 600}}
    config: dict[str, Any] = {
        "issuer": url,
        "base_url": url,
        "key_conf": KEYS,
        "scopes_to_claims": {"openid": ["sub"], "profile": ["name", "employee"]},
        "token_handler_args": {
            "code": lifetime,
            "token": lifetime,
            "id_token": {"class": "idpyoidc.server.token.id_token.IDToken"},
        },
        "endpoint": endpoints,
        "add_ons": {
            "pkce": {
                "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
                "kwargs": {"essential": True},
            }
        },
        "userinfo": {"class": "idpyoidc.server.user_info.UserInfo", "kwargs": {"db": users}},
        "authentication": {
            "none": {
                "acr": "pwd",
                "class": "idpyoidc.server.user_authn.user.NoAuthn",
                "kwargs": {"user": "jiro"},
            }
        },
        "session_params": {
            "encrypter": {
                "kwargs": {
                    "keys": {
                        "key_defs": [
                            {"type": "OCT", "use": ["enc"], "kid": "password"},
                            {"type": "OCT", "use": ["enc"], "kid": "salt"},
                        ]
                    },
                    "iterations": 1,
                }
            }
        },
    }
    server = Server(OPConfiguration(conf=config, base_path="", domain="localhost", port=0))
    server.context.cdb["kiban"] = {
        "client_id": "kiban",
        "client_secret": "a secret between the two, long enough",
        "redirect_uris": [(back, {})],
        "response_types_supported": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "allowed_scopes": ["openid", "profile"],
    }
    return server


@pytest.fixture(scope="module")
def elsewhere(live: Live) -> Iterator[Elsewhere]:
    http = make_server("127.0.0.1", 0, lambda environ, start: [], server_class=_Server, handler_class=_Quiet)
    url = f"http://localhost:{http.server_port}"
    found = Elsewhere(url, set_up_provider(url, live.url + "/account/oidc/city/login/callback/"))
    http.set_app(found.answer)
    thread = threading.Thread(target=http.serve_forever, args=(0.05,))
    thread.start()
    yield found
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def trusting(live: Live, elsewhere: Elsewhere) -> Iterator[Any]:
    """Has the city take the word of the provider."""
    assert live.house.city is not None
    home = live.house.city.home
    assert home is not None

    def made(claim: str) -> None:
        given = Provider(
            "city", "市の認証基盤", elsewhere.url, "kiban", "a secret between the two, long enough", claim
        )
        providers.add(home, given)

    yield made
    (home / "providers.json").unlink()
    elsewhere.twist = lambda path, said: said


def through(visitor: Visitor, elsewhere: Elsewhere) -> requests.Response:
    """From the page of sign-in to the provider and back."""
    assert "市の認証基盤でサインイン" in visitor.go("/account/login/").text
    out = visitor.go("/account/oidc/city/login/", process="login")
    assert out.headers["Location"].startswith(elsewhere.url + "/authorization?")
    back = requests.get(out.headers["Location"], allow_redirects=False, timeout=30)
    return visitor.go(back.headers["Location"])


def test_a_claim_that_the_file_names_opens_the_account_and_the_second_factor_is_asked_for(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any
) -> None:
    jiro, visitor = person("100002"), Visitor(live)
    trusting("employee")
    page = through(visitor, elsewhere)
    assert "第二要素の確認" in page.text
    visitor.go("/account/2fa/authenticate/", code=codes(jiro.secret))
    assert "灘　次郎" in visitor.go("/account").text
    assert elsewhere.asked[-1]["code_challenge_method"] == "S256"
    assert len(elsewhere.asked[-1]["nonce"]) >= 43
    assert ("provider", "done") in acts(live.house, "100002")


def test_nobody_gets_an_account_by_the_word_of_another(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any
) -> None:
    from kiban.web.signin.models import Account

    person("100002")
    before = Account.objects.count()
    trusting("")
    page = through(Visitor(live), elsewhere)
    assert page.status_code == 403
    assert "アカウントは登録されていません" in page.text
    assert Account.objects.count() == before
    assert acts(live.house)[0] == ("provider", "refused")


def test_an_administrator_links_an_account(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any
) -> None:
    person("100002")
    trusting("")
    visitor = Visitor(live)
    out = visitor.go("/account/oidc/city/login/", process="login")
    back = requests.get(out.headers["Location"], allow_redirects=False, timeout=30)
    assert live.house.city is not None
    assert visitor.go(back.headers["Location"]).status_code == 403
    said = elsewhere.server.context.session_manager
    subs = {each.sub for each in said.db.values() if getattr(each, "sub", "")}
    Accounts(live.house.city).link("100002", "city", subs.pop(), By("900001"))
    assert "第二要素の確認" in through(Visitor(live), elsewhere).text


def test_a_state_that_was_not_given_out_is_refused(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any
) -> None:
    person("100002")
    trusting("employee")
    visitor = Visitor(live)
    out = visitor.go("/account/oidc/city/login/", process="login")
    back = requests.get(out.headers["Location"], allow_redirects=False, timeout=30).headers["Location"]
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert "確認できませんでした" in visitor.go(back.replace(state, "forged")).text
    assert "確認できませんでした" in Visitor(live).go(back).text  # another browser


def _claims(**changed: Any) -> Callable[[Elsewhere, dict[str, Any]], str]:
    return lambda elsewhere, claims: elsewhere.sign({**claims, **changed})


def _by(**header: Any) -> Callable[[Elsewhere, dict[str, Any]], str]:
    return lambda elsewhere, claims: elsewhere.sign(claims, **header)


FORGED: dict[str, Callable[[Elsewhere, dict[str, Any]], str]] = {
    "a key of somebody else": _by(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "a key that is not published": _by(headers={"kid": "unknown"}),
    "the secret that both have": _by(key="a secret between the two, long enough", algorithm="HS256"),
    "nobody": _by(key=None, algorithm="none"),
    "another issuer": _claims(iss="https://idp.example"),
    "another city": _claims(aud="another"),
    "several, and not this city": _claims(aud=["kiban", "another"], azp="another"),
    "what is over": _claims(exp=1_700_000_000, iat=1_699_999_000),
    "another sign-in": _claims(nonce="n" * 43),
    "no sign-in": lambda elsewhere, claims: elsewhere.sign(
        {name: said for name, said in claims.items() if name != "nonce"}
    ),
    "somebody else than userinfo": _claims(sub="somebody else"),
}
"""ID tokens that do not hold, by what is wrong with them."""


@pytest.mark.parametrize("wrong", FORGED)
def test_an_id_token_opens_nothing_that_is_signed_by_or_for(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any, wrong: str
) -> None:
    def twist(path: str, said: Any) -> Any:
        if path != "token":
            return said
        claims = jwt.decode(said["id_token"], options={"verify_signature": False})
        return {**said, "id_token": FORGED[wrong](elsewhere, claims)}

    person("100002")
    trusting("employee")
    elsewhere.twist = twist
    page = through(Visitor(live), elsewhere)
    assert page.status_code in (401, 403)
    assert acts(live.house)[0] in [("provider", "failed"), ("provider", "refused")]
    assert ("provider", "done") not in acts(live.house)[:1]


def test_an_id_token_as_the_provider_signs_it_opens_the_account(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any
) -> None:
    """What stands before would hold for anything, if this did not."""

    def twist(path: str, said: Any) -> Any:
        if path != "token":
            return said
        claims = jwt.decode(said["id_token"], options={"verify_signature": False})
        return {**said, "id_token": elsewhere.sign(claims)}

    person("100002")
    trusting("employee")
    elsewhere.twist = twist
    assert "第二要素の確認" in through(Visitor(live), elsewhere).text


def _itself(**changed: str) -> Callable[[str, Any], Any]:
    return lambda path, said: {**said, **changed} if path.startswith(".well-known") else said


@pytest.mark.parametrize(
    "twist",
    [
        _itself(issuer="https://idp.example"),
        _itself(jwks_uri="ftp://localhost/jwks"),
        lambda path, said: "http://127.0.0.1:9/" if path.startswith(".well-known") else said,
        lambda path, said: [] if path.startswith(".well-known") else said,
    ],
    ids=["calls itself otherwise", "leads out of TLS", "sends on elsewhere", "says nothing"],
)
def test_a_provider_that_is_not_what_the_file_says_is_not_gone_to(
    live: Live, elsewhere: Elsewhere, trusting: Any, twist: Any
) -> None:
    trusting("employee")
    elsewhere.twist = twist
    page = Visitor(live).go("/account/oidc/city/login/", process="login")
    assert page.status_code == 401
    assert "確認できませんでした" in page.text
    assert acts(live.house)[0] == ("provider", "failed")


@pytest.mark.parametrize("path", ["token", "userinfo", "jwks"])
def test_nothing_is_followed_where_a_provider_sends_on(
    live: Live, elsewhere: Elsewhere, trusting: Any, person: Any, path: str
) -> None:
    person("100002")
    trusting("employee")
    elsewhere.twist = lambda asked, said: elsewhere.url + "/" + path if asked == path else said
    assert through(Visitor(live), elsewhere).status_code == 401


def test_nobody_links_herself(live: Live, elsewhere: Elsewhere, trusting: Any, person: Any) -> None:
    trusting("")
    visitor = Visitor(live)
    visitor.sign_in(person("100001"))
    out = visitor.go("/account/oidc/city/login/?process=connect", process="connect")
    back = requests.get(out.headers["Location"], allow_redirects=False, timeout=30)
    assert visitor.go(back.headers["Location"]).status_code == 403


def test_a_provider_without_tls_is_not_taken(tmp_path: Any) -> None:
    with pytest.raises(Problem, match="TLS"):
        providers.add(tmp_path, Provider("x", "x", "http://idp.example", "kiban", "secret"))
    assert providers.read(tmp_path) == ()
