"""The conditions of delivery in a contract: files, due times, limits, protection, what is applied by itself."""

from __future__ import annotations

from datetime import timedelta

from kiban.linkage.contracts.model import Due, Feed, Incoming, Protection, Receiver, System
from kiban.linkage.contracts.terms import Terms
from kiban.standard import suggest

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def read_profile(x: Terms, ways: tuple[str, ...]) -> str | None:
    """The name of the profile. Finds `contract-profile`."""
    profile = x.form("x-profile", "[a-z][a-z0-9-]*", "the name of a file under profiles/", needed=False)
    if "file" in ways and not profile:
        fix = "add x-profile with the name of a profile: kiban link contracts profiles lists them"
        x.fault("contract-profile", "files travel, and no profile says how they look", fix, "x-ways")
    if profile and "file" not in ways:
        fix = "add file to x-ways, or leave x-profile out"
        x.fault("contract-profile", "a profile is named, and no files travel", fix, "x-profile")
    return profile or None


def read_due(fields: Terms, ways: tuple[str, ...]) -> Due:
    """One due time. Finds `contract-due`."""
    kind = fields.choice("kind", ("full", "delta", "event"))
    way = "event" if kind == "event" else "file"
    if kind and way not in ways:
        fix = f"add {way} to x-ways, or leave it out"
        fields.fault("contract-due", f"{kind} is due, and {way} is no way of the contract", fix, "kind")
    within = fields.duration("within")
    if way == "event":
        fields.done()
        return Due(kind, None, None, None, within or timedelta(minutes=10))
    every = fields.choice("every", ("day", "month", *_DAYS))
    day = fields.number("day", needed=every == "month")
    if day and (day > 28 or every != "month"):
        fix = "write 1 to 28 for every: month; otherwise leave it out"
        fields.fault("contract-due", f"day {day} does not come every {every or 'time'}", fix, "day")
    due = Due(kind, fields.clock("at"), every, day, within)
    fields.done()
    return due


def read_receiver(x: Terms) -> Receiver:
    """The limits of the receiver."""
    fields = x.part("x-receiver", "the receiver")
    if fields is None:
        return Receiver()
    pending = fields.number("pending")
    found = Receiver(
        rows=fields.number("rows"),
        bytes=fields.number("bytes"),
        per_second=fields.number("per_second"),
        pending=Receiver.pending if pending is None else pending,
        requests=fields.number("requests_per_minute"),
        answer_bytes=fields.number("answer_bytes_per_minute"),
    )
    fields.done()
    return found


def has_address(feed: Feed) -> bool:
    """Whether a feed tells where somebody lives: protection then travels with it."""
    return any("住所" in item.name for item in feed.items)


def read_protection(x: Terms, feeds: tuple[Feed, ...]) -> Protection:
    """How protection travels. Finds `contract-protection`."""
    fields = x.part("x-protection", "the protection")
    if fields is None:
        fix = "add x-protection with value: {carried: true}"
        x.fault("field-missing", "the contract has no x-protection", fix, "x-protection")
        return Protection(carried=True)
    carried = fields.flag("carried")
    withheld = _items(fields, "withheld", feeds)
    patience = fields.duration("patience") if "patience" in fields.value else None
    fields.done()
    told = [feed.name for feed in feeds if has_address(feed)]
    if told and not carried:
        what = f"{', '.join(told)} tells addresses, and protection does not travel with it"
        fields.fault("contract-protection", what, "write carried: true", "carried")
    for feed in feeds:
        kept = {item.romaji for item in feed.group.key} | {feed.unit.romaji}
        for name in sorted(withheld.get(feed.name, frozenset()) & kept):
            what = f"{name} of {feed.name} cannot be withheld: it says whose row it is"
            fields.fault("contract-protection", what, "leave it out", "withheld", feed.name)
    if withheld and not carried:
        what = "items are withheld from a consumer that is not told of protection"
        fields.fault("contract-protection", what, "write carried: true", "withheld")
    return Protection(carried, withheld, patience or None)


def read_incoming(x: Terms, consumer: System, feeds: tuple[Feed, ...]) -> Incoming | None:
    """How a flow into Kiban is applied. Finds `contract-incoming`."""
    fields = x.part("x-incoming", "the incoming flow")
    if (fields is None) == (consumer.business is None):
        if fields is None:
            return None
        found = Incoming(_items(fields, "auto", feeds), fields.text("owner"))
        fields.done()
        return found
    what = "the flow goes into Kiban, and x-incoming does not say how" if fields is None else ""
    what = what or "x-incoming stands in a flow that does not go into Kiban"
    fix = "add x-incoming with owner: and auto:" if fields is None else "leave it out"
    x.fault("contract-incoming", what, fix, "x-incoming")
    return None


def _items(fields: Terms, key: str, feeds: tuple[Feed, ...]) -> dict[str, frozenset[str]]:
    """Items of each feed, all of them carried."""
    groups = fields.part(key, key)
    if groups is None:
        return {}
    carried = {feed.name: {item.romaji for item in feed.items} for feed in feeds}
    found = {name: frozenset(groups.texts(name)) for name in list(groups.value)}
    for name, items in found.items():
        if name not in carried and feeds:
            fix = suggest(name, carried, "name a group that the contract carries")
            groups.fault("group-unknown", f"{key}: the contract carries no group {name}", fix, name)
        for item in sorted(items - carried.get(name, items)):
            fix = suggest(item, carried[name], "name an item that it carries")
            groups.fault("item-unknown", f"{key}: group {name} does not carry {item}", fix, name)
    return found
