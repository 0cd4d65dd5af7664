"""Access: which systems may call the API, with which tokens; who works for the city, who may do what, and what everybody did (`audit`)."""

from __future__ import annotations

from kiban.access import audit, extract, recent, upkeep
from kiban.access.asking import Answer, Asked
from kiban.access.authority import PATHS, Authority
from kiban.access.books import Access, open_access
from kiban.access.guard import FAILURES, WINDOW, Guard
from kiban.access.people import OFFICE_KINDS, Acting, Assignment, Changed, Office, OfficeKind, People, Staff
from kiban.access.policy import (
    REFERENCE,
    Action,
    Cell,
    Duty,
    Explanation,
    Grant,
    ItemClass,
    Moved,
    Policies,
    Policy,
    Reason,
    load_policies,
)
from kiban.access.scim import SCIM_SCOPE, Scim, ScimCall, ScimReply
from kiban.access.scopes import Scope
from kiban.access.sealing import Seal, seal
from kiban.access.systems import MOST_SECONDS, Credentials, Registration, Systems
from kiban.access.tokens import Token, Tokens

__all__ = [
    "FAILURES",
    "MOST_SECONDS",
    "OFFICE_KINDS",
    "PATHS",
    "REFERENCE",
    "SCIM_SCOPE",
    "WINDOW",
    "Access",
    "Acting",
    "Action",
    "Answer",
    "Asked",
    "Assignment",
    "Authority",
    "Cell",
    "Changed",
    "Credentials",
    "Duty",
    "Explanation",
    "Grant",
    "Guard",
    "ItemClass",
    "Moved",
    "Office",
    "OfficeKind",
    "People",
    "Policies",
    "Policy",
    "Reason",
    "Registration",
    "Scim",
    "ScimCall",
    "ScimReply",
    "Scope",
    "Seal",
    "Staff",
    "Systems",
    "Token",
    "Tokens",
    "audit",
    "extract",
    "load_policies",
    "open_access",
    "recent",
    "seal",
    "upkeep",
]
