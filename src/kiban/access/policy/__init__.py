"""Who may do what, and why: a policy set in files, decided by Cedar, looked up by everybody else."""

from kiban.access.policy.cedar import Policy
from kiban.access.policy.explaining import Explanation, Reason
from kiban.access.policy.grant import Grant
from kiban.access.policy.parts import Action, Duty, ItemClass
from kiban.access.policy.policies import REFERENCE, Policies, load_policies
from kiban.access.policy.tables import Cell, Moved

__all__ = [
    "REFERENCE",
    "Action",
    "Cell",
    "Duty",
    "Explanation",
    "Grant",
    "ItemClass",
    "Moved",
    "Policies",
    "Policy",
    "Reason",
    "load_policies",
]
