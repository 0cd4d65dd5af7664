"""What was due and did not come, came twice, came in part, or is older than what was applied. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from kiban.sets.contents import Contents
from kiban.sets.manifest import Draft, Manifest, SetKind

Shortcoming = Literal["missing", "twice", "partial", "stale"]


@dataclass(frozen=True)
class Expectation:
    """A set that is due.

    Attributes:
        flow: of which flow.
        as_of: the day of its data.
        kind: full or delta.
        parts: how many are agreed; None where that is open.
    """

    flow: str
    as_of: date
    kind: SetKind = "full"
    parts: int | None = None


@dataclass(frozen=True)
class Finding:
    """What is wrong with a set that is due.

    Attributes:
        due: which one.
        what: `missing`; `twice`; `partial`: not published to the end, or parts are not there or fewer than agreed; `stale`: not
            later than what was applied.
        set_ids: the sets it is said of; none where nothing came.
    """

    due: Expectation
    what: Shortcoming
    set_ids: tuple[str, ...] = ()


def expected(
    due: Iterable[Expectation], found: Contents, applied: Mapping[str, Manifest] | None = None
) -> tuple[Finding, ...]:
    """Hold what lies on a shelf against what is due. A set that came whole and once, and is new, gives no finding.

    Args:
        due: what should be there by now.
        found: what is there.
        applied: by flow, the set that the receiver applied last; a set that it has applied itself is not stale.
    """
    return tuple(finding for one in due for finding in _of(one, found, (applied or {}).get(one.flow)))


def _of(due: Expectation, found: Contents, last: Manifest | None) -> Iterable[Finding]:
    came = [one for one in found.sets if _is(one, due)]
    begun = tuple(one.set_id for one in found.unfinished if _is(one, due))
    if not came:
        yield Finding(due, "partial", begun) if begun else Finding(due, "missing")
    if len(came) > 1:
        yield Finding(due, "twice", tuple(one.set_id for one in came))
    for one in came:
        if one.set_id in found.lacking or (due.parts is not None and len(one.parts) != due.parts):
            yield Finding(due, "partial", (one.set_id,))
        if last is not None and one.set_id != last.set_id and _older(one, last):
            yield Finding(due, "stale", (one.set_id,))


def _is(one: Draft, due: Expectation) -> bool:
    return (one.flow, one.as_of.valid, one.kind) == (due.flow, due.as_of, due.kind)


def _older(one: Manifest, last: Manifest) -> bool:
    return one.position <= last.position or one.as_of.valid < last.as_of.valid
