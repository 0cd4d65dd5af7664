"""Which view answers at which address."""

from __future__ import annotations

from django.urls import path

from kiban.access import PATHS
from kiban.web import views

urlpatterns = [
    path("healthz", views.healthz),
    path("openapi.json", views.openapi),
    path(".well-known/oauth-authorization-server", views.metadata),
    *(path(address[1:], views.oauth, {"endpoint": name}) for name, address in PATHS.items()),
    path("app_submit/<path:resource>", views.app_submit),
    path("link/<str:flow>/<str:feed>", views.link),
]
handler400 = views.unreadable
handler404 = views.missing
handler500 = views.mistaken
