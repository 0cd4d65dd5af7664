"""What the web serves, handed to it once: no view reaches for anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kiban.access import Authority
from kiban.linkage import api
from kiban.web.city import City

NAME = "kiban.house"
"""Under which it stands in the environment of a request."""
SYSTEM = "kiban.system"
"""Under which the system stands there that a good token belongs to, for the line in the log."""


@dataclass(frozen=True)
class House:
    """The parts behind the addresses.

    Attributes:
        authority: gives out tokens and knows them.
        reading: the read API of the contracts.
        numbering: the numbering API of 住登外者; None where it is not served.
        healthy: raises a `Problem` where the registers cannot be reached.
        now: the time in UTC.
        hosts: names and addresses under which requests may come.
        bytes: most bytes of a body.
        metrics: networks that may read /metrics.
        proxies: how many proxies of the city stand before it; each adds the address of its caller to X-Forwarded-For.
        city: what pages of people at work stand on; None where only the API is served.
    """

    authority: Authority
    reading: api.Reading
    numbering: api.Numbering | None
    healthy: Callable[[], None]
    now: Callable[[], datetime]
    hosts: tuple[str, ...]
    bytes: int = 256 * 1024
    metrics: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    proxies: int = 0
    city: City | None = None
