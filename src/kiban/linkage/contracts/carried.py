"""What a contract carries: each object of its schema is a group of an edition, each property an item of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kiban.kernel import Problem
from kiban.linkage.contracts.model import Feed
from kiban.linkage.contracts.quality import METRICS, OPERATORS, why_not
from kiban.linkage.contracts.terms import Terms, custom
from kiban.standard import Edition, Group, Item, odcs_property, suggest

Rules = dict[str, tuple[Mapping[str, Any], ...]]

_OBJECT = (
    *("id", "physicalName", "businessName", "logicalType", "physicalType", "description", "tags"),
    *("dataGranularityDescription", "relationships", "authoritativeDefinitions", "deprecated", "synonyms"),
)
_AGREE = (
    *("businessName", "logicalType", "logicalTypeOptions", "physicalName", "physicalType", "required"),
    *("primaryKey", "primaryKeyPosition", "items", "relationships"),
)
_FREE = (
    *("id", "description", "tags", "classification", "criticalDataElement", "examples", "encryptedName"),
    *("authoritativeDefinitions", "deprecated", "synonyms", "unique", "transformDescription"),
)


def read_feeds(top: Terms, edition: Edition) -> tuple[tuple[Feed, ...], Rules]:
    """The feeds of a contract and their rules of quality.

    Finds: `contract-empty`, `group-unknown`, `group-twice`, `item-unknown`, `item-twice`, `contract-disagrees`,
    `contract-key-missing`, `contract-unit`, `contract-quality`, and those of the fields.
    """
    objects = top.parts("schema", "object")
    if not objects:
        fix = "list each group under schema: with name: and properties:"
        top.fault("contract-empty", "the contract carries nothing", fix, "schema")
    feeds: dict[str, Feed] = {}
    rules: Rules = {}
    for fields in objects:
        feed, found = _feed(fields, edition)
        if feed and feed.name in feeds:
            fields.fault("group-twice", f"the group {feed.name} is carried twice", "keep one of them", "name")
        elif feed:
            feeds[feed.name], rules[feed.name] = feed, found
    return tuple(feeds.values()), rules


def _feed(fields: Terms, edition: Edition) -> tuple[Feed | None, tuple[Mapping[str, Any], ...]]:
    name = fields.text("name")
    fields.called = f"group {name}" if name else fields.called
    fields.leave(*_OBJECT)
    properties = fields.parts("properties", "property")
    own = custom(fields, fields.called)
    unit = own.text("x-unit")
    own.done()
    rules = _quality(fields)
    fields.done()
    try:
        group = edition.group(name)
    except Problem as problem:
        if name:
            fields.fault(problem.code, problem.what, problem.fix or "", "name")
        return None, ()
    if group.id != name:
        fields.fault("group-unknown", f"{name} is the title of a group", f"write its ID: {group.id}", "name")
    carried: dict[str, Item] = {}
    for each in properties:
        item, more = _item(each, edition, group, carried)
        rules += more
        if item:
            carried[item.romaji] = item
    _check_key(fields, group, carried)
    _check_quality(fields, rules, carried)
    items = tuple(item for item in group.items if item.romaji in carried)
    found = _unit(own, group, carried, unit)
    return (Feed(edition, group, items, found) if found else None), rules


def _item(
    fields: Terms, edition: Edition, group: Group, carried: Mapping[str, Item]
) -> tuple[Item | None, tuple[Mapping[str, Any], ...]]:
    name = fields.text("name")
    fields.called = f"item {name}" if name else fields.called
    fields.leave(*_FREE, *_AGREE)
    rules = _quality(fields, name)
    own = custom(fields, fields.called)
    own.leave("x-measure")
    own.done()
    fields.done()
    if not name:
        return None, rules
    if name not in group:
        known = [item.romaji for item in group.items]
        titles = {item.name: item.romaji for item in group.items}
        fix = (
            f"write {titles[name]}"
            if name in titles
            else suggest(name, known, "kiban standard show lists them")
        )
        fields.fault("item-unknown", f"group {group.id} has no item {name}", fix, "name")
        return None, rules
    if name in carried:
        fields.fault("item-twice", f"{name} is carried twice", "keep one of them", "name")
    item = group.item(name)
    _check_agrees(fields, odcs_property(edition, group, item), edition)
    return item, rules


def _check_agrees(fields: Terms, official: Mapping[str, Any], edition: Edition) -> None:
    """What a property says of its item is what the edition says, in the same words; what it does not say is taken from there."""
    for key in _AGREE:
        said = fields.value.get(key)
        if said is None:
            continue
        wanted = _written(official.get(key, {"required": False, "primaryKey": False}.get(key)))
        if said != wanted:
            what = f"{key} of {fields.called} differs from edition {edition.edition}"
            fix = f"write {key}: {wanted}, or leave it out" if wanted is not None else f"leave {key} out"
            fields.fault("contract-disagrees", what, fix, key)


def _written(value: Any) -> Any:
    """A value as YAML that is read as text gives it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return {key: _written(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_written(one) for one in value]
    return None if value is None else str(value)


def _check_key(fields: Terms, group: Group, carried: Mapping[str, Item]) -> None:
    for item in group.key:
        if item.romaji not in carried:
            what = f"{fields.called} does not carry {item.romaji}, which is part of its key"
            fix = f"add - name: {item.romaji} to its properties"
            fields.fault("contract-key-missing", what, fix, "properties")


def _unit(own: Terms, group: Group, carried: Mapping[str, Item], unit: str) -> Item | None:
    """The unit item: one that every row carries and has, once."""
    if not unit:
        return None
    fits = [item.romaji for item in carried.values() if item.required and not item.repeats]
    if unit not in fits:
        what = (
            f"{unit} cannot be the unit of group {group.id}: it is not carried, not always there or repeated"
        )
        own.fault("contract-unit", what, suggest(unit, fits, "name an item such as atenabango"), "x-unit")
        return None
    return carried[unit]


def _quality(fields: Terms, item: str = "") -> tuple[Mapping[str, Any], ...]:
    """The rules under `quality`, as they stand, those at an item with its name as `property`; or texts for people."""
    rules: list[Mapping[str, Any]] = []
    own = {"property": item} if item else {}
    for rule in fields.parts("quality", "quality rule"):
        kind = rule.choice("type", ("library", "text"), needed=False) or "library"
        if kind == "text":
            rule.text("description")
        else:
            rule.choice("metric", METRICS)
        rule.leave(*OPERATORS, "id", "name", "description", "arguments", "unit", "severity", "dimension")
        rule.leave("businessImpact", "metric")
        rule.done()
        rules.append({**own, **rule.value})
    return tuple(rules)


def _check_quality(fields: Terms, rules: Iterable[Mapping[str, Any]], carried: Iterable[str]) -> None:
    names = list(carried)
    for rule in rules:
        judged = rule.get("type", "library") != "text" and rule.get("metric") in METRICS
        if judged and (reason := why_not(rule, names)):
            what = f"a rule of {fields.called} ({rule['metric']}) cannot be checked: {reason}"
            fields.fault("contract-quality", what, "correct it, or write it as type: text", "quality")
