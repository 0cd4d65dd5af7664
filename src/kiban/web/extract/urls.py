"""The addresses of extracts. None of them holds a value of a query: only random handles, which open nothing by themselves."""

from __future__ import annotations

from django.urls import path

from kiban.web.extract import jobs, steps, views

urlpatterns = [
    path("extracts", views.overview, name="extract-overview"),
    path("extracts/new", steps.begin, name="extract-new"),
    path("extracts/q/<str:query>/items", steps.items, name="extract-items"),
    path("extracts/q/<str:query>/conditions", steps.conditions, name="extract-conditions"),
    path("extracts/q/<str:query>/scope", steps.scope, name="extract-scope"),
    path("extracts/q/<str:query>/preview", views.preview, name="extract-preview"),
    path("extracts/q/<str:query>/run", views.run, name="extract-run"),
    path("extracts/q/<str:query>/keep", views.keep, name="extract-keep"),
    path("extracts/q/<str:query>/copy", views.copy, name="extract-copy"),
    path("extracts/q/<str:query>/delete", views.delete, name="extract-delete"),
    path("extracts/x/<str:job>", jobs.show, name="extract-job"),
    path("extracts/x/<str:job>/cancel", jobs.cancel, name="extract-cancel"),
    path("extracts/x/<str:job>/remove", jobs.remove, name="extract-remove"),
    path("extracts/x/<str:job>/files/<str:name>", jobs.fetch, name="extract-file"),
]
