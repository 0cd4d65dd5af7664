"""Policies in Cedar: read and checked once, asked in batches."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cedarpy

from kiban.access.people import Acting
from kiban.access.policy.parts import Action, Duty, ItemClass
from kiban.standard import Findings

_SCHEMA = """
entity Duty enum [{duties}];
entity Business enum [{businesses}];
entity ItemClass enum [{classes}];
entity City enum ["city"];
entity Items in [Business, ItemClass];
entity Worker in [Duty] {{ number: String, office: String, office_kind: String, ward?: String, substitute: Bool }};
type Asked = {{ purpose: String, on: datetime }};
"""
_ACTIONS = "action {names} appliesTo {{ principal: [Worker], resource: [{resource}], context: Asked }};\n"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)

Pair = tuple[str, str]
"""A business and a class of items in it; an empty class is the items of no class, an empty business the city."""


@dataclass(frozen=True)
class Policy:
    """One policy as it was written.

    Attributes:
        id: its @id.
        effect: `permit` or `forbid`.
        reason: its @reason, in Japanese.
        where: file and line.
        text: in Cedar's JSON.
    """

    id: str
    effect: str
    reason: str
    where: str
    text: Mapping[str, Any]


def schema(
    duties: Mapping[str, Duty],
    actions: Mapping[str, Action],
    classes: Mapping[str, ItemClass],
    pairs: Iterable[Pair],
) -> str:
    """What policies may speak of, as a Cedar schema."""
    businesses = sorted({business for business, _ in pairs})
    text = _SCHEMA.format(
        duties=_names(duties), businesses=_names(businesses), classes=_names(classes or ["-"])
    )
    for over, resource in (("business", "Items"), ("city", "City")):
        names = _names(each.id for each in actions.values() if each.over == over)
        text += _ACTIONS.format(names=names, resource=resource) if names else ""
    return text


def read_policies(folders: Iterable[Path], findings: Findings) -> list[Policy]:
    """The policies of all *.cedar files.

    Finds: `cedar-broken`, `policy-unnamed`, `policy-unreasoned`, `id-twice`, `policy-template`.
    """
    made: dict[str, Policy] = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*.cedar"))):
        source = path.read_text(encoding="utf-8")
        try:
            parsed = json.loads(cedarpy.policies_to_json_str(source))
        except ValueError as error:
            findings.fault(
                "cedar-broken",
                f"the file is no Cedar ({error})",
                str(path),
                "see https://docs.cedarpolicy.com",
            )
            continue
        if parsed["templates"]:
            findings.fault(
                "policy-template", "the file holds templates", str(path), "write policies without ?principal"
            )
        for number, text in parsed["staticPolicies"].items():
            each = _policy(number, text, path, source, findings)
            if each.id in made:
                findings.fault(
                    "id-twice", f"two policies are called {each.id}", each.where, "give another @id"
                )
            made[each.id] = each
    return list(made.values())


def _policy(number: str, text: Mapping[str, Any], path: Path, source: str, findings: Findings) -> Policy:
    notes = text.get("annotations", {})
    called, reason = notes.get("id", ""), notes.get("reason", "")
    line = _line(source, called)
    place = f"{path}:{line}" if line else str(path)
    nth = int(number.removeprefix("policy")) + 1
    if not _ID.fullmatch(called):
        what = f"policy {nth} has no @id of small letters, digits and hyphens"
        findings.fault("policy-unnamed", what, place, 'write @id("…") before it')
        called = called or f"{path.name} {nth}"
    if not reason.strip():
        findings.fault(
            "policy-unreasoned", f"policy {called} gives no reason", place, 'write @reason("…") before it'
        )
    return Policy(called, str(text["effect"]), reason, place, text)


def _line(source: str, called: str) -> int | None:
    for number, line in enumerate(source.splitlines(), 1):
        if f'@id("{called}")' in line:
            return number
    return None


def check(policies: Iterable[Policy], schema_text: str, pairs: Iterable[Pair], findings: Findings) -> None:
    """Find what the policies name that there is not: `policy-invalid`."""
    try:
        parsed = cedarpy.Schema.from_str(schema_text)
    except ValueError as error:
        findings.fault(
            "policy-invalid", f"the names cannot be used in Cedar ({error})", None, "see the IDs in the files"
        )
        return
    known = {resource(pair) for pair in pairs}
    for policy in policies:
        errors = cedarpy.validate_policies(str(_set([policy])), parsed).errors
        told = [str(error.error).replace(f"for policy `{policy.id}`", "").lstrip(":, ") for error in errors]
        told += [f'there is no Items::"{name}"' for name in sorted(set(_named(policy.text)) - known)]
        for what in told:
            findings.fault(
                "policy-invalid",
                f"policy {policy.id}: {what}",
                policy.where,
                "see the names in the YAML files",
            )


def _named(value: Any) -> Iterable[str]:
    """Every Items that a policy names, wherever it stands."""
    if isinstance(value, dict):
        if value.get("type") == "Items" and isinstance(value.get("id"), str):
            yield value["id"]
        for each in value.values():
            yield from _named(each)
    elif isinstance(value, list):
        for each in value:
            yield from _named(each)


def resource(pair: Pair) -> str:
    """The name of a pair in policies: `resident` for the items of no class, `resident/memo` for those of one."""
    business, kind = pair
    return f"{business}/{kind}" if kind else business


class Engine:
    """Policies ready to be asked. Safe to share between threads."""

    def __init__(self, policies: Sequence[Policy], pairs: Iterable[Pair]) -> None:
        self._policies = _set(policies)
        self._entities = cedarpy.Entities.from_json_str(json.dumps([_items(pair) for pair in pairs]))

    def ask(
        self, acting: Acting, number: str, substitute: bool, asked: Sequence[tuple[str, str, str]]
    ) -> list[tuple[bool, list[str]]]:
        """Whether each action on a business and a class is allowed, and the IDs of the policies that decided.

        A policy that cannot be evaluated decides nothing for it: then the answer is no.

        Args:
            acting: where, under which duty, for which work and when.
            number: staff number of who asks; of the person stood in for where that one's answer is wanted.
            substitute: whether the person stands in for somebody.
            asked: action, business and class; an empty business is the city.
        """
        entities = self._entities.with_added_json_str(json.dumps([_worker(acting, number, substitute)]))
        context = json.dumps({"purpose": acting.purpose, "on": _day(acting.on)})
        requests = [
            {
                "principal": {"type": "Worker", "id": number},
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Items", "id": resource((business, kind))}
                if business
                else {"type": "City", "id": "city"},
                "context": context,
            }
            for action, business, kind in asked
        ]
        answers = cedarpy.is_authorized_batch(requests, self._policies, entities)
        return [(each.allowed and not each.diagnostics.errors, each.diagnostics.reasons) for each in answers]


def _set(policies: Iterable[Policy]) -> cedarpy.PolicySet:
    static = {policy.id: policy.text for policy in policies}
    text = json.dumps({"staticPolicies": static, "templates": {}, "templateLinks": []})
    return cedarpy.PolicySet.from_json_str(text)


def _items(pair: Pair) -> dict[str, Any]:
    business, kind = pair
    above = [{"type": "Business", "id": business}, *([{"type": "ItemClass", "id": kind}] if kind else [])]
    return {"uid": {"type": "Items", "id": resource(pair)}, "attrs": {}, "parents": above}


def _worker(acting: Acting, number: str, substitute: bool) -> dict[str, Any]:
    office = acting.office
    about: dict[str, Any] = {
        "number": number,
        "office": office.id,
        "office_kind": office.kind,
        "substitute": substitute,
    }
    if office.ward is not None:
        about["ward"] = office.ward
    duty = {"type": "Duty", "id": acting.assignment.duty}
    return {"uid": {"type": "Worker", "id": number}, "attrs": about, "parents": [duty]}


def _day(on: date) -> dict[str, Any]:
    return {"__extn": {"fn": "datetime", "arg": on.isoformat()}}


def _names(texts: Iterable[str]) -> str:
    return ", ".join(json.dumps(text, ensure_ascii=False) for text in texts)
