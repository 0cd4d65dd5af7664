"""How a flow stands, in words: what is in order says so, and whatever is not says what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.linkage.flows import contract

from kiban import standard
from kiban.linkage import Contract, Due, protection, reconcile, status
from kiban.linkage.events import FlowStatus
from kiban.linkage.status import FlowView, LastCompared
from kiban.store import Books, Store

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)
FINE = FlowStatus(
    **{
        "flow": "tax.v1",
        "last": 90,
        "place": 90,
        "due": 0,
        "oldest": None,
        "needs_set": None,
        "paused": False,
    },
    **{"floor": 10, "epoch": 1, "sent": 7, "counted": 7, "applied": 7, "late": 0, "applied_event": 90},
    **{"not_returned": 0, "quarantined": 0, "held": 0, "answered_at": NOW, "equal": True},
)


@pytest.fixture(scope="session")
def tax(library: standard.Library) -> Contract:
    return replace(contract(library), due=(Due("event", None, None, None, timedelta(minutes=10)),))


def view(tax: Contract, **wrong: Any) -> FlowView:
    given: dict[str, Any] = {"changes": FINE, "due": (), "passed": (), "lane": None, "unanswered": None}
    return FlowView(tax, NOW, **{**given, "compared": None, **wrong})


def test_a_flow_that_is_in_order_says_so(tax: Contract) -> None:
    found = view(tax, compared=LastCompared(NOW, 100, 0))
    assert (found.verdict, found.reasons) == ("正常", ())


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"changes": None}, "確認", "まだ始まっていません"),
    ({"changes": replace(FINE, needs_set=80)}, "対応", "全件セットを待って"),
    ({"changes": replace(FINE, paused=True)}, "対応", "職員が配信を止めています"),
    ({"changes": replace(FINE, quarantined=2)}, "対応", "適用できない人・世帯が2件"),
    ({"changes": replace(FINE, held=3)}, "確認", "前の変更を待っている人・世帯が3件"),
    (
        {"changes": replace(FINE, due=4, oldest=NOW - timedelta(minutes=11))},
        "対応",
        "期限（10分）を過ぎています（11分前から）",
    ),
    ({"changes": replace(FINE, due=4, oldest=NOW - timedelta(minutes=9))}, "確認", "未配信の異動が4件"),
    ({"changes": replace(FINE, counted=6, equal=False)}, "確認", "応答を待っている変更が1件"),
    ({"changes": replace(FINE, equal=False)}, "対応", "一致しません"),
    ({"compared": LastCompared(NOW, 100, 1)}, "対応", "1行の違い"),
    (
        {"unanswered": protection.Unanswered("tax.v1", 1, NOW - timedelta(hours=2), 1)},
        "対応",
        "支援措置の開始を受け手が確認していません（1件、2時間前から）",
    ),
]


@pytest.mark.parametrize(("wrong", "verdict", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_whatever_is_wrong_is_told_with_what_to_do(
    tax: Contract, wrong: dict[str, Any], verdict: str, words: str
) -> None:
    found = view(tax, **wrong)
    [reason] = found.reasons
    assert (found.verdict, reason.verdict) == (verdict, verdict)
    assert words in reason.words and reason.advice
    drawn = status.page([found], NOW)
    assert words in drawn and reason.advice in drawn.replace("&gt;", ">")


def test_the_gravest_reason_comes_first_and_the_flow_that_has_it_too(tax: Contract) -> None:
    bad = view(tax, changes=replace(FINE, held=1, paused=True))
    assert [reason.verdict for reason in bad.reasons] == ["対応", "確認"]
    other = replace(view(tax), contract=replace(tax, id="card"))
    drawn = status.page([other, bad], NOW)
    assert re.findall(r'<section class="part" id="([^"]+)"', drawn) == [tax.flow, "card.v1"]


def test_a_flow_that_never_carried_anything_waits_for_its_beginning(
    city: Store, books: Books, tax: Contract
) -> None:
    [found] = status.views(city, books, [tax], None, NOW)
    assert found.changes is None and found.verdict == "確認"


def test_the_last_comparison_is_kept(books: Books) -> None:
    drifted = reconcile.Drifted("jumin", "missing", unit="1")
    for hour, found in ((1, (drifted,)), (2, ())):
        compared = reconcile.Compared(
            "tax.v1", 9, (reconcile.FeedCompared("jumin", 50, 49, 0, ("a", "a")),), found, 0
        )
        status.note_compared(books, compared, NOW + timedelta(hours=hour))
    assert status.last_compared(books) == {"tax.v1": LastCompared(NOW + timedelta(hours=2), 50, 0)}
