"""What a contract asks of every provider, looked for in the messages that one sent."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kiban.kernel import Problem
from kiban.linkage.conformance.verifying import Result
from kiban.linkage.contracts.messages import validate
from kiban.linkage.contracts.model import Contract
from kiban.linkage.message import CLEAR, Message, Row, decode, encode

CHECKS = {
    "readable": ("メッセージの形をしている", "受け取れない"),
    "canonical": ("同じ内容はいつも同じバイト列になる", "重複かどうかを見分けられない"),
    "flow": ("契約のフローであり、契約の要約値を示している", "どの契約によるか分からない"),
    "content": ("値が契約と標準のとおりである", "利用側で隔離され、異動が反映されない"),
    "time": ("確定の時刻を協定世界時で示している", "遅れを測れない"),
    "grows": ("1人の変更の番号が増えていく", "古い変更が新しい変更を上書きする"),
    "chain": ("1人の変更が、その前の変更の番号を示している", "抜けた変更に気づけない"),
    "same": ("同じ番号の変更を別の内容で送り直さない", "届いた順で結果が変わる"),
    "state": ("期間を持つ台帳では、過去の期間も含めて送っている", "過去の住所が失われる"),
    "protection": ("支援措置の状態が弱まるときは、その変更の番号を示している", "保護が誤って外れる"),
}
"""What is looked at, and what goes wrong in a city whose provider does not do so."""

_SHOWN = 3


@dataclass
class _Faults:
    """How often each check failed, and in which of the messages first."""

    places: dict[str, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, check: str, place: int, what: str = "") -> None:
        self.places[check].append((place, what))

    def result(self, check: str) -> Result:
        found = self.places.get(check, [])
        faults = [f"{place}件目" + (f"：{what}" if what else "") for place, what in found[:_SHOWN]]
        faults += [f"ほか{len(found) - _SHOWN}件"] if len(found) > _SHOWN else []
        return Result(check, *CHECKS[check], tuple(faults))


def verify_provider(contract: Contract, sent: Iterable[bytes]) -> tuple[Result, ...]:
    """Look at the messages of a provider, in the order in which it sent them. A repeat of the same bytes is allowed.

    Args:
        contract: of the flow.
        sent: the messages, in bounded memory but for what is kept of each unit.

    Returns:
        A result for each of `CHECKS`; its faults name messages by their place, from 1, and tell no value. Where nothing was
        sent, `readable` has failed.
    """
    faults, place = _Faults(), 0
    last: dict[str, Message] = {}
    seen: dict[tuple[str, int], bytes] = {}
    for place, data in enumerate(sent, 1):
        try:
            message = decode(data)
        except Problem:
            faults.note("readable", place)
            continue
        _alone(contract, message, data, place, faults)
        before = last.get(message.unit)
        known = seen.setdefault((message.unit, message.event), _content(message))
        if known != _content(message):
            faults.note("same", place)
        if message.replay or (before is not None and message.event == before.event):
            continue
        _after(contract, before, message, place, faults)
        last[message.unit] = message
    if not place:
        faults.note("readable", 0, "メッセージが1件もない")
    return tuple(faults.result(check) for check in CHECKS)


def _content(message: Message) -> bytes:
    return hashlib.sha256(encode(replace(message, replay=False))).digest()


def _alone(contract: Contract, message: Message, data: bytes, place: int, faults: _Faults) -> None:
    if encode(message) != data.strip():
        faults.note("canonical", place)
    if message.flow != contract.flow or message.contract != contract.digest:
        faults.note("flow", place)
    if not _is_utc(message.recorded_at):
        faults.note("time", place)
    if message.flow == contract.flow:
        for problem in validate(contract, message):
            faults.note("content", place, f"{problem.where}（{problem.code}）")


def _after(contract: Contract, before: Message | None, message: Message, place: int, faults: _Faults) -> None:
    if before is None:
        return
    if message.event < before.event:
        faults.note("grows", place)
    if message.previous != before.event:
        faults.note("chain", place)
    weaker = message.protection == CLEAR != before.protection
    if message.protection_event < before.protection_event or (
        weaker and message.protection_event <= before.protection_event
    ):
        faults.note("protection", place)
    for feed in contract.feeds:
        rows, old = message.parts.get(feed.name), before.parts.get(feed.name)
        if feed.has_periods and rows and old and not any(_overlap(row, old[0]) for row in rows):
            faults.note("state", place, f"{feed.name} の最初の期間が消えている")


def _overlap(row: Row, other: Row) -> bool:
    return all(
        a["valid_from"] is None or b["valid_to"] is None or a["valid_from"] < b["valid_to"]
        for a, b in ((row, other), (other, row))
    )


def _is_utc(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0)
    except ValueError:
        return False
