"""The numbering API on the real register: who is known keeps the number, who is not gets one, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL

from kiban.kernel import Period, Problem, is_valid_atenabango
from kiban.linkage import api
from kiban.linkage.api import Answer, Numbering, NumberingSpec, Numbers, Rule
from kiban.store import Books, Change, Store, told_after

from .conftest import NOW, REGISTER, RULE, SECRET, Rows, request


def number(answer: Answer) -> str:
    assert answer.status == 200, (answer.body, answer.problem)
    assert len(answer.body["result"]) == 1
    return str(answer.body["result"][0]["atenabango"])


def errors(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status == 400, (answer.body, answer.problem)
    return [(error["code"], error["message"]) for error in answer.body["errors"]]


def test_a_person_who_is_not_known_gets_the_next_number(numbering: Numbering, rows: Rows) -> None:
    answer = numbering.answer(request(), "002")
    assert answer.status == 200, (answer.body, answer.problem)
    [result] = answer.body["result"]
    assert answer.body["metadata"] == {"title": "住登外者宛名番号付番", "detail": "登録が完了しました。"}
    assert answer.body["_links"] == {"self": {"href": "/app_submit/v10/jutogaishaatenabangofuban"}}
    assert is_valid_atenabango(result["atenabango"]) and len(result["atenabango"]) == 15
    assert result == {
        "shikuchosonkodo": "131016",
        "atenabango": result["atenabango"],
        "rirekibango": 1,
        "sosashaid": "123456",
        "sosanengappi": "2026-11-24",
        "sosajikoku": "09:00:00",
    }
    [row] = rows.of(result["atenabango"])
    assert (row["shimei"], row["jusho_choaza"], row["gyomuid"]) == ("佐藤　一郎", "霞が関二丁目", "001")


def test_a_numbering_is_an_event_that_says_who_asked(numbering: Numbering, city: Store) -> None:
    given = number(numbering.answer(request(), "002"))
    told = told_after(city, 0, 100)[-1]
    assert (told.kind, told.note["origin"], told.valid) == ("住登外者新規付番", "002", NOW.date())
    assert [touch.subject for touch in told.touched] == [{"atenabango": given}]


@pytest.mark.parametrize(
    "change",
    [
        {"jusho_banchigohyoki": "１－６", "jusho_choaza": "霞が関２丁目"},
        {"shimei": "佐藤\U000e0100　一郎"},
        {"shimei_furigana": "サトー　イチロー", "sosashaid": "999", "gyomuid": "002"},
        {"kojinbango": "123456789018"},
    ],
)
def test_the_same_person_keeps_the_number_however_it_is_written(
    numbering: Numbering, city: Store, change: dict[str, Any]
) -> None:
    first = number(numbering.answer(request(), "002"))
    events = len(told_after(city, 0, 100))
    assert number(numbering.answer(request(**change), "003")) == first
    assert len(told_after(city, 0, 100)) == events


@pytest.mark.parametrize(
    "change",
    [
        {"shimei": "佐藤　二郎", "na_nihonjin": "二郎"},
        {"seinengappi": "1964-07-02"},
        {"seibetsu": "2"},
        {"jusho_banchigohyoki": "１番７号"},
    ],
)
def test_another_person_gets_another_number(numbering: Numbering, change: dict[str, Any]) -> None:
    assert number(numbering.answer(request(), "002")) != number(numbering.answer(request(**change), "002"))


def test_a_hundred_requests_at_one_instant_give_one_number_and_one_row(
    numbering: Numbering, rows: Rows, city: Store
) -> None:
    with ThreadPoolExecutor(16) as pool:
        given = list(pool.map(lambda n: number(numbering.answer(request(), f"{n % 9:03}")), range(100)))
    assert len(set(given)) == 1
    assert len(rows.of(given[0])) == 1
    assert len([t for t in told_after(city, 0, 1_000) if t.kind == "住登外者新規付番"]) == 1


def test_serials_of_remainder_one_are_skipped_unless_the_city_has_a_rule(books: Books) -> None:
    first = 90_000_000_000_000
    unset = [s for s in range(first, first + 30) if not _has_digit(s)]
    assert unset
    numbers = Numbers(books, SECRET)
    numbers.set_rule(Rule(unset[0], unset[0] + 1))
    skipped = numbers.give(b"a", lambda _: False, NOW)
    assert int(skipped[:-1]) == unset[0] + 1
    numbers.set_rule(Rule(unset[-1], unset[-1], remainder_one="0"))
    assert numbers.give(b"b", lambda _: False, NOW) == f"{unset[-1]}0"


def _has_digit(serial: int) -> bool:
    from kiban.kernel import atenabango_check_digit

    try:
        return bool(atenabango_check_digit(str(serial)))
    except Problem:
        return False


def test_a_number_that_stands_in_any_register_is_never_given(numbering: Numbering, city: Store) -> None:
    from tests.store.conftest import move_in, person

    free = number(numbering.answer(request(), "002"))
    following = api.numbers.next_atenabango(int(free[:-1]) + 1)[0]
    move_in(city, person(following))
    other = number(numbering.answer(request(seinengappi="1970-01-01"), "002"))
    assert other not in (free, following)


def test_without_numbers_set_apart_there_is_no_number(books: Books, city: Store, spec: NumberingSpec) -> None:
    answer = Numbering(spec, city, Numbers(books, SECRET), SECRET, lambda: NOW).answer(request(), "002")
    assert answer.status == 503
    assert answer.problem is not None and answer.problem.code == "numbering-unset"
    assert answer.body == {
        "title": "住登外者宛名番号付番",
        "detail": "想定外のエラーが発生しました。",
        "_links": {"self": {"href": "/app_submit/v10/jutogaishaatenabangofuban"}},
    }


def test_numbers_run_out_loudly(books: Books) -> None:
    numbers = Numbers(books, SECRET)
    numbers.set_rule(Rule(1, 1, digits=8))
    assert numbers.give(b"a", lambda _: False, NOW) == "00000019"
    with pytest.raises(Problem, match="numbering-used-up"):
        numbers.give(b"b", lambda _: False, NOW)
    numbers.set_rule(Rule(1, 2, digits=8))
    assert numbers.give(b"b", lambda _: False, NOW) == "00000027"
    with pytest.raises(Problem, match="numbering-range"):
        numbers.set_rule(Rule(6, 6, digits=8))


def legacy(city: Store, given: str, **changed: Any) -> None:
    row = {**request(**changed), "atenabango": given, "rirekibango": 3}
    del row["shorikubun"]
    with city.session(CITY_HALL) as session:
        session.record("移行", given, [Change(REGISTER, row, Period(None))])


def test_whoever_stands_in_the_register_before_is_found_there(numbering: Numbering, city: Store) -> None:
    legacy(city, "000000000001234")
    assert number(numbering.answer(request(), "002")) == "000000000001234"
    assert number(numbering.answer(request(), "002")) == "000000000001234"


def test_several_who_fit_are_candidates_and_one_is_chosen(numbering: Numbering, city: Store) -> None:
    legacy(city, "000000000001234")
    legacy(city, "000000000005678")
    answer = numbering.answer(request(), "002")
    assert [r["atenabango"] for r in answer.body["result"]] == ["000000000001234", "000000000005678"]
    chosen = request(shorikubun="2", atenabango="000000000005678")
    assert number(numbering.answer(chosen, "002")) == "000000000005678"


def test_a_number_joined_to_another_counts_as_that(numbering: Numbering, city: Store) -> None:
    legacy(city, "000000000001234")
    legacy(city, "000000000005678", nayosemotofuragu="1", nayosesakiatenabango="000000000001234")
    assert number(numbering.answer(request(), "002")) == "000000000001234"


def test_an_existing_number_takes_a_change_of_its_person(numbering: Numbering, rows: Rows) -> None:
    given = number(numbering.answer(request(), "002"))
    moved = request(
        shorikubun="1", atenabango=given, jusho_choaza="永田町一丁目", jusho_banchigohyoki="７番１号"
    )
    answer = numbering.answer(moved, "002")
    assert answer.body["result"][0]["rirekibango"] == 2
    assert numbering.answer(moved, "002") == answer
    [row] = rows.of(given)
    assert (row["jusho_choaza"], row["rirekibango"]) == ("永田町一丁目", 2)
    assert (
        number(numbering.answer(request(**{**moved, "shorikubun": "0", "atenabango": ...}), "002")) == given
    )


def test_a_resident_who_left_keeps_the_number(numbering: Numbering, rows: Rows) -> None:
    resident = "1".zfill(15)
    asked = request(
        shorikubun="1",
        atenabango=resident,
        shimei="渡邉　花子",
        uji_nihonjin="渡邉",
        na_nihonjin="花子",
        seibetsu="2",
        seinengappi="1990-05-17",
    )
    assert number(numbering.answer(asked, "002")) == resident
    assert rows.of(resident)[0]["rirekibango"] == 1
    assert errors(numbering.answer({**asked, "shorikubun": "2", "atenabango": "2".zfill(15)}, "002"))


@pytest.mark.parametrize("step", ["1", "2"])
def test_a_number_is_not_given_to_a_second_person(numbering: Numbering, step: str) -> None:
    given = number(numbering.answer(request(), "002"))
    stranger = request(shorikubun=step, atenabango=given, seinengappi="1999-01-01")
    assert errors(numbering.answer(stranger, "002")) == [
        ("E0004", "宛名番号の人と氏名、生年月日、住所が一致しません。")
    ]
    unknown = request(shorikubun=step, atenabango="999999999999999")
    assert errors(numbering.answer(unknown, "002"))[0][0] == "E0004"


def test_a_person_does_not_get_a_second_number_by_a_change(numbering: Numbering) -> None:
    number(numbering.answer(request(), "002"))
    brother = {"shimei": "佐藤　二郎", "na_nihonjin": "二郎"}
    second = number(numbering.answer(request(**brother), "002"))
    becoming = request(shorikubun="1", atenabango=second)
    assert errors(numbering.answer(becoming, "002")) == [
        ("E0004", "同じ４情報の人に別の宛名番号があります。名寄せを行ってください。")
    ]


def test_a_request_that_comes_again_under_its_name_is_the_same(numbering: Numbering) -> None:
    nameless = request(shimei=..., uji_nihonjin=..., na_nihonjin=...)
    first = number(numbering.answer(nameless, "002", "key-1"))
    assert number(numbering.answer(nameless, "002", "key-1")) == first
    assert number(numbering.answer(nameless, "003", "key-1")) != first
    assert number(numbering.answer(nameless, "002")) != first
    assert errors(numbering.answer(request(), "002", "key-1")) == [
        ("E0004", "同じ依頼識別子で、内容の異なる依頼がすでにあります。")
    ]


def test_the_register_needs_a_place_for_what_the_api_carries(databases: Any, library: Any, spec: Any) -> None:
    from tests.store.conftest import KEY
    from tests.store.conftest import fill as fill_official

    from kiban import linkage, store

    with databases.fresh() as database:
        fill_official(database, library)
        with (
            Store(store.Server(database.owner_dsn, database.app_dsn), library, KEY) as city,
            linkage.open_linkage(city) as books,
        ):
            numbers = Numbers(books, SECRET)
            numbers.set_rule(RULE)
            answer = Numbering(spec, city, numbers, SECRET, lambda: NOW).answer(request(), "002")
    assert answer.problem is not None and answer.problem.code == "numbering-edition"


def test_a_database_that_is_gone_is_503_and_no_half_answer(numbering: Numbering, city: Store) -> None:
    city.close()
    answer = numbering.answer(request(), "002")
    assert (answer.status, answer.body["detail"]) == (503, "想定外のエラーが発生しました。")


def test_no_item_of_a_person_lies_in_the_book(numbering: Numbering, books: Books) -> None:
    number(numbering.answer(request(), "002", "key-1"))
    with books.transaction() as page:
        written = "".join(
            str(page.rows(f"SELECT * FROM numbering_{name}")) for name in ("person", "request", "issued")
        )
    assert "佐藤" not in written and "1964" not in written
