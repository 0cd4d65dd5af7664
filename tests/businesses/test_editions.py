"""The editions that Kiban ships keep the rules of the standard."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from openapi_spec_validator import validate as validate_openapi

from kiban import businesses, standard

SHIPPED = standard.edition_folders(Path(folder) for folder in businesses.__path__)
IDS = [f"{folder.name}" for folder in SHIPPED]


@pytest.mark.parametrize("folder", SHIPPED, ids=IDS)
def test_an_edition_has_no_fault(folder: Path) -> None:
    assert [str(f.problem) for f in standard.check(folder) if f.severity == "fault"] == []


@pytest.mark.parametrize("folder", SHIPPED, ids=IDS)
def test_an_edition_that_kiban_wrote_says_so_and_why(folder: Path) -> None:
    edition = standard.load(folder)
    page = standard.export(edition, "html")
    assert ("基準版（公式ではない）" in page) == (edition.status == "reference")
    assert edition.basis
    assert (edition.status == "reference") or edition.source


@pytest.mark.parametrize("folder", SHIPPED, ids=IDS)
def test_an_edition_goes_into_every_public_format(folder: Path) -> None:
    edition = standard.load(folder)
    jsonschema.Draft202012Validator.check_schema(json.loads(standard.export(edition, "json-schema")))
    validate_openapi(json.loads(standard.export(edition, "openapi")))
    for form in ("table-schema", "odcs", "ddl", "html"):
        text = standard.export(edition, form)
        assert all(item.romaji in text for item in edition.items)


def test_two_editions_of_each_business_stand_side_by_side_and_the_difference_names_what_breaks() -> None:
    library = standard.library(SHIPPED)
    for business in ("001", "031"):
        editions = [e for e in library.editions if e.business_id == business]
        assert len(editions) >= 2
        for new in editions:
            for old in editions:
                if new.replaces == old.edition:
                    found = standard.diff(old, new)
                    assert found.breaking
                    assert all(change.breaks for change in found.breaking)
                    assert standard.diff(new, old).changes


def test_a_rename_that_an_edition_declares_is_found_as_a_rename() -> None:
    library = standard.library(SHIPPED)
    for new in library.editions:
        if new.replaces is None:
            continue
        found = standard.diff(library.edition(new.called, new.replaces), new)
        renamed = {
            c.old.romaji: c.new.romaji for c in found.changes if c.kind == "renamed" and c.old and c.new
        }
        assert new.renames.items() <= renamed.items()
