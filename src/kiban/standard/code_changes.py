"""What changed in the codes of an item."""

from __future__ import annotations

from collections.abc import Mapping

from kiban.standard.change import EVERYONE, READERS, STORED, WRITERS, Change, change
from kiban.standard.model import CodeList, Group, Item


def compare_codes(
    group: Group,
    a: Item,
    b: Item,
    old: CodeList | None,
    new: CodeList | None,
    recodes: Mapping[str, Mapping[str, str]],
) -> list[Change]:
    """Changes of an item's codes: lists that come and go, values added, removed, recoded, relabelled."""
    if old is None and new is None:
        return []
    if old is None or new is None:
        if new is not None:
            breaks: tuple[str, ...] = () if new.free else (WRITERS, STORED)
            return [change("recoded", group, a, b, breaks, f"now coded by list {new.id} {new.name}")]
        return [
            change("recoded", group, a, b, (READERS,), f"no longer coded by list {old.id if old else ''}")
        ]
    notes, breaks_of = [], set()
    moved = recodes.get(new.id, {})
    if old.free != new.free:
        notes.append("now filled by each city" if new.free else "no longer filled by each city")
        breaks_of |= {READERS} if new.free else {WRITERS, STORED}
    elif not new.free:
        for found, word, hit in _code_notes(old, new, moved):
            if found:
                notes.append(f"{word} {', '.join(found)}")
                breaks_of |= hit
    if not notes and old.id != new.id:
        notes.append(f"list {old.id} → {new.id} with the same values")
    if not notes:
        return []
    breaks = tuple(who for who in EVERYONE if who in breaks_of)
    return [change("recoded", group, a, b, breaks, f"list {new.id} {new.name}: {'; '.join(notes)}")]


def _code_notes(
    old: CodeList, new: CodeList, moved: Mapping[str, str]
) -> list[tuple[list[str], str, set[str]]]:
    """What was found of each kind of change of codes, how to call it, and whom it breaks."""
    before, after = old.values, new.values
    shared = [value for value in before if value in after and value not in moved]
    return [
        ([f"{a}→{b}" for a, b in moved.items() if a in before], "recoded", set(EVERYONE)),
        ([v for v in after if v not in before and v not in moved.values()], "added", {READERS}),
        ([v for v in before if v not in after and v not in moved], "removed", {WRITERS, STORED}),
        (
            [f"{v} ({old.label(v)} → {new.label(v)})" for v in shared if old.label(v) != new.label(v)],
            "relabelled",
            {READERS},
        ),
        ([v for v in shared if _ends(old, v) != _ends(new, v)], "other validity of", {WRITERS}),
    ]


def _ends(code_list: CodeList, value: str) -> tuple[object, ...]:
    return tuple((c.valid_from, c.valid_to) for c in code_list.codes if c.value == value)
