"""An edition folder becomes groups, items and code lists."""

from pathlib import Path

import pytest

from kiban import standard
from kiban.kernel import Problem

TINY = Path(__file__).parent / "tiny"


def test_an_edition_keeps_the_order_of_its_list(tiny: standard.Edition) -> None:
    assert [group.id for group in tiny.groups] == ["hito", "setai", "shori"]
    assert [item.romaji for item in tiny.group("世帯").items] == ["setaibango", "kukodo", "setainushi"]


def test_the_subject_is_the_key_without_the_history_number(tiny: standard.Edition) -> None:
    hito = tiny.group("hito")
    assert [item.romaji for item in hito.key] == ["atenabango", "rirekibango"]
    assert [item.romaji for item in hito.subject] == ["atenabango"]
    assert hito.history is hito.item("rirekibango")
    assert hito.ward is hito.item("kukodo")


def test_a_full_width_type_and_a_padded_code_list_number_are_normalised(tiny: standard.Edition) -> None:
    hito = tiny.group("hito")
    assert hito.item("shimei").type == "N"
    assert hito.item("seibetsu").code == "1"
    assert tiny.codes["1"].values == ("0", "1", "2")


def test_a_list_that_cities_fill_is_free_and_holds_no_placeholder(tiny: standard.Edition) -> None:
    assert tiny.codes["999"].free
    assert tiny.codes["999"].codes == ()


def test_a_date_permits_unknown_days_only_where_its_rules_say_so(tiny: standard.Edition) -> None:
    assert tiny.group("hito").item("seinengappi").allows_unknown_date
    assert not tiny.group("shori").item("shorinengappi").allows_unknown_date


def test_a_foreign_key_points_to_the_group_with_that_key(tiny: standard.Edition) -> None:
    assert tiny.group("hito").references == {"setaibango": "setai"}


def test_an_unknown_group_or_item_suggests_the_closest(tiny: standard.Edition) -> None:
    with pytest.raises(Problem, match="did you mean setai") as group:
        tiny.group("setaii")
    assert group.value.code == "group-unknown"
    with pytest.raises(Problem, match="did you mean shimei") as item:
        tiny.group("hito").item("simei")
    assert item.value.code == "item-unknown"


def test_a_library_finds_an_edition_by_number_and_by_name() -> None:
    library = standard.library([TINY.parent])
    assert library.edition("901") is library.edition("tiny", "test-1")
    with pytest.raises(Problem, match="did you mean tiny"):
        library.edition("tinny")
    with pytest.raises(Problem, match="did you mean test-1"):
        library.edition("tiny", "test-2")


@pytest.mark.parametrize(
    ("romaji", "sql"),
    [
        ("atenabango", "text"),
        ("rirekibango", "bigint"),
        ("seinengappi", "text"),
        ("gyomuid", "text[]"),
        ("ritsu", "numeric(5,2)"),
        ("zogen", "bigint"),
    ],
)
def test_every_type_has_its_column_type(tiny: standard.Edition, romaji: str, sql: str) -> None:
    assert standard.sql_type(tiny.group("hito").item(romaji)) == sql
