"""The root of a day as a small file that is given to somebody else: the prefectural office, a notary, a drawer."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path

import orjson

from kiban.kernel import Problem
from kiban.sets import Root

_MOST = 10_000  # bytes


def root_bytes(root: Root) -> bytes:
    """The file: JSON in UTF-8, for people, too."""
    return orjson.dumps(asdict(root), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_root(file: Path) -> Root:
    """The root of a file.

    Raises:
        Problem: `audit-root-file` where it holds none.
    """
    try:
        with file.open("rb") as opened:
            said = orjson.loads(opened.read(_MOST))
        made = Root(**said)
    except (OSError, ValueError, TypeError) as error:
        raise _no_root(file) from error
    if any(type(getattr(made, each.name)) is not _TYPES[str(each.type)] for each in fields(Root)):
        raise _no_root(file)
    return made


_TYPES: dict[str, type] = {"str": str, "int": int}


def _no_root(file: Path) -> Problem:
    return Problem(
        "audit-root-file", "the file holds no root of a day", str(file), "kiban audit root DAY makes one"
    )
