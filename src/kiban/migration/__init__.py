"""Legacy to standard: land, decode, profile, characters, cleanse, transform, load, reconcile, sign off."""

from kiban.migration import findings
from kiban.migration.back import check_day, compare_back, go_back
from kiban.migration.beside import people_page
from kiban.migration.delta import newer
from kiban.migration.engine import Result, Work, run, status
from kiban.migration.flow_records import FlowRecords, load_flow_records
from kiban.migration.handover import hand_over, times
from kiban.migration.plan import Plan
from kiban.migration.plan_read import load_plan
from kiban.migration.publishing import publish
from kiban.migration.records import LONGEST, TextFields, sample_records, text_fields
from kiban.migration.stage import Context, Gate, Outcome, Stage, gate
from kiban.migration.stages import DELTA_STAGES, STAGES, ledger

__all__ = [
    "DELTA_STAGES",
    "LONGEST",
    "STAGES",
    "Context",
    "FlowRecords",
    "Gate",
    "Outcome",
    "Plan",
    "Result",
    "Stage",
    "TextFields",
    "Work",
    "check_day",
    "compare_back",
    "findings",
    "gate",
    "go_back",
    "hand_over",
    "ledger",
    "load_flow_records",
    "load_plan",
    "newer",
    "people_page",
    "publish",
    "run",
    "sample_records",
    "status",
    "text_fields",
    "times",
]
