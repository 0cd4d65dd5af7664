"""A mapped file gives back what was read, and can still be read."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kiban.migration.records.mapped import Mapped


def _resident_file_kib() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_what_was_read_is_no_longer_held_in_memory(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(300 << 20))
    mapped = Mapped(tmp_path / "large")
    before = _resident_file_kib()
    for begin in range(0, len(mapped.data), 1 << 20):
        mapped.data[begin : begin + (1 << 20)].sum()
        mapped.read_to(begin)
    assert _resident_file_kib() - before < 150 << 10


def test_every_byte_can_be_read_again(tmp_path: Path) -> None:
    written = np.arange(200 << 20, dtype=np.uint64).astype(np.uint8)
    written.tofile(tmp_path / "large")
    mapped = Mapped(tmp_path / "large")
    for offset in (180 << 20, 10 << 20, 150 << 20):
        mapped.read_to(offset)
        assert np.array_equal(mapped.data, written)


def test_an_empty_file_has_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    mapped = Mapped(tmp_path / "empty")
    mapped.read_to(0)
    assert mapped.data.size == 0
