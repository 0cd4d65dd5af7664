"""An overlay on its way onto an edition: its fields, what it may not say, and the codes that a city fills in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiban.standard.code_list import Code, CodeList
from kiban.standard.codes import read_day
from kiban.standard.findings import Findings, suggest
from kiban.standard.model import Edition, Group, Item
from kiban.standard.yamlfile import Document, Fields

_FREEDOM = "an overlay may set options, codes of 自治体固有コード lists, parameters, search and display"


class Laying:
    """One overlay on its way onto one edition."""

    def __init__(self, edition: Edition, document: Document, findings: Findings) -> None:
        self.edition, self.document, self.findings = edition, document, findings
        self.top = Fields(document, (), document.value, findings, "the overlay")

    def _section(self, key: str) -> Fields:
        """A part of the overlay; empty where it is absent."""
        raw = self.top.raw(key)
        return Fields(self.document, (key,), {} if raw is None else raw, self.findings, key)

    def _forbid(self, what: str, *path: str | int, fix: str = _FREEDOM) -> None:
        self.findings.fault("overlay-forbidden", what, self.document.where(*path), fix)

    def _find(self, word: str) -> list[tuple[Group, Item]]:
        group_id, _, romaji = word.rpartition(".")
        return [
            (g, i)
            for g in self.edition.groups
            for i in g.items
            if i.romaji == romaji and group_id in ("", g.id)
        ]


class CodesLaying(Laying):
    """The part that is about codes."""

    def _codes(self) -> tuple[dict[str, CodeList], dict[str, str]]:
        """All code lists with the city's, and for single items (group.romaji) the ID of their own list."""
        lists, own = dict(self.edition.codes), dict[str, str]()
        fields = self._section("codes")
        for key in fields.value:
            base = self._free_list(key)
            if base is None:
                continue
            values = self._values(key, fields.raw(key), [i for i in self.edition.items if i.code == base.id])
            places = [] if key.isdecimal() or key == base.id else self._find(key)
            list_id = f"{base.id}:{key}" if places else base.id
            lists[list_id] = CodeList(list_id, base.name, values, free=False)
            own |= {f"{g.id}.{i.romaji}": list_id for g, i in places}
        return lists, own

    def _free_list(self, key: str) -> CodeList | None:
        normal = (key.lstrip("0") or "0") if key.isdecimal() else key
        code_list = self.edition.codes.get(normal)
        if code_list is None:
            lists = {i.code for _, i in self._find(key)}
            code = next(iter(lists), None)
            code_list = self.edition.codes.get(code) if code is not None else None
        free = [c.id for c in self.edition.codes.values() if c.free and not c.shared]
        if code_list is None:
            self._forbid(
                f"{key} names no code list and no coded item",
                "codes",
                key,
                fix=suggest(key, free, "name a 自治体固有コード list, or an item coded by one"),
            )
        elif not code_list.free or code_list.shared:
            self._forbid(
                f"the values of code list {code_list.id} {code_list.name} are fixed by the standard",
                "codes",
                key,
                fix=f"only 自治体固有コード lists may be filled: {', '.join(free) or 'none here'}",
            )
            return None
        return code_list

    def _values(self, key: str, raw: Any, users: Iterable[Item]) -> tuple[Code, ...]:
        if not isinstance(raw, list):
            self.findings.fault(
                "field-not-list",
                f"codes {key} is not a list",
                self.document.where("codes", key),
                "write one - {value: …, label: …} per line",
            )
            return ()
        digits = min((i.digits for i in users if i.digits is not None), default=None)
        codes: list[Code] = []
        for i, value in enumerate(raw):
            fields = Fields(
                self.document, ("codes", key, i), value, self.findings, f"value {i + 1} of codes {key}"
            )
            codes.append(self._code(fields, digits, [code.value for code in codes]))
        return tuple(codes)

    def _code(self, fields: Fields, digits: int | None, before: list[str]) -> Code:
        code = Code(
            fields.text("value"),
            fields.text("label"),
            fields.text("remarks", needed=False),
            *(
                read_day(fields.text(d, needed=False), d, fields.where(d), self.findings)
                for d in ("valid_from", "valid_to")
            ),
        )
        fields.done()
        where = fields.where("value")
        if digits is not None and len(code.value) > digits:
            what = f"value {code.value} has more than {digits} digits"
            self.findings.fault("code-value-too-long", what, where, f"use at most {digits} characters")
        if code.value in before:
            what = f"value {code.value} stands twice"
            self.findings.fault("code-value-twice", what, where, "keep one of them")
        return code
