"""The conformance kit: what a contract asks of every consumer and provider, tried on any implementation."""

from kiban.linkage.conformance.asked import Ask, Told, asking, verify_api
from kiban.linkage.conformance.case import Case, Step
from kiban.linkage.conformance.cases import consumer_cases
from kiban.linkage.conformance.making_sets import Maker
from kiban.linkage.conformance.over_http import HttpSubject, door
from kiban.linkage.conformance.provider import CHECKS, verify_provider
from kiban.linkage.conformance.replica import ReplicaSubject
from kiban.linkage.conformance.report import report
from kiban.linkage.conformance.sets_given import verify_sets
from kiban.linkage.conformance.sets_taken import Take, verify_taking
from kiban.linkage.conformance.subject import OUTCOMES, Subject
from kiban.linkage.conformance.verifying import Result, verify_consumer

__all__ = [
    "CHECKS",
    "OUTCOMES",
    "Ask",
    "Case",
    "HttpSubject",
    "Maker",
    "ReplicaSubject",
    "Result",
    "Step",
    "Subject",
    "Take",
    "Told",
    "asking",
    "consumer_cases",
    "door",
    "report",
    "verify_api",
    "verify_consumer",
    "verify_provider",
    "verify_sets",
    "verify_taking",
]
