"""OpenAPI 3.1: one path to read each group, with components made of its items."""

from __future__ import annotations

import json
from typing import Any

from kiban.standard.exporting.fields import about
from kiban.standard.exporting.json_schema import group_schema, item_schema
from kiban.standard.model import Edition, Group


def to_openapi(edition: Edition) -> str:
    """The edition as an OpenAPI document (JSON). The paths are Kiban's: the standard prescribes none here."""
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{edition.title} {edition.edition}",
            "version": edition.edition,
            "description": about(edition) + "\n\nパスはKibanの定めたもので、標準の定めではない。",
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": {f"/{edition.id}/{group.id}": _path(edition, group) for group in edition.groups},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {g.id: group_schema(edition, g) for g in edition.groups} | {"problem": _PROBLEM},
            "responses": {
                "refused": {
                    "description": "断られた理由",
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}
                    },
                }
            },
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


_PROBLEM = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("code", "what", "where", "fix")},
    "required": ["code", "what"],
}


def _path(edition: Edition, group: Group) -> dict[str, Any]:
    parameters = [
        {
            "name": item.romaji,
            "in": "query",
            "required": True,
            "description": item.name,
            "schema": {
                k: v for k, v in item_schema(edition, item).items() if k not in ("title", "description")
            },
        }
        for item in group.subject
    ]
    if group.kind == "register":
        parameters += [
            {
                "name": "valid",
                "in": "query",
                "description": "いつの日の状態か",
                "schema": {"type": "string", "format": "date"},
            },
            {
                "name": "known",
                "in": "query",
                "description": "いつの時点で知られていたか",
                "schema": {"type": "string", "format": "date-time"},
            },
        ]
    refused = {"$ref": "#/components/responses/refused"}
    rows = {"type": "array", "items": {"$ref": f"#/components/schemas/{group.id}"}}
    return {
        "get": {
            "operationId": f"read_{group.id}",
            "summary": f"{group.name}を読む",
            "parameters": parameters,
            "responses": {
                "200": {"description": group.name, "content": {"application/json": {"schema": rows}}},
                "400": refused,
                "401": refused,
                "403": refused,
            },
        }
    }
