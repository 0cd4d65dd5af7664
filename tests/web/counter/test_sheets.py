"""What an official reads of a row follows from the edition alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.store.conftest import person

from kiban import standard
from kiban.kernel import Period
from kiban.standard import Code, CodeList, Edition
from kiban.web.counter.sheets import HIDDEN, Reader, Sheet
from kiban.web.counter.values import plain_day, shown, uncertain

DAY = date(2026, 10, 1)


@pytest.fixture(scope="module")
def edition(library: standard.Library) -> Edition:
    return library.edition("resident", "kiban-2026.1")


@pytest.fixture(scope="module")
def tax(library: standard.Library) -> Edition:
    return library.edition("individual_resident_tax")


def sheet(edition: Edition, group: str = "jumin", hidden: tuple[str, ...] = (), **items: Any) -> Sheet:
    row = {**person("1"), "valid": Period(date(2020, 4, 1)), "known_from": None, "event": 1, **items}
    return Reader(edition, frozenset(hidden), DAY).sheet(edition.group(group), row)


def lines(made: Sheet) -> dict[str, Any]:
    return {line.romaji: line for part in made.parts for line in part.lines}


def test_every_item_of_every_group_stands_once_under_its_official_title(library: standard.Library) -> None:
    for edition in library.editions:
        for group in edition.groups:
            made = Reader(edition, frozenset(), DAY).sheet(group, {})
            told = [(line.romaji, line.title) for part in made.parts for line in part.lines]
            assert sorted(told) == sorted((item.romaji, item.name) for item in group.items)


def test_items_of_a_class_keep_the_official_order(edition: Edition) -> None:
    group = edition.group("jumin")
    order = [item.romaji for item in group.items]
    for part in sheet(edition).parts:
        places = [order.index(line.romaji) for line in part.lines]
        assert places == sorted(places)


def test_a_new_item_of_an_edition_appears_without_code(edition: Edition) -> None:
    group = edition.group("jumin")
    fresh = replace(group.items[-1], name="新しい項目", romaji="atarashiikomoku", id="00199999")
    more = replace(group, items=(*group.items, fresh))
    changed = replace(edition, groups=tuple(more if g.id == "jumin" else g for g in edition.groups))
    made = lines(sheet(changed, atarashiikomoku="値"))
    assert (made["atarashiikomoku"].title, made["atarashiikomoku"].value.text) == ("新しい項目", "値")


def test_what_an_earlier_edition_left_is_not_dropped_but_shown_only_to_who_sees_everything(
    edition: Edition,
) -> None:
    made = sheet(edition, mukashinokomoku="古い値")
    assert lines(made)["mukashinokomoku"].value.text == "古い値"
    assert "mukashinokomoku" not in lines(
        sheet(edition, hidden=("resident.jumin.kojinbango",), mukashinokomoku="古い値")
    )


def test_a_code_stands_with_its_name(edition: Edition) -> None:
    value = lines(sheet(edition))["seibetsu"].value
    assert (value.text, value.note, value.odd) == ("女", "2", False)


def test_a_code_that_the_list_does_not_have_is_told_as_such(edition: Edition) -> None:
    value = lines(sheet(edition, seibetsu="7"))["seibetsu"].value
    assert (value.text, value.odd) == ("7", True)


def test_the_name_of_a_code_is_that_of_the_day(edition: Edition) -> None:
    item = edition.group("jumin").item("seibetsu")
    change = date(2026, 4, 1)
    codes = CodeList("1", "性別", (Code("2", "旧", valid_to=change), Code("2", "新", valid_from=change)))
    dated = replace(edition, codes={**edition.codes, "1": codes})
    assert shown(item, {"seibetsu": "2"}, dated, date(2026, 3, 31)).text == "旧"
    assert shown(item, {"seibetsu": "2"}, dated, change).text == "新"


def test_days_are_in_the_japanese_calendar_with_their_written_form(edition: Edition) -> None:
    value = lines(sheet(edition, seinengappi="1989-01-08"))["seinengappi"].value
    assert (value.text, value.note) == ("平成元年1月8日", "1989-01-08")


@pytest.mark.parametrize(
    ("triple", "text"),
    [
        ((None, "1", "昭和25年頃"), "昭和25年頃"),
        (("1950-01-01", "1", "昭和25年"), "昭和25年"),
        (("1950-01-01", "1", None), "不詳"),
        (("1951-02-29", "0", None), "1951-02-29"),
        (("0000-01-01", None, None), "（定めなし）"),
        (("1872-12-31", "0", None), "1872-12-31"),
    ],
)
def test_an_uncertain_date_shows_what_was_written_and_no_day_that_is_not_known(
    triple: tuple[str | None, str | None, str | None], text: str
) -> None:
    assert uncertain(*triple).text == text


@given(st.dates(min_value=date(1873, 1, 1)))
def test_every_day_keeps_its_written_form(day: date) -> None:
    assert plain_day(day.isoformat()).note == day.isoformat()


def test_hidden_items_are_named_and_look_the_same_with_and_without_a_value(edition: Edition) -> None:
    hidden = ("resident.jumin.kojinbango",)
    with_value = lines(sheet(edition, hidden=hidden, kojinbango="123456789018"))["kojinbango"]
    without = lines(sheet(edition, hidden=hidden))["kojinbango"]
    assert with_value == without
    assert with_value.value is HIDDEN
    assert not with_value.empty


def test_money_is_in_yen_and_a_serial_number_is_not_dressed_up(tax: Edition) -> None:
    group = tax.group("kazei")
    row = {"kyuyoshunyu": 5_000_000, "fuyoshinzokusu": 2, "rirekibango": 1000}
    made = lines(Reader(tax, frozenset(), DAY).sheet(group, row))
    texts = {name: made[name].value.text for name in row}
    assert texts == {"kyuyoshunyu": "5,000,000円", "fuyoshinzokusu": "2", "rirekibango": "1000"}


def test_an_item_that_repeats_shows_all_its_values(edition: Edition) -> None:
    group = edition.group("gyoseiku")
    made = lines(Reader(edition, frozenset(), DAY).sheet(group, {"kyugyoseikukodo": ["221309", "221317"]}))
    assert made["kyugyoseikukodo"].value.text == "221309、221317"


def test_codes_of_the_citys_own_tables_stand_with_their_names(edition: Edition) -> None:
    reader = Reader(edition, frozenset(), DAY, {"shiteitoshi_gyoseikutokodo": {"281018": "東灘区"}})
    value = reader.value(edition.group("jumin"), "shiteitoshi_gyoseikutokodo", person("1"))
    assert (value.text, value.note) == ("東灘区", "281018")
