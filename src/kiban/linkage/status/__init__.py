"""How every flow stands, in words: what is due, what arrived, what is applied, and what somebody has to do."""

from kiban.linkage.status.compared import LastCompared, last_compared, note_compared
from kiban.linkage.status.page import page
from kiban.linkage.status.view import FlowView, Reason, views

__all__ = ["FlowView", "LastCompared", "Reason", "last_compared", "note_compared", "page", "views"]
