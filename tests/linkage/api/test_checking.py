"""A request is held against the official list, and every error is told at once with its official code."""

from __future__ import annotations

from typing import Any

import pytest

from kiban.linkage.api import Fault, NumberingSpec, check

from .conftest import request


def faults(spec: NumberingSpec, body: Any) -> list[Fault]:
    return check(spec, body)[1]


def test_the_usual_request_has_no_error(spec: NumberingSpec) -> None:
    assert faults(spec, request()) == []


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"shorikubun": ...}, "E0001", "処理区分が設定されていません。"),
        ({"sosashaid": ""}, "E0001", "操作者IDが設定されていません。"),
        ({"sosajikoku": None}, "E0001", "操作時刻が設定されていません。"),
        ({"shorikubun": "1"}, "E0001", "宛名番号が設定されていません。"),
        ({"shorikubun": "3"}, "E0002", "処理区分はコード値（0、1、2）で設定してください。"),
        ({"shimei": "Sato"}, "E0002", "氏名は全角文字列で設定してください。"),
        ({"shimei": ["佐藤"]}, "E0002", "氏名は全角文字列で設定してください。"),
        ({"sosashaid": "操作"}, "E0002", "操作者IDは半角文字列で設定してください。"),
        ({"seibetsu": "9"}, "E0002", "性別はコード値（0、1、2）で設定してください。"),
        ({"sosanengappi": "2026-02-30"}, "E0002", "操作年月日はYYYY-MM-DDで設定してください。"),
        ({"sosanengappi": "0000-01-01"}, "E0002", "操作年月日はYYYY-MM-DDで設定してください。"),
        ({"seinengappi": "4760-96-41"}, "E0002", "生年月日はYYYY-MM-DDで設定してください。"),
        ({"sosajikoku": "25:00:00"}, "E0002", "操作時刻はHH:MM:SSで設定してください。"),
        ({"shikuchosonkodo": "28101"}, "E0003", "市区町村コードは6桁で設定してください。"),
        ({"kojinbango": "1234567890123"}, "E0003", "個人番号は12桁で設定してください。"),
        ({"jusho_yubinbango": "100-0014"}, "E0003", "住所_郵便番号は7桁で設定してください。"),
        ({"shimei": "長" * 101}, "E0003", "氏名は100桁以内で設定してください。"),
        (
            {"nayosemotofuragu": "1"},
            "E0004",
            "名寄せ元フラグが設定されている場合、名寄せ先宛名番号は設定必須です。",
        ),
        ({"na_nihonjin": ...}, "E0004", "氏_日本人が設定されている場合、名_日本人は設定必須です。"),
        ({"atenabango": "123"}, "E0004", "処理区分が0の場合、宛名番号は設定できません。"),
        ({"rirekibango": "1"}, "E0004", "rirekibangoは本APIのパラメータではありません。"),
        ({"<b>氏名</b>": "1"}, "E0004", "不明な名前は本APIのパラメータではありません。"),
        ({"shimei_yomigana": "スズキ"}, "E0004", "氏名_フリガナが別の名前で二度、違う値で設定されています。"),
    ],
)
def test_an_error_has_its_code_and_names_its_item(
    spec: NumberingSpec, change: dict[str, Any], code: str, message: str
) -> None:
    assert faults(spec, request(**change)) == [Fault(code, message)]


@pytest.mark.parametrize("body", [None, [], "text", 1, [request()]])
def test_what_is_no_object_is_refused(spec: NumberingSpec, body: Any) -> None:
    assert faults(spec, body) == [Fault("E0002", "リクエストはJSONオブジェクトで設定してください。")]


def test_every_error_is_told_at_once(spec: NumberingSpec) -> None:
    told = faults(spec, {"shorikubun": "0", "shimei": "Sato"})
    assert [fault.code for fault in told] == ["E0002", *["E0001"] * 6]


def test_a_variation_selector_is_no_character_of_its_own(spec: NumberingSpec) -> None:
    assert faults(spec, request(shimei="葛\U000e0102" * 100)) == []


@pytest.mark.parametrize(
    ("definition", "api"),
    [
        ("shimei_gaikokujinarufuabetto", "shimei_gaikokujinromaji"),
        ("shimei_yomigana", "shimei_furigana"),
        ("dokujishisakushisutemunadoid", "dokujishisakushisutemutoid"),
    ],
)
def test_a_name_of_the_item_definition_is_understood(spec: NumberingSpec, definition: str, api: str) -> None:
    value = "１２３" if api != "dokujishisakushisutemutoid" else "Z01"
    values, told = check(spec, request(**{api: ..., definition: value}))
    assert (values[api], told) == (value, [])
