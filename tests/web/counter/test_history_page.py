"""How what is known of a person came about, and the characters of her name."""

from __future__ import annotations

import html
import re

import pytest
from tests.web.counter.conftest import HANAKO, links, opened, text
from tests.web.housing import Client

from kiban.web.counter import looked


def history(clerk: Client, **query: str) -> str:
    return text(clerk.get(links(opened(clerk, HANAKO))[0] + "/history", query))


def test_events_stand_in_their_order_with_who_recorded_them_and_their_note(clerk: Client) -> None:
    page = history(clerk)
    assert page.index("転居") < page.rindex("国内転入")
    assert "留意事項：本人届出" in page
    assert "職員 hall" in page


def test_a_change_tells_item_by_item_what_was_and_what_is(clerk: Client) -> None:
    page = history(clerk)
    assert '<th scope="row">住所_番地号表記</th><td>２番３号</td><td>９番９号</td>' in page
    assert '<th scope="row">通称</th><td></td><td>花村　花子</td>' in page


def test_a_correction_is_told_as_one(clerk: Client) -> None:
    page = history(clerk)
    assert '<th scope="row">氏名_フリガナ</th><td>ワタノベ　ハナコ</td><td>ワタノ　ハナコ</td>' in page
    assert "訂正" in page


def test_the_picture_says_the_same_in_words(clerk: Client) -> None:
    page = history(clerk)
    assert 'role="img"' in page
    assert "<desc" in page
    assert "令和6年1月1日から" in page.split("<desc")[1].split("</desc>")[0]


def test_hidden_items_are_in_no_difference(clerk: Client) -> None:
    assert "123456789018" not in history(clerk)


def test_what_was_not_yet_known_at_a_moment_is_not_in_its_history(clerk: Client) -> None:
    assert "この時点までの異動はありません" in history(clerk, known="令和2年1月1日")


def test_each_character_stands_alone_with_its_code_and_its_selector(clerk: Client) -> None:
    page = text(clerk.get(links(opened(clerk, HANAKO))[0] + "/characters"))
    assert "U+9089 U+E010F" in page
    assert page.count("U+9089") == 1
    assert "<svg" in page or "IPAmj明朝フォントがこのサーバーにない" in page


def test_long_histories_and_many_rows_come_page_by_page(
    clerk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looked, "STEPS", 2)
    link = links(opened(clerk, HANAKO))[0]
    for address, marks in ((f"{link}/history", ["記録番号"]), (f"{link}/rows/resident.memo", ["申し送り"])):
        seen, following = [], ""
        while True:
            page = text(clerk.get(address + following))
            seen += re.findall(rf"{marks[0]} ?(\d+)", page)
            onwards = re.findall(r'href="(\?[^"]+)" rel="next"', page)
            if not onwards:
                break
            following = html.unescape(onwards[0])
        assert len(seen) == len(set(seen)) == {"記録番号": 3, "申し送り": 5}[marks[0]]


def test_the_head_shows_what_is_known_now_not_what_was_corrected_since(clerk: Client) -> None:
    head = history(clerk).split('class="tabs"')[0]
    assert "９番９号" in head
    assert "２番３号" not in head
