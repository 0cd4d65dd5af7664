"""Staff and duties from the personnel system, by SCIM 2.0."""

from kiban.access.scim.service import SCIM_SCOPE, Scim, ScimCall, ScimReply

__all__ = ["SCIM_SCOPE", "Scim", "ScimCall", "ScimReply"]
