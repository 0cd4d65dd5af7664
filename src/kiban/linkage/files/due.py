"""What was due and did not come, came late, in part, twice or with old data, or came and was not applied; in words for officials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kiban import sets
from kiban.linkage.contracts.model import Contract
from kiban.linkage.files.about import COMPANIONS
from kiban.linkage.files.days import JAPAN, Moment, moments

Shortcoming = Literal["missing", "partial", "late", "stale", "repeated", "refused", "unapplied", "unreadable"]

LOOK_BACK = timedelta(days=7)
"""How far back is looked, unless asked otherwise. What is due more rarely is looked at once, whenever it was."""
_RARELY = timedelta(days=40)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with what was due.

    Attributes:
        flow: `Contract.flow`.
        what: `missing`; `partial`: begun and not published, or parts are gone; `late`: published after the patience ended;
            `stale`: its data is not newer than the time at which the one before was due; `repeated`: twice for one day, or the
            same bytes as a set before; `refused`: the consumer found it wrong; `unapplied`: the consumer has not applied it;
            `unreadable`: what lies there is no set.
        moment: what was due; None for what belongs to no time.
        set_ids: the sets it is said of; none where nothing came.
        told: further words: the codes of a refusal, names of parts.
    """

    flow: str
    what: Shortcoming
    moment: Moment | None
    set_ids: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is wrong, in Japanese."""
        kind = "" if self.moment is None else {"full": "全件", "delta": "差分"}[self.moment.due.kind]
        at = (
            ""
            if self.moment is None
            else f"{self.moment.at.astimezone(JAPAN):%Y年%m月%d日%H時%M分}期限の{kind}セット"
        )
        more = f"（{'、'.join(self.told)}）" if self.told else ""
        return f"{at}{_WORDS[self.what]}{more}"

    @property
    def advice(self) -> str:
        """What to do, in Japanese."""
        return _ADVICE[self.what]


_WORDS: Mapping[Shortcoming, str] = {
    "missing": "が届いていません",
    "partial": "が一部しか届いていません",
    "late": "が期限に遅れて届きました",
    "stale": "のデータが前回の期限より古いままです",
    "repeated": "が重複して届いています",
    "refused": "を受け手が受け入れませんでした",
    "unapplied": "を受け手がまだ反映していません",
    "unreadable": "置き場にセットとして読めないものがあります",
}
_ADVICE: Mapping[Shortcoming, str] = {
    "missing": "送り手に連絡し、kiban link files publish を実行してもらう。受け手は前回のデータのまま動いている。",
    "partial": "送り手に同じコマンドをもう一度実行してもらう（続きから始まる）。部分の欠けたセットは反映されない。",
    "late": "受け手の当日の処理が古いデータで行われていないか確かめる。",
    "stale": "送り手の取込みが止まっていないか確かめ、新しいデータで発行し直してもらう。",
    "repeated": "どちらが正しいか送り手に確かめる。受け手は後の位置のものだけを反映する。",
    "refused": "理由のコードを送り手に伝え、新しいIDで発行し直してもらう。",
    "unapplied": "受け手で kiban link files take を実行する。動いていなければ受け手の担当に連絡する。",
    "unreadable": "誰が置いたか確かめ、置き場から移す。セットは kiban link files publish でだけ置く。",
}


def due(
    contract: Contract, shelf: sets.Shelf, now: datetime, look_back: timedelta = LOOK_BACK
) -> tuple[Finding, ...]:
    """Hold what lies on a shelf against what a contract says is due.

    Args:
        contract: the flow.
        shelf: where its sets lie.
        now: the moment, in UTC.
        look_back: how far back; of what is due more rarely, the last time.

    Returns:
        Everything that is wrong, in the order of the times; nothing where each set came whole, once, in time, with new data, and
        was applied within the patience of the contract.

    Raises:
        Problem: `shelf-unreadable`.
    """
    found = sets.contents(shelf, contract.flow)
    findings = [Finding(contract.flow, "unreadable", None, (), (problem.code,)) for problem in found.problems]
    every = moments(contract, now - _RARELY, now)
    last = {moment.due: moment for moment in every}
    for moment in every:
        if moment.at > now - look_back or last[moment.due] is moment:
            findings += _of(contract, moment, found, shelf, now)
    return tuple(findings)


def watch(
    contracts: Sequence[Contract],
    shelf: sets.Shelf,
    clock: Callable[[], datetime],
    pause: Callable[[], bool],
) -> Iterator[tuple[datetime, Finding]]:
    """Look again and again, and tell each finding once, when it is first seen.

    Args:
        contracts: the flows.
        shelf: where their sets lie.
        clock: the present moment, in UTC.
        pause: waits until the next look, at most five minutes; False ends the watch.
    """
    told: set[Finding] = set()
    while True:
        now = clock()
        present = {finding for contract in contracts for finding in due(contract, shelf, now)}
        for finding in sorted(present - told, key=lambda one: (one.flow, one.what, one.set_ids)):
            yield now, finding
        told = present
        if not pause():
            return


def _of(
    contract: Contract, moment: Moment, found: sets.Contents, shelf: sets.Shelf, now: datetime
) -> Iterator[Finding]:
    came = [one for one in found.sets if _is(one, moment)]
    if not came:
        yield from _not_there(contract, moment, found, now)
        return
    if len(came) > 1:
        yield Finding(contract.flow, "repeated", moment, tuple(one.set_id for one in came))
    for one in came:
        here = (contract.flow, moment, (one.set_id,))
        if gone := found.lacking.get(one.set_id):
            yield Finding(here[0], "partial", here[1], here[2], gone)
        if _came_at(shelf, one, now) > moment.patience_ends:
            yield Finding(here[0], "late", *here[1:])
        if one.as_of.known is not None and one.as_of.known <= moment.before:
            yield Finding(here[0], "stale", *here[1:])
        if twin := _twin(one, found):
            yield Finding(here[0], "repeated", here[1], (twin, one.set_id))
        yield from _answered(contract, moment, one, shelf, now)


def _not_there(contract: Contract, moment: Moment, found: sets.Contents, now: datetime) -> Iterator[Finding]:
    if now < moment.patience_ends:
        return
    begun = tuple(one.set_id for one in found.unfinished if _is(one, moment))
    yield Finding(contract.flow, "partial" if begun else "missing", moment, begun)


def _answered(
    contract: Contract, moment: Moment, one: sets.Manifest, shelf: sets.Shelf, now: datetime
) -> Iterator[Finding]:
    """Whether the consumer has applied the set, or a later one."""
    mine = [r for r in sets.receipts(shelf, one.set_id) if r.system == contract.consumer.id]
    wrong = tuple(code for receipt in mine for code in receipt.problems)
    if wrong:
        yield Finding(contract.flow, "refused", moment, (one.set_id,), wrong)
    elif not any(receipt.state == "applied" for receipt in mine) and not _passed_over(contract, one, shelf):
        since = max(moment.at, _came_at(shelf, one, now))
        if now >= since + moment.due.within:
            yield Finding(contract.flow, "unapplied", moment, (one.set_id,))


def _passed_over(contract: Contract, one: sets.Manifest, shelf: sets.Shelf) -> bool:
    """Whether a full set of a later epoch was applied instead."""
    for epoch, sequence in reversed(sets.positions(shelf, one.flow)):
        if epoch <= one.epoch:
            return False
        later = sets.find(shelf, one.flow, epoch, sequence)
        answers = sets.receipts(shelf, later.set_id)
        if any(r.system == contract.consumer.id and r.state == "applied" and not r.problems for r in answers):
            return True
    return False


def _came_at(shelf: sets.Shelf, one: sets.Manifest, now: datetime) -> datetime:
    return sets.published_at(shelf, one) or now


def _twin(one: sets.Manifest, found: sets.Contents) -> str | None:
    """An earlier set of the flow whose rows are in the very same files; sets without rows are alike and no twins."""
    files = _files(one)
    for other in found.sets:
        if files and other.kind == one.kind and other.position < one.position and _files(other) == files:
            return other.set_id if other.as_of.known == one.as_of.known else None
    return None


def _files(one: sets.Manifest) -> Counter[str]:
    return Counter(part.sha256 for part in one.parts if part.rows and part.name not in COMPANIONS)


def _is(one: sets.Draft, moment: Moment) -> bool:
    return (one.kind, one.as_of.valid) == (moment.due.kind, moment.day)
