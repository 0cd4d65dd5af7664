"""One readable page for people: self-contained HTML that also prints."""

from __future__ import annotations

from html import escape

from kiban.standard.exporting.fields import REFERENCE_MARK, digits
from kiban.standard.model import CodeList, Edition, Group, Item

_STYLE = """
:root { color-scheme: light; }
body { font-family: "Noto Sans JP", "Yu Gothic", "Hiragino Sans", sans-serif; line-height: 1.6;
  margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; border-bottom: 2px solid #0a4d8c; margin-top: 2.5rem; }
.mark { background: #fff4ce; border: 2px solid #8a5a00; padding: .4rem .8rem; font-weight: bold; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { border: 1px solid #767676; padding: .3rem .45rem; text-align: left; vertical-align: top; }
thead th { background: #e8eef5; } tr.key th, tr.key td { background: #e6f3fb; }
tbody th { font-weight: 600; } code { font-size: .95em; word-break: break-all; }
.text { white-space: pre-line; } dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { font-weight: 600; } dd { margin: 0; } a { color: #0a4d8c; }
@media print { body { margin: 0; max-width: none; font-size: 9pt; } nav { display: none; }
  h2 { break-after: avoid; } tr { break-inside: avoid; } thead { display: table-header-group; }
  @page { size: A4 landscape; margin: 12mm; } }
"""


def to_html(edition: Edition) -> str:
    """The edition as one page: items by group, codes and notes. It says so where it is not official."""
    effective = edition.effective.isoformat() if edition.effective else "未定"
    facts = [
        ("業務ID", edition.business),
        ("版", edition.edition),
        ("種別", "公式" if edition.status == "official" else REFERENCE_MARK),
        ("適用日", effective),
        ("根拠", edition.basis),
        ("法令", edition.law),
        ("前の版", edition.replaces or ""),
        ("原本", " ".join(edition.source.values())),
    ]
    mark = f'<p class="mark">{REFERENCE_MARK}</p>\n' if edition.status == "reference" else ""
    links = "".join(
        f'<li><a href="#{escape(group.id)}">{escape(group.name)}</a>（{len(group.items)}項目）</li>\n'
        for group in edition.groups
    )
    return (
        '<!DOCTYPE html>\n<html lang="ja">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(edition.title)} {escape(edition.edition)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(edition.title)}（{escape(edition.business)}）データ項目一覧</h1>\n{mark}"
        f"<dl>\n{''.join(_fact(*fact) for fact in facts if fact[1])}</dl>\n"
        f'<nav aria-label="目次"><ul>\n{links}<li><a href="#codes">コード一覧</a></li>\n</ul></nav>\n'
        f"<main>\n{''.join(_group(edition, group) for group in edition.groups)}{_codes(edition)}</main>\n"
        "</body>\n</html>\n"
    )


def _fact(name: str, text: str) -> str:
    return f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>\n"


def _group(edition: Edition, group: Group) -> str:
    kind = "台帳（履歴を持つ）" if group.kind == "register" else "記録（追加のみ）"
    scope = "行政区ごと" if group.scope == "ward" else "全市"
    heads = (
        "ID",
        "項目",
        "ローマ字",
        "型",
        "桁数",
        "コード",
        "繰返",
        "出力条件",
        "実装",
        "定義・説明",
        "サンプル",
        "備考",
    )
    return (
        f'<section aria-labelledby="{escape(group.id)}">\n'
        f'<h2 id="{escape(group.id)}">{escape(group.name)} <code>{escape(group.id)}</code></h2>\n'
        f"<p>{kind}、{scope}。色付きの行は主キー。</p>\n<table>\n<thead><tr>"
        + "".join(f'<th scope="col">{head}</th>' for head in heads)
        + "</tr></thead>\n<tbody>\n"
        + "".join(_item(edition, group, item) for item in group.items)
        + "</tbody>\n</table>\n</section>\n"
    )


def _item(edition: Edition, group: Group, item: Item) -> str:
    code = f'<a href="#code-{escape(item.code)}">{escape(item.code)}</a>' if item.code else ""
    target = group.references.get(item.romaji)
    text = "\n".join(part for part in (item.definition.strip(), item.description.strip()) if part)
    key = "（主キー）" if item.key else ""
    points = f"\n外部キー → {edition.group(target).name}" if target else ""
    further = "".join(f"\n{name.removeprefix('追加列_')}：{value}" for name, value in item.extra if value)
    cells = [
        f'<td id="i{escape(item.id)}">{escape(item.id)}</td>',
        f'<th scope="row">{escape(item.name)}{key}</th>',
        f"<td><code>{escape(item.romaji)}</code></td>",
        *(f"<td>{escape(part)}</td>" for part in (item.type, digits(item) or "")),
        f"<td>{code}</td>",
        *(
            f"<td>{escape(part)}</td>"
            for part in (str(item.repeat) if item.repeat else "", item.condition, item.implementation)
        ),
        *(
            f'<td class="text">{escape(part)}</td>'
            for part in (text + points, item.sample, item.remarks + further)
        ),
    ]
    opening = '<tr class="key">' if item.key else "<tr>"
    return f"{opening}{''.join(cells)}</tr>\n"


def _codes(edition: Edition) -> str:
    lists = "".join(_code_list(code_list) for code_list in edition.codes.values())
    return f'<section aria-labelledby="codes">\n<h2 id="codes">コード一覧</h2>\n{lists}</section>\n'


def _code_list(code_list: CodeList) -> str:
    head = f'<h3 id="code-{escape(code_list.id)}">{escape(code_list.id)} {escape(code_list.name)}</h3>\n'
    if not code_list.codes:
        note = "値は手元にない（コード一覧（連携））。" if code_list.shared else "値は各自治体が定める。"
        return f"{head}<p>{note}</p>\n"
    rows = "".join(
        f'<tr><th scope="row">{escape(code.value)}</th><td>{escape(code.label)}</td>'
        f"<td>{code.valid_from or ''}</td><td>{code.valid_to or ''}</td>"
        f'<td class="text">{escape(code.remarks)}</td></tr>\n'
        for code in code_list.codes
    )
    heads = "".join(
        f'<th scope="col">{h}</th>'
        for h in ("値", "内容", "有効開始日", "有効終了日（その日を含まない）", "備考")
    )
    return f"{head}<table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n"
