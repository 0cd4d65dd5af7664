"""Protection: who is protected, told to every flow before anything else, ended by two people, and checked whenever a list is used."""

from kiban.linkage.contracts.model import PATIENCE
from kiban.linkage.protection.answers import (
    FlowProtection,
    Unanswered,
    acknowledge,
    status,
    unacknowledged,
)
from kiban.linkage.protection.gate import Gated, Listed, Removed, gate, listed
from kiban.linkage.protection.lane import Lane
from kiban.linkage.protection.off import (
    WAITS,
    Off,
    confirm_off,
    offs,
    propose_off,
    release_due,
    take_answer,
)
from kiban.linkage.protection.unit import HOUSEHOLD, PERSON, Notice, State, Unit

__all__ = [
    "HOUSEHOLD",
    "PATIENCE",
    "PERSON",
    "WAITS",
    "FlowProtection",
    "Gated",
    "Lane",
    "Listed",
    "Notice",
    "Off",
    "Removed",
    "State",
    "Unanswered",
    "Unit",
    "acknowledge",
    "confirm_off",
    "gate",
    "listed",
    "offs",
    "propose_off",
    "release_due",
    "status",
    "take_answer",
    "unacknowledged",
]
