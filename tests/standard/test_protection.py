"""An edition says as data who is protected; every fault of it is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiban import main, standard
from kiban.settings import Settings

GOOD = """
protection:
  members: {group: hito, person: atenabango, household: setaibango}
  grounds:
    - {group: hito, person: atenabango, unless: {seibetsu: ["0", ""]}}
"""


def test_the_resident_register_says_who_is_protected() -> None:
    for edition in main.library(given=Settings(home=Path("unused"))).editions:
        if edition.id == "resident":
            assert edition.protection is not None
            assert edition.protection.groups == {"jumin", "shiensochi", "shiensochi_taishosha", "yokushi"}
            [through] = [ground for ground in edition.protection.grounds if ground.through]
            assert (through.group, through.target) == ("shiensochi_taishosha", "shiensochi")
            assert not any(ground.ends_by_date for ground in edition.protection.grounds)


def test_an_edition_without_the_section_protects_nobody(tiny: standard.Edition) -> None:
    assert tiny.protection is None


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (
            "group: hito, person: atenabango, household",
            "group: hit, person: atenabango, household",
            "group-unknown",
        ),
        ("household: setaibango", "household: setai", "item-unknown"),
        ("{group: hito, person: atenabango, unless", "{group: hito, unless", "protection-of-nobody"),
        ("person: atenabango, unless", "person: atena, unless", "item-unknown"),
        ("seibetsu: ", "seibetu: ", "item-unknown"),
        ('["0", ""]', '["Z"]', "protection-value"),
        ('["0", ""]}', '["0"]}, ends_by_date: maybe', "protection-choice"),
        ('["0", ""]}', '["0"]}, through: seibetsu', "reference-missing"),
        ('["0", ""]}', '["0"]}, until: 2030', "field-unknown"),
        ("  grounds:\n    - {group", "  reasons:\n    - {group", "protection-empty"),
    ],
)
def test_each_fault_is_told_with_its_line(edited: Callable[..., Path], old: str, new: str, code: str) -> None:
    assert old in GOOD
    folder = edited([("business.yaml", "", GOOD.replace(old, new, 1))])
    faults = standard.read(folder).faults
    assert code in [problem.code for problem in faults]
    assert all((problem.where or "").startswith("business.yaml:") for problem in faults)


def test_what_is_said_is_read(edited: Callable[..., Path]) -> None:
    edition = standard.load(edited([("business.yaml", "", GOOD)]))
    assert edition.protection is not None
    assert edition.protection.grounds == (
        standard.Ground("hito", "atenabango", None, {"seibetsu": ("0", "")}),
    )
    assert (edition.protection.group, edition.protection.household) == ("hito", "setaibango")
