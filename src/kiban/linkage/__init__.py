"""Linkage: contracts that run, delivery that is proved applied, protection that arrives first."""

from kiban.linkage.books import open_linkage
from kiban.linkage.contracts.model import Contract, Due, Feed, Incoming, Protection, Receiver, System
from kiban.linkage.contracts.profile import Profile
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN, Message, decode, encode

__all__ = [
    "CLEAR",
    "PROTECTED",
    "UNKNOWN",
    "Contract",
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
    "open_linkage",
]
