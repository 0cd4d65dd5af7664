"""Linkage: contracts that run, delivery that is proved applied, protection that arrives first."""

from kiban.linkage.books import open_linkage
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
    System,
    load_contracts,
    sign,
    signature_file,
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
    "Feed",
    "Incoming",
    "Message",
    "Profile",
    "Protection",
    "Receiver",
    "System",
    "decode",
    "encode",
    "load_contracts",
    "open_linkage",
    "sign",
    "signature_file",
]
