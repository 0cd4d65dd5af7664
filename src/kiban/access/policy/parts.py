"""What a policy set speaks of: duties, actions and classes of items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Duty:
    """A duty (職務).

    Attributes:
        id: under which assignments and policies name it.
        title: its Japanese name.
        purposes: the works (事務) it is for, at least one.
        offices: kinds of offices at which it can be held.
        note: what is to be said of it; may be empty.
    """

    id: str
    title: str
    purposes: tuple[str, ...]
    offices: frozenset[str]
    note: str = ""


@dataclass(frozen=True)
class Action:
    """Something that can be done (操作).

    Attributes:
        id: under which policies name it.
        title: its Japanese name.
        over: `business` where it is decided for each business and class of items, `city` where it concerns none.
        log: the kind of log line it leaves.
        second: whether a second person has to agree.
    """

    id: str
    title: str
    over: Literal["business", "city"]
    log: str
    second: bool = False


@dataclass(frozen=True)
class ItemClass:
    """Items that are shown to fewer people than the rest (項目区分), such as 個人番号.

    Attributes:
        id: under which policies name it.
        title: its Japanese name.
        items: edition ID -> its items, as edition.group.romaji. Items in no class are open to whoever reads the business.
    """

    id: str
    title: str
    items: Mapping[str, frozenset[str]] = field(hash=False)


Decisions = frozenset[tuple[str, str, str]]
"""What is allowed: action, business and class of items; an empty class is the business itself, an empty business the city."""
