"""The SQL of selections, made of names that an edition lists; values travel apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from kiban.kernel import Problem
from kiban.standard import Item, sql_type
from kiban.store.columns import arrow_type
from kiban.store.schema import Table
from kiban.store.selecting import VALID_FROM, VALID_TO, Selection, Sum, Term, Test
from kiban.store.text import quoted

_OPEN = {VALID_FROM: "-infinity", VALID_TO: "infinity"}
_NUMBERS = ("9", "S9", "9V")


@dataclass(frozen=True)
class Composed:
    """A selection as SQL.

    Attributes:
        statement: COPY of the query, with %s for each value.
        values: of the statement.
        schema: columns c0, c1 … of what it sends.
        dates: those of them that are of type date.
        looked_at: register -> the items that it looks at.
    """

    statement: str
    values: tuple[object, ...]
    schema: pa.Schema
    dates: frozenset[str]
    looked_at: Mapping[str, tuple[str, ...]]


def compose(selection: Selection, tables: Mapping[str, Table]) -> Composed:
    """The SQL of a selection.

    Raises:
        Problem: `register-unknown`, `item-unknown`, `selection-empty` without columns, `selection-twice` where a register
            stands twice, `selection-kind` where a figure or an age is asked of what has none.
    """
    return _Composer(selection, tables).composed()


class _Composer:
    """Composes one selection, and notes which items it looks at."""

    def __init__(self, selection: Selection, tables: Mapping[str, Table]) -> None:
        self._selection = selection
        registers = selection.registers
        if len(set(registers)) < len(registers):
            raise Problem("selection-twice", "a register is named twice", fix="name each once")
        if not selection.columns:
            raise Problem("selection-empty", "nothing is chosen", fix="choose items")
        if unknown := [name for name in registers if name not in tables]:
            raise Problem(
                "register-unknown", f"there is no register {', '.join(unknown)}", fix="see `kiban db status`"
            )
        self._tables = {name: tables[name] for name in registers}
        self._alias = {name: f"t{number}" for number, name in enumerate(registers)}
        self._looked: dict[str, dict[str, None]] = {name: {} for name in registers}
        self._values: list[object] = []

    def composed(self) -> Composed:
        """The statement with all its parts."""
        chosen = self._selection
        columns = [self._column(each) for each in chosen.columns]
        grouped = [self._term(each) for each in chosen.columns if isinstance(each, Term)]
        source, where = self._source(), self._where()
        order = [
            f"{self._sorted(term)} {'DESC' if down else 'ASC'} NULLS LAST" for term, down in chosen.order
        ]
        query = f"SELECT {', '.join(columns)} FROM {source} WHERE {where}"
        if grouped and any(isinstance(each, Sum) for each in chosen.columns):
            query += f" GROUP BY {', '.join(grouped)}"
        if order:
            query += f" ORDER BY {', '.join(order)}"
        if chosen.limit is not None:
            query += f" LIMIT {int(chosen.limit):d}"
        fields = [pa.field(f"c{number}", self._arrow(each)) for number, each in enumerate(chosen.columns)]
        dates = {f"c{number}" for number, each in enumerate(chosen.columns) if self._is_date(each)}
        looked = {name: tuple(items) for name, items in self._looked.items()}
        return Composed(
            f"COPY ({query}) TO STDOUT (FORMAT csv)",
            tuple(self._values),
            pa.schema(fields),
            frozenset(dates),
            looked,
        )

    def _item(self, term: Term) -> Item:
        table = self._tables.get(term.register)
        if table is None or term.item not in table.group:
            raise Problem(
                "item-unknown", f"{term.register} has no item {term.item}", fix="use the official romaji"
            )
        self._looked[term.register][term.item] = None
        return table.group.item(term.item)

    def _bare(self, term: Term) -> str:
        if term.item in _OPEN:
            if not self._tables[term.register].has_periods:
                raise Problem("item-unknown", f"{term.register} has no periods", fix="leave it out")
            return f"nullif({self._alias[term.register]}.{term.item}, '{_OPEN[term.item]}')"
        self._item(term)
        return f"{self._alias[term.register]}.{quoted(term.item)}"

    def _term(self, term: Term) -> str:
        bare = self._bare(term)
        return bare if term.age_on is None else self._age(term, bare)

    def _age(self, term: Term, bare: str) -> str:
        """Completed years; none where the day is not known, open, not a day at all, or later."""
        if self._item(term).type != "DATE" or self._item(term).repeats or term.step < 1:
            raise Problem("selection-kind", f"{term.item} has no age", fix="take an item that holds one date")
        assert term.age_on is not None
        day, text = term.age_on.isoformat(), self._written(term, bare)
        years = f"{term.age_on.year:d} - left({text}, 4)::int - (right({text}, 5) > '{day[5:]}')::int"
        fits = (
            f"{text} > '0000-01-01' AND {text} <= '{day}' AND substr({text}, 6, 2) BETWEEN '01' AND '12' "
            f"AND right({text}, 2) BETWEEN '01' AND '31'"
        )
        known = self._certain(term)
        return f"CASE WHEN {' AND '.join([fits, *known])} THEN ({years}) / {term.step:d} * {term.step:d} END"

    def _written(self, term: Term, bare: str) -> str:
        """A date as text of ten characters, compared as such: it need not be in the calendar."""
        if sql_type(self._item(term)) == "date":
            bare = f"to_char(nullif({bare}, '-infinity'), 'YYYY-MM-DD')"
        return f'({bare} COLLATE "C")'

    def _beside(self, term: Term, part: str) -> str | None:
        """A further part of the official triple of a date, where its group has it."""
        name = f"{term.item}_{part}"
        if name not in self._tables[term.register].group:
            return None
        return self._bare(Term(term.register, name))

    def _certain(self, term: Term) -> list[str]:
        flag = self._beside(term, "fushofuragu")
        return [f"{flag} IS DISTINCT FROM '1'"] if flag else []

    def _column(self, column: Term | Sum) -> str:
        if isinstance(column, Term):
            return self._term(column)
        if column.term is None:
            return "count(*)"
        if column.kind == "distinct":
            return f"count(DISTINCT {self._term(column.term)})"
        if self._item(column.term).type not in _NUMBERS or self._item(column.term).repeats:
            raise Problem(
                "selection-kind",
                f"{column.term.item} cannot be added up",
                fix="take an item that is a number",
            )
        return f"sum({self._term(column.term)})"

    def _source(self) -> str:
        main = self._selection.main
        parts = [f"{self._tables[main].name} {self._alias[main]}"]
        for link in self._selection.links:
            here = Term(link.register, link.item)
            on = [f"{self._bare(here)} = {self._bare(link.to)}", *self._in_time(link.register)]
            if self._selection.valid is None:
                on += self._together(link.register, link.to.register)
            kind = "JOIN" if link.needed else "LEFT JOIN"
            parts.append(
                f"{kind} {self._tables[link.register].name} {self._alias[link.register]} ON {' AND '.join(on)}"
            )
        return " ".join(parts)

    def _together(self, one: str, other: str) -> list[str]:
        """That two periods have a day in common."""
        if not (self._tables[one].has_periods and self._tables[other].has_periods):
            return []
        a, b = self._alias[one], self._alias[other]
        return [f"{a}.valid_from < {b}.valid_to", f"{b}.valid_from < {a}.valid_to"]

    def _in_time(self, register: str) -> list[str]:
        alias, chosen = self._alias[register], self._selection
        found: list[str] = []
        if chosen.known is None:
            found.append(f"{alias}.closed_by IS NULL")
        else:
            found.append(f"{alias}.known_from <= %s AND %s < {alias}.known_to")
            self._values += [chosen.known, chosen.known]
        if chosen.valid is not None and self._tables[register].has_periods:
            found.append(f"{alias}.valid_from <= %s AND %s < {alias}.valid_to")
            self._values += [chosen.valid, chosen.valid]
        return found

    def _where(self) -> str:
        conditions = self._in_time(self._selection.main)
        conditions += [self._test(test) for test in self._selection.tests]
        return " AND ".join(conditions)

    def _test(self, test: Test) -> str:
        found = self._held(test)
        if test.uncertain is None:
            return found
        flag, words = self._beside(test.term, "fushofuragu"), self._beside(test.term, "fushohyoki")
        unknown = [f"{flag} = '1'"] if flag else []
        unknown += [f"{self._bare(test.term)} IS NULL AND {words} IS NOT NULL"] if words else []
        if not unknown:
            return found
        either = " OR ".join(unknown)
        return f"({found} OR {either})" if test.uncertain else f"({found} AND ({either}) IS NOT TRUE)"

    def _held(self, test: Test) -> str:
        term = self._term(test.term)
        if test.kind in ("empty", "filled"):
            return f"{term} IS {'NOT ' * (test.kind == 'filled')}NULL"
        kind = self._sql(test.term)
        if test.kind == "one":
            self._values.append([None if each is None else str(each) for each in test.values])
            return f"{term} = ANY (%s::{kind}[])"
        if test.kind == "between":
            compared = self._sorted(test.term)
            ends = [
                (sign, each) for sign, each in zip((">=", "<="), test.values, strict=True) if each is not None
            ]
            self._values += [each for _, each in ends]
            return f"({' AND '.join(f'{compared} {sign} %s::{kind}' for sign, _ in ends)})"
        self._values.append(test.values[0])
        if test.kind == "begins":
            return f"starts_with({term}, %s::text)"
        return f"{term} {'=' if test.kind == 'is' else 'IS DISTINCT FROM'} %s::{kind}"

    def _sorted(self, term: Term) -> str:
        """A term as it is compared and sorted: texts by their characters, whatever the server's language."""
        return f'{self._term(term)} COLLATE "C"' if self._sql(term) == "text" else self._term(term)

    def _sql(self, term: Term) -> str:
        if term.item in _OPEN:
            return "date"
        return "int" if term.age_on is not None else sql_type(self._item(term))

    def _arrow(self, column: Term | Sum) -> pa.DataType:
        if isinstance(column, Sum):
            scale = self._item(column.term).scale or 0 if column.kind == "sum" and column.term else 0
            return pa.decimal128(38, scale) if column.kind == "sum" else pa.int64()
        if column.item in _OPEN:
            return pa.date32()
        return pa.int64() if column.age_on is not None else arrow_type(self._item(column))

    def _is_date(self, column: Term | Sum) -> bool:
        if isinstance(column, Sum) or column.item in _OPEN or column.age_on is not None:
            return False
        return sql_type(self._item(column)) == "date"
