"""Items, codes and declaration become groups; what does not fit together is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kiban.standard.code_list import CodeList
from kiban.standard.declaration import Declaration, GroupDeclaration
from kiban.standard.findings import Findings, suggest
from kiban.standard.items import place
from kiban.standard.model import Group, Item, Search
from kiban.standard.references import refer
from kiban.standard.tables import Row

Placed = tuple[Item, str]
"""An item and its place in the file."""


def check_items(placed: Iterable[Placed], findings: Findings) -> None:
    """Find IDs and romaji that stand twice: `item-id-twice`, `romaji-twice`, `item-name-twice`."""
    ids: dict[str, str] = {}
    names: dict[tuple[str, str, str], str] = {}
    for item, where in placed:
        if item.id in ids:
            findings.fault(
                "item-id-twice",
                f"データ項目ID {item.id} also stands at {ids[item.id]}",
                where,
                "give one of them a free number",
            )
        ids.setdefault(item.id, where)
        for kind, word in (("romaji", item.romaji), ("item-name", item.name)):
            first = names.setdefault((kind, item.group, word), where)
            if word and first != where:
                tell = findings.fault if kind == "romaji" else findings.slip
                tell(
                    f"{kind}-twice",
                    f"{word} also stands at {first} in the group {item.group}",
                    where,
                    f"use another name for one of them, such as {word}_2",
                )


def check_codes(placed: Iterable[Placed], codes: dict[str, CodeList], findings: Findings) -> None:
    """Find code lists that are not there; shared ones (コード一覧（連携）) are added as unknown.

    Finds: `code-list-unknown`, `code-list-not-at-hand`, `code-value-too-long`, `code-list-unused`.
    """
    used = set()
    for item, where in placed:
        if item.code is None:
            continue
        used.add(item.code)
        if item.code not in codes and item.code.isdecimal():
            findings.fault(
                "code-list-unknown",
                f"コード {item.code} names a code list that is not there",
                where,
                suggest(item.code, codes, f"add codes/{item.code:0>3}_….csv"),
            )
        elif item.code not in codes:
            codes[item.code] = CodeList(item.code, item.code, (), free=True, shared=True)
            findings.note(
                "code-list-not-at-hand",
                f"the shared code list {item.code} is not at hand",
                where,
                "its values are not checked until it is added under codes/",
            )
        else:
            _check_widths(item, codes[item.code], where, findings)
    for code_list in codes.values():
        if code_list.id not in used and not code_list.free:
            findings.note(
                "code-list-unused",
                f"no item uses the code list {code_list.id} {code_list.name}",
                "codes",
                "name it in the コード column of an item, or remove it",
            )


def _check_widths(item: Item, code_list: CodeList, where: str, findings: Findings) -> None:
    for value in code_list.values:
        if item.digits is not None and len(value) > item.digits:
            findings.slip(
                "code-value-too-long",
                f"コード値 {value} of list {code_list.id} has more than {item.digits} digits",
                where,
                f"raise 桁数 to {len(value)}, or shorten the value",
            )
        if item.type in ("9", "S9") and not value.lstrip("-").isdecimal():
            findings.slip(
                "code-value-not-number",
                f"コード値 {value} of list {code_list.id} is not a number",
                where,
                "change データ型 to X, or the value to digits",
            )


def build_groups(
    declaration: Declaration,
    rows: list[Row],
    items: list[Item],
    codes: Mapping[str, CodeList],
    findings: Findings,
) -> tuple[Group, ...]:
    """Put the items into the declared groups, and check what business.yaml says of them."""
    placed = [(item, place("items.csv", row)) for item, row in zip(items, rows, strict=True)]
    known = [g.name for g in declaration.groups]
    unplaced: dict[str, str] = {}
    for item, where in placed:
        if item.group and item.group not in known and declaration.groups:
            unplaced.setdefault(item.group, where)
    for name, where in unplaced.items():
        findings.fault(
            "group-undeclared",
            f"business.yaml declares no group {name}",
            where,
            suggest(name, known, f"add it under groups: with name: {name}"),
        )
    _check_declared(declaration, findings)
    groups = []
    for declared in declaration.groups:
        own = tuple(item for item in items if item.group == declared.name)
        groups.append(_build_group(declaration, declared, own, findings))
    _check_scattered(placed, findings)
    return refer(declaration, tuple(groups), {item.id: where for item, where in placed}, findings)


def _check_declared(declaration: Declaration, findings: Findings) -> None:
    for part in ("id", "name"):
        seen: set[str] = set()
        for declared in declaration.groups:
            word = getattr(declared, part)
            if word and word in seen:
                findings.fault(
                    "group-twice",
                    f"two groups have the {part} {word}",
                    declaration.document.where(*declared.path, part),
                    "name every group once",
                )
            seen.add(word)


def _check_scattered(placed: Iterable[Placed], findings: Findings) -> None:
    last, done = "", set()
    for item, where in placed:
        if item.group != last:
            if item.group in done:
                findings.note(
                    "group-scattered",
                    f"the items of {item.group} do not stand together",
                    where,
                    "move the row to the others of its group",
                )
            done.add(last)
            last = item.group


def _build_group(
    declaration: Declaration, declared: GroupDeclaration, items: tuple[Item, ...], findings: Findings
) -> Group:
    def where(*path: str | int) -> str:
        return declaration.document.where(*declared.path, *path)

    by_romaji = {item.romaji: item for item in items}

    def find(romaji: str | None, use: str, *path: str | int) -> Item | None:
        if not romaji:
            return None
        if romaji not in by_romaji and items:
            what = f"{use} of group {declared.id} names {romaji}, which the group has not"
            fix = suggest(romaji, by_romaji, "name an item of the group")
            findings.fault("item-unknown", what, where(*path), fix)
        return by_romaji.get(romaji)

    if not items and declared.name:
        what = f"items.csv has no item of the group {declared.name}"
        fix = suggest(declared.name, [], "write グループ_名称 exactly as in items.csv, or remove the group")
        findings.fault("group-without-items", what, where("name"), fix)
    history = find(declared.history, "history", "history")
    if history is not None and not history.key:
        what = f"the history item {history.romaji} of group {declared.id} is no 主キー"
        fix = "mark it with ○ in 主キー, or set history: null"
        findings.fault("history-not-key", what, where("history"), fix)
    ward = find(declared.ward, "ward", "ward")
    if ward is not None and (ward.type not in ("X", "N") or ward.repeats):
        what = f"the ward item {ward.romaji} of group {declared.id} is no single text"
        fix = "name the item of type X that holds the ward code"
        findings.fault("ward-not-text", what, where("ward"), fix)
    _check_search(declared.search, find)
    told = (declared.id, declared.name, declared.kind, declared.scope)
    group = Group(*told, items, history, ward, declared.search)
    if items and not group.subject:
        what = f"group {declared.id} has no 主キー item that identifies its subject"
        findings.fault(
            "group-without-key", what, where("name"), "mark the identifying items with ○ in 主キー"
        )
    _check_companions(group, findings)
    return group


def _check_search(search: Search | None, find: Callable[..., Item | None]) -> None:
    """Look every item of a search up; `find` tells those that the group has not."""
    if search is None:
        return
    find(search.subject, "search subject", "search", "subject")
    for i, romaji in enumerate(search.numbers):
        find(romaji, "search", "search", "numbers", i)
    for i, (name, kana) in enumerate(search.names):
        find(name, "search", "search", "names", i, "name")
        find(kana, "search", "search", "names", i, "kana")
    find(search.birth, "search", "search", "birth")
    find(search.sex, "search", "search", "sex")
    for i, romaji in enumerate(search.address):
        find(romaji, "search", "search", "address", i)


def _check_companions(group: Group, findings: Findings) -> None:
    for item in group.items:
        if item.allows_unknown_date and f"{item.romaji}_fushohyoki" not in group:
            findings.note(
                "unknown-date-without-words",
                f"{item.name} may be unknown and has no 不詳表記 beside it",
                f"items.csv ({item.id} {item.name})",
                f"add an item {item.romaji}_fushohyoki (N 72) to the group",
            )
