"""The groups of a workbook: their table names and scopes, which the list does not give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kiban.kernel import Problem
from kiban.standard.declaration import UNDECIDED
from kiban.standard.findings import Findings, suggest
from kiban.standard.importing.lists import Record


def name_groups(items: Iterable[Record], given: Mapping[str, str], findings: Findings) -> dict[str, str]:
    """グループ_名称 -> table name, in the order of the list; those not given become group_1, group_2, ….

    Raises:
        Problem: `group-unknown` where a given name is not in the list.
    """
    names = list(dict.fromkeys(_group(record) for record in items if _group(record)))
    for name in given:
        _known(name, names, "--group")
    groups: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        groups[name] = given.get(name, f"group_{number}")
        if name not in given:
            findings.note(
                "group-unnamed",
                f"the group {name} has no table name and became {groups[name]}",
                "business.yaml",
                f"name it: --group {name}=… with a romaji name",
            )
    return groups


def decide_scopes(
    items: Iterable[Record], groups: Mapping[str, str], city: Iterable[str], wards: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """グループ_名称 -> its scope as business.yaml writes it; undecided where nobody said.

    Args:
        items: the rows of the list.
        groups: グループ_名称 -> table name.
        city: groups that every signed-in actor may read, by either name.
        wards: group, by either name -> romaji of its ward item.

    Raises:
        Problem: `group-unknown`, `item-unknown` or `scope-twice`.
    """
    names = {table: name for name, table in groups.items()} | {name: name for name in groups}
    scopes = {name: {"scope": UNDECIDED} for name in groups}
    for word in city:
        scopes[names[_known(word, names, "--scope")]] = {"scope": "city"}
    for word, romaji in wards.items():
        name = names[_known(word, names, "--ward")]
        if scopes[name]["scope"] == "city":
            raise Problem(
                "scope-twice",
                f"the group {name} is given to the city and to wards",
                "--ward",
                "keep one of --scope and --ward for it",
            )
        own = [r.values.get("データ項目（ローマ字）", "").strip() for r in items if _group(r) == name]
        if romaji not in own:
            raise Problem(
                "item-unknown",
                f"the group {name} has no item {romaji}",
                "--ward",
                suggest(romaji, own, "name the item that holds the ward code by its romaji"),
            )
        scopes[name] = {"scope": "ward", "ward": romaji}
    return scopes


def _group(record: Record) -> str:
    return record.values.get("グループ_名称", "").strip()


def _known(word: str, names: Iterable[str], where: str) -> str:
    if word not in names:
        raise Problem(
            "group-unknown",
            f"the workbook has no group {word}",
            where,
            suggest(word, names, "write the name as in グループ_名称"),
        )
    return word
