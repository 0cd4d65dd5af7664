"""Reading and checking the section `protection` of business.yaml."""

from __future__ import annotations

from collections.abc import Mapping

from kiban.standard.code_list import CodeList
from kiban.standard.findings import Findings, suggest
from kiban.standard.model import Group
from kiban.standard.protected import Ground, Protected
from kiban.standard.yamlfile import Document, Fields


def read_protection(
    document: Document, groups: tuple[Group, ...], codes: Mapping[str, CodeList], findings: Findings
) -> Protected | None:
    """The section; None where the edition has none.

    Finds: those of `Fields`, `group-unknown`, `item-unknown`, `protection-empty`, `protection-of-nobody`,
    `protection-value`, `protection-choice`.
    """
    raw = document.value.get("protection")
    if raw is None:
        return None
    reader = _Reader({group.id: group for group in groups}, codes, findings)
    top = Fields(document, ("protection",), raw, findings, "the protection")
    members = Fields(document, ("protection", "members"), top.raw("members"), findings, "members")
    group = reader.group(members, members.text("group"))
    person, household = (reader.item(members, group, name) for name in ("person", "household"))
    members.done()
    listed = top.raw("grounds")
    if not isinstance(listed, list) or not listed:
        fix = "list under grounds: what protects a person, or leave the section out"
        findings.fault("protection-empty", "the protection names no grounds", top.where("grounds"), fix)
        listed = []
    grounds = [
        reader.ground(Fields(document, ("protection", "grounds", i), value, findings, f"ground {i + 1}"))
        for i, value in enumerate(listed)
    ]
    top.done()
    return Protected(tuple(grounds), group.id if group else "", person or "", household or "")


class _Reader:
    def __init__(
        self, groups: Mapping[str, Group], codes: Mapping[str, CodeList], findings: Findings
    ) -> None:
        self._groups, self._codes, self._findings = groups, codes, findings

    def group(self, fields: Fields, name: str) -> Group | None:
        """The group of a field."""
        if name and name not in self._groups:
            self._findings.fault(
                "group-unknown",
                f"{fields.called} names the group {name}, which is not there",
                fields.where("group"),
                suggest(name, self._groups, "name a group of the edition"),
            )
        return self._groups.get(name)

    def item(self, fields: Fields, group: Group | None, key: str, *, needed: bool = True) -> str | None:
        """The item that a field names."""
        romaji = fields.text(key, needed=needed)
        if romaji and group and romaji not in group:
            self._unknown(fields, group, romaji, key)
        return romaji or None

    def ground(self, fields: Fields) -> Ground:
        """One ground."""
        group = self.group(fields, fields.text("group"))
        person, household = (self.item(fields, group, name, needed=False) for name in ("person", "household"))
        if not person and not household:
            fix = "add person: or household: with the romaji of the item that names whom it protects"
            self._findings.fault("protection-of-nobody", f"{fields.called} names nobody", fields.where(), fix)
        through = self.item(fields, group, "through", needed=False)
        target = group.references.get(through) if group and through else None
        if group and through in group and target is None:
            self._findings.fault(
                "reference-missing",
                f"{through} of {fields.called} points to no group",
                fields.where("through"),
                "name an 外部キー item that stands under references:",
            )
        dates = fields.text("ends_by_date", needed=False) or "false"
        if dates not in ("true", "false"):
            fix = "write true or false"
            self._findings.fault(
                "protection-choice", f"ends_by_date is {dates}", fields.where("ends_by_date"), fix
            )
        unless = self._unless(fields, self._groups.get(target) if target else group)
        fields.done()
        return Ground(group.id if group else "", person, household, unless, through, target, dates == "true")

    def _unless(self, ground: Fields, group: Group | None) -> dict[str, tuple[str, ...]]:
        raw = ground.raw("unless")
        if raw is None:
            return {}
        fields = Fields(ground.document, (*ground.path, "unless"), raw, self._findings, ground.called)
        found = {romaji: tuple(fields.texts(romaji)) for romaji in fields.value}
        for romaji, values in found.items():
            if group and romaji not in group:
                self._unknown(fields, group, romaji, romaji)
            elif group:
                self._check_values(fields, group, romaji, values)
        return found

    def _check_values(self, fields: Fields, group: Group, romaji: str, values: tuple[str, ...]) -> None:
        code = group.item(romaji).code
        known = self._codes.get(code) if code else None
        for value in values if known and not known.free else ():
            if known and value and value not in known.values:
                self._findings.fault(
                    "protection-value",
                    f"{romaji} never has the value {value}",
                    fields.where(romaji),
                    suggest(value, known.values, "name a value of its code list"),
                )

    def _unknown(self, fields: Fields, group: Group, romaji: str, key: str) -> None:
        self._findings.fault(
            "item-unknown",
            f"{fields.called} names {romaji}, which group {group.id} has not",
            fields.where(key),
            suggest(romaji, [item.romaji for item in group.items], "name an item of the group"),
        )
