"""A business whose official 業務ID nobody knows: it stays unset, and only what needs it is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from kiban import standard
from kiban.kernel import Problem

UNSET = ("business.yaml", 'business: "901"', "business: null")


@pytest.fixture
def unnumbered(edited: Callable[..., Path]) -> Path:
    """The tiny edition without a 業務ID: the numbers of its items are the five digits behind it."""
    folder = edited([UNSET])
    items = folder / "items.csv"
    text = items.read_text(encoding="utf-8")
    items.write_text(re.sub(r"^901([0-9]{5}),", r"\1,", text, flags=re.MULTILINE), encoding="utf-8")
    return folder


def faults(folder: Path) -> list[Problem]:
    return [finding.problem for finding in standard.check(folder) if finding.severity == "fault"]


def test_an_unset_id_is_no_fault_and_asking_for_it_is_a_problem(unnumbered: Path) -> None:
    assert faults(unnumbered) == []
    edition = standard.load(unnumbered)
    assert (edition.business_id, edition.called) == (None, "tiny")
    with pytest.raises(Problem) as caught:
        _ = edition.business
    assert caught.value.code == "business-id-unset"
    assert caught.value.where == str(unnumbered / "business.yaml")


def test_the_edition_is_found_compared_and_exported_by_its_name(unnumbered: Path) -> None:
    edition = standard.library([unnumbered]).edition("tiny", "test-1")
    assert standard.diff(edition, edition).business == "tiny"
    assert json.loads(standard.export(edition, "json-schema"))["$id"] == "urn:kiban:tiny:test-1"
    assert json.loads(standard.export(edition, "table-schema"))["x-kiban"]["business"] is None
    contract = yaml.safe_load(standard.export(edition, "odcs"))
    assert [one["property"] for one in contract["customProperties"]] == ["status"]
    assert "公式の業務IDが分かるまで空" in standard.export(edition, "html")


def test_two_businesses_without_an_id_stand_side_by_side(unnumbered: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for path in unnumbered.rglob("*.*"):
        copy = other / path.relative_to(unnumbered)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8").replace("id: tiny", "id: other"), encoding="utf-8")
    library = standard.library([unnumbered, other])
    assert [edition.called for edition in library.editions] == ["tiny", "other"]
    with pytest.raises(Problem) as caught:
        standard.diff(*library.editions)
    assert caught.value.code == "diff-other-business"


def test_items_of_a_business_without_an_id_have_no_prefix(edited: Callable[..., Path]) -> None:
    problems = faults(edited([UNSET]))
    assert {problem.code for problem in problems} == {"item-id-form"}
    assert "five digits" in problems[0].what


def test_an_official_list_and_a_forgotten_line_are_still_faults(edited: Callable[..., Path]) -> None:
    official = edited([UNSET, ("business.yaml", "status: reference", "status: official")], "official")
    assert "business-id-unset" in {problem.code for problem in faults(official)}
    forgotten = edited([("business.yaml", 'business: "901"\n', "")], "forgotten")
    assert [problem.code for problem in faults(forgotten)] == ["field-missing"]
