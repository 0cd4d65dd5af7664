"""The kinds of change between two editions, each with whom it breaks and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiban.standard.items import CONDITIONS
from kiban.standard.model import CodeList, Edition, Group, Item

WRITERS = "writers"
READERS = "readers"
STORED = "stored data"
EVERYONE = (WRITERS, READERS, STORED)

_TEXTS = (
    ("name", "データ項目"),
    ("definition", "項目定義"),
    ("description", "項目説明"),
    ("sample", "サンプル値"),
    ("reference", "標準仕様書関連箇所"),
    ("remarks", "備考"),
    ("classes", "クラス分類"),
)


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
    """

    kind: str
    group: str
    old: Item | None
    new: Item | None
    breaking: bool
    breaks: tuple[str, ...]
    note: str

    @property
    def romaji(self) -> str:
        """Name of the item, as in the new edition where it is there; empty for a whole group."""
        item = self.new or self.old
        return item.romaji if item else ""


def _change(
    kind: str, group: Group, old: Item | None, new: Item | None, breaks: tuple[str, ...], note: str
) -> Change:
    return Change(kind, group.id, old, new, bool(breaks), breaks, note)


def items_added(group: Group, item: Item) -> list[Change]:
    """An item that was not there before."""
    if item.required:
        return [
            _change(
                "added",
                group,
                None,
                item,
                (WRITERS, STORED),
                "always needs a value; rows stored before have none",
            )
        ]
    if item.condition == "条件付き必須":
        return [_change("added", group, None, item, (WRITERS,), "needs a value under its condition")]
    return [_change("added", group, None, item, (), "optional")]


def items_removed(group: Group, item: Item) -> list[Change]:
    """An item that is gone."""
    return [
        _change(
            "removed",
            group,
            item,
            None,
            (READERS, STORED),
            "readers no longer receive it; stored values need another home",
        )
    ]


def compare_groups(old: Edition, new: Edition, pairs: Mapping[str, str]) -> list[Change]:
    """Changes of whole groups: added, removed, renamed, changed, reordered."""
    changes = []
    for group in old.groups:
        if group.id not in pairs:
            changes.append(
                _change("group-removed", group, None, None, (READERS, STORED), f"group {group.name} is gone")
            )
            continue
        now = new.group(pairs[group.id])
        if (group.id, group.name) != (now.id, now.name):
            note = f"{group.id} ({group.name}) is now {now.id} ({now.name})"
            changes.append(_change("group-renamed", now, None, None, EVERYONE, note))
        facts = [(word, getattr(group, word), getattr(now, word)) for word in ("kind", "scope")]
        facts += [
            (word, a.romaji if a else None, b.romaji if b else None)
            for word, a, b in (("history", group.history, now.history), ("ward", group.ward, now.ward))
        ]
        for word, before, after in facts:
            if before != after:
                breaks = (STORED,) if word in ("kind", "history") else (READERS, STORED)
                changes.append(
                    _change("group-changed", now, None, None, breaks, f"{word}: {before} → {after}")
                )
        changes += _compare_order(group, now)
    changes += [
        _change("group-added", group, None, None, (), f"group {group.name} with {len(group.items)} items")
        for group in new.groups
        if group.id not in pairs.values()
    ]
    return changes


def _compare_order(old: Group, new: Group) -> list[Change]:
    before = [item.romaji for item in old.items if item.romaji in new]
    after = [item.romaji for item in new.items if item.romaji in old]
    if before == after:
        return []
    first = next(b for a, b in zip(before, after, strict=True) if a != b)
    return [
        Change(
            "order-changed",
            new.id,
            None,
            None,
            False,
            (READERS,),
            f"the order differs from {first} on; only who reads files by position has to act",
        )
    ]


def compare_pair(
    old: Edition,
    new: Edition,
    before: tuple[Group, Item],
    after: tuple[Group, Item],
    recodes: Mapping[str, Mapping[str, str]],
    *,
    same_group: bool,
) -> list[Change]:
    """All changes of one item that stands in both editions."""
    group, (a, b) = after[0], (before[1], after[1])
    changes = []
    if not same_group:
        note = f"from {before[0].id} ({before[0].name}) to {group.id} ({group.name})"
        changes.append(_change("moved", group, a, b, EVERYONE, note))
    if a.romaji != b.romaji:
        changes.append(_change("renamed", group, a, b, EVERYONE, f"{a.romaji} → {b.romaji}"))
    if a.id != b.id:
        changes.append(_change("renumbered", group, a, b, (), f"{a.id} → {b.id}"))
    changes += _compare_shape(group, a, b)
    changes += _compare_codes(group, a, b, old.code_list(a), new.code_list(b), recodes)
    changes += _compare_conditions(group, a, b)
    was, now = before[0].references.get(a.romaji), group.references.get(b.romaji)
    if was != now:
        changes.append(
            _change(
                "reference-changed",
                group,
                a,
                b,
                (WRITERS, STORED) if now else (),
                f"外部キー: {was or 'none'} → {now or 'none'}",
            )
        )
    reworded = [label for attribute, label in _TEXTS if getattr(a, attribute) != getattr(b, attribute)]
    if reworded or a.extra != b.extra:
        reworded += ["further columns"] * (a.extra != b.extra)
        changes.append(_change("reworded", group, a, b, (), f"other wording in {', '.join(reworded)}"))
    return changes


def _size(item: Item) -> str:
    return (
        "none" if item.digits is None else f"{item.digits},{item.scale}" if item.scale else str(item.digits)
    )


def _compare_shape(group: Group, a: Item, b: Item) -> list[Change]:
    changes = []
    if a.type != b.type:
        changes.append(_change("retyped", group, a, b, EVERYONE, f"データ型: {a.type} → {b.type}"))
    changes += _by_size(
        group,
        a,
        b,
        "桁数",
        (_limit(a.digits), _limit(a.scale, 0)),
        (_limit(b.digits), _limit(b.scale, 0)),
        f"{_size(a)} → {_size(b)}",
    )
    changes += _by_size(
        group, a, b, "繰り返し", (a.repeat or 1, 0), (b.repeat or 1, 0), f"{a.repeat or 1} → {b.repeat or 1}"
    )
    if a.type == b.type == "DATE" and a.allows_unknown_date != b.allows_unknown_date:
        if b.allows_unknown_date:
            changes.append(
                _change(
                    "widened",
                    group,
                    a,
                    b,
                    (READERS, STORED),
                    "unknown dates are now permitted; a date column becomes text",
                )
            )
        else:
            changes.append(
                _change("narrowed", group, a, b, (WRITERS, STORED), "unknown dates are no longer permitted")
            )
    return changes


def _limit(digits: int | None, none: int = 1 << 30) -> int:
    return none if digits is None else digits


def _by_size(
    group: Group, a: Item, b: Item, what: str, old: tuple[int, int], new: tuple[int, int], note: str
) -> list[Change]:
    if old == new:
        return []
    changes = []
    list_or_not = what == "繰り返し" and 1 in (old[0], new[0])  # one value becomes a list, or the other way
    if new[0] > old[0] or new[1] > old[1]:
        breaks = EVERYONE if list_or_not else (READERS,)
        changes.append(
            _change(
                "widened",
                group,
                a,
                b,
                breaks,
                f"{what}: {note}; longer values may arrive"
                if what == "桁数"
                else f"{what}: {note}; more values may arrive",
            )
        )
    if new[0] < old[0] or new[1] < old[1]:
        changes.append(
            _change("narrowed", group, a, b, (WRITERS, STORED), f"{what}: {note}; some values no longer fit")
        )
    return changes


def _compare_codes(
    group: Group,
    a: Item,
    b: Item,
    old: CodeList | None,
    new: CodeList | None,
    recodes: Mapping[str, Mapping[str, str]],
) -> list[Change]:
    if old is None and new is None:
        return []
    if old is None or new is None:
        if new is not None:
            breaks: tuple[str, ...] = () if new.free else (WRITERS, STORED)
            return [_change("recoded", group, a, b, breaks, f"now coded by list {new.id} {new.name}")]
        return [
            _change("recoded", group, a, b, (READERS,), f"no longer coded by list {old.id if old else ''}")
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
    return [_change("recoded", group, a, b, breaks, f"list {new.id} {new.name}: {'; '.join(notes)}")]


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


def _compare_conditions(group: Group, a: Item, b: Item) -> list[Change]:
    changes = []
    if a.key != b.key:
        changes.append(
            _change(
                "key-changed",
                group,
                a,
                b,
                EVERYONE,
                f"主キー: {'now' if b.key else 'no longer'} part of the key",
            )
        )
    before, after = CONDITIONS.index(a.condition), CONDITIONS.index(b.condition)
    note = f"データ出力条件: {a.condition} → {b.condition}"
    if after < before:
        changes.append(_change("tightened", group, a, b, (WRITERS, STORED), note))
    elif after > before:
        changes.append(_change("loosened", group, a, b, (READERS,), f"{note}; readers may receive no value"))
    if a.implementation != b.implementation:
        if b.implementation:
            changes.append(_change("tightened", group, a, b, (WRITERS,), "実装類型: now ○, must be output"))
        else:
            changes.append(
                _change("loosened", group, a, b, (READERS,), "実装類型: no longer ○, may be left out")
            )
    return changes
