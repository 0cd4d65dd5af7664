"""Who may do what, and why: a policy set in files, decided by Cedar, looked up by everybody else."""

from kiban.access.policy.cedar import Policy
from kiban.access.policy.grant import Grant
from kiban.access.policy.parts import Action, Duty, ItemClass
from kiban.access.policy.policies import REFERENCE, Policies, load_policies

__all__ = ["REFERENCE", "Action", "Duty", "Grant", "ItemClass", "Policies", "Policy", "load_policies"]
