"""The steps of the wizard. Each takes what was sent, keeps it with the query, and goes on; nothing in a form is trusted."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from kiban.access import extract
from kiban.kernel import Problem, Problems
from kiban.standard import Edition, Group
from kiban.web.extract.drafts import Body, Draft, draft, extracts, keep, open_items, with_columns
from kiban.web.extract.forms import condition_of, scope_of
from kiban.web.extract.words import said
from kiban.web.pages.working import Desk, needs

STEPS = (("items", "項目"), ("conditions", "条件"), ("scope", "時点・区・出力"), ("preview", "確認と実行"))


def go(step: str, query: str) -> HttpResponse:
    """On to a step."""
    return HttpResponseRedirect(reverse(f"extract-{step}", args=[query]))


def page(request: Desk, step: str, kept: Draft, told: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page of a step, with the list of all of them."""
    steps = [
        {"title": title, "here": name == step, "address": reverse(f"extract-{name}", args=[kept.saved.query])}
        for name, title in STEPS
    ]
    given = {"draft": kept, "steps": steps, "query": kept.saved.query, **told}
    return render(request, f"extract/{step}.html", given, status=status)


@needs("extract")
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: Desk) -> HttpResponse:
    """Step 1: of which business, and whose rows."""
    offered, faults = _offered(request), []
    if request.method == "POST":
        business, _, group = str(request.POST.get("group", "")).partition(".")
        if any(
            business == edition.id and group in [each.id for each in groups] for edition, groups in offered
        ):
            body = {"business": business, "main": group}
            try:
                query = extracts(request).shelf.begin(request.acting.staff.number, body, request.city.now())
            except Problem as problem:
                faults = said([problem])
            else:
                return go("items", query)
        else:
            faults = ["グループを選んでください。"]
    told = {"offered": offered, "faults": faults}
    return render(request, "extract/new.html", told, status=422 if faults else 200)


def _offered(request: Desk) -> list[tuple[Edition, list[Group]]]:
    """The businesses and groups of which anything may leave."""
    found = []
    for edition in (request.city.store.edition(schema) for schema in request.city.store.applied()):
        if request.grant.allows("extract", edition.id):
            hidden = request.grant.hidden("extract", edition.id)
            found.append((edition, [group for group in edition.groups if open_items(edition, group, hidden)]))
    return found


@needs("extract")
@require_http_methods(["GET", "HEAD", "POST"])
def items(request: Desk, query: str) -> HttpResponse:
    """Step 2: which items, of which groups."""
    kept = draft(request, query, change=True)
    wanted = str(request.POST.get("filter", "")).strip()
    if request.method == "POST":
        keep(request, kept, _with_items(request, kept))
        if "next" in request.POST:
            return go("conditions", query)
        kept = draft(request, query, change=True)
    chosen = [each for each in kept.columns if isinstance(each, str)]
    ages = [each for each in kept.columns if not isinstance(each, str)]
    told = {
        "groups": [_classes(kept, group, wanted, chosen) for group in kept.joined],
        "neighbours": [(group, by, group in kept.joined) for group, by in kept.neighbours()],
        "chosen": [(name, kept.title(name)) for name in chosen],
        "ages": [(n, kept.title(each.get("age", "")), each.get("on", "")) for n, each in enumerate(ages)],
        "dates": [
            (name, kept.title(name))
            for name, (_, item) in kept.named().items()
            if item.type == "DATE" and not item.repeats
        ],
        "unseen": [
            name for name in chosen if wanted and wanted not in kept.title(name) and wanted not in name
        ],
        "filter": wanted,
        "kept_back": kept.kept_back(),
    }
    return page(request, "items", kept, told)


def _classes(kept: Draft, group: Any, wanted: str, chosen: list[str]) -> dict[str, Any]:
    """The items of a group by their class, as the official list classes them."""
    classes: dict[str, list[dict[str, Any]]] = {}
    for item in kept.open(group):
        name = kept.name(group, item)
        if wanted and wanted not in item.name and wanted not in item.romaji:
            continue
        found = classes.setdefault(item.classes[2] or item.classes[1] or group.name, [])
        found.append(
            {"name": name, "title": item.name, "romaji": item.romaji, "on": name in chosen, "key": item.key}
        )
    return {
        "group": group,
        "classes": [
            (f"{group.id}|{title}", title, each, sum(i["on"] for i in each))
            for title, each in classes.items()
        ],
    }


def _with_items(request: Desk, kept: Draft) -> Body:
    """The query with the items, ages and groups that a form names."""
    posted, named = request.POST, kept.named()
    sent = posted.getlist("item")
    whole = str(posted.get("all", ""))
    for name, (group, item) in named.items():
        if whole and whole == f"{group.id}|{item.classes[2] or item.classes[1] or group.name}":
            sent.append(name)
    before = [each for each in kept.columns if isinstance(each, str)]
    columns: list[Any] = [name for name in before if name in sent and name in named]
    columns += [name for name in named if name in sent and name not in columns]
    ages = [each for each in kept.columns if not isinstance(each, str)]
    columns += [each for number, each in enumerate(ages) if str(number) != posted.get("age-drop")]
    if "age-add" in posted and posted.get("age-item") in named:
        day = str(posted.get("age-on", "")).strip() or "today"
        columns.append({"age": posted["age-item"], "on": day})
    wanted = posted.getlist("group")
    join = [{"group": group.id, "by": by} for group, by in kept.neighbours() if group.id in wanted]
    gone = {group.id for group in kept.joined} - {kept.group.id} - {each["group"] for each in join}
    columns = [each for each in columns if _group_of(each) not in gone]
    return {**with_columns(kept.body, columns), "join": join}


def _group_of(column: Any) -> str:
    name = column if isinstance(column, str) else str(column.get("age", ""))
    return name.rpartition(".")[0]


@needs("extract")
@require_http_methods(["GET", "HEAD", "POST"])
def conditions(request: Desk, query: str) -> HttpResponse:
    """Step 3: which rows."""
    kept = draft(request, query, change=True)
    faults: list[str] = []
    where = list(kept.body.get("where", ()))
    if request.method == "POST":
        if "next" in request.POST:
            return go("scope", query)
        drop = str(request.POST.get("drop", ""))
        if drop.isdecimal() and int(drop) < len(where):
            del where[int(drop)]
        elif "add" in request.POST:
            added, faults = condition_of(request.POST, kept)
            faults = faults or _faults_of(request, kept, added)
            where += [] if faults else [added]
        if not faults:
            keep(request, kept, {**kept.body, "where": where})
            return go("conditions", query)
    told = {
        "conditions": [_shown(kept, each) for each in where],
        "items": [(group, [(kept.name(group, i), i) for i in kept.open(group)]) for group in kept.joined],
        "kinds": list(extract.KINDS.items()),
        "faults": faults,
        "sent": request.POST,
    }
    return page(request, "conditions", kept, told, 422 if faults else 200)


def _faults_of(request: Desk, kept: Draft, condition: Body) -> list[str]:
    """What is wrong with one condition, taken alone."""
    body = {
        **kept.body,
        "where": [condition],
        "items": [kept.group.subject[0].romaji],
        "totals": None,
        "order": None,
    }
    try:
        query = extract.query_in({k: v for k, v in body.items() if v}).query
        extract.check(query, kept.edition, kept.hidden, request.acting.on, request.city.now())
    except Problems as refused:
        name = str(condition.get("item") or condition.get("age"))
        return [each.replace(f"{name}：", f"{kept.title(name)}：") for each in said(refused.problems)]
    return []


def _shown(kept: Draft, condition: Body) -> str:
    """A condition in words."""
    name = str(condition.get("item") or condition.get("age"))
    title = kept.title(name) + (f"の年齢（{condition.get('on')}現在）" if "age" in condition else "")
    unknown = {"with": "（不詳を含む）", "without": "（不詳を除く）"}.get(str(condition.get("unknown")), "")
    if "from" in condition or "to" in condition:
        return f"{title}：{condition.get('from', '')} ～ {condition.get('to', '')}{unknown}"
    kind = next((each for each in extract.KINDS if each in condition), None) or "filled"
    value = condition.get(kind, "")
    values = (
        "、".join(value) if isinstance(value, list) else str(value) if kind not in ("empty", "filled") else ""
    )
    return f"{title}：{extract.KINDS[kind]} {values}{unknown}"


@needs("extract")
@require_http_methods(["GET", "HEAD", "POST"])
def scope(request: Desk, query: str) -> HttpResponse:
    """Step 4: of which day, of which wards, in which order, as rows or totals, in which form."""
    kept = draft(request, query, change=True)
    if request.method == "POST":
        keep(request, kept, scope_of(request.POST, kept))
        return go("preview", query)
    body = kept.body
    totals = body.get("totals")
    numbers = [
        (name, kept.title(name))
        for name, (_, item) in kept.named().items()
        if item.type in extract.NUMBERS and not item.repeats
    ]
    order = [str(each) for each in body.get("order", ()) if isinstance(each, str)][:2]
    told = {
        "body": body,
        "totals": totals,
        "sums": [(name, title, name in (totals or {}).get("sum", ())) for name, title in numbers],
        "orders": [(number, *_order(order, number)) for number in range(2)],
        "sortable": [(each, kept.title(each)) for each in kept.columns if isinstance(each, str)],
        "splits": list(extract.SPLITS.items()),
        "output": body.get("output", {}),
        "days": list(extract.WORDS.items()),
        "wards": " ".join(body.get("wards", ())),
        "subject": kept.group.subject[0],
    }
    return page(request, "scope", kept, told)


def _order(order: list[str], number: int) -> tuple[str, bool]:
    """The item of a place of the order, and whether it goes down; "" where there is none."""
    name = order[number] if number < len(order) else ""
    return name.removeprefix("-"), name.startswith("-")
