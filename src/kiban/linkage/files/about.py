"""What is said of the rows of a set, in a part of its own: each feed with its digests, the event after which all is as known.

The manifest of the set names the bytes of this part, and so its signature covers all that stands here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from kiban import sets, store
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, UNKNOWN
from kiban.sets import Buckets, Column

ABOUT, UNITS, PROTECTION = "about.json", "units.csv", "protection.csv"
"""Names of the parts of a set that hold no rows of a feed."""

COMPANIONS = (UNITS, PROTECTION, ABOUT)


@dataclass(frozen=True)
class FeedSaid:
    """What is said of the rows of one feed.

    Attributes:
        name: of the feed.
        edition: of the standard, such as kiban-2026.1.
        register: schema.table at the provider.
        key: names of the columns that tell the rows apart.
        columns: every column, in order.
        rows: how many.
        sums: of the columns of whole numbers that are no key: name -> value.
        buckets: digests of the rows.
    """

    name: str
    edition: str
    register: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: int
    sums: Mapping[str, int]
    buckets: Buckets

    @property
    def digest(self) -> str:
        """One digest of all rows."""
        return sets.digest_of(self.buckets)


@dataclass(frozen=True)
class About:
    """What is said of a set.

    Attributes:
        flow: `Contract.flow`.
        contract: digest of the contract it was made under.
        event: number of the provider's event after which the rows are as known.
        previous: the same of the set before it in the flow; 0 for the first.
        protection: what a unit is that `protection.csv` does not name: `clear`, or `unknown` where the provider cannot tell.
        held: how many units were held back, because a value of theirs does not fit into the files.
        feeds: in the order of the contract.
    """

    flow: str
    contract: str
    event: int
    previous: int
    protection: str
    held: int
    feeds: tuple[FeedSaid, ...]

    @property
    def rows(self) -> int:
        """Rows of all feeds."""
        return sum(feed.rows for feed in self.feeds)

    @property
    def digest(self) -> str:
        """One digest of all feeds; see `digest_of_feeds`."""
        return digest_of_feeds({feed.name: feed.digest for feed in self.feeds})


def digest_of_feeds(digests: Mapping[str, str]) -> str:
    """One digest of what is held of all feeds of a contract: SHA-256 of a line `name digest` for each, in the order of names."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def digest_columns(feed: Feed) -> tuple[Column, ...]:
    """How the columns of a feed enter the digest of a row, on both sides."""
    return tuple(store.digest_columns(feed.group, feed.columns))


def key_columns(feed: Feed) -> tuple[Column, ...]:
    """How the columns of its key do."""
    named = {column.name: column for column in digest_columns(feed)}
    return tuple(named[name] for name in feed.key)


def sum_names(feed: Feed) -> tuple[str, ...]:
    """The columns of whole numbers that are added up beside the count."""
    return tuple(
        column.name
        for column in digest_columns(feed)
        if column.kind == "integer" and not feed.group.item(column.name).key
    )


def digester(feed: Feed, memory: str = "1GB") -> sets.Digester:
    """Computes the figures of rows of a feed."""
    return sets.Digester(key_columns(feed), digest_columns(feed), sum_names(feed), memory)


def said(feed: Feed, figures: sets.Figures) -> FeedSaid:
    """What is said of the rows with these figures."""
    return FeedSaid(
        feed.name,
        feed.edition.edition,
        feed.register,
        feed.key,
        digest_columns(feed),
        figures.rows,
        figures.sums,
        figures.buckets,
    )


def about_bytes(about: About) -> bytes:
    """The part as it is written: JSON in UTF-8 with sorted names."""
    body = {name: getattr(about, name) for name in _FIELDS}
    body["feeds"] = [_feed_body(feed) for feed in about.feeds]
    return orjson.dumps({**_HEAD, **body}, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def read_about(data: bytes) -> About:
    """The part of a set, if it is one.

    Raises:
        Problem: `about-unreadable`.
    """
    try:
        body = orjson.loads(data)
        if {name: body.pop(name, None) for name in _HEAD} != _HEAD or set(body) != set(_FIELDS):
            raise ValueError
        about = About(**(body | {"feeds": tuple(map(_feed, body["feeds"]))}))
        if about.protection not in (CLEAR, UNKNOWN) or about_bytes(about) != data:
            raise ValueError
    except (orjson.JSONDecodeError, ValueError, TypeError, KeyError, AttributeError):
        fix = "have the provider publish the set again, under a new id"
        raise Problem("about-unreadable", "what is said of the set has not its form", ABOUT, fix) from None
    return about


def about_of(shelf: sets.Shelf, manifest: sets.Manifest, scratch: Path) -> About:
    """What is said of a set that lies on a shelf.

    Raises:
        Problem: `about-missing` where it is no set of the linkage, `about-unreadable`, `part-missing`, `part-changed`.
    """
    return read_about(companion(shelf, manifest, ABOUT, scratch))


def companion(shelf: sets.Shelf, manifest: sets.Manifest, name: str, scratch: Path) -> bytes:
    """The bytes of a part that holds no rows.

    Raises:
        Problem: `about-missing`, `part-missing`, `part-changed`.
    """
    for part in manifest.parts:
        if part.name == name:
            with sets.part_file(shelf, manifest, part, scratch=scratch) as file:
                return file.read_bytes()
    fix = "have the provider publish it by kiban link files publish, or as docs/link-files.md says"
    raise Problem("about-missing", f"the set has no part {name}", manifest.flow, fix)


def misfits(about: About, contract: Contract) -> list[Problem]:
    """Why a set is not one of a contract as it stands here: another flow, other feeds, other columns; none where it is."""
    fix = "have provider and consumer use one version of the contract"
    if about.flow != contract.flow:
        return [Problem("set-other-flow", f"the set is of the flow {about.flow}", contract.flow, fix)]
    if [feed.name for feed in about.feeds] != [feed.name for feed in contract.feeds]:
        return [
            Problem(
                "set-other-feeds", "the set does not carry the groups of the contract", contract.flow, fix
            )
        ]
    return [
        Problem("set-other-columns", "not the columns of the contract", f"{contract.flow}: {feed.name}", fix)
        for told, feed in zip(about.feeds, contract.feeds, strict=True)
        if (told.key, told.columns) != (feed.key, digest_columns(feed))
    ]


_HEAD = {"document": "kiban-about", "document_version": 1}
_FIELDS = ("flow", "contract", "event", "previous", "protection", "held", "feeds")


def _feed_body(feed: FeedSaid) -> dict[str, Any]:
    body: dict[str, Any] = {name: getattr(feed, name) for name in ("name", "edition", "register", "rows")}
    body["key"] = list(feed.key)
    body["columns"] = [{"name": c.name, "kind": c.kind, "scale": c.scale} for c in feed.columns]
    body["sums"] = {name: str(value) for name, value in feed.sums.items()}
    return body | {"buckets": sets.buckets_body(feed.buckets)}


def _feed(body: dict[str, Any]) -> FeedSaid:
    return FeedSaid(
        **(
            body
            | {
                "key": tuple(body["key"]),
                "columns": tuple(Column(**column) for column in body["columns"]),
                "sums": {name: int(value) for name, value in body["sums"].items()},
                "buckets": sets.read_buckets(body["buckets"]),
            }
        )
    )
