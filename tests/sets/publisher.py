"""Publishers in processes of their own: many at one instant, or one that is killed at a chosen step of its work.

    publisher.py many FOLDER FLOW COUNT     publishes COUNT sets of one instant, each at a position of its own
    publisher.py race FOLDER FLOW COUNT     publishes COUNT sets, all at one position; prints the ids that succeeded
    publisher.py killed PLACE               reads lines `STEP MOMENT SET_ID EPOCH`; publishes in a child that dies there; prints its end

    publisher.py full PLACE SET_ID BYTES    publishes where no file may grow beyond so many bytes; prints the code of the problem

The access to S3 stands in the environment.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import obstore
import pyarrow as pa

from kiban import sets
from kiban.kernel import AsOf, Problem

SCRIPT = Path(__file__)
AT = datetime(2026, 10, 1, 9, tzinfo=UTC)
SCHEMA = pa.schema([("bango", pa.string()), ("zei", pa.int64())])
STEPS = ("put", "head", "get", "list", "delete")
"""Every call of the object store that a publisher makes."""


def said(flow: str, epoch: int, set_id: str | None = None, **more: Any) -> sets.Draft:
    return sets.Draft(
        set_id=set_id or sets.new_set_id(AT), flow=flow, kind="full", epoch=epoch, as_of=AsOf(date(2026, 10, 1)), producer="試験", **more
    )  # fmt: skip


def tiny(text: str) -> sets.Raw:
    return sets.Raw("a", 1, lambda: [text.encode()])


def tell(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def many(folder: str, flow: str, count: int) -> None:
    shelf = sets.open_shelf(folder)
    with ThreadPoolExecutor(8) as workers:
        drafts = [said(flow, number + 1) for number in range(count)]
        done = list(workers.map(lambda draft: sets.publish(shelf, draft, [tiny(draft.set_id)]), drafts))
    tell(*(manifest.set_id for manifest in done))


def race(folder: str, flow: str, count: int) -> None:
    shelf = sets.open_shelf(folder)

    def tried(draft: sets.Draft) -> str | None:
        try:
            return sets.publish(shelf, draft, [tiny(draft.set_id)]).set_id
        except Problem as problem:
            assert problem.code == "set-exists", problem
            return None

    with ThreadPoolExecutor(8) as workers:
        won = workers.map(tried, [said(flow, 1) for _ in range(count)])
        tell(*(one for one in won if one))


def three_parts(*, big: bool = False) -> list[sets.Source]:
    """Rows in three batches a part; a big part is of another form, and goes out in several pieces."""

    def opened(first: int) -> Callable[[], Iterable[pa.RecordBatch]]:
        return lambda: [
            pa.RecordBatch.from_pydict(
                {"bango": [f"{n:015}" for n in range(at, at + 50)], "zei": list(range(at, at + 50))}, SCHEMA
            )
            for at in range(first, first + 150, 50)
        ]

    def pieces(first: int) -> Callable[[], Iterable[bytes]]:
        return lambda: (first.to_bytes(2, "big") * 2**20 for _ in range(4))

    if big:
        return [
            sets.Raw(f"{first}.dat", 150, pieces(first), batches=opened(first)) for first in (0, 150, 300)
        ]
    return [sets.Rows(f"{first}.parquet", opened(first)) for first in (0, 150, 300)]


def draft_of(set_id: str, epoch: int) -> sets.Draft:
    return said("killed", epoch, set_id, key=("bango",), columns=sets.columns_of(SCHEMA), sums=("zei",))


def killed(place: str) -> None:
    for line in sys.stdin:
        step, moment, set_id, epoch = line.split()
        child = os.fork()  # nothing here has threads yet
        if child == 0:
            die_at(int(step), moment)
            sets.publish(
                sets.open_shelf(place), draft_of(set_id, int(epoch)), three_parts(big=moment == "during")
            )
            os._exit(0)
        _, status = os.waitpid(child, 0)
        tell("killed" if os.WIFSIGNALED(status) else "done")


def full(place: str, set_id: str, most: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        sets.publish(sets.open_shelf(place), draft_of(set_id, 1), three_parts())
    except Problem as problem:
        tell(problem.code)


def die_at(step: int, moment: str) -> None:
    """Have this process killed before or after the step-th call of the object store, or during the step-th part."""
    calls = iter(range(1, 1_000_000))

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(store: Any, key: Any, *rest: Any, **how: Any) -> Any:
            flows = bool(rest) and not isinstance(rest[0], bytes)
            here = (moment != "during" or flows) and next(calls) == step
            if here and moment == "before":
                die()
            if here and moment == "during":
                rest = (half(rest[0]), *rest[1:])
            try:
                return call(store, key, *rest, **how)
            finally:
                if here and moment == "after":
                    die()

        return called

    def half(pieces: Iterable[bytes]) -> Iterator[bytes]:
        yield next(iter(pieces))
        die()

    for name in STEPS:
        setattr(obstore, name, watched(getattr(obstore, name)))


if __name__ == "__main__":
    if sys.argv[1] == "killed":
        killed(sys.argv[2])
    else:
        {"many": many, "race": race, "full": full}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]))
