"""Every address of the service, from the urlconf itself: what is added later is attacked, too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from inspect import getclosurevars
from typing import Any

_VALUES = {"int": "1"}


@dataclass(frozen=True)
class Route:
    """One address.

    Attributes:
        path: with something in the place of each part that varies.
        name: as the urlconf names it; the path where it does not.
        action: that `needs` asks for; None where nothing asks.
        business: likewise.
        open: whether forms of other sites may be sent to it: an API that takes no cookie.
    """

    path: str
    name: str
    action: str | None
    business: str
    open: bool


def routes() -> list[Route]:
    """All of them."""
    from django.urls import get_resolver

    return list(_walk(get_resolver().url_patterns, "/"))


def pages() -> list[Route]:
    """Those of people with a browser."""
    return [each for each in routes() if not each.open]


def _walk(patterns: Any, before: str) -> Iterator[Route]:
    for each in patterns:
        path = before + re.sub(r"<(\w+):\w+>", lambda found: _VALUES.get(found[1], "x"), str(each.pattern))
        if hasattr(each, "url_patterns"):
            yield from _walk(each.url_patterns, path)
        else:
            needed = _needed(each.callback) or {}
            open_ = bool(getattr(each.callback, "csrf_exempt", False))
            yield Route(path, each.name or path, needed.get("action"), needed.get("business", ""), open_)


def _needed(view: Callable[..., Any] | None) -> dict[str, str] | None:
    """What `needs` closed over, below all other decorators."""
    while view is not None:
        kept = dict(getclosurevars(view).nonlocals) if hasattr(view, "__closure__") else {}
        if "action" in kept and "business" in kept:
            return kept
        view = getattr(view, "__wrapped__", None)
    return None
