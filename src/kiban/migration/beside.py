"""One person side by side: what the legacy files say and what the integrated database holds, item by item, for the owner's own eyes.

The owner of the data picks the people. Every look-up is logged by the database under the migration's name and purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kiban.kernel import Problem
from kiban.migration import packet
from kiban.migration.mapping import Map, load_maps, quoted
from kiban.migration.packet import Section, Table
from kiban.migration.plan import Plan
from kiban.migration.stages.load import migrator
from kiban.store import Row, Store

_SHOWN = 999


@dataclass(frozen=True)
class Beside:
    """A row on both sides.

    Attributes:
        map: of its register.
        legacy: the decoded record, by field; None where only the database has the row.
        converted: the items as the map makes them; None likewise.
        stored: the items as the database holds them; None where it has no such row.
    """

    map: Map
    legacy: Mapping[str, Any] | None
    converted: Mapping[str, Any] | None
    stored: Mapping[str, Any] | None

    @property
    def differing(self) -> tuple[str, ...]:
        """Items that are not the same in the database as the map makes them; all of them where a side is missing."""
        names = [line.item for line in self.map.lines]
        if self.converted is None or self.stored is None:
            return tuple(names)
        return tuple(name for name in names if _text(self.converted[name]) != _text(self.stored[name]))


def people_page(plan: Plan, decoded: Path, excluded: Path | None, opened: Store, number: str) -> str:
    """A page about one person: every row of every register that names them, on both sides.

    Args:
        plan: with the editions it names.
        decoded: output of the stage decode.
        excluded: `excluded.parquet` of cleanse; None where nothing was left out.
        opened: the integrated database.
        number: 宛名番号 as the standard writes it, 15 digits; shorter ones are filled up with zeros.

    Raises:
        Problem: `person-unknown` where neither side knows the number.
    """
    asked = number.strip().zfill(15)
    rows = list(_rows(plan, decoded, excluded, opened, asked))
    if not rows:
        raise Problem(
            "person-unknown",
            "neither the legacy files nor the database know this number",
            fix="give a 宛名番号 as it stands in the register, 15 digits or without its leading zeros",
        )
    differing = sum(bool(one.differing) for one in rows)
    facts = [("宛名番号", asked), ("計画", plan.id), ("データの基準日", plan.cut_date.isoformat()),
             ("行", f"{len(rows):,}"), ("一致しない行", f"{differing:,}")]  # fmt: skip
    return packet.to_sheet(
        f"{plan.title}　一人ずつの確認",
        "個人情報を含みます。確認する人だけが見て、終わったら消してください。",
        facts,
        [_section(one) for one in rows],
    )


def _rows(plan: Plan, decoded: Path, excluded: Path | None, opened: Store, number: str) -> Iterator[Beside]:
    """Rows of both sides, joined by the key of their register."""
    fields = {name for file in plan.files for name in file.person}
    with duckdb.connect() as query, opened.session(migrator(plan)) as session:
        for made in load_maps(plan):
            items = [line.item for line in made.lines if line.inside in fields]
            key = [item.romaji for item in made.group.key]
            stored: dict[tuple[str, ...], Row] = {}
            converted: dict[tuple[str, ...], tuple[dict[str, Any], dict[str, Any]]] = {}
            for item in items:
                for row in session.history(made.register, None, **{item: number}):
                    flat = (
                        {**row, "valid_from": row["valid"].start, "valid_to": row["valid"].end}
                        if "valid" in row
                        else row
                    )
                    stored[_key(flat, key)] = flat
                for origin, values in _converted(query, made, decoded, excluded, item, number):
                    converted[_key(values, key)] = (origin, values)
            for name in sorted(stored.keys() | converted.keys()):
                told = converted.get(name)
                yield Beside(made, told[0] if told else None, told[1] if told else None, stored.get(name))


def _key(row: Mapping[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[name]).rjust(20) for name in names)


def _converted(
    query: duckdb.DuckDBPyConnection, made: Map, decoded: Path, excluded: Path | None, item: str, number: str
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    found = _dicts(
        query, f'SELECT * FROM ({made.sql(decoded, excluded)}) WHERE "{item}" = {quoted(number)} ORDER BY ALL'
    )
    for row in found:
        place = decoded / made.target.source / f"{row['#file']}.parquet"
        index = f' AND "#index" = {row["#index"]}' if row["#index"] else ""
        [legacy] = _dicts(
            query,
            f'SELECT * FROM read_parquet({quoted(place.as_posix())}) WHERE "#record" = {row["#record"]}{index}',
        )
        yield legacy, row


def _dicts(query: duckdb.DuckDBPyConnection, statement: str) -> list[dict[str, Any]]:
    found = query.execute(statement)
    names = [one[0] for one in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _section(one: Beside) -> Section:
    wrong = set(one.differing)
    rows = [
        (
            line.name,
            line.how,
            line.field,
            _text((one.legacy or {}).get(line.inside)) if line.inside else None,
            _text((one.converted or {}).get(line.item)),
            _text((one.stored or {}).get(line.item)),
            "一致しない" if line.item in wrong else "一致",
        )
        for line in one.map.lines
    ]
    where = (
        f"{one.legacy['#file']}の第{one.legacy['#record']:,}件（{one.legacy['#offset']:,}バイト目から）"
        if one.legacy
        else "旧システムのファイルにはありません"
    )
    sentences = [
        f"元のレコード：{where}。" + ("統合データベースにこの行はありません。" if one.stored is None else "")
    ]
    columns = ("項目", "扱い", "旧フィールド", "旧システムの値", "標準の値", "統合データベースの値", "判定")
    title = f"{one.map.group.name}（{'・'.join(str((one.stored or one.converted or {})[item.romaji]) for item in one.map.group.key)}）"
    return Section(
        title, "bad" if wrong else "good", sentences, [Table("項目ごとの値", columns, rows, _SHOWN)]
    )


def _text(value: Any) -> str | None:
    """A value as it is shown and compared; lists by their elements."""
    if value is None:
        return None
    return "／".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
