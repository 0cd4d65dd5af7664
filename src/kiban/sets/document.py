"""The writing of what lies on a shelf beside the parts: canonical JSON, read strictly.

Canonical: UTF-8, keys in order, no blanks, one line with its end. Whole numbers only; one that may pass 2^53, which other
readers of JSON cut, is written as text. What is read must be written the same again, so one set has one writing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kiban.kernel import Problem, Problems

Reader = Callable[[Any, str], Any]
"""Takes a value and where it stands; gives what it says, or raises Problems with every fault in it."""

_LARGEST = 2**53 - 1


def written(body: Mapping[str, Any]) -> bytes:
    """A document as it is stored and signed.

    >>> print(written({"b": 1, "a": "山"}).decode(), end="")
    {"a":"山","b":1}
    """
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return f"{text}\n".encode()


def parsed(data: bytes, kind: str, version: int, where: str) -> dict[str, Any]:
    """The body of a document of this kind and version.

    Raises:
        Problem: `KIND-unreadable`, `KIND-version`.
    """
    try:
        body = json.loads(
            data.decode(), object_pairs_hook=_once, parse_float=_refused, parse_constant=_refused
        )
    except (ValueError, RecursionError) as error:
        raise _unreadable(kind, where, "is no JSON of whole numbers and texts") from error
    if not isinstance(body, dict) or body.get("document") != f"kiban-{kind}":
        raise _unreadable(kind, where, f"is no kiban-{kind}")
    if type(body.get("version")) is not int or body["version"] != version:
        fix = "read it with a Kiban that knows this version"
        raise Problem(f"{kind}-version", f"not of version {version}", where, fix)
    if not _same(body, data):
        raise _unreadable(kind, where, "is not in the canonical writing")
    return body


def _same(body: dict[str, Any], data: bytes) -> bool:
    try:
        return written(body) == data
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write
        return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _refused(_text: str) -> None:
    raise ValueError("not a whole number")


def _unreadable(kind: str, where: str, what: str) -> Problem:
    return Problem(f"{kind}-unreadable", what, where, "have the producer write it again")


def _unfit(what: str, where: str) -> Problems:
    return Problems([Problem("document-field", what, where, "have it written by the specification")])


def whole(least: int = 0, most: int = _LARGEST) -> Reader:
    """Reads a whole number."""

    def read(value: Any, where: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise _unfit(f"no whole number from {least} to {most}", where)
        return value

    return read


def text(pattern: str, most: int = 200) -> Reader:
    """Reads a text that the pattern describes from end to end."""
    expression = re.compile(pattern)

    def read(value: Any, where: str) -> str:
        if not isinstance(value, str) or len(value) > most or not expression.fullmatch(value):
            raise _unfit(f"no text of the form {pattern}, {most} characters at most", where)
        return value

    return read


def converted(reader: Reader, convert: Callable[[Any], Any], says: str) -> Reader:
    """Reads by the reader, then converts; a ValueError of the conversion means that the value is not what `says` says."""

    def read(value: Any, where: str) -> Any:
        taken = reader(value, where)
        try:
            return convert(taken)
        except (ValueError, OverflowError) as error:
            raise _unfit(f"no {says}", where) from error

    return read


def optional(reader: Reader) -> Reader:
    """Reads null as None."""
    return lambda value, where: None if value is None else reader(value, where)


def many(reader: Reader) -> Reader:
    """Reads a list as a tuple."""

    def read(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _unfit("no list", where)
        return tuple(_each((reader, item, f"{where}[{place}]") for place, item in enumerate(value)))

    return read


def mapping(reader: Reader) -> Reader:
    """Reads an object of any names as pairs in the order of the names."""

    def read(value: Any, where: str) -> tuple[tuple[str, Any], ...]:
        if not isinstance(value, dict):
            raise _unfit("no object", where)
        names = sorted(value)
        return tuple(
            zip(names, _each((reader, value[name], f"{where}.{name}") for name in names), strict=True)
        )

    return read


def record(make: Callable[..., Any], fields: Mapping[str, Reader]) -> Reader:
    """Reads an object that has exactly these fields; they go to `make` by name."""

    def read(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise _unfit("no object", where)
        odd = [("is missing", name) for name in fields if name not in value]
        odd += [("is no field", name) for name in value if name not in fields]
        tasks = [(reader, value[name], f"{where}.{name}") for name, reader in fields.items() if name in value]
        known = [name for name in fields if name in value]
        found, problems = _tried(tasks)
        problems = [
            problem for what, name in odd for problem in _unfit(what, f"{where}.{name[:80]!r}").problems
        ] + problems
        if problems:
            raise Problems(problems)
        return make(**dict(zip(known, found, strict=True)))

    return read


def _each(tasks: Iterable[tuple[Reader, Any, str]]) -> list[Any]:
    found, problems = _tried(tasks)
    if problems:
        raise Problems(problems)
    return found


def _tried(tasks: Iterable[tuple[Reader, Any, str]]) -> tuple[list[Any], list[Problem]]:
    found: list[Any] = []
    problems: list[Problem] = []
    for reader, value, where in tasks:
        try:
            found.append(reader(value, where))
        except Problems as wrong:
            problems += wrong.problems
    return found, problems
