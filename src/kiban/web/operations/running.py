"""How the linkage stands, migrations with their packets, editions of the standard."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.http import Http404, HttpResponse

from kiban.kernel import Problem
from kiban.standard import Edition, diff
from kiban.web.operations.sheet import Field, Link, Row, Sheet, day, moment, show
from kiban.web.pages.desk import Desk
from kiban.web.pages.trail import leave
from kiban.web.pages.working import needs

_PAPERS = {"packet.html": "text/html; charset=utf-8", "packet.pdf": "application/pdf"}
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox; frame-ancestors 'none'"
"""A packet brings its own styles; it runs nothing and reaches nothing."""
_TABS = (Link("適用中の版", "/operations/standards"), Link("版の差分", "/operations/standards/difference"))
_PAGE = 200
_NO_MIGRATIONS = "この画面を出しているサーバーには、移行のフォルダが設定されていません。"
_NO_FLOWS = "この画面を出しているサーバーには、連携が設定されていません。連携がないという意味ではありません。"


@needs("operations")
def flows(request: Desk) -> HttpResponse:
    """How every flow stands, those that need somebody first."""
    leave(request, "read", business="operations", what="flows")
    if request.city.flows is None:
        return show(
            request,
            Sheet(
                "連携の状況",
                intro=(_NO_FLOWS,),
                asked=False,
            ),
        )
    order = {"対応": 0, "確認": 1, "正常": 2}
    views = sorted(request.city.flows(), key=lambda one: order[one.verdict])
    rows: list[Row] = []
    for one in views:
        reasons = "／".join(f"{each.verdict}：{each.words}。{each.advice}" for each in one.reasons)
        sent = "－" if one.changes is None else f"{one.changes.applied:,} / {one.changes.sent:,}"
        compared = (
            "－" if one.compared is None else f"{moment(one.compared.at)}　相違 {one.compared.drifted:,}行"
        )
        systems = (one.contract.title, one.contract.provider.name, one.contract.consumer.name)
        rows.append((*systems, one.verdict, reasons or "期限のものは全て適用済み", sent, compared))
    heads = ("連携", "送り手", "受け手", "状況", "どうなっているか・何をするか", "適用／送信", "照合")
    return show(request, Sheet("連携の状況", heads, rows, intro=(f"{moment(request.city.now())} 時点",)))


@needs("migrations")
def migrations(request: Desk) -> HttpResponse:
    """The migrations there are, with the packets that were handed over."""
    leave(request, "read", business="migrations", what="list")
    if request.city.migrations is None:
        return show(request, Sheet("移行", intro=(_NO_MIGRATIONS,), asked=False))
    rows: list[Row] = []
    for folder in _folders(request):
        papers = {name: folder / "packet" / name for name in _PAPERS}
        known = [name for name, file in papers.items() if file.is_file()]
        made = max((papers[name].stat().st_mtime for name in known), default=None)
        page, paper = (
            Link(title, f"/operations/migrations/{folder.name}/{name}") if name in known else "まだない"
            for name, title in (("packet.html", "画面で見る"), ("packet.pdf", "PDF"))
        )
        rows.append((folder.name, moment(datetime.fromtimestamp(made, UTC)) if made else "－", page, paper))
    intro = (
        "ホームの migrations フォルダにある移行を表示します（kiban migrate run PLAN --work ホーム/migrations/名前）。",
    )
    return show(
        request, Sheet("移行", ("移行", "移行結果確認書の作成", "確認書", "印刷用"), rows, intro=intro)
    )


@needs("migrations")
def packet(request: Desk, name: str, paper: str) -> HttpResponse:
    """A packet as it was handed over."""
    found = [folder / "packet" / paper for folder in _folders(request) if folder.name == name]
    if paper not in _PAPERS or not found or not found[0].is_file():
        raise Http404
    leave(request, "read", business="migrations", what="packet", migration=name[:100])
    answer = HttpResponse(found[0].read_bytes(), content_type=_PAPERS[paper])
    answer["Content-Security-Policy"] = _ALONE
    return answer


def _folders(request: Desk) -> list[Path]:
    """The migrations there are: only what lies in the folder itself can be asked for."""
    folder = request.city.migrations
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder and folder.is_dir() else []


@needs("standards")
def standards(request: Desk) -> HttpResponse:
    """Editions in force, and all others at hand."""
    leave(request, "read", business="standards", what="list")
    applied = request.city.store.applied()
    rows: list[Row] = [
        (
            Link(each.title, f"/operations/standards/{each.id}/{each.edition}"),
            each.edition,
            "適用中" if applied.get(each.id) == each.edition else "－",
            "公式" if each.status == "official" else "Kiban基準版",
            day(each.effective),
            f"{sum(len(group.items) for group in each.groups):,}",
            each.law,
        )
        for each in sorted(request.city.store.library.editions, key=lambda one: (one.id, one.edition))
    ]
    return show(
        request, Sheet("標準の版", ("業務", "版", "適用", "区分", "施行日", "項目", "根拠"), rows, tabs=_TABS)
    )


@needs("standards")
def edition(request: Desk, business: str, edition: str) -> HttpResponse:
    """The items of an edition, some groups at a time."""
    found = _edition(request, f"{business}/{edition}")
    leave(request, "read", business="standards", what="edition", edition=f"{found.id}/{found.edition}")
    start = request.GET.get("after", "")
    items = [(group, item) for group in found.groups for item in group.items]
    names = [f"{group.id}.{item.romaji}" for group, item in items]
    first = names.index(start) + 1 if start in names else 0
    rows: list[Row] = [
        (group.name, item.name, item.romaji, item.type, item.digits or "－", item.code or "－")
        for group, item in items[first : first + _PAGE]
    ]
    beyond = first + _PAGE < len(items)
    more = (
        f"/operations/standards/{found.id}/{found.edition}?after={names[first + _PAGE - 1]}" if beyond else ""
    )
    heads = ("グループ", "項目", "ローマ字", "型", "桁数", "コード表")
    title = f"{found.title}　{found.edition}"
    return show(request, Sheet(title, heads, rows, tabs=_TABS, intro=(found.basis,), more=more))


@needs("standards")
def difference(request: Desk) -> HttpResponse:
    """What changed between two editions of a business."""
    editions = sorted(f"{each.id}/{each.edition}" for each in request.city.store.library.editions)
    options = tuple((name, name) for name in editions)
    old, new = request.POST.get("old", ""), request.POST.get("new", "")
    fields = (
        Field("old", "前の版", options=options, value=old),
        Field("new", "後の版", options=options, value=new),
    )
    heads = ("グループ", "項目", "変更", "影響", "内容")
    sheet = Sheet("版の差分", heads, tabs=_TABS, fields=fields, asked=False)
    if request.method != "POST":
        return show(request, sheet)
    before, after = _edition(request, old), _edition(request, new)
    leave(request, "read", business="standards", what="difference", old=old, new=new)
    try:
        found = diff(before, after)
    except Problem as problem:
        if problem.code != "diff-other-business":
            raise
        return show(
            request,
            Sheet("版の差分", heads, tabs=_TABS, fields=fields, wrong="同じ業務の二つの版を選んでください。"),
        )
    rows: list[Row] = [
        (
            each.group,
            each.romaji or "（グループ）",
            each.kind,
            "影響あり" if each.breaking else "－",
            each.note_ja,
        )
        for each in sorted(found.changes, key=lambda one: not one.breaking)
    ]
    return show(request, Sheet("版の差分", heads, rows, tabs=_TABS, fields=fields))


def _edition(request: Desk, name: str) -> Edition:
    for each in request.city.store.library.editions:
        if f"{each.id}/{each.edition}" == name:
            return each
    raise Http404
