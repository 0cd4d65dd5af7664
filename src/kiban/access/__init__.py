"""Access: which systems may call the API, with which tokens; what everybody did (`audit`)."""

from __future__ import annotations

from kiban.access import audit
from kiban.access.asking import Answer, Asked
from kiban.access.authority import PATHS, Authority
from kiban.access.books import Access, open_access
from kiban.access.guard import FAILURES, WINDOW, Guard
from kiban.access.scopes import Scope
from kiban.access.sealing import Seal, seal
from kiban.access.systems import MOST_SECONDS, Credentials, Registration, Systems
from kiban.access.tokens import Token, Tokens

__all__ = [
    "FAILURES",
    "MOST_SECONDS",
    "PATHS",
    "WINDOW",
    "Access",
    "Answer",
    "Asked",
    "Authority",
    "Credentials",
    "Guard",
    "Registration",
    "Scope",
    "Seal",
    "Systems",
    "Token",
    "Tokens",
    "audit",
    "open_access",
    "seal",
]
