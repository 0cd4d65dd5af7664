"""How to reach a broker as one of its users."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from kiban.kernel import Problem
from kiban.linkage.broker import names


@dataclass(frozen=True)
class Address:
    """Where a broker is and as whom to work there.

    Attributes:
        servers: nats:// or tls:// addresses, without a password in them.
        user: name of the user; None where the server asks for none.
        password: of the user; not part of the printed form.
    """

    servers: tuple[str, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    async def connect(self, patience: float = 10.0, **options: Any) -> Client:
        """A connection that reconnects for ever, once it was made.

        Args:
            patience: seconds for the first connection: who is at the terminal has to hear of it.
            options: those of `nats.connect` that differ.

        Raises:
            Problem: `broker-unreachable`.
        """
        given: dict[str, Any] = {
            "servers": list(self.servers),
            "inbox_prefix": names.inbox(self.user or names.PLATFORM),
            "max_reconnect_attempts": -1,
            "reconnect_time_wait": 0.1,
            "connect_timeout": 5,
            "error_cb": _quiet,
            "pending_size": 64 * 2**20,
        }
        if self.user is not None:
            given |= {"user": self.user, "password": self.password}
        client = Client()
        try:
            await asyncio.wait_for(client.connect(**{**given, **options}), patience)
            return client
        except (OSError, nats.errors.Error, TimeoutError) as error:
            transport = client._transport
            if transport is not None:
                transport.close()  # type: ignore[no-untyped-call]
            raise Problem(
                "broker-unreachable",
                f"the broker does not answer: {type(error).__name__}",
                ", ".join(self.servers),
                "see `kiban link broker status`",
            ) from None


async def _quiet(_: Exception) -> None:
    """What goes wrong shows at the call that needs it; the library's own log would print subjects."""


def read_address(servers: str, credentials: Path | None) -> Address:
    """The address of a broker of the city's own.

    Args:
        servers: addresses joined by commas.
        credentials: a JSON file with `user` and `password`; None where the server asks for none.

    Raises:
        Problem: `broker-credentials`.
    """
    found = tuple(each.strip() for each in servers.split(",") if each.strip())
    if credentials is None:
        return Address(found)
    try:
        body = json.loads(credentials.read_text(encoding="utf-8"))
        return Address(found, str(body["user"]), str(body["password"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise Problem(
            "broker-credentials",
            "the credentials of the broker cannot be read",
            str(credentials),
            'write {"user": "…", "password": "…"} into a file of mode 0600',
        ) from None
