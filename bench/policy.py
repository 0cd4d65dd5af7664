"""Who may do what: a decision from a grant, making a grant, and beside it what Cedar takes for each decision, raw and with parsing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import cedarpy

from bench import measure
from kiban import access, main
from kiban.access import Acting, Assignment, Office, Staff
from kiban.settings import Settings

_SECONDS = 1.0
_GRANTS = 60
_BEGAN, _DAY = date(2026, 4, 1), date(2026, 11, 24)


def _clerk(day: date) -> Acting:
    """A clerk of the ward with the widest duty of the reference set."""
    staff = Staff("000001", "基盤　太郎", "キバン　タロウ", _BEGAN)
    office = Office("east", "東灘区役所", "ward", "hall", "281018")
    return Acting(
        staff, Assignment("000001", "resident-records", "east", _BEGAN), office, "住民基本台帳事務", day
    )


def _each(work: Callable[[], object], seconds: float = _SECONDS) -> float:
    """Seconds that one call takes, over as many as fit."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(20):
            work()
        calls += 20
    return (time.perf_counter() - start) / calls


def run(residents: int) -> None:
    """Measure; the size of the city plays no part."""
    library = main.library(given=Settings(home=Path("unused")))
    start = time.perf_counter()
    policies = access.load_policies([access.REFERENCE], library)
    measure.result("policies: read, check and prepare the set", (time.perf_counter() - start) * 1000, "ms")

    days = [_DAY + timedelta(days=n) for n in range(_GRANTS)]  # each day is a grant of its own
    took = [_seconds(lambda day=day: policies.grant(_clerk(day))) for day in days]  # type: ignore[misc]
    measure.result("policies: make a grant, p95", sorted(took)[int(_GRANTS * 0.95)] * 1000, "ms")

    clerk = _clerk(_DAY)
    grant = policies.grant(clerk)
    asked = [("read", "resident", kind) for kind in ("", "individual-number", "support-measures")]
    decided = _each(lambda: [grant.allows(*each) for each in asked]) / len(asked)
    measure.result("policies: a decision from a grant", decided * 1e6, "µs", at_most=50)
    fresh = _each(lambda: policies.grant(clerk).allows("read", "resident", "memo"))
    measure.result("policies: look the grant up and decide", fresh * 1e6, "µs", at_most=50)
    measure.result("policies: the actor of a grant", _each(grant.actor) * 1e6, "µs")
    _raw(library.editions[-1].id)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _raw(business: str) -> None:
    """Cedar alone on the same policies and one clerk: one decision at a time."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(access.REFERENCE.glob("*.cedar")))
    about = {
        "number": "000001",
        "office": "east",
        "office_kind": "ward",
        "ward": "281018",
        "substitute": False,
    }
    entities = json.dumps(
        [
            {
                "uid": {"type": "Items", "id": business},
                "attrs": {},
                "parents": [{"type": "Business", "id": business}],
            },
            {
                "uid": {"type": "Worker", "id": "000001"},
                "attrs": about,
                "parents": [{"type": "Duty", "id": "resident-records"}],
            },
        ]
    )
    request = {
        "principal": 'Worker::"000001"',
        "action": 'Action::"read"',
        "resource": f'Items::"{business}"',
        "context": {"purpose": "住民基本台帳事務", "on": {"__extn": {"fn": "datetime", "arg": "2026-11-24"}}},
    }
    kept, known = cedarpy.PolicySet.from_str(text), cedarpy.Entities.from_json_str(entities)
    assert cedarpy.is_authorized(request, kept, known).allowed
    measure.result(
        "Cedar, policies kept: a decision",
        _each(lambda: cedarpy.is_authorized(request, kept, known)) * 1e6,
        "µs",
    )
    measure.result(
        "Cedar, policies parsed: a decision",
        _each(lambda: cedarpy.is_authorized(request, text, entities)) * 1e6,
        "µs",
    )
