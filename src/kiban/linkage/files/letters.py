"""The characters that a profile allows: whether some texts keep to them, at the rate at which a city is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kiban.kernel import Problem

_POINTS = 0x110000
_NAMED = 3  # characters named of one value


@lru_cache(maxsize=16)
def allowed(repertoire: str, encoding: str, without: str = "") -> np.ndarray:
    """For each code point whether it may be written.

    Args:
        repertoire: see `Profile.repertoire`.
        encoding: of the file, which must hold it too and give it back as the same.
        without: characters that the form of the file takes for itself.

    Raises:
        Problem: `profile-encoding` where the Python library knows no such encoding.
    """
    private = repertoire == "unicode-private"
    found = np.zeros(_POINTS, dtype=bool)
    for point in range(_POINTS):
        kind = unicodedata.category(chr(point))
        found[point] = kind not in ("Cc", "Cs") and (private or kind != "Co")
    for name in {encoding, *({repertoire} - {"unicode", "unicode-private"})}:
        if name.lower().replace("_", "-") not in ("utf-8", "utf-16-le", "utf-16-be"):
            found &= _held_by(name)
    for letter in without:
        found[ord(letter)] = False
    return found


@lru_cache(maxsize=16)
def _held_by(encoding: str) -> np.ndarray:
    found = np.zeros(_POINTS, dtype=bool)
    try:
        "".encode(encoding)
    except LookupError:
        fix = "name an encoding of the Python library, such as utf-8 or cp932"
        raise Problem("profile-encoding", f"no such encoding: {encoding}", fix=fix) from None
    for point in range(_POINTS):
        letter = chr(point)
        try:
            found[point] = letter.encode(encoding).decode(encoding) == letter
        except UnicodeError:
            continue
    return found


def outside(column: pa.Array, table: np.ndarray) -> Iterator[tuple[int, str]]:
    """The places of a column of texts that hold a character outside, each with a word on which ones."""
    bad = _bad(column, table)
    if not bad:
        return
    hits = pc.match_substring_regex(column, f"[{''.join(map(re.escape, bad))}]")
    for place in np.flatnonzero(pc.fill_null(hits, False).to_numpy(zero_copy_only=False)):
        letters = dict.fromkeys(letter for letter in column[int(place)].as_py() if not table[ord(letter)])
        named = ", ".join(f"U+{ord(letter):04X}" for letter in list(letters)[:_NAMED])
        more = f" and {len(letters) - _NAMED} more" if len(letters) > _NAMED else ""
        yield int(place), f"{named}{more}"


def _bad(column: pa.Array, table: np.ndarray) -> list[str]:
    """Every character of the column that is outside, each once; looks at the bytes of all values at once."""
    offsets, data = column.buffers()[1:3]
    if data is None or not len(column):
        return []
    wide = np.int64 if pa.types.is_large_string(column.type) else np.int32
    ends = np.frombuffer(offsets, wide)[column.offset : column.offset + len(column) + 1]
    raw = bytes(memoryview(data)[int(ends[0]) : int(ends[-1])])
    plain = raw.isascii()
    points = np.frombuffer(
        raw if plain else raw.decode().encode("utf-32-le"), np.uint8 if plain else np.uint32
    )
    seen = np.zeros(_POINTS, dtype=bool)
    seen[points] = True
    return [chr(point) for point in np.flatnonzero(seen & ~table)]
