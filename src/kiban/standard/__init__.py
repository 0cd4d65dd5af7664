"""The national standard as data: load, check, compare, derive, export. Pure."""

from kiban.standard.change import Change
from kiban.standard.code_list import Code, CodeList
from kiban.standard.definition import definition
from kiban.standard.diff import Diff, diff
from kiban.standard.exporting import EXPORT_FORMATS, diff_page, export, frame, odcs_property
from kiban.standard.exporting.json_schema import item_schema
from kiban.standard.findings import Finding, Findings, suggest
from kiban.standard.importing import Imported, ImportRequest, Leftover, import_workbook
from kiban.standard.load import Reading, check, edition_folders, library, load, read
from kiban.standard.model import Edition, Group, Item, Overlay, Search
from kiban.standard.overlay import overlay
from kiban.standard.protected import Ground, Protected
from kiban.standard.references import target_item
from kiban.standard.shelf import Library
from kiban.standard.sql import sql_check, sql_type
from kiban.standard.tables import read_rows
from kiban.standard.values import ItemRules, check_value, rules
from kiban.standard.yamlfile import Document, Fields, read_document

__all__ = [
    "EXPORT_FORMATS",
    "Change",
    "Code",
    "CodeList",
    "Diff",
    "Document",
    "Edition",
    "Fields",
    "Finding",
    "Findings",
    "Ground",
    "Group",
    "ImportRequest",
    "Imported",
    "Item",
    "ItemRules",
    "Leftover",
    "Library",
    "Overlay",
    "Protected",
    "Reading",
    "Search",
    "check",
    "check_value",
    "definition",
    "diff",
    "diff_page",
    "edition_folders",
    "export",
    "frame",
    "import_workbook",
    "item_schema",
    "library",
    "load",
    "odcs_property",
    "overlay",
    "read",
    "read_document",
    "read_rows",
    "rules",
    "sql_check",
    "sql_type",
    "suggest",
    "target_item",
]
