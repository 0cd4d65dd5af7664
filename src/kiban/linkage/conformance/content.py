"""Cases of content: what is wrong makes its unit wait, what is at its limit comes back, what is protected stays so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from kiban.linkage.beat import Beat, encode_beat
from kiban.linkage.conformance import subject
from kiban.linkage.conformance.case import NOON, Case
from kiban.linkage.conformance.making import case_of, step
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN, Message
from kiban.standard import Item

Edit = Callable[[dict[str, Any]], object]


def bad_cases(feed: Feed, life: Sequence[Message], messages: Sequence[Message]) -> Iterator[Case]:
    """Bad content makes its own unit wait, all others go on; what comes after it waits behind it."""
    first = life[0]
    name = feed.name
    others = [each for each in messages if each.unit != first.unit]
    for id_, title, edit in _faults(feed):
        rows = [dict(row) for row in first.parts[name]]
        edit(rows[0])
        bad = replace(first, parts={**first.parts, name: rows})
        steps = [step([bad], subject.QUARANTINED), step(others, subject.APPLIED)]
        steps += [step(life[1:2], subject.HELD)] if len(life) > 1 else []
        why = "誤った値が台帳に入る、または1人の誤りで全員の連携が止まる"
        yield case_of(
            f"bad-{id_}-{name}",
            f"誤りのある変更は、その人だけを待たせる（{feed.group.name}）：{title}",
            why,
            steps,
            others,
        )


def _faults(feed: Feed) -> Iterator[tuple[str, str, Edit]]:
    kept = {item.romaji for item in feed.group.key} | {feed.unit.romaji}
    free = [item for item in feed.items if item.romaji not in kept and not item.repeats]

    def put(item: Item, value: object) -> Edit:
        return lambda row: row.update({item.romaji: value})

    def without(item: Item) -> Edit:
        return lambda row: row.pop(item.romaji)

    def first(wanted: Callable[[Item], bool]) -> Item | None:
        return next((item for item in free if wanted(item)), None)

    if item := first(lambda item: True):
        yield "item-missing", f"項目がない（{item.name}）", without(item)
    yield "item-unknown", "契約にない項目がある", lambda row: row.update(keiyakuninaikomoku="1")
    yield "unit", f"他人の行が混じる（{feed.unit.name}）", put(feed.unit, "999999999999999")
    if item := first(lambda item: item.required):
        yield "required", f"必須の値がない（{item.name}）", put(item, None)
    if item := first(lambda item: item.type == "N" and item.code is None):
        yield "half-width", f"全角の項目に半角（{item.name}）", put(item, "ABC")
        yield "too-long", f"桁数を超える（{item.name}）", put(item, "あ" * ((item.digits or 1) + 1))
    if item := first(lambda item: item.type == "DATE"):
        yield "day", f"日付の形でない（{item.name}）", put(item, "20260401")
    codes = {item: feed.edition.code_list(item) for item in free}
    if item := first(lambda item: (c := codes[item]) is not None and not c.free and "~" not in c.values):
        yield "code", f"コード一覧にない値（{item.name}）", put(item, "~")
    if item := first(lambda item: item.type == "9"):
        yield "number", f"数値の項目に文字（{item.name}）", put(item, "1")
    if feed.has_periods:
        ends = {"valid_from": "2026-04-01", "valid_to": "2026-04-01"}
        yield "period", "期間が終わってから始まる", lambda row: row.update(ends)


def _withheld(message: Message, hidden: Mapping[str, Collection[str]]) -> dict[str, list[dict[str, Any]]]:
    """The parts of a message without what is kept back of protected persons."""
    return {
        name: [
            {key: None if key in hidden.get(name, ()) else value for key, value in row.items()}
            for row in rows
        ]
        for name, rows in message.parts.items()
    }


def protection_cases(contract: Contract, messages: Sequence[Message]) -> Iterator[Case]:
    """The state of the protection is taken, never weakened by an older one, and keeps what is withheld out."""
    if not contract.protection.carried:
        return
    first = next(each for each in messages if each.protection == CLEAR and each.previous == 0)
    hidden = contract.protection.withheld
    why = "支援措置の対象者の住所が漏れる"
    shown = replace(first, protection=PROTECTED, protection_event=first.event, parts=_withheld(first, hidden))
    closed = frozenset({PROTECTED})
    yield case_of(
        "protected",
        "支援措置の対象であることを受け取る",
        why,
        [step([shown], subject.APPLIED)],
        [shown],
        protection={first.unit: closed},
    )
    older = replace(shown, event=first.event + 1, previous=first.event, protection=CLEAR, protection_event=0)
    older = replace(older, parts=first.parts)
    yield case_of(
        "protection-not-weakened",
        "古い「対象でない」で新しい「対象」を弱めない",
        why,
        [step([shown, older], None)],
        [shown, older],
        protection={first.unit: closed},
    )
    unknown = replace(shown, protection=UNKNOWN, protection_event=0)
    yield case_of(
        "protection-unknown",
        "対象か分からない人を「対象でない」としない",
        why,
        [step([unknown], subject.APPLIED)],
        [unknown],
        protection={first.unit: frozenset({PROTECTED, UNKNOWN})},
    )
    yield from _hearing_cases(contract, first)
    if hidden:
        told = replace(first, protection=PROTECTED, protection_event=first.event)
        steps = [step([told], subject.QUARANTINED)]
        yield case_of("not-withheld", "対象者の渡してはならない項目が届いたら受け付けない", why, steps, [])


def _hearing_cases(contract: Contract, first: Message) -> Iterator[Case]:
    """Nobody is clear at a consumer that has not heard of the platform for longer than the contract lets it."""
    minute = timedelta(minutes=1)
    late = contract.patience + minute
    open_, closed = frozenset({CLEAR}), frozenset({PROTECTED, UNKNOWN})
    for id_, title, said, came, asked, states in (
        ("heard", "便りが届いている間は、対象でない人を対象でないと答える", NOON, NOON, NOON, open_),
        ("cut-off", "便りが途絶えたら、誰のことも「対象でない」としない", NOON, NOON, NOON + late, closed),
        ("late-heartbeat", "遅れて届いた古い便りで「対象でない」に戻さない", NOON - late, NOON, NOON, closed),
        ("clock-back", "時計が戻ったときは「対象でない」としない", NOON, NOON, NOON - minute, closed),
    ):
        beat = encode_beat(Beat(contract.flow, first.event, said.isoformat()))
        yield case_of(
            id_,
            title,
            "回線の切れた窓口が、新しい支援措置の対象者の住所を渡す",
            [step([first], subject.APPLIED)],
            [first],
            beats=((beat, came),),
            asked=asked,
            protection={first.unit: states},
        )


def limit_cases(feed: Feed, life: Sequence[Message]) -> Iterator[Case]:
    """Values at their limits come back as they were sent: the longest text, variation selectors, the largest number, nothing."""
    first = life[0]
    kept = {item.romaji for item in feed.group.key} | {feed.unit.romaji}
    row = dict(first.parts[feed.name][0])
    longest = row | {item.romaji: _longest(item) for item in feed.items if _may(feed, item, kept)}
    least = row | {item.romaji: None for item in feed.items if not item.required}
    for id_, title, value in (
        ("longest", "最も長い値・異体字・最大の数", longest),
        ("least", "任意の項目がすべて空", least),
    ):
        message = replace(first, parts={feed.name: [value]})
        yield case_of(
            f"{id_}-{feed.name}",
            f"値を変えずに持つ（{feed.group.name}）：{title}",
            "長い氏名が切れる、異体字が別の字になる、空が別の値になる",
            [step([message], subject.APPLIED)],
            [message],
        )


def _may(feed: Feed, item: Item, kept: set[str]) -> bool:
    plain = item.romaji not in kept and not item.repeats and feed.edition.code_list(item) is None
    return plain and item.type in ("N", "X", "9") and (item.digits or 0) <= 1_000


def _longest(item: Item) -> object:
    digits = item.digits or 1
    if item.type == "9":
        return 10**digits - 1
    return "葛\U000e0100" * digits if item.type == "N" else "9" * digits
