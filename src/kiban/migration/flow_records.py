"""Rows of a flow as records of fixed length, both ways: by a copybook and a code page, exactly or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kiban import characters
from kiban.kernel import Problem, Problems
from kiban.migration import records
from kiban.migration.records import Field, Reading, Record
from kiban.standard import Findings, read_document

CHANGED, FORM = "value-changed", "number-form"


@dataclass(frozen=True)
class FlowRecords:
    """How rows of named columns lie in records.

    Attributes:
        source: the file that says so, for messages.
        copybook: of one record description, without a table at its end.
        reading: what the copybook leaves open.
        page: the code page.
        fields: column -> name of its field.
        days: columns of text whose field is a number of eight digits: a day without its dashes.
    """

    source: Path
    copybook: records.Copybook
    reading: Reading
    page: characters.CodePage
    fields: Mapping[str, str]
    days: frozenset[str] = frozenset()

    @property
    def record(self) -> Record:
        """The one record description."""
        return self.copybook.records[0]

    def unfit(self, batch: pa.RecordBatch) -> list[tuple[int, str, str]]:
        """What cannot be written so that it reads back the same: row, column and code, each place once.

        Returns:
            `char-unencodable`, `field-overflow`, `digits-many`, `sign-bad`, `number-missing`; `number-form` for a text that is no
            number in a field of numbers, `value-changed` for anything else that would come back different. Nothing is substituted.
        """
        columns, odd = self._out(batch)
        wrote = records.write_block(self.record, columns, self.reading, self.page, batch.num_rows)
        by_field = {field: column for column, field in self.fields.items()}
        found = {(row, name): FORM for name, rows in odd.items() for row in rows}
        for row, field, code in zip(wrote.faults.row, wrote.faults.field, wrote.faults.code, strict=True):
            found.setdefault((row, by_field[field]), code)
        back = self._back(wrote.block, batch.schema)
        for name in self.fields:
            for row in _differing(batch.column(name), back.column(name)):
                found.setdefault((row, name), CHANGED)
        return [(row, name, code) for (row, name), code in sorted(found.items())]

    def write(self, batch: pa.RecordBatch) -> bytes:
        """The bytes of rows that fit.

        Raises:
            Problem: `record-unfit` where a row does not: nothing is written then.
        """
        columns, odd = self._out(batch)
        wrote = records.write_block(self.record, columns, self.reading, self.page, batch.num_rows)
        if len(wrote.faults.row) or any(odd.values()):
            raise Problem(
                "record-unfit", "a row does not fit into the records", str(self.source), "ask unfit first"
            )
        data: bytes = wrote.block.tobytes()
        return data

    def read(self, file: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows of a file.

        Args:
            file: of records.
            schema: the columns, each with a field.

        Raises:
            Problem: `record-length` where bytes are left over, `record-undecodable` where a value is none.
        """
        source = records.Source(file.name, file, "fixed", self.copybook, self.reading, self.page)
        for batch in records.decode_file(source):
            yield self._columns(batch, schema, file.name)

    def _back(self, block: Any, schema: pa.Schema) -> pa.RecordBatch:
        numbers = np.arange(len(block), dtype=np.int64)
        place = records.Place("", numbers + 1, numbers * block.shape[1])
        decoded = records.decode_block(self.copybook, self.reading, self.page, block, place)
        return self._columns(decoded, schema, None)

    def _columns(self, batch: records.Batch, schema: pa.Schema, where: str | None) -> pa.RecordBatch:
        if where is not None and batch.ledger.num_rows:
            first = batch.ledger.slice(0, 1).to_pylist()[0]
            what = f"{batch.ledger.num_rows:,} places are nothing by the copybook and the code page: {first['field']}, {first['code']}"
            fix = "have the provider write the file again; its bytes are kept as they came"
            raise Problem("record-undecodable", what, f"{where} record {first['record']}", fix)
        rows = batch.segments[self.record.name]
        made = [self._in(rows.column(self.fields[f.name]), f) for f in schema]
        return pa.record_batch(made, schema=schema)

    def _out(self, batch: pa.RecordBatch) -> tuple[dict[str, pa.Array], dict[str, list[int]]]:
        """The values of the fields, and the rows of each column whose text is no number."""
        found: dict[str, pa.Array] = {}
        odd: dict[str, list[int]] = {}
        for name, called in self.fields.items():
            field, column = self._field(called), batch.column(name)
            if pa.types.is_date(column.type):
                column = column.cast(pa.string())
            if field.kind in ("text", "national"):
                found[called] = column.cast(pa.string())
            elif pa.types.is_string(column.type):
                plain = pc.replace_substring(column, "-", "") if self._is_day(name, batch.schema) else column
                good = pc.fill_null(pc.match_substring_regex(plain, "^[0-9]{1,18}$"), True)
                odd[name] = np.flatnonzero(~good.to_numpy(zero_copy_only=False)).tolist()
                found[called] = pc.if_else(good, plain, pa.scalar(None, pa.string())).cast(pa.int64())
            else:
                kind = (
                    pa.decimal128(max(field.digits, field.scale), field.scale) if field.scale else pa.int64()
                )
                found[called] = column.cast(kind)
        return found, odd

    def _in(self, column: pa.Array, field: pa.Field) -> pa.Array:
        text = pa.types.is_string(field.type) or pa.types.is_date(field.type)
        if not text or pa.types.is_string(column.type):
            return column.cast(field.type)
        digits = self._field(self.fields[field.name]).digits
        plain = pc.utf8_lpad(column.cast(pa.string()), width=digits, padding="0")
        if self._is_day(field.name, pa.schema([field])):
            plain = pc.replace_substring_regex(plain, "^([0-9]{4})([0-9]{2})([0-9]{2})$", r"\1-\2-\3")
        return plain.cast(field.type)

    def _is_day(self, name: str, schema: pa.Schema) -> bool:
        return name in self.days or pa.types.is_date(schema.field(name).type)

    def _field(self, name: str) -> Field:
        found = self.record.named(name)
        assert found is not None
        return found


def load_flow_records(path: Path) -> FlowRecords:
    """What a file says of the records of one group of a flow.

    It names the copybook (beside it) and the code page; `fields`: column -> field; `mixed` and `double`: fields of text that are not
    of single bytes only; `unset`: numeric field -> low-values or spaces, which stand for no value; `days`: columns whose field is a
    day of eight digits; `characters`: charts and decisions (beside it) of the city's own characters of `system`.

    Raises:
        Problem: `code-page-unknown` and what else `characters.code_page` refuses.
        Problems: those of `standard.read_document`, of the copybook and of the charts; `layout-field`, `layout-records`.
    """
    findings = Findings()
    document = read_document(path, str(path), findings)
    body: Any = document.value if isinstance(document.value, dict) else {}
    told = {name: body.get(name) or {} for name in ("fields", "unset")}
    lists = {name: body.get(name) or [] for name in ("mixed", "double", "days")}
    book = path.parent / str(body.get("copybook", ""))
    if not book.is_file() or not told["fields"]:
        findings.fault(
            "layout-field", "no copybook, or no fields", str(path), "write copybook: FILE and fields:"
        )
    if findings.faults:
        raise Problems(findings.faults)
    copybook = records.parse_copybook(book.read_text(encoding="utf-8"), str(book))
    modes: dict[str, characters.Mode] = dict.fromkeys(lists["mixed"], "mixed")
    modes |= dict.fromkeys(lists["double"], "double")
    unset = {name: [str(how)] for name, how in told["unset"].items()}
    page = characters.code_page(str(body.get("page")), gaiji=_own_characters(path.parent, body))
    reading = Reading(modes, {}, unset)  # type: ignore[arg-type]
    made = FlowRecords(path, copybook, reading, page, dict(told["fields"]), frozenset(lists["days"]))
    if problems := [*_faults(made, lists, told["unset"])]:
        raise Problems(problems)
    return made


def _own_characters(folder: Path, body: Mapping[str, Any]) -> Mapping[int, str] | None:
    """The characters of the city's own on which two people decided; None where none are named."""
    paths = [folder / str(name) for name in body.get("characters") or ()]
    return characters.Chart.load(*paths, unsigned=True).gaiji(str(body.get("system"))) if paths else None


def _faults(
    made: FlowRecords, lists: Mapping[str, Sequence[str]], unset: Mapping[str, str]
) -> Iterator[Problem]:
    where = str(made.source)
    if len(made.copybook.records) != 1 or made.record.table is not None or made.copybook.choices:
        fix = "give a copybook of one record without REDEFINES and OCCURS DEPENDING ON"
        yield Problem("layout-records", "more than one kind of record", where, fix)
    names = {one.name for one in made.record.fields if one.kind != "filler"}
    told = [*made.fields.values(), *lists["mixed"], *lists["double"], *unset]
    for name in dict.fromkeys(told):
        if name not in names:
            yield Problem("layout-field", f"the copybook has no field {name}", where, "correct the name")
    for how in set(unset.values()) - {"low-values", "spaces"}:
        yield Problem("layout-field", f"{how} stands for nothing", where, "write low-values or spaces")


def _differing(left: pa.Array, right: pa.Array) -> list[int]:
    same = pc.or_(pc.fill_null(pc.equal(left, right), False), pc.and_(pc.is_null(left), pc.is_null(right)))
    rows: list[int] = np.flatnonzero(~same.to_numpy(zero_copy_only=False)).tolist()
    return rows
