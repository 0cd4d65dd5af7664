"""What every template of a page may show."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from kiban.web.house import NAME
from kiban.web.pages.menu import menu


def desk(request: HttpRequest) -> dict[str, Any]:
    """The name of the city, and who works, where that is known."""
    house = request.META.get(NAME)
    city = house.city if house else None
    return {
        "city_title": city.title if city else "Kiban",
        "acting": getattr(request, "acting", None),
        "grant": getattr(request, "grant", None),
        "menu": menu(request),
    }
