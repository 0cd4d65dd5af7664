"""The numbering API over HTTP, in the forms that the official document lists."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from tests.linkage.api.conftest import request

from kiban import linkage
from kiban.kernel import is_valid_atenabango
from kiban.store import Store

from .conftest import NUMBERING, READING, Live

PATH = "/app_submit/v10/jutogaishaatenabangofuban"
INQUIRY = "/app_submit/v10/jutogaishaatenakihonjohosyokai"


@pytest.fixture
def headers(served: Live) -> dict[str, str]:
    return {"Authorization": f"Bearer {served.token(served.library, NUMBERING)}"}


def test_a_number_is_given_in_the_official_form(served: Live, headers: dict[str, str]) -> None:
    answer = served.post(PATH, json=request(), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    [result] = answer.json()["result"]
    assert is_valid_atenabango(result["atenabango"])
    assert answer.json()["metadata"]["detail"] == "登録が完了しました。"


def test_errors_come_in_the_official_form(served: Live, headers: dict[str, str]) -> None:
    answer = served.post(PATH, json=request(sosashaid=..., seibetsu="男"), headers=headers)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert answer.json() == {
        "title": "住登外者宛名番号付番",
        "detail": "エラーが発生しました。",
        "_links": {"self": {"href": PATH}},
        "errors": [
            {"code": "E0002", "message": "性別はコード値（0、1、2）で設定してください。"},
            {"code": "E0001", "message": "操作者IDが設定されていません。"},
        ],
    }


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_what_is_no_request_is_an_official_error(served: Live, headers: dict[str, str], body: bytes) -> None:
    answer = served.post(PATH, data=body, headers={**headers, "Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "E0002"


@pytest.mark.parametrize("scope", [None, READING])
def test_no_token_and_another_token_are_401_in_the_official_form(served: Live, scope: str | None) -> None:
    given = {"Authorization": f"Bearer {served.token(served.library, scope)}"} if scope else {}
    answer = served.post(PATH, json=request(), headers=given)
    assert answer.status_code == 401
    assert answer.json() == {
        "title": "住登外者宛名番号付番",
        "detail": "アクセストークンが無効です。",
        "_links": {"self": {"href": PATH}},
    }
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_back_end_that_is_down_is_503_in_the_official_form(
    served: Live, headers: dict[str, str], city_down: Any
) -> None:
    answer = served.post(PATH, json=request(), headers=headers)
    assert answer.status_code == 503
    assert answer.json() == {
        "title": "住登外者宛名番号付番",
        "detail": "想定外のエラーが発生しました。",
        "_links": {"self": {"href": PATH}},
    }


@pytest.fixture
def city_down(served: Live, library: Any) -> None:
    from kiban import store
    from kiban.linkage import api

    from .conftest import KEY, SECRET

    nowhere = "host=127.0.0.1 port=1 dbname=none user=nobody connect_timeout=1"
    gone = Store(store.Server(nowhere, nowhere), library, KEY)
    gone.close()
    numbering = api.Numbering(
        api.numbering_spec(library), gone, api.Numbers(served.books, SECRET), SECRET, served.clock
    )
    reading = api.Reading(
        gone, lambda _: [served.contract], lambda _: None, SECRET, linkage.api.nothing_known, served.clock
    )
    served.serving[-1] = replace(served.house, numbering=numbering, reading=reading)


def test_a_mistake_of_ours_is_503_in_the_official_form(
    served: Live, headers: dict[str, str], caplog: Any
) -> None:
    def mistaken() -> Any:
        raise RuntimeError("佐藤　一郎")

    served.serving[-1] = replace(served.house, now=mistaken)
    answer = served.post(PATH, json=request(), headers=headers)
    assert (answer.status_code, answer.json()["detail"]) == (503, "想定外のエラーが発生しました。")
    assert "佐藤" not in answer.text and "RuntimeError" in caplog.text


def test_where_it_is_not_served_there_is_nothing(served: Live, headers: dict[str, str]) -> None:
    served.serving[-1] = replace(served.house, numbering=None)
    assert served.post(PATH, json=request(), headers=headers).status_code == 404


def test_the_inquiry_api_is_not_invented(served: Live, headers: dict[str, str]) -> None:
    assert served.post(INQUIRY, json={}).status_code == 401
    assert served.post(INQUIRY, json={}, headers=headers).status_code == 403
    from kiban.access import Registration, Scope

    scope = "031:app_submit/v10/jutogaishaatenakihonjohosyokai:Read"
    asker = served.access.systems.add(
        Registration("Q01", "照会", scopes=frozenset({Scope.parse(scope)})), served.clock()
    )
    token = served.token(asker, scope)
    answer = served.post(INQUIRY, json={}, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (501, "inquiry-unspecified")


def test_requests_at_one_instant_for_one_person_give_one_number(
    served: Live, headers: dict[str, str]
) -> None:
    other = {"Authorization": f"Bearer {served.token(served.tax, NUMBERING)}"}

    def ask(n: int) -> str:
        body = request(shimei="鈴木　次郎", uji_nihonjin="鈴木", na_nihonjin="次郎", sosashaid=str(n))
        answer = served.post(PATH, json=body, headers=(headers, other)[n % 2])
        assert answer.status_code == 200, answer.text
        return str(answer.json()["result"][0]["atenabango"])

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(ask, range(64)))) == 1


def test_a_request_sent_again_is_one_request(served: Live, headers: dict[str, str]) -> None:
    nameless = request(shimei=..., uji_nihonjin=..., na_nihonjin=..., seinengappi="1950-01-01")
    named = {**headers, "Idempotency-Key": "7d3c"}
    first = served.post(PATH, json=nameless, headers=named).json()
    assert served.post(PATH, json=nameless, headers=named).json() == first
    assert served.post(PATH, json=request(), headers=named).json()["errors"][0]["code"] == "E0004"
    answer = served.post(PATH, json=nameless, headers={**headers, "Idempotency-Key": "x" * 101})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "E0002")
