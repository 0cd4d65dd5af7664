"""The numbering API of the standard as values: its items from the edition, the rest from the file beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from kiban.access import Scope
from kiban.kernel import Problems
from kiban.standard import Edition, Findings, Group, Item, Library, read_document

_FILE = Path(__file__).with_name("numbering_2.0.yaml")


@dataclass(frozen=True)
class Condition:
    """An item that another one makes necessary.

    Attributes:
        item: romaji of the other one.
        values: those of its values that do so; empty where any does.
        needs: romaji of the item that is needed then.
        code: of the error where it is missing.
    """

    item: str
    values: tuple[str, ...]
    needs: str
    code: str


@dataclass(frozen=True)
class NumberingSpec:
    """The specification of the numbering API.

    Attributes:
        version: of the official document.
        edition: the edition that lists its items.
        group: the group of them, which is the register.
        official: what the official document says beyond the items.
        kiban: what it leaves open and Kiban chose.
    """

    version: str
    edition: Edition = field(repr=False)
    group: Group = field(repr=False)
    official: Mapping[str, Any] = field(repr=False)
    kiban: Mapping[str, Any] = field(repr=False)

    @property
    def register(self) -> str:
        """schema.table."""
        return f"{self.edition.id}.{self.group.id}"

    @property
    def path(self) -> str:
        """Of the API, with the slash before it."""
        return "/" + str(self.official["resource"])

    @property
    def scope(self) -> Scope:
        """What a token has to be good for."""
        return Scope(self.official["provider"], self.official["resource"], self.official["operation"])

    @property
    def inquiry(self) -> Scope:
        """What a token has to be good for to ask the inquiry API, of which no more is known than its name."""
        known = self.official["inquiry"]
        return Scope(self.official["provider"], known["resource"], known["operation"])

    @property
    def step(self) -> str:
        """Romaji of 処理区分."""
        return str(self.official["step"]["romaji"])

    @property
    def steps(self) -> tuple[str, str, str]:
        """The values of 処理区分: new number, existing number, number chosen from candidates."""
        step = self.official["step"]
        return step["new"], step["existing"], step["chosen"]

    @cached_property
    def parameters(self) -> dict[str, Item | None]:
        """Every parameter by its romaji, in the order of the edition; None for 処理区分, which is no item."""
        items = {item.romaji: item for item in self.group.items if item.romaji not in self.kiban["assigned"]}
        return {self.step: None, **items}

    @cached_property
    def aliases(self) -> Mapping[str, str]:
        """Names of the item definition -> names of the API: the versioned table is the edition's own `renames`."""
        return dict(self.edition.renames)

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """The items that others make necessary."""
        return tuple(
            Condition(each["item"], tuple(each["is"]), each["needs"], each["code"])
            for each in self.official["conditions"]
        )

    def name(self, romaji: str) -> str:
        """The Japanese name of a parameter."""
        item = self.parameters[romaji]
        return str(self.official["step"]["name"]) if item is None else item.name

    def frame(self, detail: str, **more: Any) -> dict[str, Any]:
        """The body of an answer that is no success, as the document lists it: title, detail, link."""
        return {
            "title": self.official["title"],
            "detail": self.official[detail],
            "_links": {"self": {"href": self.path}},
            **more,
        }


def numbering_spec(library: Library) -> NumberingSpec:
    """The specification that comes with Kiban.

    Raises:
        Problem: `edition-unknown` where the library lacks its edition.
    """
    findings = Findings()
    value = read_document(_FILE, _FILE.name, findings).value
    if findings.faults:
        raise Problems(findings.faults)
    edition = library.edition(value["business"], value["edition"])
    return NumberingSpec(
        value["version"], edition, edition.group(value["group"]), value["official"], value["kiban"]
    )
