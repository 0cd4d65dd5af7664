"""Lines of the audit trail about sign-ins and accounts: written before the act is answered, or the act is not done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from kiban.access import audit
from kiban.web.city import City
from kiban.web.house import NAME
from kiban.web.pages import errors, sitting

COMMAND_LINE = "kiban"
"""Who acts on the command line: whoever holds the machine."""


@dataclass(frozen=True)
class By:
    """Who changes accounts, and from where.

    Attributes:
        actor: staff number; `COMMAND_LINE` for the command line.
        office: ID of the office.
        duty: ID of the duty.
        purpose: 事務.
        address: network address.
        session: mark of the session.
        request: number of the request.
    """

    actor: str
    office: str = ""
    duty: str = ""
    purpose: str = ""
    address: str = ""
    session: str = ""
    request: str = ""


def by(request: HttpRequest, actor: str | None = None) -> By:
    """Who asks.

    Args:
        request: of the page.
        actor: staff number; None for whoever is signed in, "" for nobody.
    """
    if actor is None:
        actor = request.user.get_username() if request.user.is_authenticated else ""
    acting: Any = getattr(request, "acting", None)
    office, duty, purpose = (
        (acting.office.id, acting.assignment.duty, acting.purpose) if acting else ("", "", "")
    )
    named = sitting.name(request)
    mark = audit.session_mark(named) if named else ""
    address = str(request.META.get("REMOTE_ADDR", ""))
    return By(actor, office, duty, purpose, address, mark, errors.number(request))


def city_of(request: HttpRequest) -> City:
    """What pages stand on; only where there are pages."""
    city = request.META[NAME].city
    assert isinstance(city, City)
    return city


def signin(city: City, who: By, act: str, outcome: str = "done", **detail: str | int) -> None:
    """Write what happened at a sign-in.

    Args:
        city: whose.
        who: by whom; with an empty actor where nobody is known.
        act: one of `audit.sign_in_acts`.
        outcome: one of `audit.OUTCOMES`.
        **detail: further facts.

    Raises:
        Problem: `audit-unwritten`.
    """
    _write(city, who, "signin", outcome, {"act": act, **detail})


def setting(city: City, who: By, what: str, outcome: str = "done", **detail: str | int) -> None:
    """Write which setting of accounts was changed; as `signin`."""
    _write(city, who, "setting", outcome, {"what": what, **detail})


def _write(city: City, who: By, kind: str, outcome: str, detail: dict[str, str | int]) -> None:
    line = audit.Line(
        kind,
        outcome,
        who.actor,
        city.now(),
        who.office,
        who.duty,
        who.purpose,
        who.address,
        who.session,
        who.request if who.request != "-" else "",
        "accounts",
        detail=detail,
    )
    city.audit.write(line)
