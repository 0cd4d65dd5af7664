"""The kit of a consumer: a replica that takes messages and full sets, each with effect once and never half."""

from kiban.linkage.consumer.checking import Check, shape
from kiban.linkage.consumer.hearing import Heard
from kiban.linkage.consumer.replacing import Replacing
from kiban.linkage.consumer.replica import Replica
from kiban.linkage.consumer.taking import Taken, content_of
from kiban.linkage.consumer.told import Effect, Tally, Waiting

__all__ = [
    "Check",
    "Effect",
    "Heard",
    "Replacing",
    "Replica",
    "Taken",
    "Tally",
    "Waiting",
    "content_of",
    "shape",
]
