"""Open Data Contract Standard v3.1."""

from __future__ import annotations

from typing import Any

import yaml

from kiban.standard.exporting.fields import about, checked_codes, description, marks, text_pattern
from kiban.standard.model import Edition, Group, Item
from kiban.standard.references import target_item
from kiban.standard.sql import sql_type


def to_odcs(edition: Edition) -> str:
    """The edition as a data contract (YAML): one schema object per group, one property per item."""
    contract = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": f"urn:kiban:{edition.called}:{edition.edition}",
        "name": edition.title,
        "version": edition.edition,
        "status": "active" if edition.status == "official" else "draft",
        "domain": edition.id,
        "description": {"purpose": about(edition)},
        "customProperties": [
            *([{"property": "business", "value": edition.business_id}] if edition.business_id else []),
            {"property": "status", "value": edition.status},
        ],
        "schema": [_object(edition, group) for group in edition.groups],
    }
    return yaml.safe_dump(contract, allow_unicode=True, sort_keys=False, width=110)


def _object(edition: Edition, group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.id,
        "physicalName": group.id,
        "businessName": group.name,
        "logicalType": "object",
        "physicalType": "table",
        "customProperties": [
            {"property": "kind", "value": group.kind},
            {"property": "scope", "value": group.scope},
        ],
        "properties": [odcs_property(edition, group, item) for item in group.items],
    }


def odcs_property(edition: Edition, group: Group, item: Item) -> dict[str, Any]:
    """An item as ODCS states one: the property of a schema object, in the names of the standard."""
    found: dict[str, Any] = {
        "id": f"{group.id}_{item.romaji}",
        "name": item.romaji,
        "physicalName": item.romaji,
        "businessName": item.name,
        "physicalType": sql_type(item),
        "required": item.required,
    }
    found |= _array(item) if item.repeats else _logical(item)
    if item.key:
        found |= {"primaryKey": True, "primaryKeyPosition": group.key.index(item) + 1}
    text = description(item)
    found |= {"description": text} if text else {}
    found |= (
        {"examples": [line.strip() for line in item.sample.splitlines() if line.strip()]}
        if item.sample
        else {}
    )
    codes = checked_codes(edition, item)
    if codes is not None:
        found["quality"] = [
            {
                "type": "library",
                "metric": "invalidValues",
                "mustBe": 0,
                "arguments": {"validValues": list(codes.values)},
                "description": "、".join(f"{v}：{codes.label(v)}" for v in codes.values),
            }
        ]
    target = group.references.get(item.romaji)
    pointed = target_item(edition.groups, target, item.romaji) if target else None
    if pointed is not None:
        found["relationships"] = [{"type": "foreignKey", "to": f"{target}.{pointed.romaji}"}]
    found["customProperties"] = [{"property": k, "value": v} for k, v in marks(edition, item).items()]
    return found


def _array(item: Item) -> dict[str, Any]:
    return {
        "logicalType": "array",
        "logicalTypeOptions": {"maxItems": item.repeat},
        "items": {
            "id": f"{item.romaji}_value",
            "name": item.romaji,
            "physicalType": "text",
            **_logical(item),
        },
    }


def _logical(item: Item) -> dict[str, Any]:
    if item.type in ("9", "S9"):
        top = 10 ** (item.digits or 18) - 1
        return {
            "logicalType": "integer",
            "logicalTypeOptions": {"minimum": -top if item.type == "S9" else 0, "maximum": top},
        }
    if item.type == "9V":
        return {"logicalType": "number", "logicalTypeOptions": {"minimum": 0}}
    if item.type == "DATE" and not item.allows_unknown_date:
        return {"logicalType": "date", "logicalTypeOptions": {"format": "yyyy-MM-dd"}}
    pattern = text_pattern(item)
    options: dict[str, Any] = {"pattern": pattern} if pattern else {}
    options |= {"maxLength": item.digits} if item.type == "X" and item.digits else {}
    options |= {"format": "binary"} if item.type == "BLOB" else {}
    return {"logicalType": "string", "logicalTypeOptions": options} if options else {"logicalType": "string"}
