from __future__ import annotations

from datetime import date

import pytest

from kiban.kernel import Problem
from kiban.store import Query, Store

from .conftest import CITY_HALL, move_in, person

DAY = date(2026, 1, 1)


def found(city: Store, **asked: object) -> list[str]:
    with city.session(CITY_HALL) as session:
        return [
            hit.subject.lstrip("0")
            for hit in session.search("resident.jumin", Query(as_of=DAY, **asked)).hits
        ]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    ["渡邉　花子", "渡邊　花子", "渡辺花子", "渡邉\U000e010f", "渡部"],
)
def test_variant_kanji_find_each_other(city: Store, written: str) -> None:
    move_in(city, person("1", name="渡辺　花子"))
    move_in(city, person("2", name="渡邉\U000e010f　花子"))
    move_in(city, person("3", name="髙﨑　一郎", kana="タカサキ　イチロウ"))
    assert found(city, name=written) == ([] if written == "渡部" else ["1", "2"])
    assert found(city, name="高崎") == ["3"]


@pytest.mark.parametrize("read", ["わたなべ", "ﾜﾀﾅﾍﾞ ﾊﾅｺ", "ワタナヘ", "ワタナベーハナコ", "ワタナべ・ハナ"])
def test_kana_is_found_however_it_is_typed(city: Store, read: str) -> None:
    move_in(city, person("1"))
    assert found(city, kana=read) == ["1"]


def test_a_former_name_an_alias_and_a_romaji_name_find_the_person(city: Store) -> None:
    names = {
        "kyuji": "佐藤",
        "kyuji_furigana": "サトウ",
        "tsusho": "田中　メアリー",
        "tsusho_furigana": "タナカ　メアリー",
    }
    move_in(city, person("1", **names, shimei_gaikokujinromaji="ＳＭＩＴＨ　ＭＡＲＹ"))
    for asked in ({"kana": "サトー"}, {"name": "田中"}, {"name": "smith"}, {"kana": "タナカメアリ"}):
        assert found(city, **asked) == ["1"], asked


def test_a_birth_date_known_only_roughly_is_found_by_any_day_it_may_be(city: Store) -> None:
    move_in(
        city,
        person("1", seinengappi=None, seinengappi_fushofuragu="1", seinengappi_fushohyoki="昭和２５年頃"),
    )
    move_in(city, person("2", seinengappi="1950-03-04"))
    assert found(city, birth=(date(1950, 3, 4), date(1950, 3, 4))) == ["1", "2"]
    assert found(city, birth=(date(1949, 3, 4), date(1949, 3, 4)), kana="ワタナベ") == []


def test_births_come_in_the_order_of_their_first_day_page_by_page_and_each_once(city: Store) -> None:
    rough = {"seinengappi": None, "seinengappi_fushofuragu": "1"}
    move_in(city, person("1", **rough, seinengappi_fushohyoki="昭和２５年頃"))
    move_in(city, person("2", **rough, seinengappi_fushohyoki="昭和２５年３月頃"))
    for number, day in (("3", "1950-03-04"), ("4", "1950-03-04"), ("5", "1950-03-05"), ("6", "1950-03-06")):
        move_in(city, person(number, seinengappi=day))
    shown, after = [], None
    with city.session(CITY_HALL) as session:
        while True:
            asked = Query(as_of=DAY, birth=(date(1950, 3, 4), date(1950, 3, 5)), limit=1)
            page = session.search("resident.jumin", asked, after)
            shown += [hit.subject.lstrip("0") for hit in page.hits]
            if (after := page.next) is None:
                break
    assert shown == ["1", "2", "3", "4", "5"]


def test_an_address_is_found_by_any_digits_and_hyphens(city: Store) -> None:
    move_in(city, person("1"))
    for asked in ("魚崎北町1-2-3", "魚崎北町一丁目２番３号", "魚崎北町１ー２"):
        assert found(city, address=asked) == ["1"], asked


def test_pages_follow_each_other_without_gap_or_repetition(city: Store) -> None:
    for number in range(1, 12):
        move_in(
            city,
            person(
                str(number),
                kana="タナカ" if number % 2 else "タナカ　イチ",
                seinengappi=f"19{50 + number}-01-01",
            ),
        )
    for asked in ({"kana": "タナカ"}, {"birth": (date(1950, 1, 1), date(1990, 1, 1))}):
        pages, after = [], None
        with city.session(CITY_HALL) as session:
            while True:
                page = session.search("resident.jumin", Query(as_of=DAY, limit=4, **asked), after)  # type: ignore[arg-type]
                pages.append([hit.subject for hit in page.hits])
                after = page.next
                if after is None:
                    break
        assert [len(hits) for hits in pages] == [4, 4, 3], asked
        assert len({subject for hits in pages for subject in hits}) == 11


def test_a_search_that_names_nobody_or_a_damaged_page_is_refused(city: Store) -> None:
    with pytest.raises(Problem, match="query-empty"):
        Query(as_of=DAY, kana="・　")
    with pytest.raises(Problem, match="query-limit"):
        Query(as_of=DAY, kana="ア", limit=1000)
    with city.session(CITY_HALL) as session, pytest.raises(Problem, match="page-unreadable"):
        session.search("resident.jumin", Query(as_of=DAY, kana="ア"), "これは頁ではない")
