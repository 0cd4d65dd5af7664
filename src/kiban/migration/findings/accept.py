"""Which decisions can be followed for which findings: nothing is accepted that the register would refuse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kiban.migration.findings.check import Check
from kiban.migration.findings.decisions import ACCEPTED, MERGED
from kiban.migration.findings.loading import MADE
from kiban.migration.findings.settle import AFTER
from kiban.migration.mapping import Map

_PERIODS = ("double-same", "double-other", "period-overlap", "period-overlapped")
"""What no register takes of two rows."""
_WEAKER = "protection-missing"


def followed(checks: Sequence[Check], maps: Sequence[Map]) -> Callable[[str, str, str], bool]:
    """Whether a decision can be followed for the findings of a rule and code.

    Only rows that are the same in everything are merged. What cannot be decoded, converted or loaded, two rows that no register takes
    together, a reference that it holds against its target, and protection that would come out weaker are never accepted.

    Args:
        checks: of the project.
        maps: of the plan; what none of them reads is not loaded, and so is not refused.

    Returns:
        A function of rule, code and decision.
    """
    sources = {made.target.source for made in maps}
    references = {
        (line.parent or made.target.source, line.inside)
        for made in maps
        for line in made.lines
        if line.field and line.item in made.group.references
    }
    by_name = {check.rule: check for check in checks}

    def refused(rule: str, code: str) -> bool:
        if rule.split(":", maxsplit=1)[0] in MADE or code == _WEAKER:
            return True
        check = by_name[rule]
        if code == "reference-missing":
            return (check.rows.segment, check.fields[0]) in references
        return code in _PERIODS and check.rows.segment in sources

    def may(rule: str, code: str, word: str) -> bool:
        bare = code.removesuffix(AFTER)
        if word == MERGED:
            return bare == "double-same"
        return word != ACCEPTED or not refused(rule, bare)

    return may
