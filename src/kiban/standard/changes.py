"""The kinds of change between two editions, each with whom it breaks and why."""

from __future__ import annotations

from collections.abc import Mapping

from kiban.standard.change import EVERYONE, READERS, STORED, WRITERS, Change, change
from kiban.standard.code_changes import compare_codes
from kiban.standard.items import CONDITIONS
from kiban.standard.model import Edition, Group, Item
from kiban.standard.shape_changes import compare_shape

TEXTS = (
    ("name", "データ項目"),
    ("definition", "項目定義"),
    ("description", "項目説明"),
    ("sample", "サンプル値"),
    ("reference", "標準仕様書関連箇所"),
    ("remarks", "備考"),
    ("classes", "クラス分類"),
)

_FACTS = {"kind": "種別", "scope": "範囲", "history": "履歴を数える項目", "ward": "行政区の項目"}
_SAID = {
    "register": "台帳（履歴を持つ）",
    "log": "記録（追加のみ）",
    "ward": "行政区ごと",
    "city": "全市",
    "undecided": "未定",
}


def _said(word: str | None) -> str:
    return _SAID.get(word, word) if word else "なし"


def items_added(group: Group, item: Item) -> list[Change]:
    """An item that was not there before."""
    if item.required:
        return [
            change(
                "added",
                group,
                None,
                item,
                (WRITERS, STORED),
                "always needs a value; rows stored before have none",
                "常に値が必要。これまでに蓄積した行には値がない",
            )
        ]
    if item.condition == "条件付き必須":
        return [
            change(
                "added",
                group,
                None,
                item,
                (WRITERS,),
                "needs a value under its condition",
                "条件に当たるときは値が必要",
            )
        ]
    return [change("added", group, None, item, (), "optional", "任意の項目")]


def items_removed(group: Group, item: Item) -> list[Change]:
    """An item that is gone."""
    return [
        change(
            "removed",
            group,
            item,
            None,
            (READERS, STORED),
            "readers no longer receive it; stored values need another home",
            "受取側に届かなくなる。蓄積した値の移し先が必要",
        )
    ]


def compare_groups(old: Edition, new: Edition, pairs: Mapping[str, str]) -> list[Change]:
    """Changes of whole groups: added, removed, renamed, changed, reordered."""
    changes = []
    for group in old.groups:
        if group.id not in pairs:
            changes.append(
                change(
                    "group-removed",
                    group,
                    None,
                    None,
                    (READERS, STORED),
                    f"group {group.name} is gone",
                    f"グループ「{group.name}」がなくなる",
                )
            )
            continue
        now = new.group(pairs[group.id])
        if (group.id, group.name) != (now.id, now.name):
            note = f"{group.id} ({group.name}) is now {now.id} ({now.name})"
            ja = f"{group.name}（{group.id}）が {now.name}（{now.id}）になる"
            changes.append(change("group-renamed", now, None, None, EVERYONE, note, ja))
        changes += _compare_facts(group, now)
        changes += _compare_order(group, now)
    changes += [
        change(
            "group-added",
            group,
            None,
            None,
            (),
            f"group {group.name} with {len(group.items)} items",
            f"グループ「{group.name}」（{len(group.items)}項目）が加わる",
        )
        for group in new.groups
        if group.id not in pairs.values()
    ]
    return changes


def _compare_facts(group: Group, now: Group) -> list[Change]:
    changes = []
    facts = [(word, getattr(group, word), getattr(now, word)) for word in ("kind", "scope")]
    facts += [
        (word, a.romaji if a else None, b.romaji if b else None)
        for word, a, b in (("history", group.history, now.history), ("ward", group.ward, now.ward))
    ]
    for word, before, after in facts:
        if before != after:
            breaks = (STORED,) if word in ("kind", "history") else (READERS, STORED)
            note = f"{word}: {before or 'none'} → {after or 'none'}"
            ja = f"{_FACTS[word]}：{_said(before)} → {_said(after)}"
            changes.append(change("group-changed", now, None, None, breaks, note, ja))
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
            f"{first} から先の並び順が変わる。列の位置でファイルを読む受取側だけが対応を要する",
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
        ja = f"{before[0].name}（{before[0].id}）から {group.name}（{group.id}）へ移る"
        changes.append(change("moved", group, a, b, EVERYONE, note, ja))
    if a.romaji != b.romaji:
        note = f"{a.romaji} → {b.romaji}"
        changes.append(change("renamed", group, a, b, EVERYONE, note, f"ローマ字：{note}"))
    if a.id != b.id:
        note = f"{a.id} → {b.id}"
        changes.append(change("renumbered", group, a, b, (), note, f"データ項目ID：{note}"))
    changes += compare_shape(group, a, b)
    changes += compare_codes(group, a, b, old.code_list(a), new.code_list(b), recodes)
    changes += _compare_conditions(group, a, b)
    was, now = before[0].references.get(a.romaji), group.references.get(b.romaji)
    if was != now:
        changes.append(
            change(
                "reference-changed",
                group,
                a,
                b,
                (WRITERS, STORED) if now else (),
                f"外部キー: {was or 'none'} → {now or 'none'}",
                f"外部キーの参照先：{was or 'なし'} → {now or 'なし'}",
            )
        )
    reworded = [label for attribute, label in TEXTS if getattr(a, attribute) != getattr(b, attribute)]
    if reworded or a.extra != b.extra:
        reworded += ["further columns"] * (a.extra != b.extra)
        ja = "、".join(reworded).replace("further columns", "追加列") + "の文言が変わる"
        changes.append(change("reworded", group, a, b, (), f"other wording in {', '.join(reworded)}", ja))
    return changes


def _compare_conditions(group: Group, a: Item, b: Item) -> list[Change]:
    changes: list[Change] = []

    def tell(kind: str, breaks: tuple[str, ...], note: str, ja: str) -> None:
        changes.append(change(kind, group, a, b, breaks, note, ja))

    if a.key and not b.key:
        tell("key-changed", EVERYONE, "主キー: no longer part of the key", "主キーから外れる")
    elif b.key and not a.key:
        tell("key-changed", EVERYONE, "主キー: now part of the key", "主キーに加わる")
    before, after = CONDITIONS.index(a.condition), CONDITIONS.index(b.condition)
    note = f"データ出力条件: {a.condition} → {b.condition}"
    ja = note.replace(": ", "：")
    if after < before:
        tell("tightened", (WRITERS, STORED), note, ja)
    elif after > before:
        may = "readers may receive no value", "値のない行が届くことがある"
        tell("loosened", (READERS,), f"{note}; {may[0]}", f"{ja}。{may[1]}")
    if b.implementation and not a.implementation:
        note, ja = "now ○, must be output", "○になり、出力が必須になる"
        tell("tightened", (WRITERS,), f"実装類型: {note}", f"実装類型：{ja}")
    elif a.implementation and not b.implementation:
        note, ja = "no longer ○, may be left out", "○でなくなり、出力されないことがある"
        tell("loosened", (READERS,), f"実装類型: {note}", f"実装類型：{ja}")
    return changes
