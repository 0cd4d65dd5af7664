"""A map as DuckDB SQL over decoded files: the way to the standard that shares no engine with the transform."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from kiban.migration.mapping.decoded import check, files
from kiban.migration.mapping.model import Line, MapLines
from kiban.migration.mapping.pair import named, quoted
from kiban.store import arrow_schema

ORIGIN = ("#file", "#record", "#index")


def select(made: MapLines, decoded: Path, excluded: Path | None) -> str:
    """See `Map.sql`."""
    schema = arrow_schema(made.group)
    columns = [named(name) for name in ORIGIN]
    columns += [f"{_typed(line, schema.field(line.item).type)} as {named(line.item)}" for line in made.lines]
    return f"select {', '.join(columns)} from ({_rows(made, decoded, excluded)})"


def refusals(made: MapLines, decoded: Path, excluded: Path | None) -> str:
    """See `Map.refusals_sql`."""
    return " union all ".join(_refusal(made, line, decoded, excluded) for line in made.lines if line.rule)


def _refusal(made: MapLines, line: Line, decoded: Path, excluded: Path | None) -> str:
    rule = line.compiled
    said = {"segment": made.target.source, "item": line.item, "field": line.field, "rule": line.rule}
    segment, *others = (f"{quoted(text)} as {name}" for name, text in said.items())
    origin = [f"{named(name)} as {name[1:]}" for name in ORIGIN]
    rows = _rows(replace(made, lines=(line,)), decoded, excluded)  # only what this rule reads
    # Values first, all at once; what the fault may be is the dearer question, asked only where there is no value and some doubt.
    held = f"with held as materialized (select *, {rule.value_sql} as made from ({rows}))"
    asked = f"select {', '.join([segment, *origin, *others])}, {rule.fault_sql} as code from held where made is null and {rule.doubt_sql}"
    return f"({held} select * from ({asked}) where code is not null)"


def values(made: MapLines, decoded: Path) -> str:
    """See `Map.values_sql`."""
    schema = arrow_schema(made.group)
    read = dict.fromkeys(named(line.field) for line in made.lines if line.field)
    looked_up = [named(name) for line in made.lines if line.lookup for name in (line.found, line.ways)]
    columns = [*read]
    columns += [f"{_typed(line, schema.field(line.item).type)} as {named(line.item)}" for line in made.lines]
    columns += [f"{line.compiled.fault_sql} as {named(f'{line.item}!')}" for line in made.lines]
    different = f"select distinct {', '.join([*read, *looked_up])} from ({_rows(made, decoded, None)})"
    return f"select {', '.join(columns)} from ({different})"


def rows(made: MapLines, decoded: Path, excluded: Path | None) -> str:
    """See `Map.rows_sql`."""
    return _rows(made, decoded, excluded)


def _typed(line: Line, kind: pa.DataType) -> str:
    return f"cast({line.compiled.value_sql} as {_sql_type(kind)})"


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    names = {pa.int64(): "bigint", pa.date32(): "date", pa.binary(): "blob"}
    return names.get(kind, "varchar")


def _rows(made: MapLines, decoded: Path, excluded: Path | None) -> str:
    """Every record that becomes a row, with what its rules read: own fields, those of its parent record, and what is looked up."""
    there = check(made, decoded)
    source, wanted = made.target.source, made.reads
    index = 's."#index"' if "#index" in there[source] else "cast(0 as bigint)"
    columns = ['s."#file" as "#file"', 's."#record" as "#record"', f'{index} as "#index"']
    columns += [f"s.{named(name)} as {named(name)}" for name in wanted[source]]
    joins: list[str] = []
    for line in made.lines:
        parent = f"p_{line.parent}"
        if line.parent:
            columns.append(f"{named(parent)}.{named(line.inside)} as {named(line.field)}")
            join = (
                f"left join {_read(decoded, line.parent, there[line.parent])} as {named(parent)} "
                f'on {named(parent)}."#file" = s."#file" and {named(parent)}."#record" = s."#record"'
            )
            joins += [join] * (join not in joins)
        if line.lookup is not None:
            key = f"{named(parent)}.{named(line.inside)}" if line.parent else f"s.{named(line.field)}"
            columns += [
                f"{named(line.found)}.found as {named(line.found)}",
                f"{named(line.found)}.ways as {named(line.ways)}",
            ]
            joins.append(f"left join ({_looked_up(line, decoded, there)}) as {named(line.found)} "
                         f"on {named(line.found)}.key = cast({key} as varchar)")  # fmt: skip
    where = ["true"]
    if made.target.where is not None:
        name, values = made.target.where
        where.append(f"cast(s.{named(name)} as varchar) in ({', '.join(map(quoted, values))})")
    if excluded is not None:
        where.append(
            f"not exists (select 1 from read_parquet({quoted(str(excluded))}) as x where x.segment = {quoted(source)} "
            f'and x.file = s."#file" and x.record = s."#record" and x.index = {index})'
        )
    start = f"from {_read(decoded, source, there[source])} as s"
    return f"select {', '.join(dict.fromkeys(columns))} {start} {' '.join(joins)} where {' and '.join(where)}"


def _looked_up(line: Line, decoded: Path, there: dict[str, dict[str, pa.DataType]]) -> str:
    lookup = line.lookup
    assert lookup is not None
    texts = [f"coalesce(cast({named(name)} as varchar), '')" for name in lookup.fields]
    value = f"nullif({' || '.join(texts)}, '')"
    rows = _read(decoded, lookup.segment, there[lookup.segment])
    return (
        f"select cast({named(lookup.key)} as varchar) as key, min({value}) as found, count(distinct coalesce({value}, '')) as ways "
        f"from {rows} where {named(lookup.key)} is not null group by 1"
    )


def _read(decoded: Path, segment: str, columns: dict[str, pa.DataType]) -> str:
    paths = files(decoded, segment)
    if paths:
        return f"read_parquet([{', '.join(quoted(str(path)) for path in paths)}])"
    typed = ", ".join(f"cast(null as {_sql_type(kind)}) as {named(name)}" for name, kind in columns.items())
    return f"(select {typed} where false)"
