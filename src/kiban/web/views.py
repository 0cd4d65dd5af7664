"""The addresses: each view reads the request, asks a room, and writes its answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

from django.http import HttpRequest, HttpResponse

from kiban.access import PATHS, Asked
from kiban.kernel import Problem
from kiban.linkage import api
from kiban.web import answers, bodies
from kiban.web.bearer import Denied, bearer
from kiban.web.bodies import Unreadable
from kiban.web.guarding import note
from kiban.web.house import NAME, House
from kiban.web.pages import errors

View = Callable[..., HttpResponse]


def only(*methods: str) -> Callable[[View], View]:
    """Refuse other methods, and tell a refusal of the body or the token as one."""

    def made(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **names: str) -> HttpResponse:
            if request.method not in methods:
                problem = Problem(
                    "method-unknown", "the address has no such method", fix=" or ".join(methods)
                )
                answer = answers.refused(405, request.path, [problem])
                answer.headers["Allow"] = ", ".join(methods)
                return answer
            try:
                return view(request, _house(request), **names)
            except Denied as denied:
                return denied.answer(request.path)
            except Unreadable as unreadable:
                return answers.refused(unreadable.status, request.path, [unreadable.problem])

        return guarded

    return made


def _house(request: HttpRequest) -> House:
    house = request.META[NAME]
    assert isinstance(house, House)
    return house


@only("GET")
def healthz(request: HttpRequest, house: House) -> HttpResponse:
    """Whether the service and its database work."""
    house.healthy()
    return answers.json({"status": "ok"})


@only("GET")
def openapi(request: HttpRequest, house: House) -> HttpResponse:
    """What can be asked, in OpenAPI."""
    spec = house.numbering.spec if house.numbering else None
    return answers.json(api.openapi(house.reading.contracts(), spec, house.authority.issuer, PATHS))


@only("GET")
def metadata(request: HttpRequest, house: House) -> HttpResponse:
    """What the authorization server says of itself (RFC 8414)."""
    return answers.json(house.authority.metadata())


@only("POST")
def oauth(request: HttpRequest, house: House, endpoint: str) -> HttpResponse:
    """The endpoints of the authorization server."""
    given = request.headers.get("Authorization", "")
    try:
        form = bodies.from_form(request)
    except Unreadable as unreadable:
        if unreadable.status != 400:
            raise
        told = {"error": "invalid_request", "error_description": "the body is no form"}  # RFC 6749 5.2
        return answers.json(told, 400)
    asked = Asked(endpoint, form, given, request.META.get("REMOTE_ADDR", ""))
    said = house.authority.answer(asked)
    answer = answers.json(said.body, said.status)
    for name, text in said.headers.items():
        answer.headers[name] = text
    return answer


@only("POST")
def app_submit(request: HttpRequest, house: House, resource: str) -> HttpResponse:
    """The APIs of the common functions under the addresses of the standard."""
    numbering = house.numbering
    if numbering is None:
        return missing(request)
    spec = numbering.spec
    if request.path == spec.path:
        return _numbering(request, house, numbering)
    if request.path == f"/{spec.inquiry.resource}":
        bearer(request, house, spec.inquiry)
        what, fix = (
            "the official specification of this API is not at hand",
            "read by a contract: /link/FLOW/FEED",
        )
        return answers.refused(501, request.path, [Problem("inquiry-unspecified", what, fix=fix)])
    return missing(request)


def _numbering(request: HttpRequest, house: House, numbering: api.Numbering) -> HttpResponse:
    """The numbering API: its refusals of a token are in the standard's own form, which knows no 403, and so are our failures."""
    spec = numbering.spec
    media = spec.official["media_type"]
    try:
        token = bearer(request, house, spec.scope)
        told = numbering.answer(_lenient(request), token.system, request.headers.get("Idempotency-Key"))
    except Denied as denied:
        answer = answers.json(spec.frame("unauthorized"), 401, media)
        answer.headers["WWW-Authenticate"] = denied.challenge
        return answer
    except Unreadable:
        raise
    except Exception as error:  # noqa: BLE001 - 想定外エラー is a 503 in this form, whatever it was
        note(error)
        return answers.json(spec.frame("failed"), 503, media)
    if told.problem is not None:
        note(told.problem)
    return answers.json(told.body, told.status, media)


def _lenient(request: HttpRequest) -> Any:
    """The body; None where it is no JSON, which is then told as any other fault of the request, in the standard's form."""
    try:
        return bodies.from_json(request)
    except Unreadable as unreadable:
        if unreadable.status != 400:
            raise
        return None


@only("GET", "POST")
def link(request: HttpRequest, house: House, flow: str, feed: str) -> HttpResponse:
    """The read API of a contract."""
    # Without a contract of its own no system learns whether there is such a flow; the token comes first.
    scope = api.named_scope(flow, feed, house.reading.provider(flow))
    token = bearer(request, house, scope)
    contract, found = house.reading.feed(flow, feed, token.system)
    if wait := house.reading.wait(contract):
        fix = f"ask again in {wait} seconds; the contract says how much a minute is"
        answer = answers.refused(429, request.path, [Problem("limit-reached", "too much was asked", fix=fix)])
        answer.headers["Retry-After"] = str(wait)
        return answer
    query = request.META.get("QUERY_STRING", "")
    target = request.path + (f"?{query}" if query else "")
    headers = {name: request.headers.get(name, "") for name in api.HEADERS}
    body = request.body if request.method == "POST" else b""
    envelope = api.Envelope(str(request.method), target, headers, body)
    asked = bodies.from_json(request) if request.method == "POST" else _asked(query, headers)
    if not isinstance(asked, dict):
        raise Unreadable(400, Problem("body-unreadable", "the body is no object", fix="send {fields, keys}"))
    reply = house.reading.answer(contract, found, token.system, envelope, asked)
    answer = answers.json(reply.body)
    for name, text in reply.headers.items():
        answer.headers[name] = text
    return answer


def _asked(query: str, headers: dict[str, str]) -> dict[str, Any]:
    """What a GET asks: keys and place in headers, since numbers of persons stand in no address."""
    try:
        given = parse_qs(
            query, keep_blank_values=True, max_num_fields=bodies.MOST_PARAMETERS, errors="strict"
        )
        keys = dict(_key(part) for part in headers[api.KEYS].split(";") if part)
    except ValueError:
        raise Unreadable(
            400, Problem("query-unreadable", "the query cannot be read", fix="see /openapi.json")
        ) from None
    if {"keys", "after"} & set(given):
        fix = f"put it into the header {api.KEYS} or {api.AFTER}, or ask by POST"
        raise Unreadable(400, Problem("number-in-address", "the address names persons", fix=fix))
    asked: dict[str, Any] = {name: values[-1] for name, values in given.items()}
    if "fields" in asked:
        asked["fields"] = [name for value in given["fields"] for name in value.split(",")]
    if asked.get("limit", "").isdecimal():
        asked["limit"] = int(asked["limit"])
    if keys:
        asked["keys"] = keys
    if headers[api.AFTER]:
        asked["after"] = headers[api.AFTER]
    return asked


def _key(part: str) -> tuple[str, list[str]]:
    name, _, values = part.partition("=")
    return name.strip(), [unquote_to_bytes(value).decode("utf-8") for value in values.split(",")]


def missing(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Nothing is there."""
    if errors.wants_page(request):
        return errors.page(request, 404)
    problem = Problem("address-unknown", "nothing is served at this address", fix="see /openapi.json")
    return answers.refused(404, request.path, [problem])


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What Django or a library forbids."""
    if errors.wants_page(request):
        return errors.page(request, 403)
    problem = Problem("not-allowed", "this is not allowed", fix="see /openapi.json")
    return answers.refused(403, request.path, [problem])


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What Django itself refuses."""
    if errors.wants_page(request):
        return errors.page(request, 400)
    problem = Problem("request-unreadable", "the request cannot be read", fix="see /openapi.json")
    return answers.refused(400, request.path, [problem])


def mistaken(request: HttpRequest) -> HttpResponse:
    """What nobody caught."""
    if errors.wants_page(request):
        return errors.page(request, 500)
    problem = Problem(
        "mistake", "the service made a mistake", fix="tell whoever runs it the time of the request"
    )
    return answers.refused(500, request.path, [problem])
