"""A file as numbers, whose pages are given back once they were read: memory stays bounded however large the file is."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_PAGES = 1 << 26  # bytes; given back in pieces of this size


class Mapped:
    """The bytes of a file, read from its beginning to its end, roughly.

    Attributes:
        data: all bytes; none of an empty file.
    """

    def __init__(self, path: Path) -> None:
        self._map: mmap.mmap | None = None
        self._behind = 0
        if path.stat().st_size == 0:
            self.data: NDArray[np.uint8] = np.zeros(0, np.uint8)
            return
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.data = np.frombuffer(self._map, np.uint8)

    def read_to(self, offset: int) -> None:
        """Say that what lies before this byte is not needed for now; it can still be read, from the disk again.

        Args:
            offset: of a byte. What lies shortly before it is kept.
        """
        upto = offset // _PAGES * _PAGES
        if upto < self._behind:  # read once more from the beginning
            self._behind = 0
        if self._map is None or upto <= self._behind or not hasattr(mmap, "MADV_DONTNEED"):
            return
        self._map.madvise(mmap.MADV_DONTNEED, self._behind, upto - self._behind)
        self._behind = upto
