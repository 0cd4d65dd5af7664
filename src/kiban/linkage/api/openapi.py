"""OpenAPI 3.1 of the API, from the contracts in force and the specification of the numbering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kiban.linkage.api import schemas
from kiban.linkage.api.openapi_parts import (
    ALWAYS,
    JSON,
    LIMITED,
    OAUTH_ERROR,
    PROBLEM,
    PROBLEM_SCHEMA,
    WITH_BODY,
    content,
    ref,
    refused,
    said,
)
from kiban.linkage.api.openapi_sign_in import sign_in
from kiban.linkage.api.question import (
    AFTER,
    CASE,
    HASH,
    ID,
    ID_FORM,
    KEYS,
    MOST_ROWS,
    PURPOSE,
    USER,
    WORD_FORM,
)
from kiban.linkage.api.scopes import read_scope
from kiban.linkage.api.spec import NumberingSpec
from kiban.linkage.contracts.model import Contract, Feed

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def openapi(
    contracts: Iterable[Contract], spec: NumberingSpec | None, issuer: str, paths: Mapping[str, str]
) -> dict[str, Any]:
    """The document.

    Args:
        contracts: those that are read by API.
        spec: of the numbering API; None where it is not served.
        issuer: address of the authorization server.
        paths: its endpoints: `token`, `introspection`, `revocation`.
    """
    found: dict[str, Any] = {**_about(), **sign_in(paths)}
    scopes: dict[str, str] = {}
    if spec is not None:
        found[spec.path] = {"post": _numbering(spec)}
        scopes[str(spec.scope)] = spec.official["title"]
        found[f"/{spec.inquiry.resource}"] = {"post": _inquiry(spec)}
        scopes[str(spec.inquiry)] = "住登外者宛名基本情報照会（仕様未入手）"
    for contract in contracts:
        for feed in contract.feeds:
            scope = str(read_scope(contract, feed))
            scopes[scope] = f"{contract.title} {feed.group.name}"
            found[f"/link/{contract.flow}/{feed.name}"] = _reading(contract, feed, scope)
    flow = {"clientCredentials": {"tokenUrl": issuer + paths["token"], "scopes": scopes}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "基盤 連携API", "version": "1", "description": _NOTES},
        "jsonSchemaDialect": _DIALECT,
        "servers": [{"url": "/"}],
        "paths": found,
        "components": {
            "securitySchemes": {"oauth": {"type": "oauth2", "flows": flow}},
            "schemas": {"problem": PROBLEM_SCHEMA, "oauth_error": OAUTH_ERROR},
            "responses": {
                "problem": {
                    "description": "断られた理由（RFC 9457）",
                    "content": content(PROBLEM, ref("problem")),
                }
            },
        },
    }


_NOTES = """契約と国の標準から生成した。手で書かれた部分はない。

トークンは Authorization ヘッダーだけに置く。
個人の番号は本文かヘッダーだけに置き、URLには置かない。応答は保存してはならない（no-store）。"""


def _about() -> dict[str, Any]:
    any_object = {"type": "object"}
    return {
        path: {
            "get": {
                "operationId": name,
                "summary": summary,
                "responses": {"200": said(summary, JSON, any_object), **refused("400", "405", "503")},
            }
        }
        for path, name, summary in (
            ("/healthz", "healthz", "動いているか"),
            ("/openapi.json", "openapi", "この文書"),
            ("/.well-known/oauth-authorization-server", "metadata", "認可サーバーについて（RFC 8414）"),
        )
    }


def _numbering(spec: NumberingSpec) -> dict[str, Any]:
    media = spec.official["media_type"]
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "依頼を識別する名前。同じ名前の同じ依頼は、何度送っても一つの依頼である（Kibanの追加）",
        "schema": {"type": "string", "pattern": "^[!-~]{1,100}$"},
    }
    refusals = {"400": "refused", "401": "unauthorized", "503": "failed"}
    return {
        "operationId": "jutogaishaatenabangofuban",
        "summary": f"{spec.official['title']}（付番API仕様 第{spec.version}版）",
        "security": [{"oauth": [str(spec.scope)]}],
        "parameters": [key],
        "requestBody": {"required": True, "content": content(JSON, schemas.numbering_request(spec))},
        "responses": {
            "200": said(spec.official["done"], media, schemas.numbering_answer(spec)),
            **{
                status: said(spec.official[detail], media, schemas.numbering_refusal(spec, detail))
                for status, detail in refusals.items()
            },
            **refused("405", *WITH_BODY, "500"),
        },
    }


def _inquiry(spec: NumberingSpec) -> dict[str, Any]:
    return {
        "operationId": "jutogaishaatenakihonjohosyokai",
        "summary": "住登外者宛名基本情報照会。公式の仕様が手元にないため、501で断る",
        "security": [{"oauth": [str(spec.inquiry)]}],
        "responses": refused("400", "401", "403", "405", *WITH_BODY, "500", "501", "503"),
    }


def _reading(contract: Contract, feed: Feed, scope: str) -> dict[str, Any]:
    described = f"根拠：{contract.basis}\n目的：{contract.purpose}\n受け手：{contract.consumer.name}{_limits(contract)}"
    shared = {
        "description": described,
        "security": [{"oauth": [scope]}],
        "responses": {
            "200": {
                **said("求めた行。なければ空", JSON, schemas.answer(feed)),
                "headers": {
                    name: {"schema": {"type": "string"}, "required": True}
                    for name in (ID, HASH, "Content-Digest")
                },
            },
            **refused("401", "403", *ALWAYS, *WITH_BODY),
            "429": LIMITED,
        },
    }
    name = f"{contract.flow.replace('-', '_').replace('.', '_')}_{feed.name}"
    return {
        "get": {
            "operationId": f"get_{name}",
            "summary": f"{feed.group.name}を照会する（鍵はヘッダーに置く）",
            "parameters": [*_said_headers(), *_query(feed)],
            **shared,
        },
        "post": {
            "operationId": f"ask_{name}",
            "summary": f"{feed.group.name}を照会する",
            "parameters": _said_headers(),
            "requestBody": {"required": True, "content": content(JSON, schemas.question(feed))},
            **shared,
        },
    }


def _limits(contract: Contract) -> str:
    most = ((contract.receiver.requests, "件の照会"), (contract.receiver.answer_bytes, "バイトの答え"))
    said = [f"{number:,}{what}" for number, what in most if number is not None]
    return f"\n上限：毎分{'、'.join(said)}。超えたら429" if said else ""


def _said_headers() -> list[dict[str, Any]]:
    words = {
        ID: ("照会を識別する名前（UUIDなど）", ID_FORM),
        PURPOSE: ("目的（事務）。UTF-8をパーセント符号化", WORD_FORM),
        USER: ("職員", WORD_FORM),
        CASE: ("事案", WORD_FORM),
    }
    return [
        {
            "name": name,
            "in": "header",
            "required": True,
            "description": description,
            "schema": {"type": "string", "pattern": f"^{pattern}$"},
        }
        for name, (description, pattern) in words.items()
    ]


def _query(feed: Feed) -> list[dict[str, Any]]:
    fields = {"type": "array", "items": {"enum": list(feed.columns)}, "minItems": 1}
    unit = feed.unit.romaji
    return [
        {
            "name": KEYS,
            "in": "header",
            "required": True,
            "description": f"誰の行か。{unit}=値,値;項目=値 の形で、値はパーセント符号化",
            "schema": {
                "type": "string",
                "pattern": f"^{unit}=[0-9A-Za-z]{{1,15}}(,[0-9A-Za-z]{{1,15}}){{0,9}}$",
            },
        },
        {"name": AFTER, "in": "header", "required": False, "schema": {"type": "string", "pattern": "^$"}},
        {
            "name": "fields",
            "in": "query",
            "required": True,
            "style": "form",
            "explode": False,
            "schema": fields,
        },
        {"name": "as_of", "in": "query", "required": False, "schema": {"type": "string", "format": "date"}},
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "schema": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        },
    ]
