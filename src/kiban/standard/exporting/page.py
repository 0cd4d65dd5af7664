"""An edition as one readable page for people."""

from __future__ import annotations

from html import escape

from kiban.standard.code_list import Code, CodeList
from kiban.standard.exporting.fields import REFERENCE_MARK, description, digits
from kiban.standard.exporting.frame import chip, contents, document, facts, romaji, table
from kiban.standard.model import Edition, Group, Item

KINDS = {"register": "台帳（履歴を持つ）", "log": "記録（追加のみ）"}
SCOPES = {"ward": "行政区ごと", "city": "全市", "undecided": "未定（市が決めるまで使えない）"}

_ITEM_HEADS = (
    *(("ID", "id"), ("データ項目", "name"), ("型・桁数", "type"), ("コード", "code"), ("出力条件", "short")),
    *(("定義・説明", "long"), ("サンプル値", "short"), ("備考", "short")),
)
_CODE_HEADS = (
    *(("コード値", "value"), ("内容", ""), ("有効開始日", "day"), ("有効終了日（その日を含まない）", "day")),
    ("備考", ""),
)


def to_html(edition: Edition) -> str:
    """The edition as one page: items by group, codes and notes. It says so where it is not official."""
    links = [(group.id, group.name, f"{len(group.items)}項目") for group in edition.groups]
    links += [("codes", "コード一覧", f"{len(edition.codes)}件")] if edition.codes else []
    return document(
        f"{edition.title}（{edition.called}）データ項目一覧",
        edition_head(edition),
        contents(links),
        "".join(_group(edition, group) for group in edition.groups) + _codes(edition),
        "項目・コード",
    )


def edition_head(edition: Edition) -> str:
    """What an edition is, before anything is said of its items."""
    city = edition.overlay.city if edition.overlay else ""
    mark = f'<p class="notice">{REFERENCE_MARK}</p>\n' if edition.status == "reference" else ""
    return mark + facts(
        (
            ("業務ID", edition.business_id or "未確認（公式の業務IDが分かるまで空）"),
            ("版", edition.edition),
            ("種別", "公式" if edition.status == "official" else REFERENCE_MARK),
            ("適用日", edition.effective.isoformat() if edition.effective else "未定"),
            ("根拠", edition.basis),
            ("法令", edition.law),
            ("前の版", edition.replaces or ""),
            ("原本", " ".join(edition.source.values())),
            ("市の選択", f"{city} の選択を重ねたもの" if city else ""),
        )
    )


def _group(edition: Edition, group: Group) -> str:
    keys = "、".join(item.name for item in group.key)
    rows = "".join(_item(edition, group, item) for item in group.items)
    return (
        f'<section class="part" aria-labelledby="{escape(group.id)}">\n'
        f'<h2 id="{escape(group.id)}">{escape(group.name)} {romaji(group.id)}</h2>\n'
        f"<p>{len(group.items)}項目。{KINDS[group.kind]}。範囲：{SCOPES[group.scope]}。主キー：{escape(keys)}。</p>\n"
        f"{table(_ITEM_HEADS, rows, f'{group.name}のデータ項目')}</section>\n"
    )


def _item(edition: Edition, group: Group, item: Item) -> str:
    size = " ".join(part for part in (item.type, digits(item)) if part)
    times = f"<br>{item.repeat}回まで" if item.repeats else ""
    further = "".join(f"\n{name.removeprefix('追加列_')}：{value}" for name, value in item.extra if value)
    classes = "／".join(part for part in item.classes if part)
    text = "\n".join(part for part in (description(item), f"分類：{classes}" if classes else "") if part)
    cells = [
        f'<td class="id">{escape(item.id)}</td>',
        f'<th scope="row"><strong>{escape(item.name)}</strong>{romaji(item.romaji)}{_marks(edition, group, item)}</th>',
        f'<td class="type">{escape(size)}{times}</td>',
        f'<td class="code">{_code(edition, item)}</td>',
        f"<td>{_condition(item)}</td>",
        *(
            f'<td class="text">{escape(part)}</td>'
            for part in (text, item.sample.strip(), (item.remarks + further).strip())
        ),
    ]
    kind = ' class="key"' if item.key else ""
    return f'<tr{kind} id="i{escape(item.id)}">{"".join(cells)}</tr>\n'


def _marks(edition: Edition, group: Group, item: Item) -> str:
    marks = [chip("主キー", "key")] if item.key else []
    target = group.references.get(item.romaji)
    if target:
        name = escape(edition.group(target).name)
        marks.append(f'<span class="chip">外部キー <a href="#{escape(target)}">{name}</a></span>')
    elif item.foreign_key:
        marks.append(chip("外部キー"))
    return "<br>" + "".join(marks) if marks else ""


def _code(edition: Edition, item: Item) -> str:
    code_list = edition.code_list(item)
    if code_list is None:
        return ""
    return f'<a href="#code-{escape(code_list.id)}">{escape(code_list.id)}</a>'


def _condition(item: Item) -> str:
    kind = {"必須": "must", "条件付き必須": "maybe"}.get(item.condition)
    mark = chip(item.condition, kind) if kind else escape(item.condition)
    return mark + ('<span class="once">実装○</span>' if item.implementation else "")


def _codes(edition: Edition) -> str:
    if not edition.codes:
        return ""
    lists = "".join(_code_list(code_list) for code_list in edition.codes.values())
    return (
        f'<section class="part" aria-labelledby="codes">\n<h2 id="codes">コード一覧</h2>\n{lists}</section>\n'
    )


def _code_list(code_list: CodeList) -> str:
    head = f'<h3 id="code-{escape(code_list.id)}">{escape(code_list.id)} {escape(code_list.name)}</h3>\n'
    if not code_list.codes:
        note = "値は手元にない（コード一覧（連携））。" if code_list.shared else "値は各自治体が定める。"
        return f'<div class="part">{head}<p>{note}</p></div>\n'
    dated = any(code.valid_from or code.valid_to for code in code_list.codes)
    heads = [head for head in _CODE_HEADS if dated or head[1] != "day"]
    rows = "".join(_code_row(code, dated) for code in code_list.codes)
    caption = f"コード一覧 {code_list.id} {code_list.name}"
    return f'<div class="part rows">{head}{table(heads, rows, caption)}</div>\n'


def _code_row(code: Code, dated: bool) -> str:
    days = f"<td>{code.valid_from or ''}</td><td>{code.valid_to or ''}</td>" if dated else ""
    return (
        f'<tr><th scope="row">{escape(code.value)}</th><td>{escape(code.label)}</td>{days}'
        f'<td class="text">{escape(code.remarks)}</td></tr>\n'
    )
