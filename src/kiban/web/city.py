"""What pages of people at work stand on, handed to the web once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from kiban.access import Access
from kiban.store import Store

JAPAN = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class City:
    """The parts behind the pages.

    Attributes:
        title: the name of the city, such as 神戸市.
        store: the registers.
        access: people, policies, audit, systems.
        accounts: how Django reaches accounts and sessions; see `signin.install`.
        now: the time in UTC.
    """

    title: str
    store: Store
    access: Access
    accounts: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]


def today(city: City) -> date:
    """The day in Japan."""
    return city.now().astimezone(JAPAN).date()
