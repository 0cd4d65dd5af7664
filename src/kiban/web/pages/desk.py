"""The request of a person at work."""

from __future__ import annotations

from django.http import HttpRequest

from kiban.access import Acting, Grant
from kiban.web.city import City
from kiban.web.house import House


class Desk(HttpRequest):
    """The request of a person at work, as views behind `needs` see it.

    Attributes:
        house: what the web serves.
        city: what pages stand on.
        acting: who works, under which assignment and for which purpose.
        grant: what she may do.
    """

    house: House
    city: City
    acting: Acting
    grant: Grant
