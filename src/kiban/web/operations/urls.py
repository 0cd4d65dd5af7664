"""The addresses under /operations."""

from __future__ import annotations

from django.urls import path

from kiban.web.operations import accounts, asking, running, trail, upkeep

urlpatterns = [
    path("audit", trail.overview),
    path("audit/verify", trail.verify),
    path("audit/roots/<str:day>", trail.root),
    path("audit/<str:question>", asking.ask),
    path("link", running.flows),
    path("upkeep", upkeep.overview),
    path("migrations", running.migrations),
    path("migrations/<str:name>/<str:paper>", running.packet),
    path("standards", running.standards),
    path("standards/difference", running.difference),
    path("standards/<str:business>/<str:edition>", running.edition),
    path("accounts", accounts.people),
    path("accounts/offices", accounts.offices),
    path("accounts/<str:number>", accounts.person),
]
