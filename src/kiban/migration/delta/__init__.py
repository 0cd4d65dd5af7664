"""The delta until cut-over: what a newer unload changes, applied as one event for each subject."""

from kiban.migration.delta.amend import KIND, amend
from kiban.migration.delta.desk import desk
from kiban.migration.delta.differences import Differing, Register, differing, registers
from kiban.migration.delta.newer import newer
from kiban.migration.delta.told import CHANGES, Counts, allowed, changes, count

__all__ = [
    "CHANGES",
    "KIND",
    "Counts",
    "Differing",
    "Register",
    "allowed",
    "amend",
    "changes",
    "count",
    "desk",
    "differing",
    "newer",
    "registers",
]
