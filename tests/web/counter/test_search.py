"""A clerk finds persons, those of her own ward first."""

from __future__ import annotations

from tests.web.counter.conftest import (
    AUDITOR,
    CLERK,
    GONE,
    HANAKO,
    NADAKO,
    RECORDS,
    TARO,
    VAGUE,
    at_work,
    links,
    searched,
    text,
    words,
)
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Wanted


def test_one_box_finds_by_kana_by_name_by_birth_and_by_address(clerk: Client) -> None:
    for box, number in [
        ("ワタノベ　ハナ", HANAKO),
        ("わたのべはなこ", HANAKO),
        ("渡辺花子", HANAKO),  # a variant of 渡邉
        ("わたのべ S2.5.17", None),
        ("ワタライ 昭和25年", VAGUE),
        ("魚崎北町一丁目９", HANAKO),
    ]:
        page = text(searched(clerk, box=box))
        assert (number in page) if number else ("見つかりませんでした" in page), box


def test_a_number_leads_straight_to_the_person_with_or_without_its_leading_zeros(clerk: Client) -> None:
    for number in (HANAKO, HANAKO.lstrip("0")):
        answer = searched(clerk, box=number)
        assert answer.redirect_chain[-1][0].startswith("/people/at/")
        assert "ワタノベ　ハナコ" in text(answer)


def test_no_address_holds_a_name_or_a_number(clerk: Client) -> None:
    for form in ({"box": HANAKO}, {"box": "渡辺花子"}, {"name": "渡辺"}):
        answer = searched(clerk, **form)
        addresses = [address for address, _ in answer.redirect_chain] + links(text(answer), r"/[^\"]*")
        assert not [a for a in addresses if HANAKO.lstrip("0") in a or "渡" in a or "%E6%B8" in a]


def test_other_wards_are_searched_on_request_and_come_behind_the_own(clerk: Client) -> None:
    own = text(searched(clerk, kana="ワタノベ"))
    assert NADAKO not in own
    assert HANAKO in own
    everywhere = text(searched(clerk, kana="ワタノベ", wards="all"))
    assert everywhere.index(HANAKO) < everywhere.index(NADAKO)
    assert "他区" in everywhere


def test_a_number_of_another_ward_is_not_found_until_other_wards_are_asked_for(clerk: Client) -> None:
    assert "見つかりませんでした" in text(searched(clerk, box=NADAKO))
    assert "渡辺　灘子" in text(searched(clerk, box=NADAKO, wards="all"))


def test_who_has_left_is_marked(clerk: Client) -> None:
    page = text(searched(clerk, kana="ワタノベ　サル"))
    assert GONE in page
    assert "除票" in page


def test_nothing_found_says_what_to_do(clerk: Client) -> None:
    page = text(searched(clerk, name="存在しない"))
    assert "該当する方は見つかりませんでした" in page
    assert "他の区も検索する" in page


def test_a_wrong_check_digit_is_told_and_what_is_no_number_is_refused(clerk: Client) -> None:
    assert "検査数字" in text(searched(clerk, atenabango="910099"))
    refused = searched(clerk, atenabango="abc")
    assert refused.status_code == 422
    assert "数字で入力してください" in text(refused)
    assert 'value="abc"' in text(refused)


def test_an_empty_form_and_an_unreadable_date_are_refused_in_words(clerk: Client) -> None:
    assert "いずれかを入力してください" in text(searched(clerk))
    assert "生年月日を読み取れません" in text(searched(clerk, birth="きのう"))


def test_the_number_that_is_kept_from_a_duty_is_no_field_and_finds_nobody(peopled: web.House) -> None:
    clerk = at_work(peopled, CLERK)
    assert 'name="kojinbango"' not in text(clerk.get("/people"))
    assert HANAKO not in text(searched(clerk, box="123456789018"))
    records = at_work(peopled, RECORDS)
    assert 'name="kojinbango"' in text(records.get("/people"))
    page = text(searched(records, box="123456789018", wards="all"))
    assert HANAKO in page
    assert TARO in page


def test_recent_searches_are_ones_own_and_run_again(peopled: web.House) -> None:
    one, other = at_work(peopled, CLERK), at_work(peopled, RECORDS)
    other.post("/people/forget")
    searched(one, name="渡辺", birth="平成2年")
    page = text(one.get("/people"))
    assert "渡辺" in page
    again = links(page, r"/people/found/[^\"]+")[0]
    assert HANAKO in text(one.get(again))
    assert "まだありません" in text(other.get("/people"))
    one.post("/people/forget")
    assert "まだありません" in text(one.get("/people"))


def test_a_search_by_a_number_of_the_person_alone_is_remembered_but_never_by_another_number(
    peopled: web.House,
) -> None:
    records = at_work(peopled, RECORDS)
    records.post("/people/forget")
    searched(records, kojinbango="123456789018")
    assert "まだありません" in text(records.get("/people"))


def test_who_may_not_search_is_told_so_and_the_refusal_leaves_a_line(peopled: web.House) -> None:
    auditor = at_work(peopled, AUDITOR)
    assert auditor.get("/people").status_code == 403
    assert peopled.city is not None
    found = peopled.city.audit.lines(Wanted(actor=AUDITOR, outcome="refused")).entries
    assert found[0].line.kind == "search"


def test_a_search_leaves_a_line_with_whom_it_found_but_not_what_was_typed(peopled: web.House) -> None:
    searched(at_work(peopled, CLERK), name="渡辺花子")
    assert peopled.city is not None
    line = peopled.city.audit.lines(Wanted(actor=CLERK, kinds=("search",))).entries[0].line
    assert (line.subjects, line.business, line.purpose) == ((HANAKO,), "resident", "住民基本台帳事務")
    assert "渡辺" not in str(line.detail)
    assert line.detail["fields"] == "name"
    assert len(line.request) == 12


def test_pages_follow_each_other_by_key_and_never_tell_a_number_of_hits(clerk: Client) -> None:
    page, seen = text(searched(clerk, name="市民")), 0
    while True:
        seen += page.count('<th scope="row">')
        following = links(page, r"/people/found/[^\"]+")
        following = [link for link in following if f'href="{link}" rel="next"' in page]
        if not following:
            break
        assert "40" not in words(page)
        page = text(clerk.get(following[0]))
    assert seen == 40
    assert "以上です" in page


def test_an_address_is_found_with_its_municipality_before_it(clerk: Client) -> None:
    for form in ({"box": "神戸市東灘区魚崎北町一丁目９"}, {"address": "兵庫県神戸市東灘区 魚崎北町1-9"}):
        page = text(searched(clerk, **form))
        assert "を除き、町字から検索しました" in page
        assert HANAKO in page
