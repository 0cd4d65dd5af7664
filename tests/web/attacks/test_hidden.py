"""Where a protected woman lives, asked for by every way that a page offers: none tells."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from tests.web.attacks.conftest import (
    AUDITOR,
    CHILD,
    COUNTER,
    EUC,
    HER,
    NUMBER,
    PLAIN,
    RECORDS,
    SECRETS,
    STREET,
    SUPPORT,
    at_work,
    searched,
    text,
)
from tests.web.housing import Client

from kiban import web
from kiban.access import extract

WHERE = SECRETS[:2]
FINDING = (
    {"address": STREET},
    {"address": STREET + NUMBER},
    {"box": STREET},
    {"address": "神戸市東灘区" + STREET + NUMBER},
    {"name": "匿田"},
    {"kana": "トクタ"},
    {"atenabango": HER},
    {"atenabango": CHILD},
    {"setaibango": "930".zfill(15)},
    {"birth": "1990-05-17", "address": STREET},
    {"kana": "トクタ", "address": STREET},
    {"kana": "トクタ", "address": STREET[:2]},
)
"""What somebody who looks for her could ask, and would find her by if she were not protected."""
FORMS = (
    *FINDING,
    {"box": NUMBER},
    {"kana": "トクタ", "address": "神戸"},
)
"""These, and what finds nobody: an address is searched from its beginning behind the municipality."""


def silent(page: str, asked: str = "") -> None:
    """Nothing of hers, apart from what was typed."""
    assert told(page, asked) == []


def told(page: str, asked: str = "") -> list[str]:
    """What a page tells of hers, apart from what was typed."""
    return [each for each in SECRETS if each in page and each not in asked]


def linked(page: str, pattern: str) -> list[str]:
    return list(dict.fromkeys(re.findall(rf'href="({pattern}[^"#]*)"', page)))


@pytest.mark.parametrize("number", [COUNTER, RECORDS])
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_no_search_tells(town: web.House, number: str, form: dict[str, str]) -> None:
    client = at_work(town, number)
    for wards in ("own", "all"):
        answer = searched(client, wards=wards, **form)
        silent(text(answer), " ".join(form.values()))
        if "address" in form or form.get("box") in WHERE:
            assert HER not in text(answer) and CHILD not in text(answer)  # nor that she lives there


@pytest.mark.parametrize("form", FINDING, ids=str)
def test_the_same_search_tells_whoever_cares_for_her(town: web.House, form: dict[str, str]) -> None:
    """So the test above can fail."""
    page = text(searched(at_work(town, SUPPORT), wards="all", **form))
    assert told(page, " ".join(form.values()))
    assert HER in page or CHILD in page


def bare(answer: Any, typed: str) -> tuple[int, list[tuple[str, int]], dict[str, str], str]:
    """All that an answer is made of, without what was typed and what is drawn anew for each form."""
    drawn = r'/people/found/[^"?#]+|name="csrfmiddlewaretoken" value="[^"]+"|nonce[-=]"?[\w/+=-]+'
    headers = {
        name: re.sub(drawn, "", value) for name, value in answer.headers.items() if name != "Content-Length"
    }
    chain = [(re.sub(drawn, "", address), status) for address, status in answer.redirect_chain]
    return answer.status_code, chain, headers, re.sub(drawn, "", text(answer)).replace(typed, "")


@pytest.mark.parametrize("number", [COUNTER, RECORDS])
@pytest.mark.parametrize("more", [{}, {"birth": "1990-05-17"}, {"kana": "トクタ"}, {"name": "匿田"}], ids=str)
def test_her_address_is_answered_like_one_of_nobody(
    town: web.House, number: str, more: dict[str, str]
) -> None:
    """To the letter: addresses of redirects, headers, lengths, marks of further pages."""
    client = at_work(town, number)
    for wards in ("own", "all"):
        hers, nobodys = (
            bare(searched(client, wards=wards, address=typed, **more), typed)
            for typed in (STREET + NUMBER, STREET + "９９番９９号")
        )
        assert hers == nobodys


@pytest.mark.parametrize("number", [COUNTER, RECORDS])
def test_no_page_of_somebody_else_tells(town: web.House, number: str) -> None:
    """He once stood in the same event as she."""
    client = at_work(town, number)
    address = searched(client, atenabango=PLAIN).redirect_chain[-1][0]
    seen: set[str] = set()
    waiting = [address, f"{address}/history", f"{address}/characters", f"{address}?on=2021-04-02"]
    waiting += [f"{address}/history?known=2022-01-01", f"{address}?known=2022-01-01T00:00"]
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 60:
            continue
        seen.add(path)
        page = text(client.get(path))
        silent(page)
        waiting += [each for each in linked(page, "/people/at/") if each.startswith(address)]
    assert len(seen) >= 6


def test_the_page_of_the_event_they_shared_names_her_to_whom_she_is_open_and_to_nobody_else(
    town: web.House,
) -> None:
    for number, shown in ((COUNTER, False), (RECORDS, False), (SUPPORT, True)):
        client = at_work(town, number)
        address = searched(client, atenabango=PLAIN).redirect_chain[-1][0]
        pages = [
            text(client.get(each))
            for each in linked(text(client.get(f"{address}/history")), address + "/events/")
        ]
        assert pages
        assert any(HER in page and "匿田" in page for page in pages) == shown
        if not shown:
            assert not any(HER in page for page in pages)
            for page in pages:
                silent(page)


def query(client: Client, items: list[str], group: str = "resident.jumin", **scope: Any) -> str:
    made = client.post("/extracts/new", {"group": group})["Location"].removesuffix("/items")
    client.post(f"{made}/items", {"item": items, "next": "1", **scope.pop("more", {})})
    if scope:
        client.post(f"{made}/scope", {"time": "day", "form": "csv-plain", **scope})
    return str(made)


def test_no_extract_tells_not_even_how_many(town: web.House, worker: extract.Worker) -> None:
    client = at_work(town, EUC)
    address = ["atenabango", "shimei", "jusho_choaza", "jusho_banchigohyoki"]
    plain = query(client, address, result="rows")
    history = query(client, address, time="history", result="rows")
    totals = query(client, ["jusho_choaza"], result="totals", count="1", distinct="1")
    household = query(
        client, ["setaibango", "jusho_choaza", "jusho_banchigohyoki"], "resident.setai", result="rows"
    )
    joined = query(
        client,
        [*address, "setai.jusho_choaza", "setai.jusho_banchigohyoki"],
        result="rows",
        more={"group": ["setai"]},
    )
    found = 0
    for made in (plain, history, totals, household, joined):
        page = text(client.get(f"{made}/preview"))
        assert 'class="faults"' not in page or "見つ" in page
        silent(page)
        assert HER not in page and CHILD not in page
        answer = client.post(f"{made}/run", {"reason": "試験"})
        assert answer.status_code == 302, text(answer)
        while worker.next():
            pass
        job = text(client.get(answer["Location"]))
        silent(job)
        files = linked(job, answer["Location"] + "/files/")
        assert files
        for file in files:
            data = text(client.get(file))
            silent(data)
            found += PLAIN in data
            assert HER not in data and CHILD not in data
    assert found >= 3  # he is in every list of people
    one = query(client, ["setaibango"], result="totals", count="1")
    client.post(f"{one}/conditions", {"item": "jusho_choaza", "kind": "is", "value": STREET, "add": "1"})
    answer = client.post(f"{one}/run", {"reason": "試験"})
    while worker.next():
        pass
    page = text(client.get(answer["Location"]))
    for file in linked(page, answer["Location"] + "/files/[^m]"):
        rows = list(csv.reader(io.StringIO(text(client.get(file)))))
        assert all("1" not in row and "2" not in row for row in rows[1:])


def test_no_question_of_an_auditor_tells(town: web.House) -> None:
    client = at_work(town, AUDITOR)
    page = text(client.get("/operations/audit"))
    questions = [each for each in linked(page, "/operations/audit/") if "/roots/" not in each]
    assert len(questions) >= 4
    for each in questions:
        silent(text(client.get(each)))
        for form in ({"subject": HER}, {"actor": COUNTER}, {"subject": PLAIN}):
            silent(text(client.post(each, form)))


@pytest.mark.parametrize(
    "path", ["/people/at/{}", "/people/at/{}/history", "/extracts/q/{}/preview", "/people/found/{}"]
)
def test_no_error_tells(town: web.House, path: str) -> None:
    client = at_work(town, RECORDS)
    for each in (HER, CHILD, "x"):
        answer = client.get(path.format(each))
        assert answer.status_code in (403, 404)
        silent(text(answer))


WAYS = ("", "?on=2021-05-01", "?known=2022-01-01T00:00", "/history", "/characters", "/rows/resident.ido")
"""Her pages, on a day on which she was not protected yet, and as was known then, too."""


def her_page(town: web.House, client: Client) -> str:
    """The address of her page in the session of a browser, as if a link had led there."""
    from kiban.web.counter import views

    request = client.get("/people").wsgi_request
    assert town.city is not None
    roll = views.rolls(town.city.store, ["resident"])[0]
    return views.person_address(request, roll, HER)  # type: ignore[arg-type]


def test_a_handle_of_hers_is_refused_the_same_whatever_is_there(town: web.House) -> None:
    """Protection looks at today."""
    client = at_work(town, RECORDS)
    for way in WAYS:
        answer = client.get(her_page(town, client) + way)
        assert answer.status_code == 403
        silent(text(answer))


def test_the_same_handle_opens_to_whoever_cares_for_her(town: web.House) -> None:
    client = at_work(town, SUPPORT)
    for way in WAYS:
        answer = client.get(her_page(town, client) + way)
        known = "known=" not in way  # she was put into the register today
        assert answer.status_code == (200 if known else 404), way
        assert bool(told(text(answer))) == (known and "/rows/" not in way), way
