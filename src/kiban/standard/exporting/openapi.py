"""OpenAPI 3.1: one operation to query each group, made of its items.

Numbers of persons stand in the body of a request, never in its address: addresses end up in logs, in the history of
browsers and in the hands of whoever is linked to. So every operation is a POST with a JSON body and answers
`no-store`; and nothing is given that was not asked for by name.
"""

from __future__ import annotations

import json
from typing import Any

from kiban.standard.exporting.fields import about
from kiban.standard.exporting.json_schema import group_schema, item_schema
from kiban.standard.model import Edition, Group

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NOTES = """パスはKibanの定めたもので、標準の定めではない。

個人の番号をURLに置かないため、照会はすべてPOSTとし、条件を本文（JSON）に書く。応答は保存してはならない（no-store）。
応答には fields に挙げた項目だけが入り、値のない項目は現れない。"""


def to_openapi(edition: Edition) -> str:
    """The edition as an OpenAPI document (JSON). The paths are Kiban's: the standard prescribes none here."""
    schemas: dict[str, Any] = {"problems": _PROBLEMS}
    for group in edition.groups:
        schemas[group.id] = _row(edition, group)
        schemas[f"{group.id}_query"] = _query(edition, group)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": f"{edition.title} {edition.edition}",
            "version": edition.edition,
            "description": f"{about(edition)}\n\n{_NOTES}",
        },
        "jsonSchemaDialect": _DIALECT,
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": {f"/{edition.id}/{group.id}/query": _path(group) for group in edition.groups},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
            "headers": {"no-store": {"schema": {"const": "no-store"}, "description": "応答を保存しない"}},
            "responses": {"problems": _REFUSED},
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


_PROBLEM = {
    "type": "object",
    "title": "一つの問題",
    "properties": {
        "code": {"type": "string", "description": "変わらない符号。プログラムはこれで判断する"},
        "what": {"type": "string", "description": "何が問題か。個人の情報は入らない"},
        "where": {"type": "string", "description": "本文のどこか。項目の名前で、値ではない"},
        "fix": {"type": "string", "description": "次にすること"},
    },
    "required": ["code", "what"],
    "additionalProperties": False,
}

_PROBLEMS = {
    "type": "object",
    "title": "断られた理由",
    "description": "すべての誤りがこの形で返る（RFC 9457）。見つかった問題を一度に全部挙げる。",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "problems": {"type": "array", "items": _PROBLEM, "minItems": 1},
    },
    "required": ["title", "status", "problems"],
}

_NO_STORE = {"Cache-Control": {"$ref": "#/components/headers/no-store"}}

_REFUSED = {
    "description": "断られた理由",
    "headers": _NO_STORE,
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/problems"}}},
}


def _row(edition: Edition, group: Group) -> dict[str, Any]:
    """A row of an answer: nothing is required, because it holds what was asked for."""
    return {name: part for name, part in group_schema(edition, group).items() if name != "required"}


def _query(edition: Edition, group: Group) -> dict[str, Any]:
    register = group.kind == "register"
    subject = {item.romaji: item_schema(edition, item) for item in group.subject}
    valid = {"type": "string", "format": "date", "description": "いつの日の状態か"}
    known = {
        "type": "string",
        "format": "date-time",
        "description": "いつの時点で知られていたか。なければ今",
    }
    as_of: dict[str, Any] = {
        "type": "object",
        "description": "いつの状態を、いつの知識で読むか",
        "properties": {"valid": valid, "known": known} if register else {"known": known},
        "additionalProperties": False,
    }
    return {
        "title": f"{group.name}の照会",
        "type": "object",
        "properties": {
            "subject": {
                "type": "object",
                "description": "誰の、または何の行か",
                "properties": subject,
                "required": list(subject),
                "additionalProperties": False,
            },
            "as_of": as_of | ({"required": ["valid"]} if register else {}),
            "fields": {
                "type": "array",
                "description": "求める項目。職務に要るものだけを挙げる",
                "items": {"type": "string", "enum": [item.romaji for item in group.items]},
                "minItems": 1,
                "uniqueItems": True,
            },
        },
        "required": ["subject", *(["as_of"] if register else []), "fields"],
        "additionalProperties": False,
    }


def _path(group: Group) -> dict[str, Any]:
    refused = {"$ref": "#/components/responses/problems"}
    answer = {
        "type": "object",
        "properties": {"rows": {"type": "array", "items": {"$ref": f"#/components/schemas/{group.id}"}}},
        "required": ["rows"],
        "additionalProperties": False,
    }
    query = {"$ref": f"#/components/schemas/{group.id}_query"}
    return {
        "post": {
            "operationId": f"query_{group.id}",
            "summary": f"{group.name}を照会する",
            "requestBody": {"required": True, "content": {"application/json": {"schema": query}}},
            "responses": {
                "200": {
                    "description": f"{group.name}。行がないときは空",
                    "headers": _NO_STORE,
                    "content": {"application/json": {"schema": answer}},
                },
                **dict.fromkeys(("400", "401", "403", "default"), refused),
            },
        }
    }
