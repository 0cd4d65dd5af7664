"""A vendor's system for the demonstration: it knows nobody, and lets the city say who is there (OpenID Connect, code with PKCE)."""

from __future__ import annotations

import html
import os
import secrets
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from joserfc import jwt
from joserfc.jwk import KeySet

ID, SECRET = "KIBAN_DEMO_VENDOR_ID", "KIBAN_DEMO_VENDOR_SECRET"
SCOPES = "openid profile kiban"
_WAIT = 30
_MOST = 1000
_STYLE = "body{font:1.1rem/1.8 sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}dt{font-weight:700}"


@dataclass
class Vendor:
    """The system.

    Attributes:
        issuer: address of the city.
        address: its own.
        begun: sign-ins under way, by the browser: state, nonce and verifier.
        here: who is signed in, by the browser.
    """

    issuer: str
    address: str
    begun: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    here: dict[str, dict[str, Any]] = field(default_factory=dict)

    def session(self, state: str | None = None) -> Any:
        """What speaks OAuth 2.0 for it."""
        return OAuth2Session(
            os.environ[ID],
            os.environ[SECRET],
            scope=SCOPES,
            redirect_uri=f"{self.address}/back",
            state=state,
            code_challenge_method="S256",
        )

    def said(self) -> dict[str, Any]:
        """What the city says of its endpoints."""
        found: dict[str, Any] = requests.get(
            f"{self.issuer}/.well-known/openid-configuration", timeout=_WAIT
        ).json()
        return found

    def begin(self, browser: str) -> str:
        """Where the browser has to go to sign in."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        endpoint = self.said()["authorization_endpoint"]
        url, state = self.session().create_authorization_url(endpoint, code_verifier=verifier, nonce=nonce)
        if len(self.begun) >= _MOST:
            self.begun.clear()
        self.begun[browser] = (state, nonce, verifier)
        return str(url)

    def end(self, browser: str, back: str) -> bool:
        """Take who came back; whether that worked."""
        state, nonce, verifier = self.begun.pop(browser, ("", "", ""))
        if not state or parse_qs(urlsplit(back).query).get("state") != [state]:
            return False
        said = self.said()
        answer = self.session(state).fetch_token(
            said["token_endpoint"], authorization_response=f"{self.address}{back}", code_verifier=verifier
        )
        keys = KeySet.import_key_set(requests.get(said["jwks_uri"], timeout=_WAIT).json())
        claims = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": os.environ[ID]},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        told = requests.get(
            said["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {answer['access_token']}"},
            timeout=_WAIT,
        ).json()
        self.here[browser] = {**claims, **told, "_hint": answer["id_token"]}
        return True

    def out(self, browser: str) -> str:
        """Where the browser has to go to sign out everywhere."""
        hint = self.here.pop(browser, {}).get("_hint", "")
        asked = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": f"{self.address}/"})
        return f"{self.said()['end_session_endpoint']}?{asked}"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, vendor: Vendor, *given: Any) -> None:
        self._vendor = vendor  # first: to begin is to answer
        super().__init__(*given)

    def do_GET(self) -> None:
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        known = cookies["vendor"].value if "vendor" in cookies else ""
        browser = known or secrets.token_urlsafe(24)
        path = urlsplit(self.path).path
        try:
            if path == "/go":
                self._to(self._vendor.begin(browser), browser)
            elif path == "/back":
                done = self._vendor.end(browser, self.path)
                self._to("/" if done else "/?failed", browser)
            elif path == "/out":
                self._to(self._vendor.out(browser), browser)
            else:
                self._show(self._vendor.here.get(browser), browser)
        except (requests.RequestException, ValueError, KeyError) as error:
            self._page(f"<p>基盤に確認できませんでした（{type(error).__name__}）。</p>", browser)

    def log_message(self, *_: Any) -> None:
        pass

    def _to(self, address: str, browser: str) -> None:
        self.send_response(HTTPStatus.FOUND)
        self.send_header("Location", address)
        self._cookie(browser)

    def _cookie(self, browser: str) -> None:
        self.send_header("Set-Cookie", f"vendor={browser}; HttpOnly; SameSite=Lax; Path=/")
        self.end_headers()

    def _show(self, who: dict[str, Any] | None, browser: str) -> None:
        if who is None:
            self._page(
                '<p>このシステムは職員を知りません。基盤が確認します。</p><p><a href="/go">基盤でサインイン</a></p>',
                browser,
            )
            return
        duties = "、".join(f"{each['office_name']} {each['duty']}" for each in who.get("duties", ()))
        told = {"氏名": who.get("name"), "職員番号": who.get("staff_number"), "職務": duties}
        facts = "".join(f"<dt>{name}</dt><dd>{html.escape(str(value))}</dd>" for name, value in told.items())
        self._page(f'<dl>{facts}</dl><p><a href="/out">サインアウト</a></p>', browser)

    def _page(self, body: str, browser: str) -> None:
        title = "他社の税システム（実演）"
        head = f'<meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        text = f'<!doctype html><html lang="ja">{head}<h1>{title}</h1>{body}</html>'
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self._cookie(browser)
        self.wfile.write(text.encode())


def serve(issuer: str, port: int) -> None:
    """Serve the vendor's system on this machine until the process ends."""
    vendor = Vendor(issuer, f"http://localhost:{port}")

    ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, vendor)).serve_forever()
