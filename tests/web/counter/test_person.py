"""A clerk reads what the registers hold of a person, as of any day, and nobody else does."""

from __future__ import annotations

import re

from tests.web.counter.conftest import (
    CLERK,
    HANAKO,
    NADAKO,
    RECORDS,
    TARO,
    at_work,
    links,
    opened,
    searched,
    text,
)
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Wanted


def test_a_person_stands_with_kana_household_and_every_register(clerk: Client) -> None:
    page = opened(clerk, HANAKO)
    head = page.split("<h1>")[1].split("</h1>")[0]
    assert head.startswith('<span class="kana">ワタノベ　ハナコ</span>渡')
    assert (
        'aria-label="邉\U000e010f"' in head or "渡邉\U000e010f　花子" in head
    )  # drawn where the font is installed
    assert "渡邉　太郎" in page
    for title in ("住民", "世帯", "外国人住民", "メモ", "証明書交付履歴"):
        assert f">{title} <span" in page
    assert "９番９号" in page
    assert "申し送り5" in page


def test_hidden_items_are_named_and_tell_nothing(clerk: Client) -> None:
    page = opened(clerk, HANAKO)
    assert "123456789018" not in page
    assert re.search(r"<dt>個人番号</dt><dd>権限がないため表示しません</dd>", page)


def test_who_may_see_the_number_sees_it(peopled: web.House) -> None:
    page = text(searched(at_work(peopled, RECORDS), atenabango=HANAKO, wards="all"))
    assert "123456789018" in page


def test_a_day_before_shows_what_was_true_then(clerk: Client) -> None:
    page = opened(clerk, HANAKO, on="令和5年4月1日")
    assert "９番９号" not in page
    assert "２番３号" in page
    assert "令和5年4月1日の状態" in page


def test_a_moment_before_shows_what_was_known_then(clerk: Client) -> None:
    page = opened(clerk, HANAKO, on="令和3年6月1日")
    assert "ワタノ　ハナコ" in page
    answer = searched(clerk, atenabango=HANAKO)
    early = text(clerk.get(answer.redirect_chain[-1][0], {"known": "令和2年1月1日"}))
    assert "表示できる記録がありません" in early


def test_a_date_that_cannot_be_read_is_told_and_today_is_shown(clerk: Client) -> None:
    assert "基準日を読み取れません" in opened(clerk, HANAKO, on="いつか")
    assert "過ぎた日時" in opened(clerk, HANAKO, known="2999-01-01")


def test_members_of_the_household_are_a_click_away(clerk: Client) -> None:
    page = opened(clerk, HANAKO)
    heads = [text(clerk.get(link)).split("</h1>")[0] for link in links(page)]
    assert ["ワタノベ　タロウ" in head for head in heads] == [False, True]


def test_further_rows_of_a_register_have_a_page(clerk: Client) -> None:
    page = opened(clerk, HANAKO)
    assert "メモの記録をすべて表示（ほか2件）" in page
    whole = text(clerk.get(links(page, r"/people/at/[^\"]+/rows/resident.memo")[0]))
    assert [n for n in range(1, 6) if f"申し送り{n}" in whole] == [1, 2, 3, 4, 5]


def test_a_handle_of_one_session_is_worth_nothing_in_another(peopled: web.House) -> None:
    mine, yours = at_work(peopled, CLERK), at_work(peopled, CLERK)
    link = links(opened(mine, HANAKO))[0]
    for address in (link, f"{link}/history", f"{link}/characters", f"{link}/rows/resident.memo"):
        assert mine.get(address).status_code == 200
        assert yours.get(address).status_code == 404


def test_a_handle_of_one_kind_is_none_of_another_and_a_damaged_one_is_none(clerk: Client) -> None:
    link = links(opened(clerk, HANAKO))[0]
    handle = link.rsplit("/", 1)[1]
    assert clerk.get(f"/people/found/{handle}").status_code == 404
    for damaged in (handle[:-2], handle[:-1] + ("A" if handle[-1] != "A" else "B"), "x", "あ", "%00"):
        assert clerk.get(f"/people/at/{damaged}").status_code == 404


def test_a_person_of_another_ward_shows_nothing_to_who_may_not_see_other_wards(peopled: web.House) -> None:
    from dataclasses import replace

    from kiban.web.counter import views

    client = at_work(peopled, CLERK)
    request = client.get("/people").wsgi_request
    roll = views.rolls(peopled.city.store, ["resident"])[0]  # type: ignore[union-attr]
    address = views.person_address(request, roll, NADAKO)
    assert "渡辺　灘子" in text(client.get(address))
    city = peopled.city
    assert city is not None
    kept = city.policies.grant
    narrow = type("Narrow", (), {})()
    narrow.grant = lambda acting: _without(kept(acting), "other-wards")
    narrow.duties = city.policies.duties
    client.django.defaults[web.house.NAME] = replace(peopled, city=replace(city, policies=narrow))  # type: ignore[attr-defined]
    answer = client.get(address)
    assert answer.status_code == 404
    assert "灘子" not in text(answer)
    line = city.audit.lines(Wanted(actor=CLERK, outcome="refused")).entries[0].line
    assert (line.kind, line.subjects) == ("read", (NADAKO,))


def _without(grant: object, action: str) -> object:
    from dataclasses import replace

    return replace(grant, decisions=frozenset(d for d in grant.decisions if d[0] != action))  # type: ignore


def test_each_page_of_a_person_leaves_its_line_with_whom_it_showed(peopled: web.House) -> None:
    client = at_work(peopled, CLERK)
    link = links(opened(client, HANAKO))[0]
    client.get(f"{link}/history")
    client.get(f"{link}/characters")
    assert peopled.city is not None
    lines = [entry.line for entry in peopled.city.audit.lines(Wanted(actor=CLERK), limit=3).entries]
    assert [(line.kind, line.detail["page"]) for line in lines] == [
        ("read", "characters"),
        ("history", "history"),
        ("read", "person"),
    ]
    assert set(lines[2].subjects) == {HANAKO, TARO}
