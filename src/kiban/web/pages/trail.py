"""The line that every act of a person at work leaves in the audit trail, before its answer leaves."""

from __future__ import annotations

from kiban.access import audit
from kiban.web.pages import errors, sitting
from kiban.web.pages.desk import Desk


def leave(
    request: Desk,
    kind: str,
    *,
    outcome: str = "done",
    business: str = "",
    subjects: tuple[str, ...] = (),
    **detail: str | int | bool,
) -> None:
    """Write the line of an act.

    Args:
        request: of the person at work.
        kind: ID of a kind of line.
        outcome: `done`, `refused` or `failed`.
        business: ID of the edition it was about.
        subjects: 宛名番号 of whom it was about.
        detail: further facts; never a number of a person, never what was typed.

    Raises:
        Problem: `audit-unwritten`: then the act is not done.
    """
    acting = request.acting
    request.city.audit.write(
        audit.Line(
            kind,
            outcome,
            acting.staff.number,
            request.city.now(),
            office=acting.office.id,
            duty=acting.assignment.duty,
            purpose=acting.purpose,
            address=str(request.META.get("REMOTE_ADDR", "")),
            session=audit.session_mark(sitting.name(request)),
            request=errors.number(request),
            business=business,
            subjects=subjects,
            detail=detail,
        )
    )
