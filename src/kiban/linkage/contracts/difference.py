"""One change between two versions of a contract, in words for programs, people and officials."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One change.

    Attributes:
        kind: what kind of change, in words joined by hyphens, such as `item-removed` or `width-up`.
        where: `GROUP.ITEM`, `GROUP`, or the name of the term, such as `x-receiver`.
        breaking: whether provider or consumer has to act before the new version applies; then it takes a new major version.
        note: what exactly, in one line.
        note_ja: the same in Japanese, for pages.
    """

    kind: str
    where: str
    breaking: bool
    note: str
    note_ja: str


def said(value: object) -> str:
    """A value before or after, in words."""
    if value is None or value in ("", (), frozenset()):
        return "—"
    if isinstance(value, frozenset | set | tuple | list):
        return ", ".join(sorted(map(str, value)))
    return str(value)


def changed(
    kind: str, where: str, before: object, after: object, ja: str, *, breaking: bool = True, note: str = ""
) -> list[Difference]:
    """The change from one value to another; none where they are the same.

    Args:
        kind: of the change.
        where: its place.
        before: the value before.
        after: the value after.
        ja: what it is the value of, in Japanese.
        breaking: whether it breaks somebody.
        note: what it is the value of, in English; the kind where it is left out.
    """
    if before == after:
        return []
    arrow = f"{said(before)} → {said(after)}"
    return [Difference(kind, where, breaking, f"{note or kind}: {arrow}", f"{ja}：{arrow}")]


def counted(
    kind: str,
    where: str,
    before: int | None,
    after: int | None,
    ja: str,
    *,
    up: bool = True,
    down: bool = True,
) -> list[Difference]:
    """The change of a limit, `KIND-up` or `KIND-down`; None is without one.

    Args:
        kind: of the limit.
        where: its place.
        before: the limit before.
        after: the limit after.
        ja: what it limits, in Japanese.
        up: whether more breaks somebody.
        down: whether less breaks somebody.
    """
    if before == after:
        return []
    more = after is None or (before is not None and after > before)
    breaking = up if more else down
    return changed(f"{kind}-{'up' if more else 'down'}", where, before, after, ja, breaking=breaking)
