"""The wizard of extracts: from a business to a file, without a script; nobody reaches another's."""

from __future__ import annotations

import re
from typing import Any

from tests.web.housing import Client

from kiban import web
from kiban.access import extract
from kiban.access.audit import Wanted

from .conftest import EUC


def text(answer: Any) -> str:
    return str(answer.content.decode())


def begun(browser: Client, group: str = "resident.jumin") -> str:
    """The address of a fresh query, without its step."""
    answer = browser.post("/extracts/new", {"group": group})
    assert answer.status_code == 302
    return str(answer["Location"]).removesuffix("/items")


def asked(browser: Client) -> str:
    """The address of an extract of names, asked for."""
    query = begun(browser)
    browser.post(f"{query}/items", {"item": ["atenabango", "shimei"], "next": "1"})
    answer = browser.post(f"{query}/run", {"title": "名簿", "reason": "試験のため"})
    assert answer.status_code == 302, text(answer)
    return str(answer["Location"])


def test_whoever_extracts_nothing_sees_no_page_of_it(house: web.House) -> None:
    clerk = Client(house).work("100001")
    assert clerk.get("/extracts").status_code == 403
    assert "データ抽出" not in text(clerk.get("/"))


def test_from_a_business_to_a_file_step_by_step(euc: Client, worker: extract.Worker) -> None:
    assert "住民基本台帳" in text(euc.get("/extracts/new"))
    query = begun(euc)
    page = text(euc.get(f"{query}/items"))
    assert "氏名_フリガナ" in page
    assert "個人番号" not in page
    assert "持ち出せない項目" in page
    euc.post(f"{query}/items", {"item": ["atenabango", "shimei"], "all": "jumin|生年月日", "stay": "1"})
    assert "選んだ項目（5）" in text(euc.get(f"{query}/items"))
    euc.post(
        f"{query}/items",
        {"item": ["atenabango", "shimei"], "age-item": "seinengappi", "age-on": "年度末日", "age-add": "1"},
    )
    condition = {
        "item": "seinengappi",
        "kind": "between",
        "value": "20",
        "as": "age",
        "on": "今日",
        "add": "1",
    }
    assert euc.post(f"{query}/conditions", condition).status_code == 302
    assert "生年月日の年齢（今日現在）：20 ～ （不詳を除く）" in text(euc.get(f"{query}/conditions"))
    scope = {
        "time": "day",
        "valid": "今日",
        "result": "rows",
        "split": "none",
        "order0": "atenabango",
        "form": "csv-bom",
    }
    assert euc.post(f"{query}/scope", scope | {"titles": "japanese", "guard": "1"})["Location"].endswith(
        "/preview"
    )
    page = text(euc.get(f"{query}/preview"))
    shown = re.search(r"はじめの(\d+)行", page)
    assert shown and int(shown[1]) >= 40  # other tests of the process let people move in
    assert "生年月日_年齢" in page
    answer = euc.post(f"{query}/run", {"title": "成人", "reason": "統計のため", "keep": "1"})
    job = answer["Location"]
    assert "待機中" in text(euc.get(job))
    assert worker.next()
    page = text(euc.get(job))
    file = re.search(r'href="([^"]+all\.csv)"', page)
    assert file
    sent = euc.get(file[1])
    data = b"".join(sent).decode("utf-8-sig")
    assert data.splitlines()[0] == "宛名番号,氏名,生年月日_年齢"
    assert len(data.splitlines()) >= 1 + int(shown[1])
    assert sent["Content-Disposition"].startswith("attachment")
    assert sent["Cache-Control"] == "no-store"
    assert "成人" in text(euc.get("/extracts"))


def test_a_bad_condition_is_told_in_japanese_and_not_kept(euc: Client) -> None:
    query = begun(euc)
    bad = euc.post(
        f"{query}/conditions", {"item": "seibetsu", "kind": "is", "value": "男性であること", "add": "1"}
    )
    assert bad.status_code == 422
    assert "型・桁数に合いません" in text(bad)
    forged = euc.post(f"{query}/conditions", {"item": "kojinbango", "kind": "filled", "add": "1"})
    assert forged.status_code == 422
    assert "条件はありません" in text(euc.get(f"{query}/conditions"))


def test_totals_are_shown_and_made(euc: Client, worker: extract.Worker) -> None:
    query = begun(euc)
    euc.post(f"{query}/items", {"item": ["seibetsu"], "next": "1"})
    euc.post(
        f"{query}/scope",
        {"time": "day", "result": "totals", "count": "1", "distinct": "1", "split": "totals", "form": "xlsx"},
    )
    page = text(euc.get(f"{query}/preview"))
    assert "件数" in page
    assert "宛名番号_異なり数" in page
    assert euc.post(f"{query}/run", {"reason": "統計"}).status_code == 302
    assert worker.next()


def test_an_extract_without_a_reason_is_refused(euc: Client) -> None:
    query = begun(euc)
    euc.post(f"{query}/items", {"item": ["shimei"], "next": "1"})
    answer = euc.post(f"{query}/run", {"reason": " "})
    assert answer.status_code == 422
    assert "使用の目的を入力してください" in text(answer)


def test_queries_and_extracts_of_others_are_not_there_unless_they_are_shared(
    euc: Client, other: Client, worker: extract.Worker
) -> None:
    query = begun(euc)
    euc.post(f"{query}/items", {"item": ["shimei"], "next": "1"})
    for step in ("items", "conditions", "scope", "preview"):
        assert other.get(f"{query}/{step}").status_code == 404
    job = asked(euc)
    worker.next()
    for address in (job, f"{job}/files/all.csv", f"{job}/files/manifest.json"):
        mine = euc.get(address)
        assert mine.status_code == 200
        mine.close()
        assert other.get(address).status_code == 404
    assert other.post(f"{job}/cancel").status_code == 404
    assert other.post(f"{job}/remove").status_code == 404
    euc.post(f"{query}/keep", {"title": "共有の名簿", "shared": "1"})
    assert "共有の名簿" in text(other.get("/extracts"))
    assert other.get(f"{query}/preview").status_code == 200
    assert other.get(f"{query}/items").status_code == 404
    assert other.post(f"{query}/delete").status_code == 404
    copied = other.post(f"{query}/copy")["Location"]
    assert other.get(copied).status_code == 200
    assert euc.get(copied).status_code == 404


def test_no_address_leads_out_of_the_folder(euc: Client, worker: extract.Worker) -> None:
    job = asked(euc)
    worker.next()
    for name in ("..", "%2e%2e%2fweb.secret", "..%2F..%2Faccess.key", "all.parquet"):
        assert euc.get(f"{job}/files/{name}").status_code == 404


def test_a_forged_body_names_nothing_that_may_not_leave(euc: Client) -> None:
    query = begun(euc)
    euc.post(
        f"{query}/items",
        {
            "item": ["kojinbango", "shimei", "x; DROP TABLE y"],
            "group": ["shiensochi", "nowhere"],
            "next": "1",
        },
    )
    page = text(euc.get(f"{query}/items"))
    assert "選んだ項目（1）" in page
    assert "支援措置対象者" not in page


def test_looking_running_fetching_and_deleting_leave_their_lines(
    euc: Client, worker: extract.Worker, house: web.House
) -> None:
    job = asked(euc)
    worker.next()
    b"".join(euc.get(f"{job}/files/all.csv"))
    euc.post(f"{job}/remove")
    handle = job.rsplit("/", 1)[1]
    assert house.city is not None
    lines = [
        e.line
        for e in house.city.audit.lines(Wanted(actor=EUC, kinds=("extract", "export")), limit=50).entries
    ]
    acts = [(line.kind, line.detail.get("act")) for line in lines if line.detail.get("job") == handle]
    assert acts[::-1] == [("extract", "run"), ("extract", "made"), ("export", None), ("extract", "delete")]
    assert euc.get(f"{job}/files/all.csv").status_code == 404
    worker.sweep()
    assert worker.folder.is_dir()
    assert not list(worker.folder.glob(f"{handle}*"))


def test_a_preview_says_about_whom_it_was(euc: Client, house: web.House) -> None:
    query = begun(euc)
    euc.post(f"{query}/items", {"item": ["shimei"], "next": "1"})
    euc.get(f"{query}/preview")
    assert house.city is not None
    line = house.city.audit.lines(Wanted(actor=EUC, kinds=("extract",)), limit=1).entries[0].line
    assert line.detail["act"] == "preview"
    assert len(set(line.subjects)) >= 40
