"""The reference policy set, and people at work under each duty."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kiban import access, main, standard
from kiban.access import Acting, Assignment, Office, Policies, Staff
from kiban.settings import Settings

DAY = date(2026, 11, 24)
BEGAN = date(2026, 4, 1)
EAST = "281018"
HALL = Office("hall", "市役所", "city")
EAST_OFFICE = Office("east", "東灘区役所", "ward", "hall", EAST)
EAST_SECTION = Office("east-residents", "市民課", "section", "east", EAST)
SECTION = Office("section", "課", "section", "hall")
CLERK = Staff("000001", "基盤　太郎", "キバン　タロウ", BEGAN)


@pytest.fixture(scope="session")
def library() -> standard.Library:
    return main.library(given=Settings(home=Path("unused")))


@pytest.fixture(scope="session")
def policies(library: standard.Library) -> Policies:
    return access.load_policies([access.REFERENCE], library)


def at_work(
    duty: str,
    purpose: str = "住民基本台帳事務",
    office: Office = EAST_OFFICE,
    on: date = DAY,
    staff: Staff = CLERK,
    substitutes: str | None = None,
    end: date | None = None,
) -> Acting:
    return Acting(
        staff, Assignment(staff.number, duty, office.id, BEGAN, end, substitutes, 1), office, purpose, on
    )
