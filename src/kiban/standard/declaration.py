"""business.yaml: what the standard's list does not say of a business and its groups."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from kiban.standard.codes import read_day
from kiban.standard.findings import Findings, suggest
from kiban.standard.model import Search
from kiban.standard.yamlfile import Document, Fields, Path_

KINDS = ("register", "log")
UNDECIDED = "undecided"
SCOPES = ("ward", "city", UNDECIDED)
SCOPE_UNDECIDED = "scope-undecided"
"""The one fault with which an edition can be looked at, though not be used."""

STATUSES = ("official", "reference")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
EDITION_FORM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class GroupDeclaration:
    """A group as business.yaml names it."""

    id: str
    name: str
    kind: str
    scope: str
    history: str
    ward: str
    search: Search | None
    path: Path_


@dataclass(frozen=True)
class Reference:
    """Where an 外部キー item points."""

    group: str
    item: str
    to: str
    path: Path_


@dataclass(frozen=True)
class Declaration:
    """The content of business.yaml."""

    document: Document
    business: str | None = ""
    id: str = ""
    title: str = ""
    edition: str = ""
    status: str = "reference"
    basis: str = ""
    law: str = ""
    publishes: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    effective: date | None = None
    replaces: str | None = None
    source: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    recodes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: tuple[GroupDeclaration, ...] = ()
    references: tuple[Reference, ...] = ()


def read_declaration(document: Document, findings: Findings) -> Declaration:
    """Take business.yaml apart, with every fault in it; a file that could not be read has told its own."""
    if not document.lines:
        return Declaration(document)
    top = Fields(document, (), document.value, findings, "the business")
    status = _choice(top, "status", STATUSES, findings)
    findings.official = status == "official"
    effective = top.text("effective", needed=False)
    declaration = Declaration(
        document,
        business=_business(top, findings),
        id=_pattern(top, "id", _NAME, "a name of a-z, 0-9 and _ that begins with a letter", findings),
        title=top.text("title"),
        edition=_pattern(top, "edition", EDITION_FORM, "letters, digits, . _ and - without blanks", findings),
        status=status,
        basis=top.text("basis"),
        law=top.text("law", needed=False),
        publishes=tuple(top.texts("publishes")),
        consumes=tuple(top.texts("consumes")),
        effective=read_day(effective, "effective", top.where("effective"), findings),
        replaces=top.text("replaces", needed=False) or None,
        source=top.mapping("source"),
        renames=top.mapping("renames"),
        recodes=_recodes(top),
        groups=_groups(top, findings),
        references=_references(top, findings),
    )
    top.raw("protection")  # read when the groups are there
    top.done()
    _check_succession(declaration, top, findings)
    return declaration


def _business(top: Fields, findings: Findings) -> str | None:
    """The 業務ID; None where `business: null` says that nobody knows it. An official list always has one."""
    if "business" not in top.value or top.value["business"] is not None:
        form = 'the 業務ID of three digits in quotes: "001"; null where the official one is not known'
        return _pattern(top, "business", r"[0-9]{3}", form, findings)
    top.asked.append("business")
    if findings.official:
        findings.fault(
            "business-id-unset",
            "an official edition has no 業務ID",
            top.where("business"),
            'write the ID of its list in quotes, such as "001", or status: reference',
        )
    return None


def _pattern(fields: Fields, key: str, pattern: str | re.Pattern[str], form: str, findings: Findings) -> str:
    text = fields.text(key)
    if text and not re.fullmatch(pattern, text):
        findings.fault(
            "field-form",
            f"{key} {text} of {fields.called} has not the right form",
            fields.where(key),
            f"write {form}",
        )
    return text


def _choice(fields: Fields, key: str, known: tuple[str, ...], findings: Findings) -> str:
    text = fields.text(key)
    if text and text not in known:
        findings.fault(
            "field-choice",
            f"{key} {text} of {fields.called} is not known",
            fields.where(key),
            suggest(text, known, f"write one of {', '.join(known)}"),
        )
        return known[0]
    return text or known[0]


def _recodes(top: Fields) -> dict[str, dict[str, str]]:
    raw = top.raw("recodes")
    if raw is None:
        return {}
    lists = Fields(top.document, ("recodes",), raw, top.findings, "recodes")
    return {key: lists.mapping(key) for key in lists.value}


def _groups(top: Fields, findings: Findings) -> tuple[GroupDeclaration, ...]:
    raw = top.raw("groups")
    if not isinstance(raw, list) or not raw:
        findings.fault(
            "groups-missing",
            "the business lists no groups",
            top.where("groups"),
            "list every グループ_名称 under groups: with id, name, kind and scope",
        )
        return ()
    return tuple(
        _group(Fields(top.document, ("groups", i), value, findings, f"group {i + 1}"), findings)
        for i, value in enumerate(raw)
    )


def _group(fields: Fields, findings: Findings) -> GroupDeclaration:
    name = _pattern(fields, "id", _NAME, "a table name of a-z, 0-9 and _ that begins with a letter", findings)
    fields.called = f"group {name}" if name else fields.called
    group = GroupDeclaration(
        id=name,
        name=fields.text("name"),
        kind=_choice(fields, "kind", KINDS, findings),
        scope=_choice(fields, "scope", SCOPES, findings) if fields.value.get("scope") else _undecided(fields),
        history=fields.text("history", needed=False),
        ward=fields.text("ward", needed=False),
        search=_search(fields, findings),
        path=fields.path,
    )
    fields.done()
    _check_scope(group, fields, findings)
    return group


def _undecided(fields: Fields) -> str:
    """A group without a scope is one that nobody has decided on; it is never open to all by omission."""
    fields.asked.append("scope")
    return UNDECIDED


def _check_scope(group: GroupDeclaration, fields: Fields, findings: Findings) -> None:
    """Find `scope-undecided`, and `ward-missing` where the rows belong to wards and no item says to which."""
    if group.scope == UNDECIDED:
        findings.fault(
            SCOPE_UNDECIDED,
            f"nobody has decided who may read group {group.id} ({group.name})",
            fields.where("scope"),
            "write scope: ward and ward: with the romaji of the ward item, or scope: city after deciding that "
            "every signed-in actor may read it",
        )
    if group.scope == "ward" and not group.ward:
        findings.fault(
            "ward-missing",
            f"group {group.id} has scope ward and names no ward item",
            fields.where("scope"),
            "add ward: with the romaji of the item that holds the ward code; scope: city only after deciding "
            "that every signed-in actor may read the rows",
        )


def _search(group: Fields, findings: Findings) -> Search | None:
    raw = group.raw("search")
    if raw is None:
        return None
    fields = Fields(group.document, (*group.path, "search"), raw, findings, f"search of {group.called}")
    names = fields.raw("names")
    pairs: list[tuple[str, str | None]] = []
    for i, value in enumerate(names if isinstance(names, list) else []):
        pair = Fields(
            group.document, (*fields.path, "names", i), value, findings, f"name {i + 1} of the search"
        )
        pairs.append((pair.text("name"), pair.text("kana", needed=False) or None))
        pair.done()
    if names is not None and not isinstance(names, list):
        findings.fault(
            "field-not-list",
            "names of the search is not a list",
            fields.where("names"),
            "write it as names: [{name: shimei, kana: shimei_furigana}]",
        )
    found = Search(
        subject=fields.text("subject"),
        numbers=tuple(fields.texts("numbers")),
        names=tuple(pairs),
        birth=fields.text("birth", needed=False) or None,
        sex=fields.text("sex", needed=False) or None,
        address=tuple(fields.texts("address")),
    )
    fields.done()
    return found


def _references(top: Fields, findings: Findings) -> tuple[Reference, ...]:
    raw = top.raw("references")
    if raw is None:
        return ()
    if not isinstance(raw, list):
        findings.fault(
            "field-not-list",
            "references is not a list",
            top.where("references"),
            "write one - {group: …, item: …, to: …} per line",
        )
        return ()
    found = []
    for i, value in enumerate(raw):
        fields = Fields(top.document, ("references", i), value, findings, f"reference {i + 1}")
        found.append(Reference(fields.text("group"), fields.text("item"), fields.text("to"), fields.path))
        fields.done()
    return tuple(found)


def _check_succession(declaration: Declaration, top: Fields, findings: Findings) -> None:
    if (declaration.renames or declaration.recodes) and not declaration.replaces:
        findings.fault(
            "replaces-missing",
            "renames or recodes are given without the edition that they start from",
            top.where("renames"),
            "add replaces: with the ID of the earlier edition",
        )
    if declaration.replaces and declaration.replaces == declaration.edition:
        findings.fault(
            "replaces-itself",
            f"edition {declaration.edition} replaces itself",
            top.where("replaces"),
            "name the earlier edition",
        )
