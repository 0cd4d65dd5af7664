"""The API of the linkage, without any framework: numbering of 住登外者, reading under contracts, and the OpenAPI of both."""

from kiban.linkage.api.asker import Asker, Why
from kiban.linkage.api.asking import envelope, proved
from kiban.linkage.api.checking import Fault, check
from kiban.linkage.api.numbering import Answer, Numbering
from kiban.linkage.api.numbers import Numbers, Rule
from kiban.linkage.api.openapi import openapi
from kiban.linkage.api.people import Person, person
from kiban.linkage.api.question import (
    AFTER,
    CASE,
    HASH,
    HEADERS,
    ID,
    KEYS,
    MOST_KEYS,
    MOST_ROWS,
    PURPOSE,
    USER,
    Envelope,
    Question,
    understand,
)
from kiban.linkage.api.reading import Protections, Reading, Reply, nothing_known
from kiban.linkage.api.scopes import named_scope, read_scope, read_scopes, readable
from kiban.linkage.api.spec import NumberingSpec, numbering_spec

__all__ = [
    "AFTER",
    "CASE",
    "HASH",
    "HEADERS",
    "ID",
    "INQUIRY",
    "KEYS",
    "MOST_KEYS",
    "MOST_ROWS",
    "NUMBERING",
    "PURPOSE",
    "USER",
    "Answer",
    "Asker",
    "Envelope",
    "Fault",
    "Numbering",
    "NumberingSpec",
    "Numbers",
    "Person",
    "Protections",
    "Question",
    "Reading",
    "Reply",
    "Rule",
    "Why",
    "check",
    "envelope",
    "named_scope",
    "nothing_known",
    "numbering_spec",
    "openapi",
    "person",
    "proved",
    "read_scope",
    "read_scopes",
    "readable",
    "understand",
]
