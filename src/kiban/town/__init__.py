"""Makes a synthetic designated city for demo, tests and benchmarks, and writes it as its mainframes would."""

from kiban.town.later import LaterReport, later
from kiban.town.make import TownReport, make
from kiban.town.unload import UnloadReport, unload
from kiban.town.unload_faults import Fault
from kiban.town.unload_kinds import FAULT_KINDS, FaultKind

__all__ = [
    "FAULT_KINDS",
    "Fault",
    "FaultKind",
    "LaterReport",
    "TownReport",
    "UnloadReport",
    "later",
    "make",
    "unload",
]
