"""SCIM 2.0 over HTTP: the personnel system keeps staff and duties, behind a token of its own scope."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from kiban.access import SCIM_SCOPE, Scim, ScimCall, ScimReply, audit
from kiban.web.bearer import Denied, bearer
from kiban.web.city import today
from kiban.web.house import NAME, House

MEDIA = "application/scim+json"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def scim(request: HttpRequest, rest: str) -> HttpResponse:
    """Every address of the service. Refusals are in its own form (RFC 7644 3.12), those of a token too."""
    house: House = request.META[NAME]
    if house.city is None:
        return _refused(404, "nothing is served at this address")
    try:
        token = bearer(request, house, SCIM_SCOPE)
    except Denied as denied:
        answer = _refused(denied.status, denied.problem.what)
        answer.headers["WWW-Authenticate"] = denied.challenge
        return answer
    if request.method not in _METHODS:
        answer = _refused(405, "the address has no such method")
        answer.headers["Allow"] = ", ".join(_METHODS)
        return answer
    body: Any = None
    if request.method in ("POST", "PUT", "PATCH"):
        if request.content_type not in (MEDIA, "application/json"):
            return _refused(415, f"send {MEDIA}")
        try:
            body = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            return _refused(400, "the body is no JSON in UTF-8", "invalidSyntax")
    call = ScimCall(
        request.method,
        tuple(rest.rstrip("/").split("/")),
        {name: str(request.GET[name]) for name in request.GET},
        body,
        request.headers.get("If-Match", ""),
        request.headers.get("If-None-Match", ""),
    )
    city = house.city
    desk = Scim(city.people, city.policies, f"{house.authority.issuer}/scim/v2")
    reply = desk.answer(call, token.system, house.now(), today(city))
    city.access.audit.write(_line(request, call, token.system, reply.status, house.now()))
    return _told(reply)


def _line(request: HttpRequest, call: ScimCall, system: str, status: int, at: datetime) -> audit.Line:
    """What the audit trail says of a call: who asked what kind of thing, not of whom; changes have a history of their own."""
    outcome = "done" if status < 400 else "refused"
    of = call.path[0] if call.path[0] in ("Users", "Groups") else "other"  # an address may hold anything
    detail: dict[str, str | int | bool] = {"act": "scim", "method": call.method, "of": of, "status": status}
    address = str(request.META.get("REMOTE_ADDR", ""))
    return audit.Line("communication", outcome, system, at, address=address, detail=detail)


def _told(reply: ScimReply) -> HttpResponse:
    data = b"" if reply.body is None else orjson.dumps(reply.body)
    answer = HttpResponse(data, status=reply.status, content_type=MEDIA)
    for name, text in reply.headers.items():
        answer.headers[name] = text
    return answer


def _refused(status: int, detail: str, kind: str = "") -> HttpResponse:
    schema = "urn:ietf:params:scim:api:messages:2.0:Error"
    body = {"schemas": [schema], "status": str(status), "detail": detail}
    return _told(ScimReply(status, {**body, "scimType": kind} if kind else body))
