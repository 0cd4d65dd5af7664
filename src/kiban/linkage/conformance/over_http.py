"""A consumer under test over HTTP: whoever builds one puts this small door before it for the test, and only for the test.

Every request is a POST of JSON with an answer in JSON: `/begin`, `/restart`, `/deliver` (lines of messages; the answer is
the list of outcomes), `/rows` {"feed"}, `/effects`, `/hear` {"beat", "now"}, `/protection` {"unit", "now"}, and of sets
`/take`. `door` is such a door for any subject.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kiban.kernel import Problem
from kiban.linkage.conformance.subject import Subject
from kiban.linkage.message import Row

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

_PATIENCE = 60.0  # seconds


class HttpSubject:
    """A consumer reached by its door."""

    def __init__(self, url: str) -> None:
        """A consumer.

        Args:
            url: of the door, http:// or https://.

        Raises:
            Problem: `subject-address`.
        """
        if not url.startswith(("http://", "https://")):
            raise Problem("subject-address", "the address is not one of HTTP", url, "write http://HOST:PORT")
        self._url = url.rstrip("/")

    def begin(self) -> None:
        """Forget everything."""
        self._ask("begin", {})

    def deliver(self, messages: Sequence[bytes]) -> Sequence[str]:
        """Take messages in this order."""
        return [
            str(each) for each in self._ask("deliver", {"messages": [each.decode() for each in messages]})
        ]

    def rows(self, feed: str) -> Sequence[Row]:
        """All rows of a group."""
        return list(self._ask("rows", {"feed": feed}))

    def effects(self) -> Sequence[str]:
        """The messages that took effect."""
        return [str(each) for each in self._ask("effects", {})]

    def hear(self, beat: bytes, now: datetime) -> None:
        """Take a heartbeat."""
        self._ask("hear", {"beat": beat.decode(), "now": now.isoformat()})

    def protection(self, unit: str, now: datetime) -> str:
        """What counts of the protection of a unit at a moment."""
        return str(self._ask("protection", {"unit": unit, "now": now.isoformat()}))

    def restart(self) -> None:
        """Stop without warning and start again."""
        self._ask("restart", {})

    def take(self) -> None:
        """Look at the shelf of sets now."""
        self._ask("take", {})

    def _ask(self, what: str, body: object) -> Any:
        address = f"{self._url}/{what}"
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            address, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            what = f"the consumer answered {error.code}"
            raise Problem("subject-failed", what, address, "see the consumer's own log") from error
        except (OSError, ValueError) as error:
            what = "the consumer does not answer in JSON"
            fix = "start its door for the test; docs/contracts.md says what it answers"
            raise Problem("subject-unreachable", what, address, fix) from error


def door(
    subject: Subject, take: Callable[[], None] | None = None
) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """A WSGI application that is the door of a consumer: for tests, and to try one's own against. It asks for no password.

    `take` has it look at its shelf of sets; a consumer without one answers that with 404.
    """
    answers: dict[str, Callable[[Any], Any]] = {
        "/begin": lambda _body: subject.begin(),
        "/restart": lambda _body: subject.restart(),
        "/deliver": lambda body: subject.deliver([each.encode() for each in body["messages"]]),
        "/rows": lambda body: [dict(row) for row in subject.rows(body["feed"])],
        "/effects": lambda _body: list(subject.effects()),
        "/hear": lambda body: subject.hear(body["beat"].encode(), datetime.fromisoformat(body["now"])),
        "/protection": lambda body: subject.protection(body["unit"], datetime.fromisoformat(body["now"])),
    }

    if take is not None:
        answers["/take"] = lambda _body: take()

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        asked = answers.get(environ.get("PATH_INFO", ""))
        if asked is None or environ["REQUEST_METHOD"] != "POST":
            start("404 Not Found", [("Content-Type", "application/json")])
            return [b"null"]
        body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        told = json.dumps(asked(body)).encode()
        start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(told)))])
        return [told]

    return answer
