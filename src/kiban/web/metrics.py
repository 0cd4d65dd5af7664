"""Figures for Prometheus: how many requests, how long, by the route and never by the address. Nothing of persons."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable

from django.http import HttpRequest, HttpResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from kiban.web.house import NAME, House
from kiban.web.pages import errors

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of prometheus-client that names the folder where several workers keep their figures; set before this is imported."""
_ANSWERS = Counter("kiban_answers", "Requests answered.", ("route", "method", "status"))
_SECONDS = Histogram(
    "kiban_answer_seconds",
    "Time to answer a request.",
    ("route",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
)
_METHODS = frozenset({"GET", "POST", "HEAD"})


def count(route: str, method: str | None, status: int, seconds: float) -> None:
    """Count an answer.

    Args:
        route: its pattern; "-" where there is none.
        method: of HTTP; one that no view takes counts as `other`.
        status: of HTTP.
        seconds: how long it took.
    """
    _ANSWERS.labels(route, method if method in _METHODS else "other", str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


def metrics(request: HttpRequest) -> HttpResponse:
    """The figures of all workers; for this machine and the networks of the house only."""
    house: House = request.META[NAME]
    if not _near(request, house.metrics):
        return errors.page(request, 404)  # whoever may not know it learns nothing
    return HttpResponse(generate_latest(_registry()), content_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    if not os.environ.get(SHARED):
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def _near(request: HttpRequest, networks: Iterable[str]) -> bool:
    """Whether the caller is on one of the networks. What a proxy hands on comes from elsewhere, whatever its address says."""
    if {"X-Forwarded-For", "Forwarded"} & set(request.headers):
        return False
    try:
        caller = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return any(caller in ipaddress.ip_network(each) for each in networks)
