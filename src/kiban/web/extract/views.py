"""What was saved and what runs; a query looked at, run, kept, copied, deleted."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kiban.access import extract
from kiban.kernel import Problem, Problems
from kiban.web.extract.drafts import Draft, draft, extracts, missing
from kiban.web.extract.steps import go, page
from kiban.web.extract.words import said
from kiban.web.pages import trail
from kiban.web.pages.working import Desk, needs

_TITLE_MOST = 100


@needs("extract")
@require_safe
def overview(request: Desk) -> HttpResponse:
    """The queries that this person may run, and her extracts."""
    number, held = request.acting.staff.number, extracts(request)
    before = str(request.GET.get("before", ""))
    jobs = held.desk.jobs(number, int(before) if before.isdecimal() and len(before) < 18 else None, 21)
    queries = [each for each in held.shelf.page(number) if request.grant.allows("extract", each.business)]
    told = {
        "mine": [each for each in queries if each.owner == number and not each.draft],
        "drafts": [each for each in queries if each.draft],
        "shared": [each for each in queries if each.owner != number],
        "jobs": [(job, extract.STATES[job.state]) for job in jobs[:20]],
        "older": jobs[19].number if len(jobs) > 20 else None,
    }
    return render(request, "extract/overview.html", told)


@needs("extract")
@require_safe
def preview(request: Desk, query: str) -> HttpResponse:
    """Step 5: the first rows, before anything is made."""
    return _preview(request, draft(request, query))


def _preview(request: Desk, kept: Draft, faults: list[str] | None = None) -> HttpResponse:
    told: dict[str, object] = {"faults": faults or []}
    business = kept.edition.id
    try:
        asked = extract.query_in(kept.saved.body)
        told["text"] = extract.text(asked)
        found = extracts(request).preview(asked, request.grant)
    except (Problem, Problems) as refused:
        problems = refused.problems if isinstance(refused, Problems) else (refused,)
        if any(each.code in ("database-unreachable", "database-refused") for each in problems):
            raise
        hidden = any(each.code in ("item-hidden", "not-allowed") for each in problems)
        trail.leave(
            request, "extract", outcome="refused" if hidden else "failed", business=business, act="preview"
        )
        told["faults"] = [*(faults or []), *said(problems)]
        told["late"] = [each.code for each in problems] == ["time-exceeded"]
    else:
        trail.leave(
            request,
            "extract",
            business=business,
            subjects=found.subjects,
            act="preview",
            rows=len(found.rows),
        )
        told |= {"found": found}
    return page(request, "preview", kept, told, 422 if told["faults"] else 200)


@needs("extract")
@require_POST
def run(request: Desk, query: str) -> HttpResponse:
    """Put the extract into the queue."""
    kept = draft(request, query)
    title = str(request.POST.get("title", "")).strip()[:_TITLE_MOST] or kept.saved.title or kept.group.name
    reason = str(request.POST.get("reason", "")).strip()[:200]
    try:
        asked = extract.query_in({**kept.saved.body, "title": title})
        job = extracts(request).ask(asked, request.grant, reason)
    except Problems as refused:
        return _preview(request, kept, said(refused.problems))
    except Problem as problem:
        if problem.code not in ("extract-reason", "extracts-many"):
            raise
        return _preview(request, kept, said([problem]))
    trail.leave(request, "extract", business=kept.edition.id, act="run", job=job)
    if kept.mine and kept.saved.draft and request.POST.get("keep"):
        extracts(request).shelf.keep(query, kept.saved.owner, title, request.city.now(), shared=False)
    return HttpResponseRedirect(reverse("extract-job", args=[job]))


@needs("extract")
@require_POST
def keep(request: Desk, query: str) -> HttpResponse:
    """Keep a query under a title, for oneself or for others, too."""
    kept = draft(request, query, change=True)
    title, shared = str(request.POST.get("title", "")).strip()[:_TITLE_MOST], bool(request.POST.get("shared"))
    if not title or not title.isprintable():
        return _preview(request, kept, ["名称を入力してください。"])
    extracts(request).shelf.keep(query, kept.saved.owner, title, request.city.now(), shared=shared)
    trail.leave(request, "extract", business=kept.edition.id, act="save", query=query, shared=shared)
    messages.success(request, "抽出条件を保存しました。")
    return HttpResponseRedirect(reverse("extract-overview"))


@needs("extract")
@require_POST
def copy(request: Desk, query: str) -> HttpResponse:
    """Begin a query of one's own with the content of another."""
    kept = draft(request, query)
    try:
        fresh = extracts(request).shelf.begin(
            request.acting.staff.number, kept.saved.body, request.city.now()
        )
    except Problem as problem:
        messages.error(request, said([problem])[0])
        return HttpResponseRedirect(reverse("extract-overview"))
    return go("items", fresh)


@needs("extract")
@require_POST
def delete(request: Desk, query: str) -> HttpResponse:
    """Delete a query of one's own; what was extracted by it stays."""
    try:
        saved = extracts(request).shelf.saved(query, request.acting.staff.number)
        extracts(request).shelf.delete(query, request.acting.staff.number)
    except Problem as problem:
        raise missing(problem) from None
    trail.leave(request, "extract", business=saved.business, act="delete", query=query)
    messages.success(request, "抽出条件を削除しました。")
    return HttpResponseRedirect(reverse("extract-overview"))
