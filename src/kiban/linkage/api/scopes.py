"""What a token has to be good for to read under contracts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from kiban.access import Scope
from kiban.linkage.contracts.model import Contract, Feed


def read_scope(contract: Contract, feed: Feed) -> Scope:
    """What a token has to be good for to read a feed."""
    return named_scope(contract.flow, feed.name, contract.provider.id)


def named_scope(flow: str, feed: str, provider: str) -> Scope:
    """What a token has to be good for to read under these names, whether they are known or not."""
    return Scope(provider, f"link/{flow}/{feed}", "Read")


def readable(contracts: Iterable[Contract], day: date) -> list[Contract]:
    """The contracts whose flow is read by API on a day, from a business in Kiban's database."""
    return [
        each
        for each in contracts
        if "api" in each.ways
        and each.status == "active"
        and each.provider.business is not None
        and each.effective <= day
        and (each.until is None or day < each.until)
    ]


def read_scopes(contracts: Iterable[Contract], system: str, day: date) -> frozenset[Scope]:
    """All that the contracts of a day let a system read."""
    return frozenset(
        read_scope(each, feed)
        for each in readable(contracts, day)
        if each.consumer.id == system
        for feed in each.feeds
    )
