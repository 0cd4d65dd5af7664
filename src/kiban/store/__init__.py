"""The integrated database: the only room that speaks SQL to the registers."""

from kiban.store.amending import Amending, Amendment, amending
from kiban.store.asking import Row
from kiban.store.books import Books, open_books, reach
from kiban.store.books import Page as BookPage
from kiban.store.bulk import import_arrow
from kiban.store.change import Change
from kiban.store.changes import (
    Span,
    changed_subjects,
    event_before,
    event_moment,
    known_rows,
    last_event,
    last_load,
)
from kiban.store.checks import Broken, broken
from kiban.store.claim import actor_key
from kiban.store.cluster import Cluster, ClusterStatus, Server
from kiban.store.columns import arrow_schema
from kiban.store.database import Store
from kiban.store.digests import digest_columns, row_buckets, row_digests
from kiban.store.editions import apply, plan
from kiban.store.event_heads import EventHead, event_heads
from kiban.store.export import export_arrow
from kiban.store.feeding import Told, Touch, told_after
from kiban.store.guarding import Lift
from kiban.store.jobs import Progress
from kiban.store.loads import Load, finished_load, strangers
from kiban.store.marks import protected_marks
from kiban.store.parts import Part, folder_parts, parquet_parts
from kiban.store.past import Past, past
from kiban.store.private import write_private
from kiban.store.query import Hit, Page, Query
from kiban.store.reindex import reindex
from kiban.store.selecting import VALID_FROM, VALID_TO, Bounds, Link, Selection, Sum, Term, Test
from kiban.store.session import Session
from kiban.store.settling import settled
from kiban.store.soundness import Report, verify
from kiban.store.steps import Plan, Step
from kiban.store.tallies import tally
from kiban.store.terminal import Command, psql
from kiban.store.warming import Warmth, warm
from kiban.store.witness import (
    LOOKUPS_MOST,
    Lookup,
    LookupCount,
    LookupsWanted,
    ManySubjects,
    count_lookups,
    last_settled_lookup,
    lookup_counts,
    lookups,
    lookups_after,
    many_subjects,
)

__all__ = [
    "LOOKUPS_MOST",
    "VALID_FROM",
    "VALID_TO",
    "Amending",
    "Amendment",
    "BookPage",
    "Books",
    "Bounds",
    "Broken",
    "Change",
    "Cluster",
    "ClusterStatus",
    "Command",
    "EventHead",
    "Hit",
    "Lift",
    "Link",
    "Load",
    "Lookup",
    "LookupCount",
    "LookupsWanted",
    "ManySubjects",
    "Page",
    "Part",
    "Past",
    "Plan",
    "Progress",
    "Query",
    "Report",
    "Row",
    "Selection",
    "Server",
    "Session",
    "Span",
    "Step",
    "Store",
    "Sum",
    "Term",
    "Test",
    "Told",
    "Touch",
    "Warmth",
    "actor_key",
    "amending",
    "apply",
    "arrow_schema",
    "broken",
    "changed_subjects",
    "count_lookups",
    "digest_columns",
    "event_before",
    "event_heads",
    "event_moment",
    "export_arrow",
    "finished_load",
    "folder_parts",
    "import_arrow",
    "known_rows",
    "last_event",
    "last_load",
    "last_settled_lookup",
    "lookup_counts",
    "lookups",
    "lookups_after",
    "many_subjects",
    "open_books",
    "parquet_parts",
    "past",
    "plan",
    "protected_marks",
    "psql",
    "reach",
    "reindex",
    "row_buckets",
    "row_digests",
    "settled",
    "strangers",
    "tally",
    "told_after",
    "verify",
    "warm",
    "write_private",
]
