"""Frictionless Data Package with one Table Schema per group."""

from __future__ import annotations

import json
from typing import Any

from kiban.standard.exporting.fields import about, checked_codes, description, marks, text_pattern
from kiban.standard.model import Edition, Group, Item
from kiban.standard.references import target_item

_TYPES = {"9": "integer", "S9": "integer", "9V": "number", "DATE": "date"}


def to_table_schema(edition: Edition) -> str:
    """The edition as a Data Package (JSON): one resource, one CSV, one Table Schema per group."""
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": f"{edition.id.replace('_', '-')}-{edition.edition.lower()}",
        "title": edition.title,
        "version": edition.edition,
        "description": about(edition),
        "x-kiban": {"business": edition.business_id, "status": edition.status},
        "resources": [_resource(edition, group) for group in edition.groups],
    }
    return json.dumps(package, ensure_ascii=False, indent=2) + "\n"


def _resource(edition: Edition, group: Group) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [field(edition, item) for item in group.items],
        "primaryKey": [item.romaji for item in group.key],
        "missingValues": [""],
    }
    foreign = []
    for romaji, target in group.references.items():
        pointed = target_item(edition.groups, target, romaji)
        if pointed is not None:
            foreign.append(
                {"fields": [romaji], "reference": {"resource": target, "fields": [pointed.romaji]}}
            )
    if foreign:
        schema["foreignKeys"] = foreign
    return {
        "name": group.id,
        "title": group.name,
        "path": f"{group.id}.csv",
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "schema": schema,
        "x-kiban": {"kind": group.kind, "scope": group.scope},
    }


def field(edition: Edition, item: Item) -> dict[str, Any]:
    """One field of a Table Schema."""
    kind = "string" if item.allows_unknown_date else _TYPES.get(item.type, "string")
    constraints: dict[str, Any] = {"required": True} if item.required else {}
    if item.repeats:
        kind = "array"
        constraints["maxLength"] = item.repeat
    elif kind == "string":
        pattern = text_pattern(item)
        constraints |= {"pattern": pattern} if pattern else {}
        constraints |= {"maxLength": item.digits} if item.type == "X" and item.digits else {}
    elif kind in ("integer", "number") and item.digits is not None:
        constraints |= {"minimum": -(10**item.digits - 1)} if item.type == "S9" else {"minimum": 0}
        constraints |= {"maximum": 10**item.digits - 1} if item.scale is None else {}
    codes = checked_codes(edition, item)
    if codes is not None and not item.repeats:
        constraints["enum"] = [int(v) for v in codes.values] if kind == "integer" else list(codes.values)
    found = {
        "name": item.romaji,
        "title": item.name,
        "type": kind,
        "description": description(item),
        "example": item.sample.splitlines()[0].strip() if item.sample else "",
        "constraints": constraints,
    }
    kept: dict[str, Any] = {name: value for name, value in found.items() if value not in ("", {})}
    if codes is not None and not item.repeats:
        kept["categories"] = [
            {"value": int(v) if kind == "integer" else v, "label": codes.label(v)} for v in codes.values
        ]
    return kept | {"x-kiban": marks(edition, item)}
