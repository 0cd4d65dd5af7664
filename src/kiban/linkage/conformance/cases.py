"""The cases that a contract asks of every consumer, derived from it and from invented messages."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from kiban.linkage.conformance import subject
from kiban.linkage.conformance.case import Case, Step
from kiban.linkage.conformance.content import bad_cases, limit_cases, protection_cases
from kiban.linkage.conformance.making import case_of, step
from kiban.linkage.contracts.model import Contract
from kiban.linkage.contracts.sample import sample
from kiban.linkage.message import Message, encode

_SEED = 20261124


def consumer_cases(contract: Contract, seed: int = _SEED) -> tuple[Case, ...]:
    """All cases for consumers of a flow; the same seed gives the same."""
    messages = sample(contract, seed, 8)
    lives = sorted(_lives(messages).values(), key=len, reverse=True)
    life = lives[0]
    cases = [
        *_order(messages, seed),
        *_gaps(life),
        *_ends(life),
        *_again(messages, life),
        *_namesakes(messages),
    ]
    for feed in contract.feeds:
        one = next(each for each in lives if feed.name in each[0].parts)
        cases += [*bad_cases(feed, one, messages), *limit_cases(feed, one)]
    return (*cases, *protection_cases(contract, messages))


def _lives(messages: Iterable[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        found[message.unit].append(message)
    return found


def _order(messages: Sequence[Message], seed: int) -> Iterator[Case]:
    yield case_of(
        "in-order",
        "発生順に届いた変更をすべて反映する",
        "変更が一部しか反映されない",
        [step(messages, subject.APPLIED)],
        messages,
    )
    one_by_one = [step([each], subject.APPLIED) for each in messages]
    yield case_of(
        "one-by-one", "1件ずつ届いても同じ結果になる", "まとめ方で結果が変わる", one_by_one, messages
    )
    shuffled = list(messages)
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - the same for everybody
    yield case_of(
        "shuffled",
        "順序が入れ替わって届いても同じ結果になる",
        "古い住所が新しい住所を上書きする",
        [step(shuffled, None)],
        messages,
    )
    half = len(messages) // 2
    yield case_of(
        "restart",
        "突然止まって再開しても、失わず二重にもしない",
        "障害の日の異動が消える、または二度処理される",
        [step(messages[:half], subject.APPLIED), step(messages[half - 1 :], None, restart=True)],
        messages,
    )
    doubled = [each for message in messages for each in (message, message)]
    outcomes = (subject.APPLIED, subject.REPEATED) * len(messages)
    yield case_of(
        "doubled",
        "同じ変更が二度届いても一度だけ効く",
        "通知が二重に送られる",
        [step(doubled, *outcomes)],
        messages,
    )


def _gaps(life: Sequence[Message]) -> Iterator[Case]:
    if len(life) < 3:
        return
    first, second, third = life[0], life[1], life[2]
    yield case_of(
        "gap",
        "間の変更が届いていないときは、後の変更を待たせる",
        "抜けた異動に誰も気づかない",
        [step([first, third], subject.APPLIED, subject.HELD)],
        [first],
    )
    yield case_of(
        "gap-closed",
        "抜けていた変更が届いたら、待っていた変更も反映する",
        "待たせたまま忘れられる",
        [step([first, third], subject.APPLIED, subject.HELD), step([second], subject.APPLIED)],
        [first, second, third],
    )
    yield case_of(
        "late",
        "届くのが遅れた古い変更は、記録して反映しない",
        "古い内容に戻ってしまう",
        [step([first, replace(third, previous=first.event)], subject.APPLIED), step([second], subject.LATE)],
        [first, replace(third, previous=first.event)],
    )


def _ends(life: Sequence[Message]) -> Iterator[Case]:
    last = life[-1]
    end = replace(last, event=last.event + 1, previous=last.event, parts={name: [] for name in last.parts})
    yield case_of(
        "tombstone",
        "消えた人の行を消す",
        "除票の人が現存者として残る",
        [step([*life, end], subject.APPLIED)],
        [*life, end],
    )
    yield case_of(
        "no-resurrection",
        "消えた後に届いた古い変更で生き返らせない",
        "死亡した人に通知が届く",
        [step([*life, end], subject.APPLIED), step(life, subject.REPEATED)],
        [*life, end],
    )


def _again(messages: Sequence[Message], life: Sequence[Message]) -> Iterator[Case]:
    again = [replace(each, replay=True) for each in messages]
    yield case_of(
        "replay",
        "直すための再送では、通知などの副作用を起こさない",
        "再送のたびに通知が印刷される",
        [step(messages, subject.APPLIED), step(again, None)],
        messages,
    )
    other = replace(life[0], flow="another-flow.v1")
    broken = Step((b'{"document":"kiban-change"', encode(other)), (subject.REFUSED, subject.REFUSED))
    yield case_of(
        "outside",
        "契約の外の通信を断り、止まらずに次を受ける",
        "別の業務あての情報が紛れ込む",
        [broken, step(life, subject.APPLIED)],
        life,
    )


def _namesakes(messages: Sequence[Message]) -> Iterator[Case]:
    """A person and a household may have one number: their changes are of one unit, and neither hides the other."""
    one = messages[0]
    other = next((each for each in messages if each.parts.keys().isdisjoint(one.parts) and _rows(each)), None)
    if other is None:
        return
    renamed = {
        name: [
            {key: one.unit if value == other.unit else value for key, value in row.items()} for row in rows
        ]
        for name, rows in other.parts.items()
    }
    both = replace(one, parts={**one.parts, **renamed})
    later = replace(both, event=one.event + 1, previous=one.event, parts=renamed)
    yield case_of(
        "same-number",
        "宛名番号と世帯番号が同じ値でも、どちらも反映する",
        "番号の重なった人または世帯の変更が消える",
        [step([both, later], subject.APPLIED)],
        [both, later],
    )


def _rows(message: Message) -> bool:
    return all(message.parts.values())
