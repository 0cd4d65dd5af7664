"""The first pages: which duty, and what there is to do."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from kiban.web.city import today
from kiban.web.house import NAME
from kiban.web.pages import errors
from kiban.web.pages.working import Desk, choose, needs


@needs("")
def home(request: Desk) -> HttpResponse:
    """What the person at work may open."""
    return render(request, "pages/home.html")


@login_required
def duty(request: Desk) -> HttpResponse:
    """Choose the assignment and the purpose to work for; with a single choice there is nothing to choose."""
    city = request.META[NAME].city
    if city is None:
        return errors.page(request, 404)
    given = city.people.assignments(request.user.get_username(), today(city))
    choices = [
        {"value": f"{each.id}/{purpose}", "label": f"{duty.title}（{purpose}）", "pair": (each.id, purpose)}
        for each in given
        if (
            duty := city.policies.duties.get(each.duty)
        )  # one that the policy set does not know allows nothing
        for purpose in duty.purposes
    ]
    wanted = str(request.GET.get("next", "/"))
    safe = wanted if url_has_allowed_host_and_scheme(wanted, None) else "/"
    if request.method == "POST":
        chosen = [each["pair"] for each in choices if each["value"] == request.POST.get("choice")]
        if chosen:
            choose(request, *chosen[0])
            return HttpResponseRedirect(safe)
    elif len(choices) == 1 and "next" in request.GET:
        choose(request, *choices[0]["pair"])
        return HttpResponseRedirect(safe)
    return render(request, "pages/duty.html", {"choices": choices})
