"""Reconcile: whether a consumer holds what was delivered to it, which rows have drifted, and their repair."""

from kiban.linkage.reconcile.compare import Compared, Drifted, FeedCompared, compare, suspects
from kiban.linkage.reconcile.repair import Resend, into, messages, repair

__all__ = [
    "Compared",
    "Drifted",
    "FeedCompared",
    "Resend",
    "compare",
    "into",
    "messages",
    "repair",
    "suspects",
]
