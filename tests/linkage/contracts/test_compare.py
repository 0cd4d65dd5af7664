"""L12: whatever breaks provider or consumer is named, and stopped until it takes a new major version."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.linkage.contracts.edits import Edit
from tests.linkage.contracts.item_changes import CODES, ITEMS
from tests.linkage.contracts.term_changes import FEEDS, TERMS

from kiban import linkage, standard
from kiban.kernel import Problems
from kiban.linkage import SAMPLES, Contract, Contracts

CASES = {**ITEMS, **CODES, **FEEDS, **TERMS}
TAX = (SAMPLES / "resident-tax.yaml").read_text(encoding="utf-8")


def test_there_are_a_hundred_cases() -> None:
    assert len(CASES) >= 100
    assert len(CASES) == len(ITEMS) + len(CODES) + len(FEEDS) + len(TERMS)


@pytest.mark.parametrize(("before", "after", "kind", "where", "breaking"), CASES.values(), ids=CASES)
def test_a_change_is_named_and_known_to_break_or_not(
    before: Edit, after: Edit, kind: str, where: str, breaking: bool, contract: Contract
) -> None:
    found = linkage.compare(before(contract), after(contract))
    if not kind:
        assert found == ()
        return
    assert (kind, where) in [(each.kind, each.where) for each in found]
    assert any(each.breaking for each in found) == breaking
    assert all(each.note and each.note_ja for each in found)


def test_a_contract_does_not_differ_from_itself(samples: Contracts) -> None:
    for contract in samples:
        assert linkage.compare(contract, contract) == ()
        assert linkage.compare(contract, replace(contract, version=(1, 9, 0), digest="", path=None)) == ()


def side_by_side(folder: Path, library: standard.Library, **files: str) -> Contracts:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return linkage.load_contracts([folder], library)


def version(number: str, *edits: tuple[str, str]) -> str:
    text = TAX.replace('version: "1.0.0"', f'version: "{number}"')
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


SLOWER = ('at: "06:00"', 'at: "07:00"')
GONE = ("      - {name: tsusho, businessName: 通称, logicalType: string}\n", "")


def test_a_breaking_change_without_a_new_major_version_is_refused(
    tmp_path: Path, library: standard.Library
) -> None:
    with pytest.raises(Problems) as caught:
        side_by_side(tmp_path, library, old=TAX, new=version("1.1.0", SLOWER, GONE))
    told = caught.value.problems
    assert {each.code for each in told} == {"contract-breaking"}
    assert {"item-removed", "due-changed"} == {str(each.what).rsplit("(", 1)[1][:-1] for each in told}
    assert all(each.where == str(tmp_path / "new.yaml") for each in told)
    assert all('version: "2.0.0"' in str(each.fix) for each in told)


def test_two_major_versions_are_served_side_by_side(tmp_path: Path, library: standard.Library) -> None:
    contracts = side_by_side(tmp_path, library, old=TAX, new=version("2.0.0", SLOWER, GONE))
    assert [each.flow for each in contracts.in_force(date(2026, 11, 24))] == [
        "resident-tax.v1",
        "resident-tax.v2",
    ]
    assert len(contracts.flow("resident-tax.v1").feed("jumin").items) == 45
    assert len(contracts.flow("resident-tax.v2").feed("jumin").items) == 44


def test_what_breaks_nobody_takes_the_place_of_the_version_before(
    tmp_path: Path, library: standard.Library
) -> None:
    new = version("1.1.0", ('"2026-04-01"', '"2026-10-01"'), ('pending: "1_000"', 'pending: "5_000"'))
    contracts = side_by_side(tmp_path, library, old=TAX, new=new)
    assert contracts.flow("resident-tax.v1", date(2026, 9, 30)).version == (1, 0, 0)
    assert contracts.flow("resident-tax.v1", date(2026, 10, 1)).version == (1, 1, 0)
    assert [each.version for each in contracts.in_force(date(2026, 10, 1))] == [(1, 1, 0)]


def test_an_old_version_that_ends_before_the_new_begins_is_refused(
    tmp_path: Path, library: standard.Library
) -> None:
    old = version(
        "1.0.0",
        (
            'x-effective, value: "2026-04-01"}',
            'x-effective, value: "2026-04-01"}\n  - {property: x-until, value: "2026-10-01"}',
        ),
    )
    new = version("2.0.0", ('x-effective, value: "2026-04-01"', 'x-effective, value: "2026-10-01"'))
    with pytest.raises(Problems, match="contract-overlap"):
        side_by_side(tmp_path, library, old=old, new=new)


def test_editions_that_differ_are_compared_item_by_item(
    samples: Contracts, library: standard.Library, tmp_path: Path
) -> None:
    later = library.edition("resident", "kiban-2026.2")
    text = version("2.0.0", ("edition: kiban-2026.1", "edition: kiban-2026.2"))
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    (new,) = linkage.load_contracts([tmp_path / "a.yaml"], library)
    found = linkage.compare(samples.flow("resident-tax.v1"), new)
    told = {
        each.romaji
        for each in standard.diff(library.edition("resident"), later).changes
        if each.group == "jumin"
    }
    assert any(each.breaking for each in found)
    assert {each.where.partition(".")[2] for each in found if each.where.startswith("jumin.")} <= told
