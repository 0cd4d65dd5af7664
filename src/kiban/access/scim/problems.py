"""What the room refuses, in the words of SCIM."""

from __future__ import annotations

from scim2_models import (
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    SCIMException,
    UniquenessException,
)

from kiban.kernel import Problem, Problems

_MISSING = {"staff-unknown", "office-unknown", "duty-unknown"}


def of_problem(error: Problem | Problems, *, named: bool = False) -> SCIMException:
    """The refusal of a change.

    Args:
        error: what the room said.
        named: whether the address names what is unknown.

    Raises:
        Problem: what is no fault of the request, such as `database-unreachable`.
    """
    if isinstance(error, Problem):
        if named and error.code in _MISSING:
            return NotFoundException(detail="there is no such resource")
        if error.code == "change-stale":
            return PreconditionFailedException(detail=error.what)
        raise error
    detail = "; ".join(f"{each.what} ({each.code})" for each in error.problems)
    if any(each.code == "staff-external-id" for each in error.problems):
        return UniquenessException(detail=detail)
    return InvalidValueException(detail=detail)
