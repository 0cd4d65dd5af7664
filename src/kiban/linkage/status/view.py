"""One flow as an official looks at it: what the books say of it, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kiban import sets
from kiban.linkage import events, evidence, files, protection
from kiban.linkage.contracts.model import Contract
from kiban.linkage.status.compared import LastCompared, last_compared
from kiban.store import Books, Store

Verdict = Literal["正常", "確認", "対応"]
"""正常: nothing to do; 確認: something is under way or unusual; 対応: somebody has to act."""


@dataclass(frozen=True)
class Reason:
    """Why a flow is not simply in order.

    Attributes:
        verdict: 確認 or 対応.
        words: what it is, in Japanese.
        advice: what to do, in Japanese.
    """

    verdict: Verdict
    words: str
    advice: str


@dataclass(frozen=True)
class FlowView:
    """How a flow stands.

    Attributes:
        contract: of the flow.
        now: the moment that is shown, in UTC.
        changes: of its events; None where it carries none, or none was ever published.
        due: what is wrong with its files; empty where it carries none.
        passed: what passed on the present day of Japan, by way.
        lane: of its protection lane.
        unanswered: protect-on that its consumer has not acknowledged in time; None where there is none.
        compared: the last comparison of both sides; None where none was made.
    """

    contract: Contract
    now: datetime
    changes: events.FlowStatus | None
    due: tuple[files.Finding, ...]
    passed: tuple[evidence.FlowDay, ...]
    lane: protection.FlowProtection | None
    unanswered: protection.Unanswered | None
    compared: LastCompared | None

    @property
    def verdict(self) -> Verdict:
        """The gravest of the reasons."""
        found = {reason.verdict for reason in self.reasons}
        return "対応" if "対応" in found else "確認" if found else "正常"

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why it is not simply in order, the gravest first."""
        told = (*_of_protection(self), *_of_changes(self), *_of_files(self), *_of_comparison(self))
        return tuple(sorted(told, key=lambda one: one.verdict != "対応"))


def views(
    opened: Store,
    books: Books,
    contracts: Sequence[Contract],
    shelf: sets.Shelf | None,
    now: datetime,
) -> list[FlowView]:
    """How the flows of contracts stand, in the order of the contracts.

    Args:
        opened: the registers.
        books: of the linkage.
        contracts: whose flows.
        shelf: where sets lie; None where there is none, so that nothing is said of files.
        now: the moment, in UTC.

    Raises:
        Problem: `shelf-unreadable`, `database-unreachable`: a status that is not whole is none.
    """
    changes = {one.flow: one for one in events.status(opened, books)}
    lane = {one.flow: one for one in protection.status(books, now)}
    unanswered = {one.flow: one for one in protection.unacknowledged(books, now)}
    untold = unanswered.get("")  # the publisher has told nobody yet
    passed = evidence.summary(books, evidence.day_of(evidence.stamp(now)))
    compared = last_compared(books)
    return [
        FlowView(
            contract,
            now,
            changes.get(contract.flow) if "event" in contract.ways else None,
            files.due(contract, shelf, now) if shelf is not None and "file" in contract.ways else (),
            tuple(one for one in passed if one.flow == contract.flow),
            lane.get(contract.flow),
            unanswered.get(contract.flow) or (untold if contract.provider.business else None),
            compared.get(contract.flow),
        )
        for contract in contracts
    ]


def _of_protection(view: FlowView) -> Iterator[Reason]:
    if view.unanswered is not None:
        words = f"支援措置の開始を受け手が確認していません（{view.unanswered.notices}件、{_since(view, view.unanswered.since)}）"
        advice = "受け手に電話で知らせる。確認が届くまで、この連携ではすべての人を支援対象として扱う。"
        yield Reason("対応", words, advice)


def _of_changes(view: FlowView) -> Iterator[Reason]:
    one = view.changes
    if one is None:
        if "event" in view.contract.ways:
            advice = "kiban link publish を動かす。"
            yield Reason("確認", "変更の配信がまだ始まっていません", advice)
        return
    if one.needs_set is not None:
        words = f"全件セットを待って止まっています（異動番号{one.needs_set:,}以降のもの）"
        yield Reason("対応", words, f"kiban link files publish {view.contract.flow} --full を実行する。")
    if one.paused:
        yield Reason(
            "対応", "職員が配信を止めています", f"kiban link resume {view.contract.flow} で再開する。"
        )
    if one.quarantined:
        words = (
            f"受け手が適用できない人・世帯が{one.quarantined:,}件あります（その人・世帯だけが待っています）"
        )
        advice = (
            f"kiban link quarantine list {view.contract.flow} で理由を見て、{view.contract.owner}が直す。"
        )
        yield Reason("対応", words, advice)
    if one.held:
        words = f"前の変更を待っている人・世帯が{one.held:,}件あります"
        yield Reason("確認", words, "再送が自動で求められている。減らなければ kiban link replay で送り直す。")
    yield from _of_lag(view, one)


def _of_lag(view: FlowView, one: events.FlowStatus) -> Iterator[Reason]:
    within = next((due.within for due in view.contract.due if due.kind == "event"), None)
    late = one.oldest is not None and within is not None and view.now - one.oldest > within
    if late and one.oldest is not None:
        words = f"未配信の異動が{one.due:,}件あり、期限（{_span(within)}）を過ぎています（{_since(view, one.oldest)}）"
        yield Reason("対応", words, "kiban link broker status と kiban link publish の動きを確かめる。")
    elif one.due and one.needs_set is None:
        yield Reason(
            "確認", f"未配信の異動が{one.due:,}件あります", "配信中。続くようなら配信の動きを確かめる。"
        )
    if one.lag:
        words = f"受け手の応答を待っている変更が{one.lag:,}件あります"
        yield Reason("確認", words, "受け手が動いているか確かめる。")
    elif not one.equal:
        words = "送った内容と受け手が受け取った内容が一致しません"
        yield Reason("対応", words, f"kiban link reconcile {view.contract.flow} --repair で照合し、直す。")


def _of_files(view: FlowView) -> Iterator[Reason]:
    for finding in view.due:
        yield Reason("確認" if finding.what == "late" else "対応", finding.words, finding.advice)


def _of_comparison(view: FlowView) -> Iterator[Reason]:
    if view.compared is not None and view.compared.drifted:
        words = f"照合で{view.compared.drifted:,}行の違いが見つかっています"
        yield Reason("対応", words, f"kiban link reconcile {view.contract.flow} --repair で直す。")


def _since(view: FlowView, then: datetime) -> str:
    return f"{_span(view.now - then)}前から"


def _span(span: timedelta | None) -> str:
    """A length of time as people say it; the larger unit only."""
    seconds = int(span.total_seconds()) if span else 0
    for size, name in ((86_400, "日"), (3_600, "時間"), (60, "分")):
        if seconds >= size:
            return f"{seconds // size:,}{name}"
    return f"{seconds}秒"
