"""One file of the Open Data Contract Standard becomes one contract, with every fault of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from kiban.kernel import Problem
from kiban.linkage.contracts.carried import Rules, read_feeds
from kiban.linkage.contracts.conditions import (
    read_due,
    read_incoming,
    read_profile,
    read_protection,
    read_receiver,
)
from kiban.linkage.contracts.model import Contract, Feed, System
from kiban.linkage.contracts.signatures import signers
from kiban.linkage.contracts.terms import Terms, custom
from kiban.standard import Edition, Findings, Library, read_document, suggest

WAYS = ("event", "file", "api")
STATUSES = ("draft", "active", "retired")
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
    x.form(
        "x-absence", r"0|1|0\.[0-9]{1,9}", 'a share in quotes, such as "0.001"', needed=False
    )  # read by files
    provider, consumer = _system(x, "x-provider", library), _system(x, "x-consumer", library)
    _check_ends(x, provider, consumer, edition)
    effective, until = _period(x)
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
        profile=read_profile(x, ways),
        due=tuple(read_due(fields, ways) for fields in x.parts("x-due", "due time")),
        receiver=read_receiver(x),
        quality=rules,
        protection=read_protection(x, feeds),
        incoming=read_incoming(x, consumer, feeds),
        owner=x.text("x-owner"),
        effective=effective,
        until=until,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        path=path,
        document=x.document.value,
    )


def _period(x: Terms) -> tuple[date, date | None]:
    effective, until = x.day("x-effective"), x.day("x-until", needed=False)
    if effective and until and until <= effective:
        fix = "x-until is the day after the last"
        x.fault("contract-period", "the contract ends before it begins", fix, "x-until")
    return effective or _NO_DAY, until


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
