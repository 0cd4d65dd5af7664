"""How the values of one edition become those of another, as SQL expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kiban.standard import Edition
from kiban.store.columns import ALWAYS
from kiban.store.text import literal

Recode = Mapping[str, str]


@dataclass(frozen=True)
class Moves:
    """What an edition declares about the way from another one.

    Attributes:
        renames: romaji before -> romaji now.
        recodes: code list -> value before -> value now.
        unclear: code list -> values before of which nobody can say what they are now: only on a way back, where
            several values had become one.
    """

    renames: Mapping[str, str] = field(default_factory=dict)
    recodes: Mapping[str, Recode] = field(default_factory=dict)
    unclear: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def moves(old: Edition, new: Edition) -> Moves:
    """The way from one edition to another: as the new one declares it, or the old one's turned round; else nothing."""
    if new.replaces == old.edition:
        return Moves(new.renames, new.recodes)
    if old.replaces != new.edition:
        return Moves()
    recodes: dict[str, Recode] = {}
    unclear: dict[str, tuple[str, ...]] = {}
    for code_list, recode in old.recodes.items():
        values = new.codes[code_list].values if code_list in new.codes else ()
        sources: dict[str, list[str]] = {}
        for value in dict.fromkeys([*values, *recode]):
            sources.setdefault(recode.get(value, value), []).append(value)
        recodes[code_list] = {v: came[0] for v, came in sources.items() if len(came) == 1 and came[0] != v}
        unclear[code_list] = tuple(v for v, came in sources.items() if len(came) > 1)
    return Moves({now: then for then, now in old.renames.items()}, recodes, unclear)


def carried(before: Iterable[str], after: Iterable[str], renames: Mapping[str, str]) -> dict[str, str]:
    """Which item of a group goes on from which former one: romaji now -> romaji before.

    >>> carried(["a", "b", "c"], ["a", "x", "d"], {"b": "x"})
    {'x': 'b', 'a': 'a'}
    """
    was, now = list(before), list(after)
    found = {
        new: old
        for old, new in renames.items()
        if old in was and new in now and (new not in was or new in renames)
    }
    taken = set(found.values())
    return found | {name: name for name in now if name not in found and name in was and name not in taken}


def converted(value: str, before: str, after: str, recode: Recode) -> str:
    """A value of one SQL type as a value of another one, its code replaced; no value stays no value.

    Args:
        value: the SQL expression of the value.
        before: its type: text, text[], date, bigint, numeric(n,m) or bytea.
        after: the type wanted.
        recode: code before -> code now.
    """
    if before == after == "text[]":
        if not recode:
            return value
        each = _recoded("v", recode)
        array = f"ARRAY(SELECT {each} FROM unnest({value}) WITH ORDINALITY u(v, n) ORDER BY n)"
        return f"CASE WHEN {value} IS NOT NULL THEN {array} END"
    if after == "text[]":
        one = converted(value, before, "text", recode)
        return f"CASE WHEN {value} IS NOT NULL THEN ARRAY[{one}] END"
    if before == "text[]":
        return converted(f"({value})[1]", "text", after, recode)
    return _cast(_recoded(value, recode), before, after)


def _recoded(value: str, recode: Recode) -> str:
    cases = " ".join(f"WHEN {literal(before)} THEN {literal(now)}" for before, now in recode.items())
    return f"CASE {value} {cases} ELSE {value} END" if recode else value


def _cast(value: str, before: str, after: str) -> str:
    if before == after:
        return value
    if (before, after) == ("date", "text"):
        return f"CASE WHEN {value} = '-infinity' THEN '{ALWAYS}' ELSE to_char({value}, 'YYYY-MM-DD') END"
    if (before, after) == ("text", "date"):
        return f"CASE WHEN {value} = '{ALWAYS}' THEN '-infinity' ELSE ({value})::date END"
    return f"({value})::{after}"
