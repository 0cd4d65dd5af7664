"""Linkage: contracts that run, delivery that is proved applied, protection that arrives first."""

from kiban.linkage import api
from kiban.linkage.books import open_linkage
from kiban.linkage.consumer import Effect, Replacing, Replica, Taken, Tally, Waiting
from kiban.linkage.contracts import (
    SAMPLES,
    Contract,
    Contracts,
    Due,
    Feed,
    Incoming,
    Profile,
    Protection,
    Receiver,
    RowFault,
    System,
    load_contracts,
    sample,
    sign,
    signature_file,
    validate,
    validate_rows,
)
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN, Message, decode, encode

__all__ = [
    "CLEAR",
    "PROTECTED",
    "SAMPLES",
    "UNKNOWN",
    "Contract",
    "Contracts",
    "Due",
    "Effect",
    "Feed",
    "Incoming",
    "Message",
    "Profile",
    "Protection",
    "Receiver",
    "Replacing",
    "Replica",
    "RowFault",
    "System",
    "Taken",
    "Tally",
    "Waiting",
    "api",
    "decode",
    "encode",
    "load_contracts",
    "open_linkage",
    "sample",
    "sign",
    "signature_file",
    "validate",
    "validate_rows",
]
