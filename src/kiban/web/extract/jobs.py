"""One extract: how far it is, its files, its end."""

from __future__ import annotations

import re
from typing import cast

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from kiban.access import extract
from kiban.kernel import Problem, Problems
from kiban.web.extract.drafts import extracts, missing
from kiban.web.extract.words import worded
from kiban.web.pages import errors, trail
from kiban.web.pages.working import Desk, needs


def _job(request: Desk, job: str) -> extract.Job:
    try:
        return extracts(request).desk.job(job, request.acting.staff.number)
    except Problem as problem:
        raise missing(problem) from None


@needs("extract")
@require_safe
def show(request: Desk, job: str) -> HttpResponse:
    """How far it is, and its files."""
    found = _job(request, job)
    told = {
        "job": found,
        "state": extract.STATES[found.state],
        "faults": [worded(each["code"]) for each in found.problems],
        "manifest": found.manifest,
        "listed": extract.MANIFEST,
    }
    return render(request, "extract/job.html", told)


@needs("extract")
@require_POST
def cancel(request: Desk, job: str) -> HttpResponse:
    """Have it end."""
    found = _job(request, job)
    extracts(request).desk.cancel(job, found.staff, request.city.now())
    trail.leave(request, "extract", business=found.business, act="cancel", job=job)
    messages.success(request, "中止を受け付けました。")
    return HttpResponseRedirect(reverse("extract-job", args=[job]))


@needs("extract")
@require_POST
def remove(request: Desk, job: str) -> HttpResponse:
    """Let its files go; the worker clears them away."""
    found = _job(request, job)
    if extracts(request).desk.remove(job, found.staff):
        trail.leave(request, "extract", business=found.business, act="delete", job=job)
        messages.success(request, "ファイルを削除しました。")
    return HttpResponseRedirect(reverse("extract-job", args=[job]))


@needs("extract")
@require_safe
def fetch(request: Desk, job: str, name: str) -> HttpResponse:
    """A file, once the line of the trail is written."""
    found = _job(request, job)
    try:
        file = extracts(request).file(found, name, request.grant)
        size = file.stat().st_size
    except (Problem, Problems) as refused:
        problems = refused.problems if isinstance(refused, Problems) else (refused,)
        if problems[0].code == "extract-unknown":
            raise missing(problems[0]) from None
        trail.leave(request, "export", outcome="refused", business=found.business, job=job)
        return errors.page(
            request,
            403,
            "このファイルは取り出せません",
            worded(problems[0].code)
            if problems[0].code == "extract-stale"
            else "抽出したときと職務・権限が異なるか、持ち出せる項目が変わりました。抽出し直してください。",
            problems[0].code,
        )
    except OSError:
        return errors.page(request, 404, "ファイルがありません", "抽出し直してください。")
    trail.leave(request, "export", business=found.business, job=job, file=name, bytes=size)
    title = re.sub(r"[\x00-\x1f\x7f/\\:*?\"<>|]", "_", found.title or "抽出")
    sent = FileResponse(
        file.open("rb"),
        as_attachment=True,
        filename=f"{title}_{name}",
        content_type="application/octet-stream",
    )
    return cast("HttpResponse", sent)
