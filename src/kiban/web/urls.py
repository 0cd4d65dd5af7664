"""Which view answers at which address."""

from __future__ import annotations

from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe as only_reading

from kiban.access import PATHS
from kiban.web import scim, views
from kiban.web.metrics import metrics
from kiban.web.pages import views as pages

urlpatterns = [
    path("", pages.home),
    path("duty", pages.duty),
    path("operations/", include("kiban.web.operations.urls")),
    path("", include("kiban.web.signin.urls")),
    path("", include("kiban.web.counter.urls")),
    path("", include("kiban.web.extract.urls")),
    path("metrics", only_reading(metrics)),
    path("healthz", csrf_exempt(views.healthz)),
    path("openapi.json", csrf_exempt(views.openapi)),
    path(".well-known/oauth-authorization-server", csrf_exempt(views.metadata)),
    *(path(address[1:], csrf_exempt(views.oauth), {"endpoint": name}) for name, address in PATHS.items()),
    path("app_submit/<path:resource>", csrf_exempt(views.app_submit)),
    path("scim/v2/<path:rest>", csrf_exempt(scim.scim)),
    path("link/<str:flow>/<str:feed>", csrf_exempt(views.link)),
]
handler400 = views.unreadable
handler403 = views.forbidden
handler404 = views.missing
handler500 = views.mistaken
