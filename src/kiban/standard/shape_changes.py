"""What changed in the shape of an item: its type, its digits, how often it repeats, whether a date may be unknown."""

from __future__ import annotations

from kiban.standard.change import EVERYONE, READERS, STORED, WRITERS, Change, change
from kiban.standard.model import Group, Item


def _size(item: Item) -> str:
    return (
        "none" if item.digits is None else f"{item.digits},{item.scale}" if item.scale else str(item.digits)
    )


def compare_shape(group: Group, a: Item, b: Item) -> list[Change]:
    """Changes of the shape of an item, before and now."""
    changes = []
    if a.type != b.type:
        note = f"{a.type} → {b.type}"
        changes.append(change("retyped", group, a, b, EVERYONE, f"データ型: {note}", f"データ型：{note}"))
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
    return [*changes, *_by_unknown_dates(group, a, b)]


def _by_unknown_dates(group: Group, a: Item, b: Item) -> list[Change]:
    if not a.type == b.type == "DATE" or a.allows_unknown_date == b.allows_unknown_date:
        return []
    if b.allows_unknown_date:
        note = "unknown dates are now permitted; a date column becomes text"
        ja = "不詳日が許される。日付の列が文字の列になる"
        return [change("widened", group, a, b, (READERS, STORED), note, ja)]
    note, ja = "unknown dates are no longer permitted", "不詳日が許されなくなる"
    return [change("narrowed", group, a, b, (WRITERS, STORED), note, ja)]


def _limit(digits: int | None, none: int = 1 << 30) -> int:
    return none if digits is None else digits


def _by_size(
    group: Group, a: Item, b: Item, what: str, old: tuple[int, int], new: tuple[int, int], note: str
) -> list[Change]:
    if old == new:
        return []
    changes = []
    list_or_not = what == "繰り返し" and 1 in (old[0], new[0])  # one value becomes a list, or the other way
    ja = f"{what}：{note}"
    if new[0] > old[0] or new[1] > old[1]:
        more, more_ja = ("longer", "長い") if what == "桁数" else ("more", "多くの")
        note_ja = f"{ja}。これまでより{more_ja}値が届くことがある"
        breaks: tuple[str, ...] = EVERYONE if list_or_not else (READERS,)
        changes.append(
            change("widened", group, a, b, breaks, f"{what}: {note}; {more} values may arrive", note_ja)
        )
    if new[0] < old[0] or new[1] < old[1]:
        breaks = EVERYONE if list_or_not else (WRITERS, STORED)
        said = f"{what}: {note}; some values no longer fit"
        changes.append(change("narrowed", group, a, b, breaks, said, f"{ja}。入らなくなる値がある"))
    return changes
