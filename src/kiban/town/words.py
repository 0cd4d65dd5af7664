"""The town's words as code values of an edition, looked up by label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from kiban.kernel import Problem, Problems
from kiban.standard import Edition, Item

FILE = Path(__file__).with_name("words.yaml")


@dataclass(frozen=True)
class Words:
    """Code values by `group.item` and our name.

    Attributes:
        values: e.g. values["jumin.idojiyu"]["birth"].
        labels: the labels that they stand for, in the same shape.
    """

    values: Mapping[str, Mapping[str, str]]
    labels: Mapping[str, Mapping[str, str]]

    def __call__(self, place: str, name: str) -> str:
        """The code value of one word."""
        return self.values[place][name]


@cache
def declared() -> Mapping[str, Mapping[str, str]]:
    """Every label that the town uses, by `group.item` and our name."""
    words: Mapping[str, Mapping[str, str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return words


def words(editions: Iterable[Edition]) -> Words:
    """Looks every word up in the editions at hand.

    Raises:
        Problems: `town-word-unknown` for each label that its code list does not have.
    """
    by_group = {group.id: (edition, group) for edition in editions for group in edition.groups}
    values: dict[str, dict[str, str]] = {}
    problems: list[Problem] = []
    for place, labels in declared().items():
        group_id, romaji = place.split(".")
        if group_id not in by_group:
            problems.append(
                Problem("town-group-unknown", f"no edition has the group {group_id}", where=FILE.name)
            )
            continue
        edition, group = by_group[group_id]
        if romaji not in group:
            problems.append(unknown_item(edition, group_id, romaji))
            continue
        values[place] = _values(edition, group.item(romaji), labels, place, problems)
    if problems:
        raise Problems(problems)
    return Words(values, declared())


def unknown_item(edition: Edition, group: str, romaji: str) -> Problem:
    """An item that the town fills and the edition does not have."""
    return Problem(
        "town-item-unknown",
        f"business {edition.called} edition {edition.edition} has no item {romaji}, which the town fills",
        where=f"{edition.id}.{group}",
        fix="give the edition that the town was written for, or one that declares the renaming",
    )


def code_values(edition: Edition, group: str, romaji: str, labels: Iterable[str]) -> list[str]:
    """The code values of labels of one item's code list, in their order.

    Raises:
        Problems: `town-word-unknown` for each label that the list does not have.
    """
    problems: list[Problem] = []
    wanted = {label: label for label in labels}
    found = _values(edition, edition.group(group).item(romaji), wanted, f"{group}.{romaji}", problems)
    if problems:
        raise Problems(problems)
    return list(found.values())


def _values(
    edition: Edition, item: Item, labels: Mapping[str, str], place: str, problems: list[Problem]
) -> dict[str, str]:
    codes = edition.code_list(item)
    by_label = {code.label: code.value for code in codes.codes} if codes else {}
    for label in labels.values():
        if label not in by_label:
            problems.append(
                Problem(
                    "town-word-unknown",
                    f"the code list of {place} in edition {edition.edition} has no label {label}",
                    where=str(edition.folder),
                )
            )
    return {name: by_label[label] for name, label in labels.items() if label in by_label}
