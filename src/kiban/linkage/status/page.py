"""The status page: each flow in words, for whoever answers for it. One self-contained file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from kiban.linkage.evidence import JAPAN
from kiban.linkage.status.view import FlowView, Verdict
from kiban.standard import frame

_KIND: dict[Verdict, str] = {"正常": "key", "確認": "maybe", "対応": "must"}
_WAYS = {"event": "変更（イベント）", "file": "ファイル", "api": "照会（API）"}


def page(views: Sequence[FlowView], now: datetime) -> str:
    """The page of all flows, those that need somebody first.

    Args:
        views: of the flows.
        now: the moment it shows, in UTC.
    """
    order = sorted(views, key=lambda one: ("対応", "確認", "正常").index(one.verdict))
    counted = {verdict: sum(one.verdict == verdict for one in views) for verdict in _KIND}
    head = frame.facts(
        [
            ("時点", _moment(now)),
            ("連携", f"{len(views)}本"),
            ("内訳", "、".join(f"{verdict} {count}" for verdict, count in counted.items())),
        ]
    )
    contents = "".join(
        f'<li><a href="#{escape(one.contract.flow)}">{escape(one.contract.title)}</a></li>\n' for one in order
    )
    main = _overview(order) + "".join(map(_section, order))
    return frame.document("データ連携の状況", head, contents, main, "連携")


def _overview(views: Iterable[FlowView]) -> str:
    heads = [("連携", ""), ("送り手", ""), ("受け手", ""), ("状況", ""), ("届いた変更", ""), ("照合", "")]
    rows = "".join(
        f'<tr><td><a href="#{escape(one.contract.flow)}">{escape(one.contract.title)}</a></td>'
        f"<td>{escape(one.contract.provider.name)}</td><td>{escape(one.contract.consumer.name)}</td>"
        f"<td>{frame.chip(one.verdict, _KIND[one.verdict])}</td>"
        f"<td>{_arrived(one)}</td><td>{_equal(one)}</td></tr>\n"
        for one in views
    )
    table = frame.table(heads, rows, "すべての連携の状況")
    return f'<section class="part"><h2>一覧</h2>\n{table}</section>\n'


def _section(view: FlowView) -> str:
    contract = view.contract
    facts = frame.facts(
        [
            ("状況", view.verdict),
            ("送り手", f"{contract.provider.name}（{contract.provider.id}）"),
            ("受け手", f"{contract.consumer.name}（{contract.consumer.id}）"),
            ("事務", contract.purpose),
            ("方法", "、".join(_WAYS[way] for way in sorted(contract.ways))),
            ("責任者", contract.owner),
            *_figures(view),
        ]
    )
    title = f"{escape(contract.title)} {frame.chip(view.verdict, _KIND[view.verdict])}"
    return (
        f'<section class="part" id="{escape(contract.flow)}"><h2>{title}</h2>\n'
        f"<p>{frame.romaji(contract.flow)}</p>\n{_reasons(view)}{facts}{_passed(view)}</section>\n"
    )


def _reasons(view: FlowView) -> str:
    if not view.reasons:
        return "<p>期限のものはすべて届き、適用されています。することはありません。</p>\n"
    lines = "".join(
        f"<tr><td>{frame.chip(one.verdict, _KIND[one.verdict])}</td><td>{escape(one.words)}</td><td>{escape(one.advice)}</td></tr>\n"
        for one in view.reasons
    )
    return frame.table([("", ""), ("どうなっているか", ""), ("何をするか", "")], lines, "することの一覧")


def _figures(view: FlowView) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    one = view.changes
    if one is not None:
        found += [
            ("異動番号", f"{one.place:,}まで配信済み（最新 {one.last:,}）"),
            (
                "変更",
                f"送信 {one.sent:,}件、応答済み {one.counted:,}件、適用 {one.applied:,}件、古いもの {one.late:,}件",
            ),
            ("内容の一致", "送った内容と受け取った内容は一致" if one.equal else "応答待ち、または不一致"),
            ("待ち", f"適用できない {one.quarantined:,}、前を待つ {one.held:,}"),
            ("全件セット", f"異動番号{one.floor:,}時点（世代{one.epoch}）" if one.epoch is not None else ""),
            ("最後の応答", _moment(one.answered_at) if one.answered_at else ""),
        ]
    if view.lane is not None and view.lane.told:
        lane = view.lane
        slowest = f"、最長 {lane.slowest.total_seconds():.1f}秒" if lane.slowest is not None else ""
        found.append(("支援措置", f"開始の通知 {lane.told:,}件、未確認 {lane.open:,}件{slowest}"))
    if view.compared is not None:
        found.append(
            (
                "照合",
                f"{_moment(view.compared.at)}に{view.compared.rows:,}行を照合、違い {view.compared.drifted:,}行",
            )
        )
    return found


def _passed(view: FlowView) -> str:
    if not view.passed:
        return ""
    rows = "".join(
        f"<tr><td>{_WAYS[one.way]}</td><td>{one.sent:,}</td><td>{one.received:,}</td><td>{one.rows:,}</td></tr>\n"
        for one in view.passed
    )
    heads = [("方法", ""), ("送った数", ""), ("受けた数", ""), ("行", "")]
    return frame.table(heads, rows, "今日の記録（証跡）")


def _arrived(view: FlowView) -> str:
    one = view.changes
    return "－" if one is None else f"{one.applied:,} / {one.sent:,}"


def _equal(view: FlowView) -> str:
    if view.compared is not None:
        return "一致" if not view.compared.drifted else f"{view.compared.drifted:,}行相違"
    if view.changes is None:
        return "－"
    return "応答は一致" if view.changes.equal else "応答待ち"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(JAPAN):%Y年%m月%d日 %H:%M:%S}"
