"""Queries read from files: YAML or JSON that an official can read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from kiban.access.extract.query import (
    KINDS,
    SPLITS,
    Asked,
    Codes,
    Condition,
    Field,
    Join,
    Output,
    Query,
    Totals,
)
from kiban.kernel import Problems
from kiban.standard import Document, Fields, Findings, read_document

_LONGEST = 200
MOST = 200
"""Most items, conditions or values of one query."""


def read_query(path: Path) -> Asked:
    """A query from a file.

    Raises:
        Problems: everything that keeps it from being read: what is wrong with the YAML, `field-missing`, `field-unknown`,
            `query-word`, `query-number`, `query-many`, `query-text`, `condition-kind`.
    """
    findings = Findings()
    document = read_document(path, path.name, findings)
    if findings.faults:
        raise Problems(findings.faults)
    return query_of(document)


def query_of(document: Document) -> Asked:
    """A query from what a file, or a page, holds.

    Raises:
        Problems: those of `read_query` but for the file.
    """
    findings = Findings()
    found = _Reader(document, findings).asked()
    if findings.faults:
        raise Problems(findings.faults)
    return found


def query_in(value: Mapping[str, Any], name: str = "query") -> Asked:
    """A query from plain values, as `written.plain` makes them.

    Raises:
        Problems: those of `query_of`.
    """
    return query_of(Document(name, dict(value)))


class _Reader:
    """Reads one query, noting every fault."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self._document, self._findings = document, findings

    def asked(self) -> Asked:
        """The whole of it."""
        top = self._fields((), self._document.value, "the query")
        title, note = self._text(top, "title"), self._text(top, "note")
        query, output = self._query(top), self._output(top)
        top.done()
        return Asked(query, output, title, note)

    def _query(self, top: Fields) -> Query:
        business, main = self._text(top, "business", needed=True), self._text(top, "main", needed=True)
        history = self._word(top, "history", ("no", "yes"), "no") == "yes"
        valid = self._text(top, "valid")
        if history and valid:
            self._fault(
                "query-word", "a query of the history has a day, too", top.where("valid"), "leave out one"
            )
        return Query(
            business,
            main,
            fields=tuple(self._field(each, *place) for place, each in self._each(top, "items")),
            joins=tuple(self._join(each, place) for place, each in self._each(top, "join")),
            conditions=tuple(self._condition(each, place) for place, each in self._each(top, "where")),
            valid="" if history else valid or "today",
            known=self._text(top, "known"),
            history=history,
            wards=tuple(top.texts("wards")),
            split=self._word(top, "split", tuple(SPLITS), "none"),
            order=tuple(self._ordered(each, place) for place, each in self._each(top, "order")),
            totals=self._totals(top),
            limit=self._number(top, "limit"),
            codes=self._word(top, "codes", get_args(Codes), "value"),
        )

    def _output(self, top: Fields) -> Output:
        value = top.raw("output")
        given = self._fields(("output",), {} if value is None else value, "output")
        found = Output(
            form=self._word(given, "form", ("csv", "xlsx", "parquet"), "csv"),
            encoding=self._word(given, "encoding", ("utf-8", "cp932"), "utf-8"),
            bom=self._word(given, "bom", ("yes", "no"), "yes") == "yes",
            titles=self._word(given, "titles", ("japanese", "romaji"), "japanese"),
            guard=self._word(given, "guard", ("yes", "no"), "yes") == "yes",
        )
        given.done()
        return found

    def _fields(self, path: tuple[str | int, ...], value: Any, called: str) -> Fields:
        return Fields(self._document, path, value, self._findings, called)

    def _fault(self, code: str, what: str, where: str, fix: str) -> None:
        self._findings.fault(code, what, where, fix)

    def _each(self, of: Fields, key: str) -> list[tuple[tuple[str | int, ...], Any]]:
        value = of.raw(key)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > MOST:
            self._fault(
                "query-many", f"{key} is no list of at most {MOST}", of.where(key), "write - … in each line"
            )
            return []
        return [((*of.path, key, number), each) for number, each in enumerate(value)]

    def _text(self, of: Fields, key: str, *, needed: bool = False) -> str:
        text = of.text(key, needed=needed)
        if len(text) > _LONGEST or not text.isprintable():
            self._fault("query-text", f"{key} is too long, or no plain text", of.where(key), "shorten it")
            return ""
        return text

    def _word(self, of: Fields, key: str, words: tuple[Any, ...], default: str) -> Any:
        text = of.text(key, needed=False) or default
        if text not in words:
            self._fault(
                "query-word", f"{key} is none of its words", of.where(key), f"one of {', '.join(words)}"
            )
            return default
        return text

    def _number(self, of: Fields, key: str) -> int | None:
        text = of.text(key, needed=False)
        if text and not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
            self._fault("query-number", f"{key} is no number from 1 on", of.where(key), "write digits")
            return None
        return int(text) if text else None

    def _field(self, value: Any, *place: str | int) -> Field:
        if isinstance(value, str):
            return _named(value)
        given = self._fields(place, value, "an item")
        found = self._field_in(given)
        given.done()
        return found

    def _field_in(self, given: Fields) -> Field:
        age = self._text(given, "age")
        if not age:
            return _named(self._text(given, "item", needed=True))
        named = _named(age)
        step = self._number(given, "step") or 1
        return Field(named.group, named.item, self._text(given, "on", needed=True), step)

    def _ordered(self, value: Any, place: tuple[str | int, ...]) -> tuple[Field, bool]:
        if isinstance(value, str):
            return _named(value.removeprefix("-")), value.startswith("-")
        given = self._fields(place, value, "an order")
        found = self._field_in(given)
        down = self._word(given, "down", ("yes", "no"), "no") == "yes"
        given.done()
        return found, down

    def _join(self, value: Any, place: tuple[str | int, ...]) -> Join:
        given = self._fields(place, value, "a join")
        found = Join(
            self._text(given, "group", needed=True),
            self._text(given, "by", needed=True),
            self._text(given, "to"),
            self._word(given, "needed", ("yes", "no"), "no") == "yes",
        )
        given.done()
        return found

    def _condition(self, value: Any, place: tuple[str | int, ...]) -> Condition:
        given = self._fields(place, value, "a condition")
        field = self._field_in(given)
        unknown = self._word(given, "unknown", ("", "with", "without"), "")
        kinds = [key for key in (*KINDS, "from") if key in given.value and key != "between"]
        if "from" not in kinds and "to" in given.value:
            kinds.append("from")
        if len(kinds) != 1:
            fix = f"give one of {', '.join(k for k in KINDS if k != 'between')}, or from and to"
            self._fault("condition-kind", "a condition says not exactly one thing", given.where(), fix)
            given.asked += list(given.value)
            return Condition(field, "filled", (), unknown)
        kind, values = self._said(given, kinds[0])
        given.done()
        return Condition(field, kind, values, unknown)

    def _said(self, given: Fields, kind: str) -> tuple[Any, tuple[str, ...]]:
        if kind == "from":
            return "between", (self._text(given, "from"), self._text(given, "to"))
        if kind in ("empty", "filled"):
            self._word(given, kind, ("yes",), "yes")
            return kind, ()
        if isinstance(given.value.get(kind), list):
            values = tuple(given.texts(kind))
            if len(values) > MOST or any(len(each) > _LONGEST or not each.isprintable() for each in values):
                self._fault(
                    "query-text", f"{kind} has a value that is too long", given.where(kind), "shorten it"
                )
            return ("one-of" if kind == "is" else kind), values
        return kind, (self._text(given, kind, needed=True),)

    def _totals(self, top: Fields) -> Totals | None:
        value = top.raw("totals")
        if value is None:
            return None
        given = self._fields(("totals",), value, "totals")
        by, distinct, sums = (
            tuple(self._field(each, *place) for place, each in self._each(given, key))
            for key in ("by", "distinct", "sum")
        )
        count = self._word(given, "count", ("yes", "no"), "yes") == "yes"
        given.done()
        return Totals(by, count, distinct, sums)


def _named(text: str) -> Field:
    group, _, item = text.strip().rpartition(".")
    return Field(group, item)
