"""Processes that a test kills at any moment: one process imports, and a copy of it does the work, so that a kill costs no start."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[1]

_COPYING = """
import json, os, sys, traceback
imports, work = sys.argv[1:]
names = {}
exec(imports, names)
for line in sys.stdin:
    child = os.fork()  # nothing here has threads yet
    if child == 0:
        print(os.getpid(), flush=True)
        try:
            exec(work, names | {"given": json.loads(line)})
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)
    # A copy with threads may have died in the middle of a line.
    print("\\nended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass
class Copy:
    """A copy at its work."""

    process: subprocess.Popen[str]
    pid: int
    ended: int | None = None

    def line(self) -> str:
        """The next line it prints; empty where it has ended."""
        if self.ended is not None:
            return ""
        assert self.process.stdout is not None
        while (read := self.process.stdout.readline()) == "\n":
            pass
        if not read or read.startswith("ended "):
            self.ended = int(read.split()[1])
            return ""
        return read

    def kill(self) -> int:
        """Kill it where it still works; how it ended, 0 where its work was done."""
        if self.ended is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            while self.line():
                pass
        assert self.ended is not None
        return self.ended


@contextlib.contextmanager
def copies(imports: str, work: str) -> Iterator[Callable[..., Copy]]:
    """Starts copies, one after another.

    Args:
        imports: what to run once.
        work: what each copy runs, with the list of texts `given`; it prints lines that are not empty.
    """
    paths = os.pathsep.join([str(_ROOT), str(_ROOT / "src")])
    started: list[Copy] = []
    with subprocess.Popen(
        [sys.executable, "-c", _COPYING, imports, work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    ) as process:

        def start(*given: object) -> Copy:
            assert process.stdin is not None and process.stdout is not None
            print(json.dumps(list(map(str, given))), file=process.stdin, flush=True)
            started.append(Copy(process, int(process.stdout.readline())))
            return started[-1]

        try:
            yield start
        finally:
            for one in started:
                one.kill()
