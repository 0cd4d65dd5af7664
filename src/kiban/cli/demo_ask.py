"""The demonstration of the API: a library that is a system of its own signs in and asks who has moved."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from joserfc import jwt
from joserfc.jwk import OctKey

from kiban import access
from kiban.cli import demo_moves, served
from kiban.cli.demo_link import LIBRARY, Line, now
from kiban.linkage import api


def ask(line: Line, movers: Sequence[str]) -> None:
    """The library asks the API about those who moved and about a protected person, as a system of its own."""
    secret = _registered(line)
    people = [*movers, *demo_moves.protected(line.opened, 1)]
    home = line.given.home
    environ = {**os.environ, "KIBAN_HOME": str(home), "KIBAN_CONTRACTS": str(line.given.contracts[0])}
    with served.served(["--key", str(home / "city.pem")], environ, home / "serve.log") as port:
        url = f"http://127.0.0.1:{port}"
        contract = line.known.flow(LIBRARY)
        token = _token(url, *secret, str(api.read_scope(contract, contract.feeds[0])))
        asked = {
            "keys": {"atenabango": people},
            "fields": ["atenabango", "jusho_shikugunchosonmei"],
            "as_of": (now() + timedelta(hours=9)).date().isoformat(),
        }
        path = f"/link/{contract.flow}/{contract.feeds[0].name}"
        question = api.envelope(
            path, asked, id=str(uuid.uuid4()), purpose=contract.purpose, user="L01-窓口", case="実演"
        )
        request = Request(  # noqa: S310 - the address is the one served a moment ago
            url + path,
            question.body,
            {**question.headers, "Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            told = api.proved(question, contract.consumer.id, dict(answer.headers), answer.read())
    line.say(f"  {contract.consumer.name}: asked for {len(people)} people; {_shown(told)}")


def _shown(told: dict[str, Any]) -> str:
    places = [
        str(row["items"]["jusho_shikugunchosonmei"])
        if not row["withheld"]
        else f"[b]支援措置（{row['protection']['state']}）：住所は渡さない[/b]"
        for row in told["rows"]
    ]
    return f"the answer is proved to belong to this question: {'、'.join(places)}"


def _registered(line: Line) -> tuple[str, str]:
    with access.open_access(line.opened, access.seal(line.given.home / "access.key")) as systems:
        found = systems.systems.add(access.Registration("L01", "図書館カードシステム"), now())
        return found.client_id, found.secret


def _token(url: str, client_id: str, secret: str, scope: str) -> str:
    """An access token by client_secret_jwt, as the common-function standard wants it."""
    endpoint, moment = f"{url}/oauth/token", int(now().timestamp())
    claims: dict[str, str | int] = {
        "iss": client_id,
        "sub": client_id,
        "aud": endpoint,
        "jti": str(uuid.uuid4()),
    }
    claims |= {"iat": moment, "exp": moment + 60}
    body = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret)),
    }
    request = Request(endpoint, urlencode(body).encode())  # noqa: S310 - the address is the one served a moment ago
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        return str(json.load(answer)["access_token"])
