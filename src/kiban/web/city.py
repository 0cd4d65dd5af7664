"""What pages of people at work stand on, handed to the web once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from kiban.access import Access, People, Policies, audit
from kiban.linkage import status
from kiban.store import Store

JAPAN = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class City:
    """The parts behind the pages.

    Attributes:
        title: the name of the city, such as 神戸市.
        store: the registers.
        access: people, audit, systems.
        policies: who may do what.
        accounts: how Django reaches accounts and sessions; see `signin.install`.
        now: the time in UTC.
        home: folder with the keys and providers of sign-in; None where other systems sign nobody in here, and nobody signs in
            elsewhere.
        flows: how the flows of the linkage stand; None where nothing is linked.
        keeping: folder with the key of the audit trail, its roots and the city's holidays; None where the trail is not sealed here.
        sessions: how many sessions one person may have at once; one more ends the oldest.
        searches: how many pages of the search one person may open within ten minutes, at each worker of the service.
        migrations: folder with a folder for each migration and its packet; None where nothing is migrated.
    """

    title: str
    store: Store
    access: Access
    policies: Policies
    accounts: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]
    home: Path | None = None
    extracts: Path | None = None
    flows: Callable[[], Sequence[status.FlowView]] | None = None
    keeping: Path | None = None
    migrations: Path | None = None
    sessions: int = 5
    searches: int = 600

    @property
    def people(self) -> People:
        """Offices, staff and assignments."""
        return self.access.people

    @property
    def audit(self) -> audit.Audit:
        """What everybody did."""
        return self.access.audit


def today(city: City) -> date:
    """The day in Japan."""
    return city.now().astimezone(JAPAN).date()
