"""What changed in what a contract carries: groups, items, their shape, codes and meaning.

Items are told apart by their romaji, for that is what travels: another name is another item.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiban.linkage.contracts.difference import Difference, changed, counted
from kiban.linkage.contracts.model import Contract, Feed
from kiban.standard import CodeList, Item

_TEXTS = (
    ("sample", "サンプル値"),
    ("reference", "標準仕様書関連箇所"),
    ("remarks", "備考"),
    ("classes", "クラス分類"),
)


def compare_feeds(old: Contract, new: Contract) -> Iterator[Difference]:
    """Changes of the groups that travel and of their items."""
    before, after = ({feed.name: feed for feed in one.feeds} for one in (old, new))
    for name in before.keys() - after.keys():
        ja = f"グループ「{before[name].group.name}」を渡さなくなる"
        yield Difference("group-removed", name, True, f"group {name} is no longer carried", ja)
    for name in after.keys() - before.keys():
        ja = f"グループ「{after[name].group.name}」を渡すようになる"
        yield Difference("group-added", name, False, f"group {name} is carried", ja)
    for name in sorted(before.keys() & after.keys()):
        measures = _measures(old, name), _measures(new, name)
        yield from _feed(before[name], after[name], by_position="file" in new.ways)
        yield from _items(before[name], after[name], measures)
        yield from _quality(name, old.quality.get(name, ()), new.quality.get(name, ()))


def _feed(old: Feed, new: Feed, *, by_position: bool) -> Iterator[Difference]:
    name, a, b = old.name, old.group, new.group
    yield from changed("unit-changed", name, old.unit.romaji, new.unit.romaji, "順序を守る単位の項目")
    yield from changed("kind-changed", name, a.kind, b.kind, "台帳・記録の別")
    yield from changed("history-changed", name, _named(a.history), _named(b.history), "履歴を数える項目")
    yield from changed("group-renamed", name, a.name, b.name, "グループの名称", breaking=False)
    editions = _edition(old), _edition(new)
    yield from changed("edition-changed", name, *editions, "版", breaking=False)
    names = [[item.romaji for item in each.items] for each in (old, new)]
    shared = [[each for each in one if each in other] for one, other in (names, names[::-1])]
    if shared[0] != shared[1]:
        first = next(y for x, y in zip(*shared, strict=True) if x != y)
        note, ja = f"other order from {first} on", f"{first} から先の並び順が変わる"
        yield Difference("order-changed", name, by_position, note, ja)


def _named(item: Item | None) -> str | None:
    return item.romaji if item else None


def _edition(feed: Feed) -> str:
    return f"{feed.edition.id} {feed.edition.edition}"


def _items(
    old: Feed, new: Feed, measures: tuple[Mapping[str, str], Mapping[str, str]]
) -> Iterator[Difference]:
    before, after = ({item.romaji: item for item in feed.items} for feed in (old, new))
    for name, item in before.items():
        where = f"{old.name}.{name}"
        if name in after:
            yield from _item(where, old, new, item, after[name])
            values = measures[0].get(name), measures[1].get(name)
            yield from changed("measure-changed", where, *values, f"{item.name}の単位")
        else:
            note, ja = f"{name} is no longer carried", f"「{item.name}」を渡さなくなる"
            yield Difference("item-removed", where, True, note, ja)
    for name, item in after.items():
        if name not in before:
            must = f"{name} is carried, and every row has it" if item.required else f"{name} is carried"
            ja = f"「{item.name}」を渡すようになる" + ("。常に値が必要" if item.required else "（任意）")
            yield Difference("item-added", f"{new.name}.{name}", item.required, must, ja)


def _item(where: str, old: Feed, new: Feed, a: Item, b: Item) -> Iterator[Difference]:
    yield from changed("type-changed", where, a.type, b.type, f"{a.name}の型")
    yield from counted("width", where, a.digits, b.digits, f"{a.name}の桁数")
    yield from counted("scale", where, a.scale or 0, b.scale or 0, f"{a.name}の小数部の桁数")
    yield from counted("repeat", where, a.repeat or 1, b.repeat or 1, f"{a.name}の繰り返し")
    if a.type == b.type:
        days = a.allows_unknown_date, b.allows_unknown_date
        yield from changed("unknown-date-changed", where, *days, f"{a.name}の不詳日の許容")
    yield from changed("key-changed", where, a.key, b.key, f"{a.name}の主キー")
    yield from changed("required-changed", where, a.condition, b.condition, f"{a.name}の出力条件")
    yield from _codes(where, a.name, old.edition.code_list(a), new.edition.code_list(b))
    yield from _meaning(where, a, b)
    targets = old.group.references.get(a.romaji), new.group.references.get(b.romaji)
    yield from changed("reference-changed", where, *targets, f"{a.name}の外部キー", breaking=False)
    yield from changed("item-renumbered", where, a.id, b.id, f"{a.name}のデータ項目ID", breaking=False)
    yield from changed(
        "implementation-changed",
        where,
        a.implementation,
        b.implementation,
        f"{a.name}の実装類型",
        breaking=False,
    )


def _meaning(where: str, a: Item, b: Item) -> Iterator[Difference]:
    """A flag or a code that means something else breaks whoever reads it; other wording is named."""
    yield from changed("title-changed", where, a.name, b.name, "項目の名称")
    means = a.code is not None or b.code is not None or "フラグ" in a.name
    texts = [(each.definition, each.description) for each in (a, b)]
    if texts[0] != texts[1]:
        kind = "meaning-changed" if means else "reworded"
        note = "other wording of what it means" if means else "other wording of its definition"
        ja = f"「{a.name}」の" + ("意味の説明が変わる" if means else "定義・説明の文言が変わる")
        yield Difference(kind, where, means, note, ja)
    reworded = [ja for name, ja in _TEXTS if getattr(a, name) != getattr(b, name)]
    if reworded or a.extra != b.extra:
        said = reworded or ["追加列"]
        ja = f"「{a.name}」の{'、'.join(said)}の文言が変わる"
        yield Difference("reworded", where, False, f"other wording in {', '.join(said)}", ja)


def _codes(where: str, title: str, old: CodeList | None, new: CodeList | None) -> Iterator[Difference]:
    if old is None or new is None:
        ids = old and old.id, new and new.id
        yield from changed("codes-changed", where, *ids, f"{title}のコード一覧", note="coded by list")
        return
    yield from changed("codes-renamed", where, old.id, new.id, f"{title}のコード一覧のID", breaking=False)
    yield from changed("codes-free-changed", where, old.free, new.free, f"{title}のコードを市が定めるか")
    if old.free and new.free:
        return
    for value in old.values:
        if value not in new.values:
            note, ja = f"code {value} is gone", f"{title}のコード {value}（{old.label(value)}）がなくなる"
            yield Difference("code-removed", where, True, note, ja)
            continue
        labels = old.label(value), new.label(value)
        yield from changed("code-relabelled", where, *labels, f"{title}のコード {value} の内容")
        if _days(old, value) != _days(new, value):
            note, ja = f"code {value} is valid on other days", f"{title}のコード {value} の有効期間が変わる"
            yield Difference("code-validity-changed", where, True, note, ja)
    for value in new.values:
        if value not in old.values:
            note, ja = f"code {value} is new", f"{title}のコード {value}（{new.label(value)}）が加わる"
            yield Difference("code-added", where, True, note, ja)


def _days(codes: CodeList, value: str) -> list[tuple[object, object]]:
    return [(each.valid_from, each.valid_to) for each in codes.codes if each.value == value]


def _quality(name: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[Difference]:
    for rules, others, kind, ja in (
        (old, new, "quality-removed", "品質の規則がなくなる"),
        (new, old, "quality-added", "品質の規則が加わる"),
    ):
        for rule in rules:
            if rule not in others:
                told = rule.get("description") or rule.get("metric", "")
                binding = rule.get("type", "library") != "text"
                yield Difference(kind, name, binding, f"{kind}: {told}", f"{ja}：{told}")


def _measures(contract: Contract, group: str) -> dict[str, str]:
    """Item -> its measure (`x-measure`), as the file says it: 円, 千円, 人."""
    objects = [one for one in contract.document.get("schema", ()) if one.get("name") == group]
    return {
        each["name"]: own["value"]
        for one in objects
        for each in one.get("properties", ())
        for own in each.get("customProperties") or ()
        if own.get("property") == "x-measure"
    }
