"""Extracts (EUC, データ抽出): queries by the names of the standard, run beside the counters, as files that are watched over."""

from kiban.access.extract.checking import NUMBERS, Groups, check
from kiban.access.extract.days import WORDS, day, today
from kiban.access.extract.desk import ATTEMPTS, KEPT, OPEN_MOST, SILENT, STATES, Desk, Job
from kiban.access.extract.extracts import PREVIEW_ROWS, Extracts, Preview
from kiban.access.extract.planning import Column, Plan, plan
from kiban.access.extract.query import KINDS, SPLITS, Asked, Condition, Field, Join, Output, Query, Totals
from kiban.access.extract.reading import query_in, query_of, read_query
from kiban.access.extract.shelf import Saved, Shelf
from kiban.access.extract.worker import MANIFEST, Worker, line
from kiban.access.extract.written import plain, text

__all__ = [
    "ATTEMPTS",
    "KEPT",
    "KINDS",
    "MANIFEST",
    "NUMBERS",
    "OPEN_MOST",
    "PREVIEW_ROWS",
    "SILENT",
    "SPLITS",
    "STATES",
    "WORDS",
    "Asked",
    "Column",
    "Condition",
    "Desk",
    "Extracts",
    "Field",
    "Groups",
    "Job",
    "Join",
    "Output",
    "Plan",
    "Preview",
    "Query",
    "Saved",
    "Shelf",
    "Totals",
    "Worker",
    "check",
    "day",
    "line",
    "plain",
    "plan",
    "query_in",
    "query_of",
    "read_query",
    "text",
    "today",
]
