"""The specification held against the official workbook itself, cell by cell."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from kiban.linkage.api import NumberingSpec, check

from .conftest import request

WORKBOOK = Path(__file__).parents[4] / "shared/data/official/031_jutogaisha_numbering_api_2.0.xlsx"
if not WORKBOOK.exists():
    WORKBOOK = Path("/work/shared/data/official/031_jutogaisha_numbering_api_2.0.xlsx")


@pytest.fixture(scope="module")
def book() -> Any:
    import openpyxl

    if not WORKBOOK.exists():
        pytest.skip("the official workbook is not at hand")
    return openpyxl.load_workbook(WORKBOOK)


def rows(sheet: Any, first: int, last: int) -> list[dict[str, str]]:
    return [
        {cell.column_letter: str(cell.value).strip() for cell in row if cell.value is not None}
        for row in sheet.iter_rows(first, last)
    ]


def test_it_was_made_from_this_workbook(book: Any) -> None:
    import yaml

    file = Path("src/kiban/linkage/api/numbering_2.0.yaml")
    said = yaml.safe_load(file.read_text(encoding="utf-8"))["source"]["sha256"]
    assert hashlib.sha256(WORKBOOK.read_bytes()).hexdigest() == said


def test_every_parameter_has_its_name_type_digits_and_duty(book: Any, spec: NumberingSpec) -> None:
    listed = [row for row in rows(book["リクエスト_API仕様"], 23, 63) if "E" in row]
    assert [row["E"] for row in listed] == [
        "shorikubun", "shikuchosonkodo", *[n for n in spec.parameters if n not in ("shorikubun", "shikuchosonkodo")]
    ]  # fmt: skip
    assert [row["E"] for row in listed if row.get("CV") == "◎"] == spec.official["required"]
    for row in listed:
        item = spec.parameters[row["E"]]
        assert spec.name(row["E"]) == row["AK"]
        if item is not None:
            assert (item.type, str(item.digits)) == (row["CY"].replace("Ｎ", "N"), row["DC"])


def test_the_path_the_operation_and_the_media_type_are_the_official_ones(
    book: Any, spec: NumberingSpec
) -> None:
    about = book["API概要"]
    assert (about["C10"].value, about["V10"].value) == (spec.official["resource"], spec.official["operation"])
    assert book["レスポンス_API仕様"]["P6"].value == spec.official["media_type"]


def test_the_answers_have_the_official_texts(book: Any, spec: NumberingSpec) -> None:
    sheet = book["レスポンス_API仕様"]
    for cell, name in (("DF13", "done"), ("DF28", "refused"), ("DF39", "unauthorized"), ("DF47", "failed")):
        assert sheet[cell].value == f'"{spec.official[name]}"固定値'
    assert spec.official["title"] in sheet["BM12"].value
    assert [row["K"] for row in rows(sheet, 18, 23)] == spec.official["answer"]


def test_the_errors_have_the_official_codes_and_texts(book: Any, spec: NumberingSpec) -> None:
    listed = {row["E"]: row["AF"] for row in rows(book["レスポンス_API仕様"], 55, 58)}
    ours = {
        code: text.format(item="【項目名】", form="【指定文字】", digits="X", needed="【項目名】")
        for code, text in spec.official["messages"].items()
    }
    assert listed == ours


def test_the_conditions_are_those_of_the_remarks(book: Any, spec: NumberingSpec) -> None:
    remarked = {row["E"] for row in rows(book["リクエスト_API仕様"], 23, 63) if "※※" in row.get("DK", "")}
    ours = {condition.needs for condition in spec.conditions}
    unknowable = {
        "shimei_gaikokujinromaji",
        "shimei_gaikokujinkanji",
    }  # depends on what is true of the person
    addresses = {"jusho_choaza", "jusho_banchigohyoki", "jusho_katagaki"}  # likewise
    assert ours == remarked - unknowable - addresses


def test_the_example_of_the_document_passes_but_for_two_samples_that_are_lists(
    book: Any, spec: NumberingSpec
) -> None:
    listed = [row for row in rows(book["リクエスト_API仕様"], 23, 63) if "E" in row]
    example = {row["E"]: row["DU"].strip('"”') for row in listed}
    del example["atenabango"]  # belongs to 処理区分 1 and 2
    values, faults = check(spec, {**example, "kojinbango": "345678901234"})
    told = {fault.message for fault in faults}
    several_lines = ("住所_市区郡町村名", "住所_番地号表記")  # whose samples are lists of examples
    assert told == {f"{name}は全角文字列で設定してください。" for name in several_lines}
    assert values["shimei"] == request()["shimei"]
