"""What changed in the codes of an item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kiban.standard.change import EVERYONE, READERS, STORED, WRITERS, Change, change
from kiban.standard.code_list import CodeList
from kiban.standard.model import Group, Item


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
    if new is None:
        gone = old.id if old else ""
        ja = f"コード一覧 {gone} を使わなくなる"
        return [change("recoded", group, a, b, (READERS,), f"no longer coded by list {gone}", ja)]
    called = f"{new.id} {new.name}"
    if old is None:
        breaks: tuple[str, ...] = () if new.free else (WRITERS, STORED)
        ja = f"コード一覧 {called} によるコードになる"
        return [change("recoded", group, a, b, breaks, f"now coded by list {called}", ja)]
    notes = _notes(old, new, recodes.get(new.id, {}))
    if not notes:
        return []
    breaks = tuple(who for who in EVERYONE if any(who in note.breaks for note in notes))
    said, said_ja = "; ".join(note.text for note in notes), "。".join(note.ja for note in notes)
    return [
        change("recoded", group, a, b, breaks, f"list {called}: {said}", f"コード一覧 {called}：{said_ja}")
    ]


@dataclass(frozen=True)
class _Note:
    """One kind of change of a list, in two languages, and whom it breaks."""

    text: str
    ja: str
    breaks: tuple[str, ...] = ()


def _notes(old: CodeList, new: CodeList, moved: Mapping[str, str]) -> list[_Note]:
    """What changed from one list to the other; `moved` are declared recodes."""
    if old.free != new.free:
        if new.free:
            return [_Note("now filled by each city", "各自治体が値を定めるようになる", (READERS,))]
        return [
            _Note("no longer filled by each city", "各自治体が値を定めるのではなくなる", (WRITERS, STORED))
        ]
    notes = [] if new.free else _value_notes(old, new, moved)
    if not notes and old.id != new.id:
        notes.append(_Note(f"list {old.id} → {new.id} with the same values", f"一覧 {old.id} から。値は同じ"))
    return notes


def _value_notes(old: CodeList, new: CodeList, moved: Mapping[str, str]) -> list[_Note]:
    before, after = old.values, new.values
    shared = [value for value in before if value in after and value not in moved]
    recoded = [(f"{a}→{b}", f"（{old.label(a)}）") for a, b in moved.items() if a in before]
    added = [(v, f"（{new.label(v)}）") for v in after if v not in before and v not in moved.values()]
    removed = [(v, f"（{old.label(v)}）") for v in before if v not in after and v not in moved]
    relabelled = [
        (f"{v} ({old.label(v)} → {new.label(v)})", "") for v in shared if old.label(v) != new.label(v)
    ]
    other_days = [(v, f"（{new.label(v)}）") for v in shared if _ends(old, v) != _ends(new, v)]
    kinds: list[tuple[list[tuple[str, str]], str, str, tuple[str, ...]]] = [
        (recoded, "recoded", "値の変更", EVERYONE),
        (added, "added", "値の追加", (READERS,)),
        (removed, "removed", "値の削除", (WRITERS, STORED)),
        (relabelled, "relabelled", "内容の変更", (READERS,)),
        (other_days, "other validity of", "有効期間の変更", (WRITERS,)),
    ]
    return [
        _Note(
            f"{word} {', '.join(value for value, _ in found)}",
            f"{word_ja} {'、'.join(value + label for value, label in found)}",
            breaks,
        )
        for found, word, word_ja, breaks in kinds
        if found
    ]


def _ends(code_list: CodeList, value: str) -> tuple[object, ...]:
    return tuple((c.valid_from, c.valid_to) for c in code_list.codes if c.value == value)
