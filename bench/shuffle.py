"""A million messages shuffled and repeated into a replica: it ends as one that got them in order."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import city, flows, measure
from kiban import linkage, main
from kiban.linkage import Contract, Message, Replica

_MESSAGES = int(os.environ.get("MESSAGES", "1000000"))
_REPEATED = 0.05
_UNITS = 20_000
_BATCH = 5_000
_NOW = datetime(2026, 10, 1, tzinfo=UTC)


def run(residents: int) -> None:
    """Digests, versions and effects of both replicas; messages a second."""
    given = city.given(residents)
    (contract,) = flows.contracts(main.library(given=given), 1)
    folder = given.home / "shuffle"
    shutil.rmtree(folder, ignore_errors=True)
    events = list(range(1, _MESSAGES + 1))
    straight = _taken(folder / "straight", contract, events)
    chance = random.Random(1)
    mixed = events + chance.choices(events, k=int(_MESSAGES * _REPEATED))
    chance.shuffle(mixed)
    with measure.watched() as work:
        shuffled = _taken(folder / "shuffled", contract, mixed)
    measure.result("messages shuffled and repeated", len(mixed) / work.seconds, "messages/s")
    measure.result("memory", work.peak_mib, "MiB")
    for what, one, other in zip(("digests", "versions", "effects"), straight, shuffled, strict=True):
        measure.result(f"{what} that differ", float(one != other), "of 1", at_most=0)
    shutil.rmtree(folder)


def _taken(folder: Path, contract: Contract, events: Sequence[int]) -> tuple[object, object, object]:
    """Digest of all rows, versions, and how many effects there were, each of another message."""
    with Replica.open(folder, contract) as replica:
        for part in _batched(events):
            replica.take([_message(contract, event) for event in part], _NOW)
        digest = sum(
            hash(tuple(row.values())) for batch in replica.batches("jumin") for row in batch.to_pylist()
        )
        effects = replica.effects(limit=2 * _MESSAGES)
        assert len({effect.message for effect in effects}) == len(effects)
        return digest, [replica.version(_unit(n)) for n in range(0, _UNITS, 7)], len(effects)


def _batched(events: Sequence[int]) -> Iterator[Sequence[int]]:
    """Batches as they come from a broker."""
    for start in range(0, len(events), _BATCH):
        yield events[start : start + _BATCH]


def _unit(number: int) -> str:
    return str(number).zfill(15)


def _message(contract: Contract, event: int) -> Message:
    """The message of an event; each unit has one in every round of all units, the last rounds end some."""
    number, turn = event % _UNITS, event // _UNITS
    unit = _unit(number)
    row = dict.fromkeys(contract.feeds[0].columns) | {
        "atenabango": unit, "rirekibango": turn, "shimei": f"名{event}", "valid_from": "2020-04-01",
    }  # fmt: skip
    rows = [] if turn % 10 == 9 and number % 5 == 0 else [row]
    previous = event - _UNITS if event > _UNITS else 0
    return Message(
        contract.flow, contract.digest, unit, event, previous, "2026-10-01T00:00:00+00:00", "転居", None, None,
        linkage.CLEAR, 0, {"jumin": rows},
    )  # fmt: skip
