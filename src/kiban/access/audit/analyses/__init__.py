"""What auditors ask of lines and look-ups. Each asks a bounded time or goes on by key."""

from kiban.access.audit.analyses.counting import (
    Busy,
    Export,
    Failures,
    busy,
    exports,
    failures,
    lifts,
    lock_outs,
)
from kiban.access.audit.analyses.holidays import Holidays, read_holidays
from kiban.access.audit.analyses.hours import Hours, Outside, outside
from kiban.access.audit.analyses.kin import KinLook, kin, kin_looks
from kiban.access.audit.analyses.own import Own
from kiban.access.audit.analyses.seen import Look, Looks, looks

__all__ = [
    "Busy",
    "Export",
    "Failures",
    "Holidays",
    "Hours",
    "KinLook",
    "Look",
    "Looks",
    "Outside",
    "Own",
    "busy",
    "exports",
    "failures",
    "kin",
    "kin_looks",
    "lifts",
    "lock_outs",
    "looks",
    "outside",
    "read_holidays",
]
