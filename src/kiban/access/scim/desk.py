"""What users and groups have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Protocol

from scim2_models import InvalidSyntaxException

Found = tuple[list[Any], int, int]
"""The resources of a page, how many there are in all, and the number of the first, from 1."""


class Desk(Protocol):
    """Answers for one kind of resources. Every method raises a `SCIMException` for what it refuses."""

    def find(self, query: Mapping[str, str], on: date) -> Found:
        """A page of those that fit a filter."""

    def get(self, called: str, on: date, /) -> Any:
        """One, by its ID."""

    def create(self, body: Any, by: str, now: datetime, on: date) -> Any:
        """A new one."""

    def replace(self, called: str, body: Any, by: str, now: datetime, on: date, /) -> Any:
        """One as the body says."""

    def patch(self, called: str, body: Any, by: str, now: datetime, on: date, /) -> Any:
        """One with some changes."""


def mapping(body: Any) -> dict[str, Any]:
    """The body, which is an object.

    Raises:
        SCIMException: `invalidSyntax`.
    """
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="the body is no object")
    return body
