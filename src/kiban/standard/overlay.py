"""A city's choices laid over an edition: options and parameters only, nothing that the standard fixes.

An overlay.yaml, where all but city and base may be absent:

    city: "281000"                                   # 全国地方公共団体コード
    base: {business: "901", edition: test-1}         # what it was made for
    options: {include: [zogen], exclude: [ritsu]}    # items whose 実装類型 is blank; romaji or group.romaji
    codes:                                           # only 自治体固有コード: a whole list, or one item of it
      hito.shobunkubun: [{value: "01", label: 通常, valid_from: 2026-10-01}]
    parameters: {anything: the city keeps}
    search: {hito: {numbers: [kojinbango]}}          # numbers and address of a search that is there
    display: {hito: [shimei, seinengappi]}           # order on screens
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from kiban.kernel import Problems
from kiban.standard.findings import Findings, suggest
from kiban.standard.model import Edition, Group, Item, Overlay, Search
from kiban.standard.overlay_codes import CodesLaying
from kiban.standard.yamlfile import Fields, read_document


def overlay(edition: Edition, path: Path) -> Edition:
    """Lay a city's choices over an edition.

    Args:
        edition: the edition; it is not changed.
        path: the overlay.yaml, or the folder that holds it.

    Returns:
        The edition without the optional items that the city leaves out, with the codes that the city fills
        in, and with its parameters in `overlay`. Parameters are texts, as written.

    Raises:
        Problems: `overlay-forbidden` for everything that the standard fixes, and each other fault with its line.
    """
    file = path / "overlay.yaml" if path.is_dir() else path
    findings = Findings()
    document = read_document(file, file.name, findings, "check the path of the overlay")
    result = edition if findings.faults else _Laying(edition, document, findings).lay()
    if findings.faults:
        raise Problems(findings.faults)
    return result


class _Laying(CodesLaying):
    """One overlay on its way onto one edition."""

    def lay(self) -> Edition:
        city = self.top.text("city")
        if city and not re.fullmatch(r"[0-9]{6}", city):
            self.findings.fault(
                "field-form",
                f"city {city} is not a six-digit code",
                self.top.where("city"),
                "write the 全国地方公共団体コード of the city, such as 281000",
            )
        self._check_base()
        included, excluded = self._options()
        codes, own = self._codes()
        parameters = self._parameters()
        groups = tuple(self._group(group, excluded, own) for group in self.edition.groups)
        searches, display = self._searches(groups), self._display(groups)
        for key in self.top.value:
            if key not in self.top.asked:
                self._forbid(f"a city may not change {key}", key)
        groups = tuple(replace(g, search=searches[g.id]) if g.id in searches else g for g in groups)
        return replace(
            self.edition,
            groups=groups,
            codes=codes,
            overlay=Overlay(city, parameters, included, excluded, display),
        )

    def _check_base(self) -> None:
        base = self._section("base")
        wanted = {"business": (self.edition.called, self.edition.id), "edition": (self.edition.edition,)}
        for key, known in wanted.items():
            word = base.text(key)
            if word and word not in known:
                self.findings.fault(
                    "overlay-of-other-edition",
                    f"the overlay is made for {key} {word}, not {known[0]}",
                    base.where(key),
                    "load the edition it names, or examine and rewrite its base",
                )
        base.done()

    def _options(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        fields = self._section("options")
        included, excluded = fields.texts("include"), fields.texts("exclude")
        for key in fields.value:
            if key not in fields.asked:
                self._forbid(
                    f"options may not set {key}", "options", key, fix="options are include and exclude"
                )
        for kind, words in (("include", included), ("exclude", excluded)):
            for i, word in enumerate(words):
                self._check_option(kind, word, i)
        for word in sorted(set(included) & set(excluded)):
            self.findings.fault(
                "overlay-contradiction",
                f"{word} is both included and excluded",
                fields.where("exclude"),
                "keep one of them",
            )
        return tuple(included), tuple(excluded)

    def _check_option(self, kind: str, word: str, index: int) -> None:
        path = ("options", kind, index)
        found = self._find(word)
        if not found:
            self._forbid(
                f"{word} is no item of the edition; a city cannot add items",
                *path,
                fix=suggest(word, [i.romaji for i in self.edition.items], "remove it"),
            )
        for group, item in found:
            if kind == "exclude":
                reason = _why_needed(self.edition, group, item)
                if reason:
                    self._forbid(
                        f"{group.id}.{item.romaji} ({item.name}) cannot be left out: {reason}",
                        *path,
                        fix="only items whose 実装類型 is blank and on which nothing rests may be excluded",
                    )

    def _parameters(self) -> dict[str, Any]:
        raw = self.top.raw("parameters")
        if raw is not None and not isinstance(raw, dict):
            self.findings.fault(
                "yaml-not-a-mapping",
                "parameters is not a set of key: value",
                self.top.where("parameters"),
                "write one key: value per line below it",
            )
            return {}
        return dict(raw or {})

    def _group(self, group: Group, excluded: tuple[str, ...], own: dict[str, str]) -> Group:
        items = tuple(
            replace(item, code=own.get(f"{group.id}.{item.romaji}", item.code))
            for item in group.items
            if item.romaji not in excluded and f"{group.id}.{item.romaji}" not in excluded
        )
        return replace(group, items=items)

    def _searches(self, groups: tuple[Group, ...]) -> dict[str, Search]:
        fields = self._section("search")
        found = {}
        for key in fields.value:
            group = self._known_group(groups, "search", key)
            part = Fields(self.document, ("search", key), fields.raw(key), self.findings, f"search of {key}")
            if group is None:
                continue
            if group.search is None:
                self._forbid(f"group {key} has no search that a city could change", "search", key)
                continue
            numbers = part.texts("numbers") or list(group.search.numbers)
            address = part.texts("address") or list(group.search.address)
            part.done()
            self._check_items(group, [*numbers, *address], "search", key)
            found[key] = replace(group.search, numbers=tuple(numbers), address=tuple(address))
        return found

    def _display(self, groups: tuple[Group, ...]) -> dict[str, tuple[str, ...]]:
        fields = self._section("display")
        found = {}
        for key in fields.value:
            group, order = self._known_group(groups, "display", key), fields.texts(key)
            if group is not None:
                self._check_items(group, order, "display", key)
                found[key] = tuple(order)
        return found

    def _known_group(self, groups: tuple[Group, ...], *path: str) -> Group | None:
        group = next((g for g in groups if g.id == path[-1]), None)
        if group is None:
            self._forbid(
                f"{path[-1]} is no group of the edition",
                *path,
                fix=suggest(path[-1], [g.id for g in groups], "remove it"),
            )
        return group

    def _check_items(self, group: Group, words: list[str], *path: str) -> None:
        for word in words:
            if word not in group:
                self._forbid(
                    f"{word} is no item of group {group.id}, or is left out",
                    *path,
                    fix=suggest(word, [i.romaji for i in group.items], "remove it"),
                )


def _why_needed(edition: Edition, group: Group, item: Item) -> str:
    """Why a city cannot leave an item out; empty where it can."""
    if item.implementation:
        return "its 実装類型 is ○"
    if item.key:
        return "it is part of the 主キー"
    if item in (group.ward, group.history):
        return "it says to which ward or history the row belongs"
    if item.romaji in group.references:
        return "it is an 外部キー"
    search = group.search
    if search is not None:
        used = {search.subject, search.birth, search.sex, *search.numbers, *search.address}
        used |= {word for pair in search.names for word in pair}
        if item.romaji in used:
            return "the search uses it"
    dates = [i.romaji for i in group.items if i.allows_unknown_date]
    if any(item.romaji in (f"{d}_fushohyoki", f"{d}_fushofuragu") for d in dates):
        return "it says what an unknown date is"
    return ""
