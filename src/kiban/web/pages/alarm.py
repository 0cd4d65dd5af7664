"""Lines of the audit trail about what nobody does by accident: forged forms, hosts, handles."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse

from kiban.access import audit
from kiban.kernel import Problem, Problems
from kiban.web.house import NAME, House
from kiban.web.pages import errors, measure, sitting

log = logging.getLogger("kiban.web")

_MOST, _SECONDS = 60, 60
"""So many lines are written within so many seconds by each process: nobody fills the trail from outside. The log has all."""


def raised(request: HttpRequest, code: str) -> None:
    """Write that a request was refused which no page of ours sends; the refusal holds whether or not it can be written.

    Args:
        request: as it came; nothing of what it holds is written but where it came from.
        code: of the problem.
    """
    log.warning("%s: refused (%s)", errors.number(request), code)
    house: House = request.META[NAME]
    city = house.city
    if city is None or measure.over(f"alarm:{id(city.store)}", _MOST, _SECONDS, city.now()):
        return
    user: Any = getattr(request, "user", None)
    named = sitting.name(request) if hasattr(request, "session") else ""
    line = audit.Line(
        "error",
        "refused",
        user.get_username() if user is not None and user.is_authenticated else "",
        city.now(),
        address=str(request.META.get("REMOTE_ADDR", "")),
        session=audit.session_mark(named) if named else "",
        request=errors.number(request),
        detail={"problem": code},
    )
    with suppress(Problem, Problems):
        city.audit.write(line)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The answer to a form that did not come from a page of ours, or came too late."""
    raised(request, "form-forged")
    return errors.page(
        request,
        403,
        "画面の有効期限が切れたか、他のサイトから送信されたため、受け付けませんでした",
        "画面を開き直してからやり直してください。",
        "form-forged",
    )
