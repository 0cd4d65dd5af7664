"""A plan and its steps, as plain values that a person reviews."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from kiban.kernel import Problem
from kiban.standard import Edition, definition


@dataclass(frozen=True)
class Step:
    """What happens to one register.

    Attributes:
        register: schema.table; for `end` the schema of the views.
        action: `create`, `rebuild` (every row is written anew beside the old table), `keep` (labels only),
            `retire` (the edition no longer names it; its rows stay) or `end` (the views in the shape of the edition
            before the one in force are taken away).
        notes: what changes, in words, one for each item.
        source: for `rebuild`: the SQL expression over the old table for each new column.
        carried: for `rebuild`: which column goes on from which: name now -> name before.
        retired: columns that stay although the edition no longer names them: name and type.
        search: what happens to the search table: `keep`, `build` (keys are made anew from the rows), `drop` or empty.
    """

    register: str
    action: str
    notes: tuple[str, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict, hash=False)
    carried: Mapping[str, str] = field(default_factory=dict, hash=False)
    retired: tuple[tuple[str, str], ...] = ()
    search: str = ""


@dataclass(frozen=True)
class Plan:
    """How an edition comes into force.

    Attributes:
        schema: the business's schema.
        old: the edition in force; None on a new database.
        new: the edition to come.
        steps: one for each register, then one for each set of views that ends.
        obstacles: what must be mended in the data first; a plan with obstacles is not carried out.
    """

    schema: str
    old: Edition | None
    new: Edition
    steps: tuple[Step, ...]
    obstacles: tuple[Problem, ...]

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that stand for exactly this plan; a reviewer confirms them."""
        parts = [self.schema, self.old.edition if self.old else "", self.new.edition, definition(self.new)]
        for step in self.steps:
            parts += [step.register, step.action, step.search, *step.notes]
            parts += [f"{name}={source}" for name, source in step.source.items()]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]

    @property
    def needs_review(self) -> bool:
        """Whether rows that stand are touched, or views that somebody may read end."""
        return any(step.action in ("rebuild", "end") for step in self.steps)
