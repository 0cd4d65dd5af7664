"""The audit trail as a whole: what is sealed and signed, and whether it holds."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from kiban.access import audit
from kiban.web.operations.asking import TABS
from kiban.web.operations.sheet import moment
from kiban.web.pages.desk import Desk
from kiban.web.pages.trail import leave
from kiban.web.pages.working import needs

_SAID = {
    "audit-changed": "内容が、封印したときと異なります",
    "audit-lost": "封印した行がありません",
    "audit-inserted": "封印した後に、その前へ差し込まれています",
    "audit-order": "他の行と入れ替わっています",
    "audit-seal": "封印が、書かれたときのものではありません",
    "audit-block": "署名された区切りが合いません",
    "audit-head": "最後の区切りが失われています（巻き戻し）",
    "evidence-root": "日次の署名が合いません",
}
_ROOTS = 31


@needs("audit")
def overview(request: Desk) -> HttpResponse:
    """What is sealed, what waits, and the roots of the last days."""
    return _overview(request, None)


@require_POST
@needs("audit")
def verify(request: Desk) -> HttpResponse:
    """Compute again what was sealed since the last root, and hold all roots against each other."""
    leave(request, "read", business="audit", what="verify")
    return _overview(request, audit.verify(audit.Ledger(request.city.audit), _keeper(request), recent=True))


@needs("audit")
def root(request: Desk, day: str) -> HttpResponse:
    """The root of a day as the file that is given to somebody else."""
    found = [each for each in audit.Ledger(request.city.audit).roots() if each.day == day]
    if not found:
        raise Http404
    leave(request, "export", business="audit", what="root", rows=1)
    answer = HttpResponse(audit.root_bytes(found[0]), content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{found[0].day}.json"'
    return answer


def _overview(request: Desk, verdict: audit.Verdict | None) -> HttpResponse:
    ledger = audit.Ledger(request.city.audit)
    last = ledger.last()
    told = {
        "tabs": TABS,
        "sealed_here": request.city.keeping is not None,
        "last": last,
        "waiting": {name: ledger.waiting(name, getattr(last, name)) for name in ("line", "lookup")},
        "roots": list(reversed(ledger.roots()[-_ROOTS:])),
        "verdict": verdict,
        "held": sum(verdict.sealed.values()) if verdict else 0,
        "problems": [(each.where, _SAID.get(each.code, each.what), each.code) for each in verdict.problems]
        if verdict
        else [],
        "at": moment(request.city.now()),
    }
    return render(request, "operations/trail.html", told)


def _keeper(request: Desk) -> audit.Keeper:
    if request.city.keeping is None:
        raise Http404
    return audit.keeper(request.city.keeping)
