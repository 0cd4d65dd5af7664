"""Files of CSV as a profile says: written from Arrow and read back to the same values, or told what cannot be."""

from __future__ import annotations

import base64
import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from kiban.kernel import Problem
from kiban.linkage.contracts.model import Feed
from kiban.linkage.contracts.profile import Profile
from kiban.linkage.files import letters
from kiban.linkage.files.codec import Unfit, columns_of

_BLOCK = 1 << 24
_PIECE = 1 << 20


@dataclass(frozen=True)
class CsvCodec:
    """CSV by a profile.

    Attributes:
        profile: of the form `csv`.
    """

    profile: Profile

    @property
    def ending(self) -> str:
        """Of the names of files."""
        return ".csv"

    def head(self, feed: Feed) -> bytes:
        """The byte order mark and the line of names, where the profile has them."""
        mark = codecs.BOM_UTF8 if self.profile.bom else b""
        if self.profile.header == "none":
            return mark
        titles = {item.romaji: item.name for item in feed.items} if self.profile.header == "name" else {}
        names = [titles.get(name, name) for name in feed.columns]
        line = pa.record_batch(
            [pa.array([name]) for name in names], names=[str(n) for n in range(len(names))]
        )
        return mark + self._csv(line)

    def unfit(self, feed: Feed, batch: pa.RecordBatch) -> tuple[Unfit, ...]:
        """Values with characters outside of the repertoire, and what the quoting or the lists of the profile cannot tell apart."""
        found: list[Unfit] = []
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if pa.types.is_list(column.type):
                found += self._unfit_lists(name, column)
            elif pa.types.is_string(column.type):
                found += self._unfit_texts(name, column)
        return tuple(found)

    def write(self, feed: Feed, batch: pa.RecordBatch) -> bytes:
        """The lines of rows that fit."""
        columns = [self._text(name, batch.column(name)) for name in feed.columns]
        return self._csv(pa.record_batch(columns, names=list(feed.columns)))

    def read(self, feed: Feed, file: Path) -> Iterator[pa.RecordBatch]:
        """The rows of a file; nothing is read as anything else than what it says.

        Raises:
            Problem: `file-unreadable`, `file-header` where the names of the first line are not those of the feed.
        """
        schema = columns_of(feed)
        try:
            with file.open("rb") as raw:
                stream = self._after_head(feed, raw, file.name)
                if stream is None:
                    yield pa.RecordBatch.from_pylist([], schema)
                    return
                for batch in self._reader(stream, list(feed.columns)):
                    yield pa.record_batch(
                        [self._value(batch.column(f.name), f) for f in schema], schema=schema
                    )
        except (pa.ArrowException, OSError, ValueError, UnicodeError) as error:
            what = f"the file is not one of this profile ({type(error).__name__})"
            fix = "have the provider write it by the profile that the contract names"
            raise Problem("file-unreadable", what, file.name, fix) from error

    def _unfit_texts(self, name: str, column: pa.Array) -> Iterator[Unfit]:
        for row, what in letters.outside(column, self._allowed):
            yield Unfit(row, name, "characters-outside", f"{what} is outside of {self.profile.repertoire}")
        if self.profile.quoting == "none":
            for row in _places(pc.equal(column, "")):
                yield Unfit(
                    row, name, "text-empty", "an empty text, which without quotation marks is no value"
                )

    def _unfit_lists(self, name: str, column: pa.Array) -> Iterator[Unfit]:
        parents = pc.list_parent_indices(column)
        values = column.flatten()
        for place, what in letters.outside(values, self._allowed_in_lists):
            row = int(parents[place].as_py())
            yield Unfit(row, name, "characters-outside", f"{what} cannot stand in a list here")
        odd = pc.or_kleene(pc.is_null(values), pc.fill_null(pc.equal(values, ""), True))
        for place in _places(odd):
            yield Unfit(
                int(parents[place].as_py()),
                name,
                "text-empty",
                "a list with an empty value, which could not be told apart",
            )
        if self.profile.quoting == "none":
            what = "a list without values, which without quotation marks is none"
            for row in _places(pc.equal(pc.list_value_length(column), 0)):
                yield Unfit(row, name, "text-empty", what)

    @cached_property
    def _allowed(self) -> np.ndarray:
        taken = f'{self.profile.delimiter}"' if self.profile.quoting == "none" else ""
        return letters.allowed(self.profile.repertoire, self.profile.encoding, taken)

    @cached_property
    def _allowed_in_lists(self) -> np.ndarray:
        table = self._allowed.copy()
        table[ord(self.profile.list_separator)] = False
        return table

    def _text(self, name: str, column: pa.Array) -> pa.Array:
        """A column as the file writes it; an absent value stays absent."""
        if name in ("valid_from", "valid_to"):
            open_end = self.profile.open_from if name == "valid_from" else self.profile.open_to
            text = column.cast(pa.string())
            return pc.fill_null(text, open_end) if open_end else text
        if pa.types.is_list(column.type):
            return pc.binary_join(column, self.profile.list_separator)
        if pa.types.is_binary(column.type):
            found = [None if one is None else base64.b64encode(one).decode() for one in column.to_pylist()]
            return pa.array(found, pa.string())
        return column if pa.types.is_string(column.type) else column.cast(pa.string())

    def _csv(self, batch: pa.RecordBatch) -> bytes:
        sink = io.BytesIO()
        quoting = "all_valid" if self.profile.quoting == "all" else self.profile.quoting
        options = pacsv.WriteOptions(
            include_header=False,
            delimiter=self.profile.delimiter,
            quoting_style=quoting,
            eol=self.profile.line_end,
            batch_size=8_192,
        )
        pacsv.write_csv(batch, sink, options)
        plain = sink.getvalue()
        return plain if self._utf8 else plain.decode().encode(self.profile.encoding)

    @property
    def _utf8(self) -> bool:
        return self.profile.encoding.lower().replace("_", "-") == "utf-8"

    def _after_head(self, feed: Feed, raw: Any, where: str) -> Any:
        """The stream of rows in UTF-8 behind the head; None where there are none."""
        head = self.head(feed)
        if raw.read(len(head)) != head:
            fix = (
                "have the provider write the names and the mark of the profile, in the order of the contract"
            )
            raise Problem("file-header", "the file does not begin as the profile says", where, fix)
        at = raw.tell()
        if not raw.read(1):
            return None
        raw.seek(at)
        return raw if self._utf8 else io.BufferedReader(_Recoded(raw, self.profile.encoding), _PIECE)

    def _reader(self, stream: Any, names: list[str]) -> Iterator[pa.RecordBatch]:
        return pacsv.open_csv(  # type: ignore[no-any-return]
            stream,
            read_options=pacsv.ReadOptions(column_names=names, block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(
                delimiter=self.profile.delimiter,
                quote_char=False if self.profile.quoting == "none" else '"',
                newlines_in_values=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                null_values=[""],
            ),
        )

    def _value(self, column: pa.Array, field: pa.Field) -> pa.Array:
        if field.name in ("valid_from", "valid_to"):
            open_end = self.profile.open_from if field.name == "valid_from" else self.profile.open_to
            text = pc.if_else(pc.equal(column, open_end), None, column) if open_end else column
            return text.cast(pa.date32())
        if pa.types.is_list(field.type):
            split = pc.split_pattern(column, self.profile.list_separator)
            return pc.if_else(pc.equal(column, ""), pa.scalar([], field.type), split.cast(field.type))
        if pa.types.is_binary(field.type):
            found = [
                None if one is None else base64.b64decode(one, validate=True) for one in column.to_pylist()
            ]
            return pa.array(found, field.type)
        return column if column.type == field.type else column.cast(field.type)


def _places(hits: pa.Array) -> list[int]:
    """Where a column of truths is true."""
    found: list[int] = np.flatnonzero(pc.fill_null(hits, False).to_numpy(zero_copy_only=False)).tolist()
    return found


class _Recoded(io.RawIOBase):
    """A stream of another encoding, read as UTF-8 piece by piece; a byte that is none of it raises UnicodeError."""

    def __init__(self, raw: Any, encoding: str) -> None:
        self._raw = raw
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the next piece goes."""
        target = memoryview(buffer).cast("B")
        while not self._rest and not self._ended:
            piece = self._raw.read(_PIECE)
            self._ended = not piece
            self._rest = self._decoder.decode(piece, final=self._ended).encode()
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
