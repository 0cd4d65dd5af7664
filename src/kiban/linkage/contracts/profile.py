"""The details of the files of a flow, which its contract names: data of an edition, never typed into a program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Form = Literal["csv", "records"]
Header = Literal["none", "romaji", "name"]
Quoting = Literal["all", "needed", "none"]


@dataclass(frozen=True)
class Profile:
    """How the files of a flow look and what they are called.

    Attributes:
        id: the name by which contracts call it.
        title: Japanese name.
        official: whether it was made from the official text; an example of ours is not.
        basis: what it was made from, in words.
        effective: first day it may be used; None where it always could.
        form: `csv`, or `records` of fixed length, whose layout the wiring hands over.
        encoding: `utf-8`, or the name of another encoding of the Python library, such as `cp932`.
        bom: whether a file of UTF-8 begins with a byte order mark.
        header: whether a first line names the columns, and how: `none`, `romaji`, or `name` (データ項目).
        delimiter: between the columns.
        quoting: which values stand in quotation marks: `all`, those that need them (`needed`), or `none`. With marks an absent
            value stands without any; without them an empty text could not be told from an absent value, and is refused.
        line_end: at the end of each line.
        list_separator: between the values of an item that repeats; no value may hold it.
        open_from: how a period without a beginning is written, such as 0000-01-01.
        open_to: how a period without an end is written, such as 9999-12-31.
        repertoire: the characters that may occur: `unicode` (all but control characters and private ones), `unicode-private`
            (private ones too), or the name of an encoding of the Python library, whose characters may.
        file_name: how a file is called at the edge, with `{flow}`, `{provider}`, `{consumer}`, `{group}`, `{kind}`, `{epoch}`,
            `{sequence}`, `{number}`, `{of}`; the last three numbers may have a width, as `{number:03}`.
        folder: in which folder, likewise; empty for that of the partner itself.
        full, delta: how the two kinds are called in names.
        marker: name of the empty file that says that a set is complete, likewise; None where the partner has none.
    """

    id: str
    title: str
    official: bool = False
    basis: str = ""
    effective: date | None = None
    form: Form = "csv"
    encoding: str = "utf-8"
    bom: bool = False
    header: Header = "romaji"
    delimiter: str = ","
    quoting: Quoting = "all"
    line_end: str = "\r\n"
    list_separator: str = ";"
    open_from: str = ""
    open_to: str = ""
    repertoire: str = "unicode"
    file_name: str = "{flow}_{group}_{kind}_{epoch:06}-{sequence:06}_{number:03}of{of:03}.csv"
    folder: str = ""
    full: str = "full"
    delta: str = "delta"
    marker: str | None = "{flow}_{kind}_{epoch:06}-{sequence:06}.end"
