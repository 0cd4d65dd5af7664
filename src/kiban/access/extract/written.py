"""Queries as files hold them."""

from __future__ import annotations

from typing import Any

import yaml

from kiban.access.extract.query import Asked, Condition, Field, Join, Query, Totals


def plain(asked: Asked) -> dict[str, Any]:
    """A query as plain values: texts, lists and mappings, as a file holds them. What is as usual is left out."""
    query, output, usual = asked.query, asked.output, Query("", "")
    found: dict[str, Any] = {
        "title": asked.title,
        "note": asked.note,
        "business": query.business,
        "main": query.main,
    }
    found["join"] = [_join(each) for each in query.joins]
    found["items"] = [_field(each) for each in query.fields]
    found["where"] = [_condition(each) for each in query.conditions]
    found |= {"history": "yes"} if query.history else {"valid": query.valid}
    found |= {"known": query.known, "wards": list(query.wards)}
    found["order"] = [_order(field, down) for field, down in query.order]
    if query.totals:
        found["totals"] = _totals(query.totals)
    found["limit"] = str(query.limit or "")
    found |= {k: getattr(query, k) for k in ("split", "codes") if getattr(query, k) != getattr(usual, k)}
    written = {"form": output.form, "encoding": output.encoding, "titles": output.titles}
    unmarked = {name: "no" for name in ("bom", "guard") if not getattr(output, name)}
    found["output"] = {**written, **unmarked}
    return {name: value for name, value in found.items() if value not in ("", [])}


def text(asked: Asked) -> str:
    """A query as a file in YAML."""
    written: str = yaml.safe_dump(plain(asked), allow_unicode=True, sort_keys=False, width=120)
    return written


def _field(field: Field) -> Any:
    if not field.age_on:
        return field.name
    return {"age": field.name, "on": field.age_on} | ({"step": str(field.step)} if field.step > 1 else {})


def _join(join: Join) -> dict[str, str]:
    found = {"group": join.group, "by": join.by, "to": join.to, "needed": "yes" if join.needed else ""}
    return {name: value for name, value in found.items() if value}


def _condition(condition: Condition) -> dict[str, Any]:
    named = _field(condition.field)
    found: dict[str, Any] = {"item": named} if isinstance(named, str) else dict(named)
    if condition.kind == "between":
        found |= {key: value for key, value in zip(("from", "to"), condition.values, strict=True) if value}
    elif condition.kind in ("empty", "filled"):
        found[condition.kind] = "yes"
    else:
        several = condition.kind in ("one-of", "named") and len(condition.values) != 1
        found[condition.kind] = list(condition.values) if several else condition.values[0]
    return found | ({"unknown": condition.unknown} if condition.unknown else {})


def _order(field: Field, down: bool) -> Any:
    if not field.age_on:
        return f"{'-' * down}{field.name}"
    return _field(field) | ({"down": "yes"} if down else {})


def _totals(totals: Totals) -> dict[str, Any]:
    named = {"by": totals.by, "distinct": totals.distinct, "sum": totals.sums}
    found: dict[str, Any] = {
        name: [_field(each) for each in fields] for name, fields in named.items() if fields
    }
    return {**found, "count": "yes" if totals.count else "no"}
