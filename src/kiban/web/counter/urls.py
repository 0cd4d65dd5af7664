"""The addresses of the counter. None of them holds a name or a number: only handles of a session."""

from __future__ import annotations

from django.urls import path

from kiban.web.counter import happened, lifting, looking, printing, views

urlpatterns = [
    path("people", views.search, name="counter-search"),
    path("people/forget", views.forget, name="counter-forget"),
    path("people/found/<str:token>", views.found, name="counter-found"),
    path("people/at/<str:handle>", looking.person, name="counter-person"),
    path("people/at/<str:handle>/history", happened.history, name="counter-history"),
    path("people/at/<str:handle>/events/<int:number>", happened.event, name="counter-event"),
    path("people/at/<str:handle>/print", printing.ask, name="counter-print"),
    path("people/at/<str:handle>/characters", looking.characters, name="counter-characters"),
    path("people/at/<str:handle>/rows/<str:register>", looking.rows, name="counter-rows"),
    path("people/at/<str:handle>/lift", lifting.ask, name="counter-lift"),
    path("operations/lifts", lifting.lifts, name="counter-lifts"),
    path("operations/lifts/<int:number>/grant", lifting.grant, name="counter-lift-grant"),
]
