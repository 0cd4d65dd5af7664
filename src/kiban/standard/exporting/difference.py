"""The difference of two editions as one readable page: what changes, and who has to act."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from html import escape

from kiban.standard.change import READERS, STORED, WRITERS, Change
from kiban.standard.changes import TEXTS
from kiban.standard.diff import Diff, diff
from kiban.standard.exporting.fields import REFERENCE_MARK
from kiban.standard.exporting.frame import chip, contents, document, facts, romaji, table
from kiban.standard.model import Edition, Item

WHO = {WRITERS: "提供側", READERS: "受取側", STORED: "蓄積データ"}
_MEANING = {
    WRITERS: "データを作って渡すシステム。出力の直しが要る",
    READERS: "データを受け取って使うシステム。取込みの直しが要る",
    STORED: "統合データベースなどに既にあるデータ。移し替えや値の補いが要る",
}
_KINDS = {
    **{"added": "追加", "removed": "削除", "renamed": "名称変更", "moved": "移動", "renumbered": "番号変更"},
    **{"retyped": "型変更", "widened": "拡大", "narrowed": "縮小", "recoded": "コード変更"},
    **{"tightened": "条件強化", "loosened": "条件緩和", "key-changed": "主キー変更"},
    **{"reference-changed": "参照先変更", "order-changed": "順序変更", "reworded": "文言変更"},
    **{"group-added": "グループ追加", "group-removed": "グループ削除"},
    **{"group-renamed": "グループ名変更", "group-changed": "グループ変更"},
}
_HEADS = (
    *(("データ項目", "name"), ("変更", "type"), ("内容", "long")),
    *((name, "who") for name in WHO.values()),
)
_WORDS = "words"


def diff_page(old: Edition, new: Edition) -> str:
    """The difference of two editions of one business as an HTML page in Japanese.

    Raises:
        Problem: `diff-other-business` where the two are not of one business.
    """
    found = diff(old, new)
    acting = [change for change in found.changes if change.kind != "reworded"]
    reworded = [change for change in found.changes if change.kind == "reworded"]
    names = {group.id: group.name for edition in (old, new) for group in edition.groups}
    parts = [
        (g, names[g], [c for c in acting if c.group == g]) for g in dict.fromkeys(c.group for c in acting)
    ]
    links = [("summary", "影響のまとめ", "")]
    links += [(f"g-{id_}", name, f"{len(changes)}件") for id_, name, changes in parts]
    links += [(_WORDS, "文言だけの変更", f"{len(reworded)}件")] if reworded else []
    sections = "".join(
        _section(f"g-{id_}", f"{escape(name)} {romaji(id_)}", name, part) for id_, name, part in parts
    )
    return document(
        f"{new.title}（{new.called}）版の差分：{old.edition} → {new.edition}",
        _head(old, new),
        contents(links),
        _summary(found, acting, len(reworded)) + sections + _reworded(reworded, names),
        "変更",
    )


def _head(old: Edition, new: Edition) -> str:
    reference = any(edition.status == "reference" for edition in (old, new))
    return (f'<p class="notice">{REFERENCE_MARK}を含む</p>\n' if reference else "") + facts(
        (name, f"{edition.edition}（{_status(edition)}、適用日 {edition.effective or '未定'}）")
        for name, edition in (("前の版", old), ("後の版", new))
    )


def _status(edition: Edition) -> str:
    return "公式" if edition.status == "official" else REFERENCE_MARK


def _summary(found: Diff, acting: list[Change], reworded: int) -> str:
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{_MEANING[who]}</td>'
        f"<td>{sum(c.breaking and who in c.breaks for c in acting)}件</td></tr>\n"
        for who, name in WHO.items()
    )
    calm = len(acting) - len(found.breaking)
    said = f"変更は{len(acting)}件。うち{len(found.breaking)}件は、後の版を適用する前に誰かの対応が要る。"
    said += f"{calm}件は対応が要らない。" + (f"ほかに文言だけの変更が{reworded}件ある。" if reworded else "")
    body = table((("誰が", "who"), ("何のことか", ""), ("要対応", "who")), rows, "影響を受ける側ごとの件数")
    return (
        '<section class="part rows" aria-labelledby="summary">\n<h2 id="summary">影響のまとめ</h2>\n'
        f"<p>{said if found.changes else '二つの版に違いはない。'}</p>\n{body}</section>\n"
    )


def _section(anchor: str, heading: str, name: str, changes: Iterable[Change]) -> str:
    rows = "".join(_row(change) for change in changes)
    body = table(_HEADS, rows, f"{name}の変更", "changes")
    return (
        f'<section class="part" aria-labelledby="{escape(anchor)}">\n<h2 id="{escape(anchor)}">{heading}</h2>\n'
        f"{body}</section>\n"
    )


def _row(change: Change) -> str:
    who = "".join(
        f"<td>{chip('要対応', 'must') if change.breaking and w in change.breaks else _NONE}</td>" for w in WHO
    )
    return (
        f'<tr><th scope="row">{_named(change)}</th><td class="type">{_KINDS[change.kind]}</td>'
        f'<td class="text">{escape(change.note_ja)}</td>{who}</tr>\n'
    )


_NONE = '<span class="none">－</span>'


def _named(change: Change) -> str:
    item = change.new or change.old
    if item is None:
        return "<strong>グループ全体</strong>"
    return f"<strong>{escape(item.name)}</strong>{romaji(item.romaji)}"


def _reworded(changes: list[Change], names: dict[str, str]) -> str:
    if not changes:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_named(c)}</th><td>{escape(names[c.group])}</td>'
        f'<td class="text">{_wording(c)}</td></tr>\n'
        for c in changes
    )
    heads = (("データ項目", "name"), ("グループ", "short"), ("前と後", "long"))
    return (
        f'<section class="part" aria-labelledby="{_WORDS}">\n<h2 id="{_WORDS}">文言だけの変更</h2>\n'
        f"<p>データの形は変わらない。<del>取消線</del>は消えた文、<ins>下線</ins>は加わった文。</p>\n"
        f"{table(heads, rows, '文言だけの変更')}</section>\n"
    )


def _wording(change: Change) -> str:
    """Each text that changed, as it was and as it is."""
    if change.old is None or change.new is None:
        return escape(change.note_ja)
    texts = [
        (label, _text(change.old, attribute), _text(change.new, attribute)) for attribute, label in TEXTS
    ]
    texts.append(("追加列", _extra(change.old), _extra(change.new)))
    return "\n".join(
        f"<strong>{label}</strong>：{_marked(before, after)}"
        for label, before, after in texts
        if before != after
    )


def _marked(before: str, after: str) -> str:
    """The text as it is, with what went struck through and what came underlined."""
    if not before or not after:
        return f"（なし）→ <ins>{escape(after)}</ins>" if after else f"<del>{escape(before)}</del> →（なし）"
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.4:  # two different texts: parts that agree by chance would only confuse
        return f"<del>{escape(before)}</del> → <ins>{escape(after)}</ins>"
    marked = ""
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            marked += escape(before[a:b])
        else:
            marked += f"<del>{escape(before[a:b])}</del>" if b > a else ""
            marked += f"<ins>{escape(after[c:d])}</ins>" if d > c else ""
    return marked


def _text(item: Item, attribute: str) -> str:
    value = getattr(item, attribute)
    return "／".join(part for part in value if part) if isinstance(value, tuple) else str(value)


def _extra(item: Item) -> str:
    return "、".join(f"{name.removeprefix('追加列_')}：{value}" for name, value in item.extra if value)
