"""The first pages: nobody works who has not signed in and chosen a duty."""

from __future__ import annotations

from tests.web.housing import BEGAN
from tests.web.pages.conftest import Client

from kiban import web
from kiban.access import Staff


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=%2F"
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "default-src 'none'" in page["Content-Security-Policy"]


def test_a_missing_page_says_so_in_japanese_with_the_number_of_its_line_in_the_log(client: Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "ページが見つかりません" in answer.content.decode()
    assert "問い合わせ番号" in answer.content.decode()


def test_a_form_without_its_token_is_refused(client: Client) -> None:
    from django.test import Client as DjangoClient

    strict = DjangoClient(
        enforce_csrf_checks=True,
        headers={"accept": "text/html", "host": "localhost"},
        **client.django.defaults,
    )
    assert strict.post("/account/login/", {"login": "1", "password": "x"}).status_code == 403


def test_styles_come_from_the_package(client: Client) -> None:
    answer = client.get("/static/kiban/tokens.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    assert b"--blue-900" in b"".join(answer)
    answer.close()


def test_whoever_has_no_duty_can_sign_out_again(client: Client, house: web.House) -> None:
    assert house.city is not None
    house.city.people.apply([Staff("800001", "無職　務", "ム", BEGAN)], "test", house.city.now())
    page = client.sign_in("800001").get("/duty")
    assert "本日有効な職務がありません" in page.content.decode()
    assert 'action="/account/logout/"' in page.content.decode()
