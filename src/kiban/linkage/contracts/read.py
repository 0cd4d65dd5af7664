"""One file of the Open Data Contract Standard becomes one contract, with every fault of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from kiban.kernel import Problem
from kiban.linkage.contracts.carried import Rules, read_feeds
from kiban.linkage.contracts.model import Contract, Due, Feed, Incoming, Protection, Receiver, System
from kiban.linkage.contracts.signatures import signers
from kiban.linkage.contracts.terms import Terms, custom
from kiban.standard import Edition, Findings, Library, read_document, suggest

WAYS = ("event", "file", "api")
STATUSES = ("draft", "active", "retired")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_DAY = date(1, 1, 1)  # of a contract whose fault was found
_FREE = (
    *(
        "tenant",
        "tags",
        "servers",
        "dataProduct",
        "description",
        "domain",
        "context",
        "support",
        "price",
        "team",
    ),
    *("roles", "slaDefaultElement", "slaProperties", "authoritativeDefinitions", "contractCreatedTs"),
)


def read_contract(
    path: Path, library: Library, findings: Findings, *, signatures: bool = True
) -> Contract | None:
    """The contract in a file; None where a fault was found. `signatures`: whether those beside it are looked at.

    Finds: those of `standard.read_document` and of the fields; `contract-edition`, `contract-system`, `contract-protection`,
    `contract-due`, `contract-profile`, `contract-incoming`, `contract-period`, `contract-signature`, and those of
    `read_feeds`.
    """
    before = len(findings.faults)
    document = read_document(path, str(path), findings)
    if not document.lines:
        return None
    top = Terms(document, (), document.value, findings, "the contract")
    if top.text("kind") not in ("DataContract", ""):
        top.fault("field-choice", "the file is no data contract", "write kind: DataContract", "kind")
    top.form("apiVersion", r"v3\.1\.\d+", "v3.1.0")
    top.leave(*_FREE)
    head = _Head(
        id=top.form("id", "[a-z][a-z0-9-]{0,40}", "small letters, digits and hyphens, such as resident-tax"),
        title=top.text("name"),
        version=_version(top),
        status=top.choice("status", STATUSES),
    )
    x = custom(top, "the contract")
    edition = _edition(x, library)
    feeds: tuple[Feed, ...] = ()
    rules: Rules = {}
    if edition:
        feeds, rules = read_feeds(top, edition)
    else:
        top.leave("schema")
    found = _terms(head, x, edition, feeds, rules, library, path)
    if signatures:
        found = replace(found, signed_by=signers(path, found.digest, findings))
    x.done()
    top.done()
    return found if len(findings.faults) == before else None


@dataclass(frozen=True)
class _Head:
    id: str
    title: str
    version: tuple[int, int, int]
    status: str


def _terms(
    head: _Head,
    x: Terms,
    edition: Edition | None,
    feeds: tuple[Feed, ...],
    rules: Rules,
    library: Library,
    path: Path,
) -> Contract:
    ways = x.choices("x-ways", WAYS)
    if not ways:
        x.fault("field-missing", "the contract names no way", f"add x-ways: [{', '.join(WAYS)}]", "x-ways")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    provider, consumer = _system(x, "x-provider", library), _system(x, "x-consumer", library)
    _check_ends(x, provider, consumer, edition)
    effective, until = x.day("x-effective"), x.day("x-until", needed=False)
    if effective and until and until <= effective:
        fix = "x-until is the day after the last"
        x.fault("contract-period", "the contract ends before it begins", fix, "x-until")
    return Contract(
        id=head.id,
        title=head.title,
        version=head.version,
        status=head.status or "draft",
        provider=provider,
        consumer=consumer,
        basis=x.text("x-legal-basis"),
        purpose=x.text("x-purpose"),
        feeds=feeds,
        ways=frozenset(ways),
        profile=_profile(x, ways),
        due=tuple(_due(fields, ways) for fields in x.parts("x-due", "due time")),
        receiver=_receiver(x),
        quality=rules,
        protection=_protection(x, feeds),
        incoming=_incoming(x, consumer, feeds),
        owner=x.text("x-owner"),
        effective=effective or _NO_DAY,
        until=until,
        digest=digest,
        path=path,
        document=x.document.value,
    )


def _version(top: Terms) -> tuple[int, int, int]:
    form = "major, minor, patch: 1.0.0, in quotes"
    text = top.form("version", r"[1-9]\d{0,3}\.\d{1,4}\.\d{1,4}", form)
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        return 0, 0, 0
    return int(parts[0]), int(parts[1]), int(parts[2])


def _edition(x: Terms, library: Library) -> Edition | None:
    fields = x.part("x-edition", "the edition")
    if fields is None:
        fix = "add x-edition with value: {business: resident, edition: …}"
        x.fault("field-missing", "the contract names no edition", fix, "x-edition")
        return None
    business, edition = fields.text("business"), fields.text("edition")
    fields.done()
    try:
        return library.edition(business, edition) if business and edition else None
    except Problem as problem:
        key = "business" if problem.code == "business-unknown" else "edition"
        fields.fault(problem.code, problem.what, problem.fix or "", key)
        return None


def _system(x: Terms, key: str, library: Library) -> System:
    fields = x.part(key, key)
    if fields is None:
        fix = f'add {key} with value: {{id: "001", name: …, kind: standard}}'
        x.fault("field-missing", f"the contract has no {key}", fix, key)
        return System("", "", standard=False)
    system = System(
        id=fields.form("id", "[0-9A-Z]{3}", "three digits or capital letters, in quotes"),
        name=fields.text("name"),
        standard=fields.choice("kind", ("standard", "own")) == "standard",
        business=fields.text("business", needed=False) or None,
    )
    fields.done()
    if system.business:
        ids = {edition.id: edition.business_id for edition in library.editions}
        if system.business not in ids:
            fix = suggest(system.business, ids, "leave it out where the system is not Kiban's")
            fields.fault(
                "business-unknown", f"{key}: no business {system.business} is at hand", fix, "business"
            )
        elif ids[system.business] and ids[system.business] != system.id:
            what = f"{key}: the 業務ID of {system.business} is not {system.id}"
            fields.fault("contract-system", what, f'write id: "{ids[system.business]}"', "id")
    return system


def _check_ends(x: Terms, provider: System, consumer: System, edition: Edition | None) -> None:
    if provider.id and provider.id == consumer.id:
        x.fault("contract-system", "provider and consumer are the same", "name two systems", "x-consumer")
    if edition and edition.id not in (provider.business, consumer.business):
        what = f"the edition is of {edition.id}, which neither provider nor consumer names as its business"
        fix = f"add business: {edition.id} to the one that is Kiban's"
        x.fault("contract-edition", what, fix, "x-edition")
    if provider.business and consumer.business:
        fix = "leave business: out where the system is not in Kiban's database"
        x.fault("contract-system", "both ends are in Kiban's database", fix, "x-consumer")


def _profile(x: Terms, ways: tuple[str, ...]) -> str | None:
    profile = x.form("x-profile", "[a-z][a-z0-9-]*", "the name of a file under profiles/", needed=False)
    if "file" in ways and not profile:
        fix = "add x-profile with the name of a profile: kiban link contracts profiles lists them"
        x.fault("contract-profile", "files travel, and no profile says how they look", fix, "x-ways")
    if profile and "file" not in ways:
        fix = "add file to x-ways, or leave x-profile out"
        x.fault("contract-profile", "a profile is named, and no files travel", fix, "x-profile")
    return profile or None


def _due(fields: Terms, ways: tuple[str, ...]) -> Due:
    kind = fields.choice("kind", ("full", "delta", "event"))
    way = "event" if kind == "event" else "file"
    if kind and way not in ways:
        fix = f"add {way} to x-ways, or leave it out"
        fields.fault("contract-due", f"{kind} is due, and {way} is no way of the contract", fix, "kind")
    within = fields.duration("within")
    if way == "event":
        fields.done()
        return Due(kind, None, None, None, within or timedelta(minutes=10))
    every = fields.choice("every", ("day", "month", *DAYS))
    day = fields.number("day", needed=every == "month")
    if day and (day > 28 or every != "month"):
        fix = "write 1 to 28 for every: month; otherwise leave it out"
        fields.fault("contract-due", f"day {day} does not come every {every or 'time'}", fix, "day")
    due = Due(kind, fields.clock("at"), every, day, within)
    fields.done()
    return due


def _receiver(x: Terms) -> Receiver:
    fields = x.part("x-receiver", "the receiver")
    if fields is None:
        return Receiver()
    pending = fields.number("pending")
    found = Receiver(
        rows=fields.number("rows"),
        bytes=fields.number("bytes"),
        per_second=fields.number("per_second"),
        pending=Receiver.pending if pending is None else pending,
    )
    fields.done()
    return found


def has_address(feed: Feed) -> bool:
    """Whether a feed tells where somebody lives: protection then travels with it."""
    return any("住所" in item.name for item in feed.items)


def _protection(x: Terms, feeds: tuple[Feed, ...]) -> Protection:
    fields = x.part("x-protection", "the protection")
    if fields is None:
        fix = "add x-protection with value: {carried: true}"
        x.fault("field-missing", "the contract has no x-protection", fix, "x-protection")
        return Protection(carried=True)
    carried = fields.flag("carried")
    withheld = _items(fields, "withheld", feeds)
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
    return Protection(carried, withheld)


def _incoming(x: Terms, consumer: System, feeds: tuple[Feed, ...]) -> Incoming | None:
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
