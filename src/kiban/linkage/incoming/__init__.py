"""Receiving into Kiban: who may write what, what is applied, and what an officer decides."""

from kiban.linkage.incoming.authority import ANY, Authority, Mastery, load_authority
from kiban.linkage.incoming.intake import Intake, Received
from kiban.linkage.incoming.steps import CHANGE, CREATE, END, Step
from kiban.linkage.incoming.summary import FlowIncoming, summary
from kiban.linkage.incoming.worklist import Decided, Shown, WorkList

__all__ = [
    "ANY",
    "CHANGE",
    "CREATE",
    "END",
    "Authority",
    "Decided",
    "FlowIncoming",
    "Intake",
    "Mastery",
    "Received",
    "Shown",
    "Step",
    "WorkList",
    "load_authority",
    "summary",
]
