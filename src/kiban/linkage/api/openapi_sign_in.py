"""The endpoints of the authorization server, as OpenAPI says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiban.linkage.api.openapi_parts import FORM, JSON, WITH_BODY, content, ref, refused, said

_TOKEN = {"token": {"type": "string", "minLength": 1}, "token_type_hint": {"enum": ["access_token"]}}
_ASKED: dict[str, dict[str, Any]] = {
    "token": {"grant_type": {"const": "client_credentials"}, "scope": {"type": "string", "minLength": 1}},
    "introspection": _TOKEN,
    "revocation": _TOKEN,
}
_NEEDED = {"token": ["grant_type", "scope"], "introspection": ["token"], "revocation": ["token"]}
_SIGNED = {"client_assertion_type": {"type": "string"}, "client_assertion": {"type": "string"}}
_TOLD: dict[str, dict[str, Any]] = {
    "token": {
        "type": "object",
        "properties": {
            "access_token": {"type": "string"},
            "token_type": {"const": "Bearer"},
            "expires_in": {"type": "integer", "minimum": 1, "maximum": 600},
            "scope": {"type": "string"},
        },
        "required": ["access_token", "token_type", "expires_in", "scope"],
        "additionalProperties": False,
    },
    "introspection": {
        "type": "object",
        "properties": {"active": {"type": "boolean"}},
        "required": ["active"],
    },
    "revocation": {"type": "object"},
}


def sign_in(paths: Mapping[str, str]) -> dict[str, Any]:
    """The endpoints by their addresses.

    Args:
        paths: `token`, `introspection`, `revocation` -> address.
    """
    error = said("断られた理由（RFC 6749 5.2）", JSON, ref("oauth_error"))
    return {
        path: {
            "post": {
                "operationId": name,
                "summary": f"OAuth 2.0 {name}",
                "requestBody": {
                    "required": True,
                    "content": content(
                        FORM,
                        {
                            "type": "object",
                            "properties": {**_ASKED[name], **_SIGNED},
                            "required": _NEEDED[name],
                        },
                    ),
                },
                "responses": {
                    "200": said("応答", JSON, _TOLD[name]),
                    **dict.fromkeys(("400", "401", "403", "429"), error),
                    **refused("405", *WITH_BODY, "500", "503"),
                },
            }
        }
        for name, path in paths.items()
    }
