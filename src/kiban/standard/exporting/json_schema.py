"""JSON Schema (2020-12), one definition per group."""

from __future__ import annotations

import json
from typing import Any

from kiban.standard.exporting.fields import about, checked_codes, description, marks, text_pattern
from kiban.standard.model import Edition, Group, Item


def to_json_schema(edition: Edition) -> str:
    """The edition as a JSON Schema: an object with an array of rows per group."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:kiban:{edition.called}:{edition.edition}",
        "title": f"{edition.title} {edition.edition}",
        "description": about(edition),
        "type": "object",
        "properties": {g.id: {"type": "array", "items": {"$ref": f"#/$defs/{g.id}"}} for g in edition.groups},
        "additionalProperties": False,
        "$defs": {group.id: group_schema(edition, group) for group in edition.groups},
    }
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def group_schema(edition: Edition, group: Group) -> dict[str, Any]:
    """The schema of one row of a group; an item without a value is absent."""
    return {
        "title": group.name,
        "type": "object",
        "properties": {item.romaji: item_schema(edition, item) for item in group.items},
        "required": [item.romaji for item in group.items if item.required],
        "additionalProperties": False,
    }


def item_schema(edition: Edition, item: Item) -> dict[str, Any]:
    """The schema of one item."""
    one = _value(edition, item)
    schema: dict[str, Any] = {"title": item.name}
    text = description(item)
    if text:
        schema["description"] = text
    if item.repeats:
        schema |= {"type": "array", "items": one, "maxItems": item.repeat}
        schema |= {"minItems": 1} if item.required else {}
    else:
        schema |= one
    sample = item.sample.strip()
    if sample and "\n" not in sample and one["type"] == "string" and not item.repeats:
        schema["examples"] = [sample]
    return schema | {"x-kiban": marks(edition, item)}


def _value(edition: Edition, item: Item) -> dict[str, Any]:
    codes = checked_codes(edition, item)
    if item.type in ("9", "S9"):
        top = 10 ** (item.digits or 18) - 1
        schema: dict[str, Any] = {
            "type": "integer",
            "minimum": -top if item.type == "S9" else 0,
            "maximum": top,
        }
        if codes is not None:
            schema["oneOf"] = [{"const": int(v), "title": codes.label(v)} for v in codes.values]
        return schema
    if item.type == "9V":
        return {"type": "number", "minimum": 0, "exclusiveMaximum": 10 ** (item.digits or 0)}
    schema = {"type": "string"}
    if item.type == "BLOB":
        return schema | {"contentEncoding": "base64"}
    if item.type == "DATE" and not item.allows_unknown_date:
        schema["format"] = "date"
    pattern = text_pattern(item)
    schema |= {"pattern": pattern} if pattern else {}
    schema |= {"maxLength": item.digits} if item.type == "X" and item.digits else {}
    if codes is not None:
        schema["oneOf"] = [{"const": v, "title": codes.label(v)} for v in codes.values]
    return schema
