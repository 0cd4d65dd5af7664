"""An edition in the public formats of others."""

from __future__ import annotations

from collections.abc import Callable

from kiban.kernel import Problem
from kiban.standard.exporting import frame
from kiban.standard.exporting.ddl import to_ddl
from kiban.standard.exporting.difference import diff_page
from kiban.standard.exporting.json_schema import to_json_schema
from kiban.standard.exporting.odcs import odcs_property, to_odcs
from kiban.standard.exporting.openapi import to_openapi
from kiban.standard.exporting.page import to_html
from kiban.standard.exporting.table_schema import to_table_schema
from kiban.standard.findings import suggest
from kiban.standard.model import Edition

__all__ = ["EXPORT_FORMATS", "diff_page", "export", "frame", "odcs_property"]

_FORMATS: dict[str, Callable[[Edition], str]] = {
    "table-schema": to_table_schema,
    "json-schema": to_json_schema,
    "openapi": to_openapi,
    "odcs": to_odcs,
    "ddl": to_ddl,
    "html": to_html,
}
EXPORT_FORMATS = tuple(_FORMATS)
"""The names of the formats that `export` writes."""


def export(edition: Edition, form: str) -> str:
    """The edition in a public format.

    Args:
        edition: the edition; with an overlay, what the city made of it.
        form: table-schema (Frictionless Data Package), json-schema (2020-12), openapi (3.1), odcs (Open Data
            Contract Standard 3.1), ddl (SQL) or html (a page for people).

    Returns:
        The text of one file, the same for the same edition.

    Raises:
        Problem: `export-format-unknown`.
    """
    if form not in _FORMATS:
        raise Problem(
            "export-format-unknown",
            f"there is no format {form}",
            fix=suggest(form, EXPORT_FORMATS, f"use one of {', '.join(EXPORT_FORMATS)}"),
        )
    return _FORMATS[form](edition)
