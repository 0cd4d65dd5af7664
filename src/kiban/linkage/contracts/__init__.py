"""Contracts: what one system gives another, read, checked, compared and signed."""

from kiban.linkage.contracts.catalogue import SAMPLES, Contracts, load_contracts
from kiban.linkage.contracts.compare import compare
from kiban.linkage.contracts.difference import Difference
from kiban.linkage.contracts.messages import validate
from kiban.linkage.contracts.model import Contract, Due, Feed, Incoming, Protection, Receiver, System
from kiban.linkage.contracts.page import contract_page, difference_page
from kiban.linkage.contracts.profile import Profile
from kiban.linkage.contracts.profiles import ProfileFile
from kiban.linkage.contracts.quality import judge
from kiban.linkage.contracts.rows import RowFault, validate_rows
from kiban.linkage.contracts.sample import sample
from kiban.linkage.contracts.signatures import sign, signature_file

__all__ = [
    "SAMPLES",
    "Contract",
    "Contracts",
    "Difference",
    "Due",
    "Feed",
    "Incoming",
    "Profile",
    "ProfileFile",
    "Protection",
    "Receiver",
    "RowFault",
    "System",
    "compare",
    "contract_page",
    "difference_page",
    "judge",
    "load_contracts",
    "sample",
    "sign",
    "signature_file",
    "validate",
    "validate_rows",
]
