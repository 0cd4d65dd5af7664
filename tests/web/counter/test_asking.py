"""What is typed into the search is understood, or refused in words; never guessed silently."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import standard
from kiban.kernel import wareki
from kiban.web.counter.asking import Asked, Understood, birth_span, understand
from kiban.web.counter.registers import Roll, head


@pytest.fixture(scope="module")
def roll(library: standard.Library) -> Roll:
    edition = library.edition("resident", "kiban-2026.1")
    return Roll(edition, edition.group("jumin"), head(edition, edition.group("jumin")))


def numbers(roll: Roll, *hidden: str) -> dict[str, standard.Item]:
    names = [roll.section.subject, *roll.section.numbers]
    return {name: roll.group.item(name) for name in names if name not in hidden}


def read(roll: Roll, *hidden: str, **form: str) -> Understood:
    return understand(form, roll, numbers(roll, *hidden))


def asked(said: Understood) -> dict[str, str]:
    assert not said.faults
    return {name: text for name, text in said.asked.packed().items() if name not in ("register", "wards")}


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ("わたなべ", {"kana": "わたなべ"}),
        ("ﾜﾀﾅﾍﾞ ﾊﾅｺ", {"kana": "ﾜﾀﾅﾍﾞ\u3000ﾊﾅｺ"}),
        ("渡邉\U000e010f　花子", {"name": "渡邉\U000e010f\u3000花子"}),
        ("Smith John", {"name": "Smith\u3000John"}),
        ("魚崎北町一丁目２番", {"address": "魚崎北町一丁目２番"}),
        ("12343", {"number": "000000000012343", "number_item": "atenabango"}),
        ("１２３４３", {"number": "000000000012343", "number_item": "atenabango"}),
        ("1234 5678 9018", {"number": "123456789018", "number_item": "kojinbango"}),
        ("123456789012", {"number": "000123456789012", "number_item": "atenabango"}),
        ("S25.3.1", {"birth": "S25.3.1"}),
        ("ワタナベ 19500301", {"kana": "ワタナベ", "birth": "19500301"}),
        ("昭和", {"name": "昭和"}),
        ("大平", {"name": "大平"}),
    ],
)
def test_the_one_box_understands(roll: Roll, box: str, found: dict[str, str]) -> None:
    assert asked(read(roll, box=box)) == found


CITY = ("兵庫県", "神戸市", "東灘区", "灘区")


@pytest.mark.parametrize(
    ("box", "found"),
    [
        ("神戸市東灘区魚崎北町一丁目２", {"address": "魚崎北町一丁目２"}),
        ("兵庫県神戸市東灘区魚崎北町", {"address": "魚崎北町"}),
        ("兵庫県 神戸市　灘区 魚崎北町", {"address": "魚崎北町"}),
        ("東灘区魚崎北町１", {"address": "魚崎北町１"}),
        ("神戸市子", {"name": "神戸市子"}),
    ],
)
def test_the_municipality_before_an_address_is_left_out_and_told(
    roll: Roll, box: str, found: dict[str, str]
) -> None:
    said = understand({"box": box}, roll, numbers(roll), CITY)
    assert asked(said) == found
    assert ("address" not in found) or "を除き、町字から検索しました" in " ".join(said.hints)
    assert asked(understand({"address": box}, roll, numbers(roll), CITY)).keys() == {"address"}


def test_the_municipality_alone_is_no_address(roll: Roll) -> None:
    said = understand({"address": "兵庫県神戸市"}, roll, numbers(roll), CITY)
    assert "町字から入力" in said.faults["address"]


def test_a_number_that_is_kept_from_a_duty_is_taken_for_none(roll: Roll) -> None:
    found = asked(read(roll, "kojinbango", box="123456789018"))
    assert found["number_item"] == "atenabango"


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({}, "box"),
        ({"box": "　"}, "box"),
        ({"sex": "1"}, "box"),
        ({"birth": "きのう"}, "birth"),
        ({"atenabango": "x"}, "atenabango"),
        ({"atenabango": "1" * 16}, "atenabango"),
        ({"name": "あ" * 201}, "name"),
    ],
)
def test_what_cannot_be_searched_is_told_at_its_field(roll: Roll, form: dict[str, Any], field: str) -> None:
    assert set(read(roll, **form).faults) == {field}


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("昭和25年3月", "1950-03-01", "1950-03-31"),
        ("1950/3/1", "1950-03-01", "1950-03-01"),
        ("昭和25年から昭和27年", "1950-01-01", "1952-12-31"),
        ("昭和25年〜27年", "1950-01-01", "1952-12-31"),
        ("1950-03-01～1950-03-05", "1950-03-01", "1950-03-05"),
    ],
)
def test_dates_and_spans_are_read(text: str, first: str, last: str) -> None:
    assert birth_span(text) == (date.fromisoformat(first), date.fromisoformat(last))


@given(st.dates(min_value=date(1873, 1, 1), max_value=date(2050, 1, 1)))
def test_every_way_to_write_a_day_means_that_day(day: date) -> None:
    told = wareki(day)
    for text in (
        told.long(),
        told.plain(),
        told.short(),
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day:%Y/%m/%d}",
    ):
        assert birth_span(text) == (day, day)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_understood_or_refused(roll: Roll, text: str) -> None:
    said = read(roll, box=text)
    assert bool(said.faults) != bool(asked_or_nothing(said))


def asked_or_nothing(said: Understood) -> Asked | None:
    return None if said.faults else said.asked
