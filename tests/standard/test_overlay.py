"""A city sets options and parameters; what the standard fixes it may not touch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kiban import standard
from kiban.kernel import Problems

HEAD = 'city: "281000"\nbase: {business: "901", edition: test-1}\n'
Lay = Callable[[str], standard.Edition]


@pytest.fixture
def lay(tiny: standard.Edition, tmp_path: Path) -> Lay:
    def lay_over(text: str) -> standard.Edition:
        (tmp_path / "overlay.yaml").write_text(HEAD + text, encoding="utf-8")
        return standard.overlay(tiny, tmp_path)

    return lay_over


def test_a_city_leaves_out_optional_items_and_the_standard_stays_as_it_was(
    lay: Lay, tiny: standard.Edition
) -> None:
    kobe = lay("options: {include: [zogen], exclude: [ritsu, hito.gyomuid]}\n")
    assert "ritsu" not in kobe.group("hito")
    assert "gyomuid" not in kobe.group("hito")
    assert "zogen" in kobe.group("hito")
    assert "ritsu" in tiny.group("hito")
    assert kobe.overlay is not None
    assert (kobe.overlay.city, kobe.overlay.excluded) == ("281000", ("ritsu", "hito.gyomuid"))
    assert tiny.overlay is None


def test_a_city_fills_its_own_codes_and_they_are_checked_from_then_on(
    lay: Lay, tiny: standard.Edition
) -> None:
    item = tiny.group("hito").item("shobunkubun")
    assert standard.check_value(item, "77", tiny.code_list(item)) is None
    kobe = lay(
        'codes: {"999": [{value: "01", label: 通常}, {value: "02", label: 特例, valid_from: 2026-10-01}]}\n'
    )
    code_list = kobe.code_list(kobe.group("hito").item("shobunkubun"))
    assert code_list is not None
    assert code_list.values == ("01", "02")
    problem = standard.check_value(kobe.group("hito").item("shobunkubun"), "77", code_list)
    assert problem is not None
    assert problem.code == "value-not-in-code-list"


def test_a_city_gives_each_item_of_the_shared_free_list_its_own_codes(lay: Lay) -> None:
    kobe = lay("codes: {hito.shobunkubun: [{value: A, label: 甲}]}\n")
    item = kobe.group("hito").item("shobunkubun")
    assert item.code == "999:hito.shobunkubun"
    assert kobe.codes[item.code].label("A") == "甲"
    assert kobe.codes["999"].free
    assert standard.sql_check(item, kobe.code_list(item)) == '"shobunkubun" = ANY (\'{"A"}\')'


def test_parameters_search_and_display_are_kept(lay: Lay) -> None:
    kobe = lay(
        "parameters: {teishutsukigen: 14, tantou: {ka: 市民課}}\n"
        "search: {hito: {numbers: [kojinbango, setaibango]}}\ndisplay: {hito: [shimei, seinengappi]}\n"
    )
    assert kobe.overlay is not None
    assert kobe.overlay.parameters == {"teishutsukigen": "14", "tantou": {"ka": "市民課"}}
    assert kobe.overlay.display == {"hito": ("shimei", "seinengappi")}
    search = kobe.group("hito").search
    assert search is not None
    assert search.numbers == ("kojinbango", "setaibango")
    assert search.address == ("jusho",)


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("options: {exclude: [seibetsu]}\n", "hito.seibetsu (性別) cannot be left out: its 実装類型 is ○", 3),
        ("options: {exclude: [kojinbango]}\n", "the search uses it", 3),
        ("options: {exclude: [addeditem]}\n", "a city cannot add items", 3),
        ("options: {include: [addeditem]}\n", "a city cannot add items", 3),
        ("options: {digits: {shimei: 200}}\n", "options may not set digits", 3),
        ("items:\n  - {romaji: shimei, digits: 200}\n", "a city may not change items", 3),
        ("groups: []\n", "a city may not change groups", 3),
        ("renames: {shimei: namae}\n", "a city may not change renames", 3),
        ("conditions: {jusho: 必須}\n", "a city may not change conditions", 3),
        ('codes: {"1": [{value: "3", label: その他}]}\n', "code list 1 性別 are fixed by the standard", 3),
        ("codes: {seibetsu: [{value: x, label: y}]}\n", "code list 1 性別 are fixed by the standard", 3),
        ("codes: {jusho: [{value: x, label: y}]}\n", "jusho names no code list and no coded item", 3),
        ("search: {setai: {numbers: [setaibango]}}\n", "has no search that a city could change", 3),
        ("search: {hito: {numbers: [nanika]}}\n", "nanika is no item of group hito", 3),
        ("display: {hitto: [shimei]}\n", "hitto is no group", 3),
        ("options: {exclude: [ritsu]}\ndisplay: {hito: [ritsu]}\n", "or is left out", 4),
    ],
)
def test_a_forbidden_change_is_refused_with_its_place(text: str, what: str, where: int, lay: Lay) -> None:
    with pytest.raises(Problems) as raised:
        lay(text)
    (problem,) = raised.value.problems
    assert problem.code == "overlay-forbidden"
    assert what in problem.what
    assert problem.where == f"overlay.yaml:{where}"
    assert problem.fix


def test_all_faults_of_an_overlay_are_told_at_once(tiny: standard.Edition, tmp_path: Path) -> None:
    path = tmp_path / "kobe.yaml"
    path.write_text(
        'city: kobe\nbase: {business: "902", edition: test-9}\ntypes: {}\nparameters: [1]\n'
        "options: {include: [ritsu], exclude: [ritsu]}\n"
        'codes: {"999": [{value: "123", label: 長い}, {value: a, label: 一}, {value: a, label: 二}, {label: 三}]}\n',
        encoding="utf-8",
    )
    with pytest.raises(Problems) as raised:
        standard.overlay(tiny, path)
    codes = [p.code for p in raised.value.problems]
    assert sorted(set(codes)) == [
        "code-value-too-long",
        "code-value-twice",
        "field-form",
        "field-missing",
        "overlay-contradiction",
        "overlay-forbidden",
        "overlay-of-other-edition",
        "yaml-not-a-mapping",
    ]
    assert codes.count("overlay-of-other-edition") == 2


def test_an_overlay_that_is_not_there_is_told(tiny: standard.Edition, tmp_path: Path) -> None:
    with pytest.raises(Problems, match="file-missing"):
        standard.overlay(tiny, tmp_path)


def test_the_items_that_carry_the_structure_cannot_be_left_out(lay: Lay, tiny: standard.Edition) -> None:
    for romaji in ("atenabango", "kukodo", "setaibango", "seinengappi_fushohyoki"):
        with pytest.raises(Problems, match="cannot be left out"):
            lay(f"options: {{exclude: [{romaji}]}}\n")
