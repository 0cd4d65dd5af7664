"""A contract of the linkage: what one system gives another, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from kiban.linkage.contracts.values import Check, check_of
from kiban.standard import Edition, Group, Item

PATIENCE = timedelta(minutes=5)
"""Within which a subscriber is heard, or everybody counts as protected there."""
_LONGEST = {"day": 1, "month": 31}  # days from one set to the next; of a weekday seven


@dataclass(frozen=True)
class System:
    """A system at one end of a flow.

    Attributes:
        id: 業務ID of a standard business, or the 3-character 独自施策システム等ID that the city gives; upper-case letters and digits.
        name: its Japanese name.
        standard: whether it is a standard business; otherwise one of the city's own systems.
        business: schema of the business in Kiban's database; None where the system is somebody else's.
    """

    id: str
    name: str
    standard: bool
    business: str | None = None


@dataclass(frozen=True)
class Feed:
    """One group that a contract carries: one file, one part of a message.

    Attributes:
        edition: the edition of the standard it follows.
        group: the group.
        items: what is carried, in the order of the group; the whole key is always among them.
        unit: the item whose value says which person or household a row belongs to: order is kept within it, and what
            cannot be taken makes only this one wait.
    """

    edition: Edition = field(repr=False)
    group: Group = field(repr=False)
    items: tuple[Item, ...] = field(repr=False)
    unit: Item = field(repr=False)

    @property
    def name(self) -> str:
        """The ID of the group, under which it travels; no two feeds of a contract have the same."""
        return self.group.id

    @property
    def register(self) -> str:
        """schema.table in Kiban's database."""
        return f"{self.edition.id}.{self.group.id}"

    @property
    def has_periods(self) -> bool:
        """Whether rows carry `valid_from` and `valid_to`."""
        return self.group.kind == "register"

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """What a row has: the romaji of the items, then the period of a register."""
        return (
            *(item.romaji for item in self.items),
            *(("valid_from", "valid_to") if self.has_periods else ()),
        )

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What identifies a row among those of its unit: the subject, and the start of its period in a register."""
        return (
            *(item.romaji for item in self.group.subject),
            *(("valid_from",) if self.has_periods else ()),
        )

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The rules of the items, made ready for values of messages, in their order."""
        return tuple(check_of(item, self.edition.code_list(item)) for item in self.items)


@dataclass(frozen=True)
class Receiver:
    """What a receiver can take.

    Attributes:
        rows: most rows in one file; None without a limit.
        bytes: most bytes in one file; None without a limit.
        per_second: most messages a second; None without a limit.
        pending: how many messages may be under way to it at once.
        requests: most questions a minute to the read API; None without a limit.
        answer_bytes: most bytes of answers a minute; None without a limit.
    """

    rows: int | None = None
    bytes: int | None = None
    per_second: int | None = None
    pending: int = 1_000
    requests: int | None = None
    answer_bytes: int | None = None


@dataclass(frozen=True)
class Due:
    """When something has to have arrived.

    Attributes:
        kind: `full`, `delta` or `event`.
        at: for files, minutes of the day at which it is due in Japan's time; None for events.
        every: `day`, `month` or a weekday in small letters (`monday`), for files; None for events.
        day: the day of the month for `month`; otherwise None.
        within: for events, how long from the moment a change is recorded until it has to be applied; otherwise the
            patience after the due time before it counts as missing.
    """

    kind: str
    at: int | None
    every: str | None
    day: int | None
    within: timedelta


@dataclass(frozen=True)
class Protection:
    """How protected persons (支援措置) travel.

    Attributes:
        carried: whether messages and files carry whether their unit is protected; always so where a feed has an address.
        withheld: items of each feed that are left empty for a protected person.
        patience: for how long a consumer that hears nothing goes by what it was told; None for that of `Contract.patience`.
    """

    carried: bool
    withheld: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    patience: timedelta | None = None


@dataclass(frozen=True)
class Incoming:
    """How a flow into Kiban is applied.

    Attributes:
        auto: items of each feed that are applied without an officer; all others become proposals in the work-list.
        owner: the section whose officers decide on proposals.
    """

    auto: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)
    owner: str = ""


@dataclass(frozen=True)
class Contract:
    """One flow between two systems.

    Attributes:
        id: of the flow: small letters, digits and hyphens. Never changes with the version.
        title: Japanese name.
        version: major, minor, patch. A breaking change takes a new major version; two are served side by side.
        status: `draft`, `active` or `retired` (ODCS).
        provider: who gives.
        consumer: who takes.
        basis: the legal basis, in words.
        purpose: what for (事務); it stands in every log.
        feeds: what is carried, at least one.
        ways: how: some of `event`, `file`, `api`.
        profile: name of the profile of the national or local file details; None where no files travel.
        due: when what has to have arrived.
        receiver: the limits of the receiver.
        quality: the rules of each feed as ODCS states them.
        protection: how protected persons travel.
        incoming: how it is applied; only where the consumer is a business in Kiban's database.
        owner: who answers for what cannot be delivered, in words.
        effective: first day it is in force.
        until: the day after the last; None where open.
        digest: SHA-256 of the file without its signature, hex.
        signed_by: public keys whose signature over the digest stands beside the file; none for a draft.
        path: where it was read from.
        document: the file as it was read.
    """

    id: str
    title: str
    version: tuple[int, int, int]
    status: str
    provider: System
    consumer: System
    basis: str
    purpose: str
    feeds: tuple[Feed, ...]
    ways: frozenset[str]
    profile: str | None
    due: tuple[Due, ...]
    receiver: Receiver
    quality: Mapping[str, tuple[Mapping[str, Any], ...]] = field(hash=False)
    protection: Protection
    incoming: Incoming | None
    owner: str
    effective: date
    until: date | None
    digest: str
    signed_by: frozenset[str] = frozenset()
    path: Path | None = field(default=None, compare=False)
    document: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)

    @property
    def flow(self) -> str:
        """The name under which it is delivered: the ID and the major version."""
        return f"{self.id}.v{self.version[0]}"

    @property
    def patience(self) -> timedelta:
        """How long after it heard last of protection a consumer may still say of anybody that there is none.

        Where the contract does not say: five minutes with events, which carry heartbeats; otherwise until the next set of
        files is late.
        """
        if self.protection.patience is not None:
            return self.protection.patience
        spans = [
            timedelta(days=_LONGEST.get(due.every or "", 7)) + due.within for due in self.due if due.every
        ]
        return PATIENCE if "event" in self.ways or not spans else min(spans)

    def feed(self, name: str) -> Feed:
        """The feed of a group.

        Raises:
            KeyError: where the contract does not carry it.
        """
        return self._feeds[name]

    @cached_property
    def _feeds(self) -> dict[str, Feed]:
        return {feed.name: feed for feed in self.feeds}
