"""The schemas of what the API takes and gives, derived from the edition and the contracts, never typed."""

from __future__ import annotations

from typing import Any

from kiban.linkage.api.question import MOST_KEYS, MOST_ROWS, USUAL_ROWS, key_items
from kiban.linkage.api.spec import NumberingSpec
from kiban.linkage.contracts.model import Feed
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN
from kiban.standard import Item, item_schema

_TEXT = {"type": "string"}
_MAYBE = ["string", "null"]
_DAY = {"type": "string", "format": "date"}
_UNTIL = {
    "type": "string",
    "format": "date-time",
    "description": "支援措置の状態を使える期限。過ぎたら、全員を対象者として扱うか、もう一度尋ねる",
}
_PLAIN = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": r"^[^\x00-\x1f\x7f]+$"}


def numbering_request(spec: NumberingSpec) -> dict[str, Any]:
    """What the numbering API takes, in the order of the edition."""
    properties: dict[str, Any] = {}
    for name, item in spec.parameters.items():
        schema = _step(spec) if item is None else item_schema(spec.edition, item)
        if item is not None and item.type == "X" and name in spec.kiban["fixed"]:
            schema["minLength"] = item.digits
        properties[name] = _described(schema)
    return {
        "title": spec.official["title"],
        "type": "object",
        "properties": properties,
        "required": spec.official["required"],
        "allOf": [_condition(each.item, each.values, each.needs) for each in spec.conditions]
        + [_without("atenabango", spec.step, spec.steps[0])],
        "additionalProperties": False,
    }


def _step(spec: NumberingSpec) -> dict[str, Any]:
    return {"title": spec.official["step"]["name"], "type": "string", "enum": list(spec.steps)}


def _condition(item: str, values: tuple[str, ...], needs: str) -> dict[str, Any]:
    holds: dict[str, Any] = {"required": [item]}
    if values:
        holds["properties"] = {item: {"enum": list(values)}}
    return {"if": holds, "then": {"required": [needs]}}


def _without(item: str, step: str, value: str) -> dict[str, Any]:
    return {
        "if": {"properties": {step: {"const": value}}, "required": [step]},
        "then": {"not": {"required": [item]}},
    }


def numbering_answer(spec: NumberingSpec) -> dict[str, Any]:
    """What it gives where all is well."""
    names = spec.official["answer"]
    row = {name: _described(item_schema(spec.edition, spec.group.item(name))) for name in names}
    metadata = {"title": {"const": spec.official["title"]}, "detail": {"const": spec.official["done"]}}
    parts = {
        "metadata": _object(metadata),
        "_links": _links(spec),
        "result": {"type": "array", "items": _object(row), "minItems": 1},
    }
    return _object(parts)


def numbering_refusal(spec: NumberingSpec, detail: str) -> dict[str, Any]:
    """What it gives where something is wrong, for each of the three statuses."""
    parts: dict[str, Any] = {
        "title": {"const": spec.official["title"]},
        "detail": {"const": spec.official[detail]},
        "_links": _links(spec),
    }
    if detail == "refused":
        code = {"enum": list(spec.official["messages"])}
        parts["errors"] = {"type": "array", "items": _object({"code": code, "message": _TEXT}), "minItems": 1}
    return _object(parts)


def _links(spec: NumberingSpec) -> dict[str, Any]:
    return _object({"self": _object({"href": {"const": spec.path}})})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _described(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the marks of Kiban, which say what the edition says already."""
    return {name: part for name, part in schema.items() if name != "x-kiban"}


def question(feed: Feed) -> dict[str, Any]:
    """What can be asked of a feed."""
    values = {"type": "array", "items": _PLAIN, "minItems": 1, "maxItems": MOST_KEYS}
    keys = key_items(feed)
    return {
        "title": f"{feed.group.name}への照会",
        "type": "object",
        "properties": {
            "fields": {
                "type": "array",
                "description": "求める項目。職務に要るものだけを挙げる",
                "items": {"enum": list(feed.columns)},
                "minItems": 1,
            },
            "keys": {
                "type": "object",
                "description": "誰の、又は何の行か。項目ごとに値を挙げ、いずれかに一致する行を求める",
                "properties": dict.fromkeys(keys, values),
                "minProperties": 1,
                "additionalProperties": False,
            },
            "as_of": {**_DAY, "type": _MAYBE, "description": "いつの日の状態か。なければ今日"},
            "known": {
                "type": _MAYBE,
                "format": "date-time",
                "description": "いつの時点で知られていたか。なければ今",
            },
            "after": {"type": _MAYBE, "description": "前の応答の next"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": USUAL_ROWS},
        },
        "required": ["fields", "keys"],
        "additionalProperties": False,
    }


def answer(feed: Feed) -> dict[str, Any]:
    """What is given of a feed."""
    items: dict[str, Any] = {item.romaji: _held(feed, item) for item in feed.items}
    if feed.has_periods:
        items |= {end: {"type": ["string", "null"], "format": "date"} for end in ("valid_from", "valid_to")}
    state = {
        "enum": [PROTECTED, CLEAR, UNKNOWN],
        "description": "支援措置。unknownは保護されているものとして扱う",
    }
    row = _object(
        {
            "unit": _TEXT,
            "protection": _object({"state": state, "event": {"type": "integer", "minimum": 0}}),
            "items": {"type": "object", "properties": items, "additionalProperties": False},
            "withheld": {"type": "array", "items": _TEXT, "description": "保護のため空にした項目"},
        }
    )
    asked = _object({"id": _TEXT, "hash": {"type": "string", "pattern": "^[0-9a-f]{128}$"}})
    return _object(
        {
            "question": asked,
            "flow": _TEXT,
            "feed": {"const": feed.name},
            "contract": _TEXT,
            "as_of": _DAY,
            "protection_until": _UNTIL,
            "rows": {"type": "array", "items": row},
            "next": {"type": ["string", "null"]},
        }
    )


def _held(feed: Feed, item: Item) -> dict[str, Any]:
    """A value as it travels; what it may be is said by its title, since a register may hold what an earlier edition allowed."""
    if item.repeats:
        kind: Any = "array"
    else:
        kind = "integer" if item.type in ("9", "S9") else "string"
    schema: dict[str, Any] = {"title": item.name, "type": [kind, "null"]}
    return schema | ({"items": _TEXT} if item.repeats else {})
