"""A contract as one page in Japanese: what is given, why, how, when, and what happens to protected persons."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from html import escape

from kiban.linkage.contracts.compare import compare
from kiban.linkage.contracts.model import Contract, Due, Feed, System
from kiban.linkage.contracts.profiles import ProfileFile
from kiban.linkage.contracts.sample import sample
from kiban.linkage.message import encode
from kiban.standard import Item, frame

STATUSES = {"draft": "案（通信できない）", "active": "有効", "retired": "廃止"}
WAYS = {"event": "事象（変更のつど）", "file": "ファイル", "api": "照会（API）"}
_KINDS = {"event": "事象", "full": "全件", "delta": "差分"}
_EVERY = {
    **{"day": "毎日", "month": "毎月", "monday": "毎週月曜", "tuesday": "毎週火曜", "wednesday": "毎週水曜"},
    **{"thursday": "毎週木曜", "friday": "毎週金曜", "saturday": "毎週土曜", "sunday": "毎週日曜"},
}
_ITEM_HEADS = (
    *(("データ項目", "name"), ("型・桁数", "type"), ("コード", "long"), ("出力条件", "short")),
    *(("扱い", "short"), ("定義", "long")),
)
_SHORT = 12
_DETAILS = {
    "form": "形式",
    "encoding": "文字コード",
    "bom": "BOM",
    "header": "見出し行",
    "delimiter": "区切り",
    "quoting": "引用符",
    "line_end": "改行",
    "list_separator": "値の並びの区切",
    "open_from": "始まりなし",
    "open_to": "終わりなし",
    "repertoire": "文字の範囲",
    "file_name": "ファイル名",
    "folder": "フォルダ",
    "full": "全件の呼び名",
    "delta": "差分の呼び名",
    "marker": "完了の目印",
}
_WORDS = {
    **{"csv": "CSV", "records": "固定長", "none": "なし", "romaji": "ローマ字", "name": "データ項目名"},
    **{"all": "すべて", "needed": "必要なとき", "True": "あり", "False": "なし", "None": "なし"},
    **{"\r\n": "CR LF", "\n": "LF", ",": "コンマ", "\t": "タブ", ";": "セミコロン", "": "空"},
    **{"unicode": "Unicode（制御文字・私用領域を除く）", "unicode-private": "Unicode（私用領域を含む）"},
}


def contract_page(contract: Contract, profile: ProfileFile | None = None) -> str:
    """A contract as a page of its own: HTML that loads nothing.

    Args:
        contract: the contract.
        profile: its profile, where files travel.
    """
    links = [("terms", "渡し方と期限", ""), ("protection", "支援措置の対象者", "")]
    links += [(feed.name, feed.group.name, f"{len(feed.items)}項目") for feed in contract.feeds]
    links += [("sample", "見本データ（架空）", "")]
    main = _terms(contract, profile) + _protection(contract)
    main += "".join(_feed(contract, feed) for feed in contract.feeds) + _sample(contract)
    return frame.document(
        f"データ連携の契約：{contract.title}", head(contract), frame.contents(links), main, "項目・コード"
    )


def head(contract: Contract) -> str:
    """What a contract is, before anything is said of what it carries."""
    version = ".".join(map(str, contract.version))
    signed = "、".join(f"{key[:16]}…" for key in sorted(contract.signed_by))
    return _notices(contract) + frame.facts(
        (
            ("フロー", contract.flow),
            ("版", version),
            ("状態", STATUSES[contract.status]),
            ("提供側", system(contract.provider)),
            ("利用側", system(contract.consumer)),
            ("法的根拠", contract.basis),
            ("利用目的", contract.purpose),
            ("担当", contract.owner),
            ("適用期間", f"{contract.effective} から {contract.until or '定めなし'}（終わりの日を含まない）"),
            ("署名", signed or "なし（署名のない契約では通信できない）"),
            ("要約値", contract.digest),
        )
    )


def _notices(contract: Contract) -> str:
    found = []
    if any(feed.edition.status == "reference" for feed in contract.feeds):
        found.append("項目はKibanの基準版による（公式ではない）")
    if not contract.signed_by:
        found.append("署名されていない")
    return "".join(f'<p class="notice">{escape(text)}</p>\n' for text in found)


def system(one: System) -> str:
    """A system in words."""
    kind = "標準準拠システム" if one.standard else "独自施策システム等"
    return f"{one.name}（{kind} {one.id}）" + ("。Kibanの台帳を持つ" if one.business else "")


def _part(target: str, title: str, body: str) -> str:
    return f'<section class="part" aria-labelledby="{target}">\n<h2 id="{target}">{title}</h2>\n{body}</section>\n'


def _terms(contract: Contract, profile: ProfileFile | None) -> str:
    limits = (
        ("1ファイルの件数", contract.receiver.rows, "件"),
        ("1ファイルの量", contract.receiver.bytes, "バイト"),
        ("毎秒の件数", contract.receiver.per_second, "件"),
        ("受領待ちの上限", contract.receiver.pending, "件"),
        ("毎分の照会", contract.receiver.requests, "件"),
        ("毎分の答えの量", contract.receiver.answer_bytes, "バイト"),
    )
    body = frame.facts(
        (
            ("渡し方", "、".join(WAYS[way] for way in WAYS if way in contract.ways)),
            *((name, "上限なし" if most is None else f"{most:,}{unit}まで") for name, most, unit in limits),
        )
    )
    if contract.due:
        rows = "".join(_cells(_due(due)) for due in contract.due)
        heads = (("種別", "value"), ("いつまでに", ""), ("遅れとみなすまで", ""))
        body += '<div class="rows"><h3>期限</h3>\n' + frame.table(heads, rows, "期限") + "</div>\n"
    if contract.incoming is not None:
        body += "<h3>取込み</h3>\n" + frame.facts(
            (("確認する所管", contract.incoming.owner), ("確認なしに反映する項目", _auto(contract)))
        )
    return _part("terms", "渡し方と期限", body + _profile(profile))


def _cells(texts: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in texts) + "</tr>\n"


def _due(due: Due) -> tuple[str, str, str]:
    minutes = due.within.total_seconds() / 60
    span = f"{minutes / 60:g}時間" if minutes >= 60 else f"{minutes:g}分"
    if due.kind == "event":
        return _KINDS[due.kind], f"変更の確定から{span}以内に反映", "—"
    day = f"{due.day}日" if due.day else ""
    at = f"{(due.at or 0) // 60}時{(due.at or 0) % 60:02}分"
    return _KINDS[due.kind], f"{_EVERY[due.every or 'day']}{day} {at}", span


def _auto(contract: Contract) -> str:
    auto = contract.incoming.auto if contract.incoming else {}
    names = [
        item.name for feed in contract.feeds for item in feed.items if item.romaji in auto.get(feed.name, ())
    ]
    return "、".join(names) or "なし（すべて職員が確認する）"


def _profile(file: ProfileFile | None) -> str:
    if file is None:
        return ""
    official = {"official": "公式", "city": "市の定め", "example": "例（公式ではない）"}[file.status]
    facts = [("名前", f"{file.title} {file.id}"), ("種別", official)]
    if file.profile is None:
        facts.append(("未確認の細目", "、".join(_DETAILS.get(name, name) for name in file.unset)))
    else:
        values = ((ja, str(getattr(file.profile, name))) for name, ja in _DETAILS.items())
        facts += [(ja, _WORDS.get(value, value)) for ja, value in values]
    return "<h3>ファイルの細目（プロファイル）</h3>\n" + frame.facts(facts)


def _protection(contract: Contract) -> str:
    protection = contract.protection
    carried = "渡す。分からないときは対象者として扱う" if protection.carried else "渡さない（住所を含まない）"
    names = [
        f"{feed.group.name}：" + "、".join(item.name for item in feed.items if item.romaji in hidden)
        for feed in contract.feeds
        if (hidden := protection.withheld.get(feed.name))
    ]
    minutes = f"{contract.patience.total_seconds() / 60:g}分。過ぎたら全員を対象者として扱う"
    facts = (
        ("対象者かどうか", carried),
        ("対象者について空にする項目", "／".join(names) or "なし"),
        ("便りがないまま最後の状態を使える時間", minutes),
    )
    return _part("protection", "支援措置の対象者", frame.facts(facts))


def _feed(contract: Contract, feed: Feed) -> str:
    key = "、".join(item.name for item in feed.group.key)
    period = "各行は期間（valid_from から valid_to の前日まで）を持つ。" if feed.has_periods else ""
    text = f"{len(feed.items)}項目。主キー：{key}。順序を守る単位：{feed.unit.name}。{period}"
    rows = "".join(_item(contract, feed, item) for item in feed.items)
    body = f"<p>{escape(text)}版：{escape(feed.edition.title)} {escape(feed.edition.edition)}。</p>\n"
    body += frame.table(_ITEM_HEADS, rows, f"{feed.group.name}のデータ項目")
    rules = "".join(f"<li>{escape(text)}</li>\n" for text in _rules(contract, feed))
    body += f"<h3>品質の規則</h3>\n<ul>\n{rules}</ul>\n" if rules else ""
    return _part(escape(feed.name), f"{escape(feed.group.name)} {frame.romaji(feed.name)}", body)


def _rules(contract: Contract, feed: Feed) -> Iterator[str]:
    for rule in contract.quality.get(feed.name, ()):
        metric = str(rule.get("metric", ""))
        yield str(rule.get("description") or f"{rule.get('property', '')} {metric}".strip())


def _item(contract: Contract, feed: Feed, item: Item) -> str:
    size = "" if item.digits is None else f" {item.digits},{item.scale}" if item.scale else f" {item.digits}"
    times = f"<br>{item.repeat}回まで" if item.repeats else ""
    kind = {"必須": "must", "条件付き必須": "maybe"}.get(item.condition, "")
    condition = frame.chip(item.condition, kind) if kind else escape(item.condition)
    cells = (
        f'<th scope="row"><strong>{escape(item.name)}</strong>{frame.romaji(item.romaji)}</th>',
        f'<td class="type">{escape(item.type + size)}{times}</td>',
        f"<td>{escape(_codes(feed, item))}</td>",
        f"<td>{condition}</td>",
        f"<td>{''.join(_chips(contract, feed, item))}</td>",
        f'<td class="text">{escape(item.definition)}</td>',
    )
    mark = ' class="key"' if item.key else ""
    return f"<tr{mark}>{''.join(cells)}</tr>\n"


def _codes(feed: Feed, item: Item) -> str:
    codes = feed.edition.code_list(item)
    if codes is None:
        return ""
    if codes.free or not codes.values:
        return f"{codes.id}（市が定める）"
    shown = "、".join(f"{value}：{codes.label(value)}" for value in codes.values[:_SHORT])
    more = len(codes.values) - _SHORT
    return f"{codes.id} {codes.name}\n{shown}" + (f" ほか{more}件" if more > 0 else "")


def _chips(contract: Contract, feed: Feed, item: Item) -> Iterator[str]:
    if item.key:
        yield frame.chip("主キー", "key")
    if item == feed.unit:
        yield frame.chip("単位")
    if item.romaji in contract.protection.withheld.get(feed.name, ()):
        yield frame.chip("対象者には渡さない", "maybe")
    if contract.incoming is not None:
        auto = item.romaji in contract.incoming.auto.get(feed.name, ())
        yield frame.chip("確認なしに反映" if auto else "職員が確認")


def _sample(contract: Contract) -> str:
    messages = sample(contract, 1, 3)
    text = json.dumps(json.loads(encode(messages[0])), ensure_ascii=False, indent=2)
    note = "契約から作った架空のデータ。実在の人ではない。kiban link contracts sample で何件でも作れる。"
    return _part(
        "sample",
        "見本データ（架空）",
        f'<p>{note}</p>\n<pre class="text"><code>{escape(text)}</code></pre>\n',
    )


def difference_page(old: Contract, new: Contract) -> str:
    """Two versions of a contract and what changed, as a page in Japanese; what breaks somebody comes first."""
    changes = sorted(compare(old, new), key=lambda each: not each.breaking)
    broken = sum(each.breaking for each in changes)
    said = f"変更{len(changes)}件、うち相手の対応が要るもの{broken}件。"
    if broken:
        said += "大きい番号を上げた版とし、前の版と並べて提供する。"
    rows = "".join(
        f"<tr><td>{frame.chip('対応が要る', 'must') if each.breaking else '対応は要らない'}</td>"
        f'<th scope="row">{escape(each.note_ja)}</th><td>{frame.romaji(each.where)}</td>'
        f"<td>{frame.romaji(each.kind)}</td></tr>\n"
        for each in changes
    )
    heads = (("影響", "short"), ("内容", "long"), ("場所", ""), ("種類", ""))
    body = f"<p>{escape(said)}</p>\n{frame.table(heads, rows, '変更')}"
    versions = (".".join(map(str, one.version)) for one in (old, new))
    return frame.document(
        f"契約の差分：{new.title} {' → '.join(versions)}",
        head(new),
        frame.contents([("changes", "変更", f"{len(changes)}件")]),
        _part("changes", "変更", body),
        "変更",
    )
