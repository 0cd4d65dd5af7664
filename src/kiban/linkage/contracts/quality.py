"""The rules of quality of a feed, held against all its rows in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import duckdb
import pyarrow as pa

from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract, Feed

Rule = Mapping[str, Any]

METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
_TESTS: dict[str, Callable[[Decimal, list[Decimal]], bool]] = {
    "mustBe": lambda found, limit: found == limit[0],
    "mustNotBe": lambda found, limit: found != limit[0],
    "mustBeGreaterThan": lambda found, limit: found > limit[0],
    "mustBeGreaterOrEqualTo": lambda found, limit: found >= limit[0],
    "mustBeLessThan": lambda found, limit: found < limit[0],
    "mustBeLessOrEqualTo": lambda found, limit: found <= limit[0],
    "mustBeBetween": lambda found, limit: limit[0] <= found <= limit[1],
    "mustNotBeBetween": lambda found, limit: not limit[0] <= found <= limit[1],
}
OPERATORS = tuple(_TESTS)
_PAIRS = ("mustBeBetween", "mustNotBeBetween")
_UNITS = ("rows", "percent")


def why_not(rule: Rule, carried: Iterable[str]) -> str | None:
    """Why a rule of the library cannot be checked, in words; None where it can.

    Args:
        rule: as ODCS states it; `property` names its item, where it stands at one.
        carried: the items that are carried.
    """
    operators = [name for name in OPERATORS if name in rule]
    if len(operators) != 1:
        return f"it has to say one of {', '.join(OPERATORS)}"
    try:
        limits = _limits(rule, operators[0])
    except (InvalidOperation, TypeError, ValueError):
        return f"{operators[0]} is no number"
    if len(limits) != (2 if operators[0] in _PAIRS else 1):
        return f"{operators[0]} has not the right number of values"
    columns = _columns(rule)
    if not columns and rule["metric"] != "rowCount":
        return "it names no item: arguments: {column: …}"
    unknown = [name for name in columns if name not in set(carried)]
    if unknown:
        return f"the contract does not carry {', '.join(unknown)}"
    if rule["metric"] == "invalidValues" and not isinstance(_arguments(rule).get("validValues"), list):
        return "it names no values: arguments: {validValues: […]}"
    return None if rule.get("unit", "rows") in _UNITS else f"unit is one of {', '.join(_UNITS)}"


def judge(contract: Contract, feed: Feed, rows: pa.RecordBatchReader) -> tuple[Problem, ...]:
    """Which rules of quality do not hold.

    Args:
        contract: has the rules.
        feed: whose rows they are.
        rows: all of them; they are read once, in bounded memory.

    Returns:
        `quality-failed`, one for each rule, with how many rows fail it where rows can; texts for people are not judged.
    """
    rules = [rule for rule in contract.quality.get(feed.name, ()) if rule.get("type", "library") != "text"]
    if not rules:
        return ()
    counts = ", ".join(_count(rule) for rule in rules)
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        total, *found = connection.execute(f"SELECT count(*), {counts} FROM rows").fetchall()[0]
    return tuple(
        problem
        for rule, number in zip(rules, found, strict=True)
        if (problem := _told(feed, rule, number, total))
    )


def _told(feed: Feed, rule: Rule, number: int, total: int) -> Problem | None:
    operator = next(name for name in OPERATORS if name in rule)
    found = Decimal(number)
    if rule.get("unit", "rows") == "percent":
        found = Decimal(100) * number / total if total else Decimal(0)
    if _TESTS[operator](found, _limits(rule, operator)):
        return None
    said = f": {rule['description']}" if rule.get("description") else ""
    what = f"{rule['metric']} is {found.normalize():f}, {operator} {rule[operator]}{said}"
    where = ".".join([feed.name, *_columns(rule)[:1]])
    return Problem("quality-failed", what, where, "have the provider look at these rows before they are used")


def _count(rule: Rule) -> str:
    """How many rows a rule counts, as an aggregate."""
    names = ['"' + name.replace('"', '""') + '"' for name in _columns(rule)]
    metric = rule["metric"]
    if metric == "rowCount":
        return "count(*)"
    if metric == "duplicateValues":
        whole = " AND ".join(f"{name} IS NOT NULL" for name in names)
        return f"count(*) FILTER ({whole}) - count(DISTINCT ({', '.join(names)})) FILTER ({whole})"
    one = names[0]
    if metric == "invalidValues":
        values = ", ".join("'" + str(v).replace("'", "''") + "'" for v in _arguments(rule)["validValues"])
        return f"count(*) FILTER ({one} IS NOT NULL AND CAST({one} AS VARCHAR) NOT IN ({values or 'NULL'}))"
    empty = f" OR CAST({one} AS VARCHAR) = ''" if metric == "missingValues" else ""
    return f"count(*) FILTER ({one} IS NULL{empty})"


def _arguments(rule: Rule) -> Mapping[str, Any]:
    found = rule.get("arguments")
    return found if isinstance(found, dict) else {}


def _columns(rule: Rule) -> list[str]:
    arguments = _arguments(rule)
    named = arguments.get("properties", arguments.get("columns"))
    if isinstance(named, list):
        return [str(name) for name in named]
    one = rule.get("property") or arguments.get("column")
    return [str(one)] if one else []


def _limits(rule: Rule, operator: str) -> list[Decimal]:
    value = rule[operator]
    return [Decimal(str(each)) for each in (value if isinstance(value, list) else [value])]
