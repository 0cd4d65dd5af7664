"""Around every view: known host, bounded body, headers that keep answers where they belong, one line in the log."""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host

from kiban.kernel import Problem, Problems
from kiban.web import answers, headers, metrics
from kiban.web.house import NAME, SYSTEM, House
from kiban.web.pages import alarm, errors, trail

log = logging.getLogger("kiban.web")

_NEVER_IN_AN_ADDRESS = ("access_token", "client_secret", "client_assertion", "token")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_SEVERAL = {"group", "item", "scopes", "sum", "what"}
"""Fields with boxes to tick, of which a form may send several; every other comes once."""


class Guarding:
    """The middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        began = time.perf_counter()
        house: House = request.META[NAME]
        request.META[errors.NUMBER] = number = secrets.token_hex(6)
        answer = _refusal(request, house) or self._get_response(request)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            answer.headers.setdefault("Content-Security-Policy", headers.for_pages())
            # Without any referrer a browser calls the origin of a form null, and the form would be refused as forged.
            answer.headers.setdefault("Referrer-Policy", "same-origin")
        for name, text in headers.ALWAYS.items():
            answer.headers.setdefault(name, text)
        if request.META.get(headers.LEFT):
            answer.headers["Clear-Site-Data"] = headers.CLEAR
        if house.authority.issuer.startswith("https:"):
            answer.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        # The route, never the address: that may hold anything. No query string, no header, no body.
        match = request.resolver_match
        route = match.route if match else "-"
        system = request.META.get(SYSTEM, "-")
        took = (time.perf_counter() - began) * 1000
        metrics.count(route, request.method, answer.status_code, took / 1000)
        log.info("%s %s /%s %s %s %.1f ms", number, request.method, route, answer.status_code, system, took)
        return answer

    def process_view(self, request: HttpRequest, view: Any, args: Any, names: Any) -> HttpResponse | None:
        """The refusal of what no view should read: a strange method, a character that no text has, or a parameter twice.

        Of two, one reader could take the first and another the last. What is for other systems refuses in its own words.
        """
        for_systems = getattr(view, "csrf_exempt", False)
        if request.method not in _METHODS and not for_systems:
            return _strange(request)
        given = [*request.GET.lists(), *request.POST.lists()]
        if any("\x00" in value for name, values in given for value in (name, *values)):
            return errors.page(request, 400, code="page-unreadable")
        several = any(len(values) > 1 and name not in _SEVERAL for name, values in given)
        if several and not for_systems:
            return errors.page(request, 400, code="parameter-twice")
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer where a view raised: a problem as what it is, anything else as our mistake; None for Django's own refusals."""
        if isinstance(error, Http404 | PermissionDenied | SuspiciousOperation):
            return None
        if errors.wants_page(request):
            return _as_page(request, error)
        if isinstance(error, Problem | Problems):
            answer = answers.of_problem(request.path, error)
            if answer.status_code == 503:
                note(error)
            return answer
        note(error)
        problem = Problem(
            "mistake", "the service made a mistake", fix="tell whoever runs it the time of the request"
        )
        return answers.refused(500, request.path, [problem])


def _as_page(request: HttpRequest, error: Exception) -> HttpResponse:
    """The answer to a browser: what to do, and the number that finds the line in the log."""
    found = error.problems[0] if isinstance(error, Problems) else error
    if isinstance(found, Problem) and found.code in _REFUSED:
        return errors.page(request, _REFUSED[found.code], code=found.code)
    log.error("%s: as a page", errors.number(request))
    note(error)
    _leave_line(request, getattr(found, "code", "mistake"))
    return errors.page(request, 503 if isinstance(found, Problem) else 500, code=getattr(found, "code", ""))


def _leave_line(request: HttpRequest, code: str) -> None:
    """A line of the audit trail, where somebody was at work and the trail is not itself what fails: she waits for her answer."""
    if getattr(request, "acting", None) is None or code in ("database-unreachable", "audit-unwritten"):
        return
    match = request.resolver_match
    with suppress(Problem, Problems):  # what cannot be written stands in the log
        trail.leave(request, "error", outcome="failed", problem=code, route=match.route if match else "-")  # type: ignore[arg-type]


_REFUSED = {"not-allowed": 403, "item-hidden": 403, "page-unreadable": 400, "value-unreadable": 400}
"""Problems that say what the person may not do, or did not ask well."""


def note(error: Exception) -> None:
    """Write into the log where an exception came from; not its text: it may quote a value."""
    if isinstance(error, Problem):
        log.error("cannot answer: %s (%s)", error.what, error.code)
        return
    places = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
    log.error("a mistake of ours: %s\n%s", type(error).__name__, places)


def _strange(request: HttpRequest) -> HttpResponse:
    """The refusal of a method that nothing here has: TRACE would send back what it was sent, cookies and all."""
    alarm.raised(request, "method-unknown")
    problem = Problem("method-unknown", "this method is not for here", fix="see /openapi.json")
    answer = answers.refused(405, request.path, [problem])
    answer["Allow"] = ", ".join(_METHODS)
    return answer


def _refusal(request: HttpRequest, house: House) -> HttpResponse | None:
    """The refusal of a request that no view should see; None where it may pass."""
    name, _ = split_domain_port(request.META.get("HTTP_HOST", ""))
    if not name or not validate_host(name, house.hosts):
        alarm.raised(request, "host-unknown")
        problem = Problem(
            "host-unknown", "the request is for another host", fix="use the address of the service"
        )
        return answers.refused(400, request.path, [problem])
    if {part for part, _ in parse_qsl(request.META.get("QUERY_STRING", ""))} & set(_NEVER_IN_AN_ADDRESS):
        fix = "a token belongs into the Authorization header; end this one: it may stand in logs"
        alarm.raised(request, "secret-in-address")
        problem = Problem("secret-in-address", "the address holds a secret", fix=fix)
        return answers.refused(400, request.path, [problem])
    length = request.META.get("CONTENT_LENGTH") or ""
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        problem = Problem("length-missing", "the body comes without its length", fix="send Content-Length")
        return answers.refused(411, request.path, [problem])
    if length.isdecimal() and int(length) > house.bytes:
        problem = Problem(
            "body-large", f"the body has more than {house.bytes} bytes", fix="ask for less at once"
        )
        return answers.refused(413, request.path, [problem])
    return None
