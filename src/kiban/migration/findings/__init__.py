"""What is wrong with the decoded data though it reads like any value: found by checks a project declares, decided by its owner."""

from kiban.migration.findings.checks import CHECKS, HEADS, KINDS, read_checks
from kiban.migration.findings.decisions import HEADS as DECISION_HEADS
from kiban.migration.findings.decisions import WORDS as DECISIONS
from kiban.migration.findings.decisions import Decision, read_decisions
from kiban.migration.findings.left import draft, listed, places, stale
from kiban.migration.findings.look import Looked, look
from kiban.migration.findings.report import CHECKED, DATES, EXCLUDED, FINDINGS, LIST
from kiban.migration.findings.words import SEVERITIES, STATES, said

__all__ = [
    "CHECKED",
    "CHECKS",
    "DATES",
    "DECISIONS",
    "DECISION_HEADS",
    "EXCLUDED",
    "FINDINGS",
    "HEADS",
    "KINDS",
    "LIST",
    "SEVERITIES",
    "STATES",
    "Decision",
    "Looked",
    "draft",
    "listed",
    "look",
    "places",
    "read_checks",
    "read_decisions",
    "said",
    "stale",
]
