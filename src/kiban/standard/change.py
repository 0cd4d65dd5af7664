"""One change between two editions, and whom changes can break."""

from __future__ import annotations

from dataclasses import dataclass

from kiban.standard.model import Group, Item

WRITERS = "writers"
READERS = "readers"
STORED = "stored data"
EVERYONE = (WRITERS, READERS, STORED)


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes:
        kind: added, removed, renamed, moved, renumbered, retyped, widened, narrowed, recoded, tightened,
            loosened, key-changed, reference-changed, order-changed, reworded, group-added, group-removed,
            group-renamed or group-changed.
        group: ID of the group, as in the new edition where it is there.
        old: the item before; None where it was not there, or the whole group is meant.
        new: the item now; likewise.
        breaking: whether somebody has to act before the new edition applies.
        breaks: who: `writers` (those who provide the data), `readers` (those who receive it), `stored data`.
        note: what exactly, in one line.
        note_ja: the same in Japanese, for pages.
    """

    kind: str
    group: str
    old: Item | None
    new: Item | None
    breaking: bool
    breaks: tuple[str, ...]
    note: str
    note_ja: str

    @property
    def romaji(self) -> str:
        """Name of the item, as in the new edition where it is there; empty for a whole group."""
        item = self.new or self.old
        return item.romaji if item else ""


def change(
    kind: str,
    group: Group,
    old: Item | None,
    new: Item | None,
    breaks: tuple[str, ...],
    note: str,
    note_ja: str,
) -> Change:
    """A change that is breaking where it breaks anybody."""
    return Change(kind, group.id, old, new, bool(breaks), breaks, note, note_ja)
