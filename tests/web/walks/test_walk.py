"""A day at work by keyboard alone, over a live server: every page is clean, and every step has left its line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tests.web.signin.conftest import PASSWORD, Person, codes
from tests.web.signin.test_browser import chromium, fresh_code, pytestmark
from tests.web.walks.conftest import BEFORE, CLERK, HER, HER_NUMBER, NOW, SECRETS, STREET, Town
from tests.web.walks.hands import Hands

from kiban import web
from kiban.access import audit
from kiban.access.audit import Wanted

__all__ = ["chromium", "pytestmark"]

STEPS = (
    "signin",
    "search",  # the one by kana
    "read",
    "history",
    "history",  # as of a day
    "read",
    "history",  # one event
    "read",  # what might be printed
    "print",
    "read",
    "search",
    "read",  # of her who is not protected yet
    "read:refused",
    "read:refused",  # going back
    "search",  # that says no more than that she is there
    "extract",  # looked at
    "extract",  # asked for
    "export",
    "signin",  # its end, everywhere
)
"""The lines of the session in which the work was done."""


def test_a_day_at_work_by_keyboard_alone(chromium: Any, town: Town, account: Any) -> None:
    clerk = account(CLERK)
    desk, second = Hands(chromium, town.live), Hands(chromium, town.live, passkeys=True)
    signs_in(desk, clerk, "/")
    mark = desk.mark
    chooses_the_duty_of_the_counter(desk)
    finds_a_person_by_kana_and_looks_back(desk)
    loses_sight_of_her_who_is_protected_from_now_on(desk, town)
    extracts_to_a_file(desk, town)
    first_mark = signs_in_by_a_passkey_elsewhere(second, clerk)
    second_mark = second.mark
    signs_out_everywhere(desk, second, clerk)
    left_all_its_lines(town.live.house, mark, first_mark, second_mark)
    holds_when_sealed(town.live.house)


def signs_in(hands: Hands, clerk: Person, wanted: str) -> None:
    """By number and password, then by a code."""
    fresh_code()
    hands.open(wanted)
    hands.stop("1-sign-in", "サインイン")
    hands.write("id_login", clerk.number)
    hands.write("id_password", PASSWORD)
    hands.enter("サインイン")
    hands.stop("2-code", "第二要素の確認")
    hands.write("id_code", codes(clerk.secret))
    hands.enter()


def chooses_the_duty_of_the_counter(desk: Hands) -> None:
    desk.stop("3-duty", "どの職務・目的で作業しますか")
    desk.choose("事務）", "住民記録窓口（住民基本台帳事務）")
    desk.enter("この職務で始める")
    desk.stop("4-home", "業務の選択", "市民課", "六甲　歩（住民基本台帳事務）")


def finds_a_person_by_kana_and_looks_back(desk: Hands) -> None:
    desk.enter("検索")
    desk.stop("5-search", "詳しい条件")
    desk.page.keyboard.type("あるた")  # the box has the focus
    desk.enter()
    desk.stop("6-found", "歩田　一歩", "以上です。")
    desk.enter("歩田")
    desk.stop("7-person", NOW)
    desk.enter("履歴")
    desk.stop("8-history", "転居", BEFORE, NOW)
    desk.reach("把握日時")
    desk.write("基準日", "令和5年4月1日", back=True)  # back by Shift+Tab
    desk.enter()
    desk.stop("9-history-then", "令和5年4月1日の状態")
    assert BEFORE in desk.page.inner_text(".facts")
    assert NOW not in desk.page.inner_text(".facts")


def loses_sight_of_her_who_is_protected_from_now_on(desk: Hands, town: Town) -> None:
    """Her page is open on the screen when she comes under protection."""
    prints_it(desk)
    desk.enter("検索へ")
    desk.page.keyboard.type("シオミ")
    desk.enter()
    desk.enter("潮見")
    desk.stop("10-open", STREET, HER_NUMBER)
    town.protect()
    desk.enter("文字の確認")
    refused = desk.stop(
        "11-refused", "支援措置等の対象者のため、表示できません", "支援措置担当に連絡してください"
    )
    assert "問い合わせ番号" in refused
    silent(refused)
    desk.page.go_back()  # by the key of the browser, which is none of the page
    silent(desk.stop("12-back", "支援措置担当に連絡してください"))
    desk.enter("検索")
    desk.page.keyboard.type("シオミ")
    desk.enter()
    found = desk.stop("13-there", HER, "支援措置等の対象者です", "支援措置担当に連絡してください")
    silent(found)


def prints_it(desk: Hands) -> None:
    """What was found, on paper; what happened to her on the way there."""
    desk.enter("記載内容")
    desk.enter("転居")
    desk.stop("9a-event", "異動：転居", BEFORE, NOW)
    desk.enter("印刷", back=True)
    desk.stop("9b-print", "証明書ではありません")
    desk.write("使用の目的", "届出内容の確認")
    desk.enter()
    desk.stop("9c-paper", "印刷の記録を残しました", "届出内容の確認", "証明書ではありません")
    desk.enter("記載内容へ戻る")


def silent(page: str, typed: str = "") -> None:
    """Nothing on the page, nor behind it, tells where she lives or what she is called."""
    assert [each for each in SECRETS if each != typed and each in page] == []


def extracts_to_a_file(desk: Hands, town: Town) -> None:
    desk.enter("職務の切替")
    desk.choose("事務）", "EUC利用者（統計事務）")
    desk.enter("この職務で始める")
    desk.enter("データ抽出")
    desk.enter("新しく抽出する")
    desk.stop("14-registers", "どの台帳から抽出しますか")
    desk.choose("住登外者宛名基本情報", "住民")
    desk.enter("項目を選ぶ")
    chooses_items(desk)
    desk.choose("c-item", "住所_町字")
    desk.write("c-value", STREET)
    desk.enter()
    desk.stop("17-conditions", f"住所_町字：等しい {STREET}")
    desk.enter("時点・区・出力へ進む")
    desk.stop("18-scope", "いつの内容か")
    desk.enter("確認へ進む")
    silent(desk.stop("19-preview", "歩田　一歩", "抽出を実行する"), typed=STREET)
    desk.write("使用の目的", "試験のため")
    desk.enter()
    desk.stop("20-waiting", "試験のため", "待機中")
    assert town.worker.next()
    desk.enter("最新の状態を見る")
    desk.stop("21-done", "完了")
    with desk.page.expect_download() as download:
        desk.reach("all.csv")
        desk.page.keyboard.press("Enter")
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["氏名"], row["住所_番地号表記"]) for row in rows] == [("歩田　一歩", NOW)]


def chooses_items(desk: Hands) -> None:
    """A whole class, then two items found by their names; back to the top by Shift+Tab."""
    desk.stop("15-items", "選んだ項目（0）")
    desk.reach("氏名（")
    desk.page.keyboard.press("Enter")  # opens the class
    desk.enter("「氏名」をすべて選ぶ")
    desk.write("項目名で絞り込む", "住所_")
    desk.enter()  # as in any field of a search
    desk.tick("住所_町字 jusho_choaza")
    desk.tick("住所_番地号表記 jusho_banchigohyoki")
    desk.enter("条件へ進む", back=True)
    desk.stop("16-conditions", "条件はありません")


def signs_in_by_a_passkey_elsewhere(second: Hands, clerk: Person) -> str:
    """Registers one at another browser, and signs in there by nothing else; the mark of the session before."""
    signs_in(second, clerk, "/account")
    mark = second.mark
    second.stop("22-account", "サインイン中の端末")
    second.enter("第二要素（")
    second.enter("パスキーを登録する")
    second.stop("23-again", "本人の再確認")
    fresh_code()
    second.write("id_code", codes(clerk.secret))
    second.enter()
    second.write("id_name", "窓口の端末")
    second.enter("登録する")
    second.stop("24-factors", "窓口の端末")
    second.enter("業務の画面へ進む")
    second.choose("事務）", "住民記録窓口（住民基本台帳事務）")
    second.enter("この職務で始める")
    second.enter("サインアウト")
    second.stop("25-signed-out", "パスキーでサインイン")
    second.enter("パスキーでサインイン")
    second.choose("事務）", "住民記録窓口（住民基本台帳事務）")
    second.enter("この職務で始める")
    second.stop("26-home", "業務の選択")
    return mark


def signs_out_everywhere(desk: Hands, second: Hands, clerk: Person) -> None:
    desk.enter("アカウント")
    desk.enter("サインイン中の端末")
    assert desk.page.locator("tbody tr").count() == 2
    desk.stop("27-sessions", "この端末")
    desk.enter("本人を確認して、端末をサインアウトする")
    fresh_code()
    desk.write("id_code", codes(clerk.secret))
    desk.enter()
    desk.enter("すべての端末からサインアウト")
    desk.stop("28-out", "すべての端末からサインアウトしました。")
    second.enter("検索")
    assert second.heading() == "サインイン"
    second.stop("29-dead", "パスキーでサインイン")


def left_all_its_lines(house: web.House, desk: str, second: str, by_passkey: str) -> None:
    assert house.city is not None
    trail = house.city.audit
    assert audit.missing(trail, Wanted(session=desk), STEPS) == []
    assert audit.missing(trail, Wanted(session=second), ["signin", "setting", "signin"]) == []
    assert audit.missing(trail, Wanted(session=by_passkey), ["signin"]) == []
    assert audit.missing(trail, Wanted(session=desk), [*STEPS, "lift"]) == ["lift:done"]  # it would be told
    lines = [each.line for each in trail.lines(Wanted(actor=CLERK), limit=200).entries]
    acts = {str(line.detail["act"]) for line in lines if line.kind == "signin"}
    assert acts == {"password", "totp", "passkey", "signin", "signout", "signout-everywhere"}
    refused = [line for line in lines if line.outcome == "refused"]
    assert [(line.kind, line.subjects, line.detail["reason"]) for line in refused] == [
        ("read", (HER,), "protected")
    ] * 2
    worked = [line for line in lines if line.session == desk and line.kind != "signin"]
    duties = {line.kind: line.duty for line in worked}
    assert duties == dict.fromkeys(
        ("search", "read", "history", "print"), "resident-counter"
    ) | dict.fromkeys(("extract", "export"), "euc")
    assert all(line.purpose and line.office and line.request for line in worked)


def holds_when_sealed(house: web.House) -> None:
    city = house.city
    assert city is not None and city.keeping is not None
    ledger, keeper = audit.Ledger(city.audit), audit.keeper(city.keeping)
    audit.seal_trail(ledger, keeper, city.now())
    verdict = audit.verify(ledger, keeper)
    assert verdict.problems == ()
    assert verdict.waiting == {"line": 0, "lookup": 0}
    assert verdict.sealed["line"] > len(STEPS)
