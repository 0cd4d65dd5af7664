"""Where 外部キー items point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kiban.standard.declaration import Declaration
from kiban.standard.findings import Findings, suggest
from kiban.standard.model import Group, Item


def refer(
    declaration: Declaration, groups: tuple[Group, ...], where: Mapping[str, str], findings: Findings
) -> tuple[Group, ...]:
    """Settle where every 外部キー item points."""
    explicit = _explicit_references(declaration, groups, findings)
    settled = []
    for group in groups:
        references: dict[str, str] = {}
        for item in group.items:
            declared = explicit.get((group.id, item.romaji))
            if declared is not None:
                references[item.romaji] = declared
            elif item.foreign_key:
                target = _only_target(group, item, groups, where[item.id], findings)
                if target is not None:
                    references[item.romaji] = target
        settled.append(replace(group, references=references))
    result = tuple(settled)
    for group in result:
        _check_targets(group, result, where, findings)
    return result


def _explicit_references(
    declaration: Declaration, groups: tuple[Group, ...], findings: Findings
) -> dict[tuple[str, str], str]:
    ids = {group.id: group for group in groups}
    found: dict[tuple[str, str], str] = {}
    for reference in declaration.references:
        for part, word in (("group", reference.group), ("to", reference.to)):
            if word and word not in ids:
                findings.fault(
                    "reference-group-unknown",
                    f"a reference names the group {word}, which is not there",
                    declaration.document.where(*reference.path, part),
                    suggest(word, ids, "name a group of this business by its id"),
                )
        group = ids.get(reference.group)
        if group is not None and reference.item and reference.item not in group:
            findings.fault(
                "item-unknown",
                f"a reference names {reference.item}, which group {group.id} has not",
                declaration.document.where(*reference.path, "item"),
                suggest(reference.item, [i.romaji for i in group.items], "name an item of the group"),
            )
        elif group is not None and reference.to in ids:
            if not group.item(reference.item).foreign_key:
                findings.note(
                    "reference-not-foreign",
                    f"{reference.item} of {group.id} is no 外部キー in items.csv",
                    declaration.document.where(*reference.path),
                    "mark it with ○ in 外部キー",
                )
            found[(reference.group, reference.item)] = reference.to
    return found


def _only_target(
    group: Group, item: Item, groups: tuple[Group, ...], where: str, findings: Findings
) -> str | None:
    candidates = [g.id for g in groups if g.id != group.id and any(k.romaji == item.romaji for k in g.key)]
    if len(candidates) == 1:
        return candidates[0]
    entry = f"{{group: {group.id}, item: {item.romaji}, to: …}}"
    if candidates:
        findings.fault(
            "foreign-key-ambiguous",
            f"外部キー {item.romaji} could point to {', '.join(candidates)}",
            where,
            f"add {entry} to references: in business.yaml",
        )
    else:
        keys = [k.romaji for g in groups if g.id != group.id for k in g.key]
        findings.slip(
            "foreign-key-without-target",
            f"外部キー {item.romaji} is a 主キー of no other group",
            where,
            suggest(item.romaji, keys, f"add {entry} to references: in business.yaml"),
        )
    return None


def target_item(groups: Iterable[Group], target: str, romaji: str) -> Item | None:
    """The item that a reference points to: the equally named key, or else the only subject item."""
    group = next((g for g in groups if g.id == target), None)
    if group is None:
        return None
    named = next((k for k in group.key if k.romaji == romaji), None)
    if named is not None:
        return named
    return group.subject[0] if len(group.subject) == 1 else None


def _check_targets(
    group: Group, groups: tuple[Group, ...], where: Mapping[str, str], findings: Findings
) -> None:
    for romaji, target in group.references.items():
        item, pointed = group.item(romaji), target_item(groups, target, romaji)
        if pointed is None:
            findings.fault(
                "reference-without-key",
                f"{romaji} points to {target}, which has no 主キー of that name",
                where[item.id],
                "name a group whose 主キー is that item",
            )
        elif pointed.type != item.type or item.repeats:
            findings.fault(
                "foreign-key-type",
                f"{romaji} is {item.type} and its target in {target} is {pointed.type}",
                where[item.id],
                f"give both the type {pointed.type}, without 繰り返し",
            )
        elif pointed.digits != item.digits:
            findings.note(
                "foreign-key-digits",
                f"{romaji} has {item.digits} digits and its target in {target} {pointed.digits}",
                where[item.id],
                f"give both {max(pointed.digits or 0, item.digits or 0)} digits",
            )
