"""What all parts of the OpenAPI document share: media types, the forms of refusals, short ways to say a response."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JSON, PROBLEM, FORM = "application/json", "application/problem+json", "application/x-www-form-urlencoded"

PROBLEM_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "変わらない符号。プログラムはこれで判断する"},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["type", "title", "status", "code"],
}
OAUTH_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    "required": ["error"],
}


def ref(name: str) -> dict[str, str]:
    """A schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(media: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A body of a media type."""
    return {media: {"schema": schema}}


def said(description: str, media: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A response with its body."""
    return {"description": description, "content": content(media, schema)}


def refused(*statuses: str) -> dict[str, Any]:
    """The refusals of these statuses, in the form of RFC 9457."""
    return {status: {"$ref": "#/components/responses/problem"} for status in statuses}


ALWAYS = ("400", "404", "405", "500", "503")
WITH_BODY = ("411", "413", "415")
LIMITED = {
    "description": "契約の定める量を超えた（limit-reached）",
    "headers": {
        "Retry-After": {
            "schema": {"type": "integer", "minimum": 1},
            "required": True,
            "description": "待つ秒数",
        }
    },
    "content": content(PROBLEM, ref("problem")),
}
"""Too much was asked in a minute."""
