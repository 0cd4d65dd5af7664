"""The editions of the standard that a plan fills: found in the library, and every group of them accounted for."""

from __future__ import annotations

from kiban.kernel import Problem
from kiban.migration.plan import Plan
from kiban.standard import Edition, Fields, Library, suggest


def read_editions(plan: Plan, top: Fields, library: Library) -> dict[str, Edition]:
    """The editions under the names by which the plan calls them: `resident`, or `resident@kiban-2026.2`.

    Finds `business-unknown`, `edition-unknown`, `group-unknown`, and `plan-group-open` for a group of an edition with targets that is
    neither a target nor declared as not held.
    """
    named = {
        "targets": [(one.edition, one.group) for one in plan.targets],
        "not_held": [(one.edition, one.group) for one in plan.not_held],
    }
    editions: dict[str, Edition] = {}
    unknown: set[str] = set()
    for key, pairs in named.items():
        for at, (name, group) in enumerate(pairs):
            where = top.where(key, at)
            if name not in editions and name not in unknown:
                try:
                    business, _, edition = name.partition("@")
                    editions[name] = library.edition(business, edition or None)
                except Problem as problem:
                    unknown.add(name)
                    top.findings.fault(problem.code, problem.what, where, problem.fix or "")
            known = [one.id for one in editions[name].groups] if name in editions else []
            if known and group not in known:
                top.findings.fault(
                    "group-unknown",
                    f"the edition {name} has no group {group}",
                    where,
                    suggest(group, known, f"see: kiban standard show {name}"),
                )
    _all_accounted(named, editions, top)
    return editions


def _all_accounted(
    named: dict[str, list[tuple[str, str]]], editions: dict[str, Edition], top: Fields
) -> None:
    told = {pair for pairs in named.values() for pair in pairs}
    for name in dict.fromkeys(name for name, _ in named["targets"] if name in editions):
        open_ones = [one.id for one in editions[name].groups if (name, one.id) not in told]
        if open_ones:
            top.findings.fault(
                "plan-group-open",
                f"nothing is said of {len(open_ones)} groups of {name}: {', '.join(open_ones)}",
                top.where("targets"),
                "make each a target, or declare it below not_held with the reason",
            )
