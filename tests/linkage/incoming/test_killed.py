"""An intake that is killed (kill -9) again and again loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from tests.store.conftest import KEY, SINCE

from kiban import linkage, store
from kiban.linkage import Contract, Message
from kiban.linkage.incoming import Authority, Intake, WorkList
from kiban.store import Change, Store

from .conftest import KIHON, NOW, OFFICER, donor, events_of, now_known

Say = Callable[..., Message]


def _take_all(
    city: Store, library: Any, flow: Contract, authority: Authority, messages: Sequence[Message], ready: int
) -> None:
    """What a process does when it starts: go on with what was interrupted, then take everything that comes."""
    with Store(city.server, library, KEY) as own, linkage.open_linkage(own) as books:
        intake = Intake(own, books, flow, authority)
        os.write(ready, b"!")
        intake.resume(NOW)
        for message in messages:
            intake.receive([message], NOW)


def _started(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - a forked process ends here, whatever happened
            traceback.print_exc()
            os._exit(1)
    return child


def test_killed_at_any_moment_it_ends_as_if_nothing_had_happened(
    city: Store, books: store.Books, library: Any, flow: Contract, authority: Authority, say: Say
) -> None:
    people = [str(n) for n in range(1, 9)]
    with city.session(OFFICER) as session:
        start = session.record("付番", "1", [Change(KIHON, donor(of), SINCE) for of in people])
    messages = [
        say(
            event,
            event - 1,
            of=of,
            jusho_yubinbango=f"{event}00000{of}",
            jusho_choaza=f"町{'一二三四五六七八'[event - 1]}",
        )
        for event in range(1, 9)
        for of in people
    ]
    pick, killed = random.Random(7), 0
    while True:
        ready, told_ready = os.pipe()
        child = _started(partial(_take_all, city, library, flow, authority, messages, told_ready))
        os.close(told_ready)
        os.read(ready, 1)
        os.close(ready)
        if killed < 15:
            time.sleep(pick.uniform(0.001, 0.03))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        killed += 1
    assert killed == 15
    told = Counter(each.note["message"] for each in events_of(city, start))
    assert told == Counter({message.id: 1 for message in messages})
    assert {now_known(city, of)[0]["jusho_yubinbango"] for of in people} == {f"800000{of}" for of in people}
    waiting = WorkList(city, books, flow).open(OFFICER)
    assert sorted(step.new["jusho_choaza"] for each in waiting for step in each.steps) == ["町八"] * len(
        people
    )
