"""Figures for Prometheus: by route, without anything of persons, for near callers only."""

from __future__ import annotations

from kiban import web

from .conftest import Browser


def test_figures_are_told_to_this_machine_by_route(house: web.House, browser: Browser) -> None:
    browser.get("/account/login/?next=/people/281018")
    said = browser.get("/metrics").content.decode()
    assert 'kiban_answers_total{method="GET",route="account/login/",status="200"}' in said
    assert "281018" not in said


def test_figures_are_told_to_nobody_else(house: web.House, browser: Browser) -> None:
    assert Browser(house, address="10.1.2.3").get("/metrics").status_code == 404
    assert browser.django.get("/metrics", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 404


def test_a_method_that_nobody_knows_makes_no_figure_of_its_own(browser: Browser) -> None:
    browser.django.generic("BREW", "/healthz")
    assert "BREW" not in browser.get("/metrics").content.decode()
