"""People of the small city at whom the counter looks: moved, corrected, gone, of another ward, born on an uncertain day."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from tests.store.conftest import CITY_HALL, NADA, move_in, person
from tests.store.people import moving
from tests.web.housing import Client

from kiban import web
from kiban.kernel import Period
from kiban.store import Change, Store

HANAKO, TARO, NADAKO, GONE, VAGUE, KEPT, CHILD = (f"9100{n}".zfill(15) for n in range(1, 8))
CLERK, RECORDS, SUPPORT, AUDITOR = "100001", "100002", "100003", "900003"
SINCE = date(2021, 4, 1)


def _people(city: Store) -> None:
    family = {"setaibango": "910".zfill(15), "kojinbango": "123456789018", "hittosha": "渡邉　太郎"}
    household = {
        "setaibango": "910".zfill(15), "rirekibango": 1, "shiteitoshi_gyoseikutokodo": "281018",
        "setainushimisetteifuragu": "1", "setaijotai": "1", "setaininzu": 2, "jusho_shikuchosonkodo": "281018",
        "jusho_todofuken": "兵庫県", "jusho_shikugunchosonmei": "神戸市東灘区",
    }  # fmt: skip
    with city.session(CITY_HALL) as session:
        session.record("設定", household["setaibango"], [Change("resident.setai", household, Period(SINCE))])
    first = person(HANAKO, "渡邉\U000e010f　花子", "ワタノベ　ハナコ", **family)
    moved = {**first, "rirekibango": 2, "jusho_banchigohyoki": "９番９号", "tsusho": "花村　花子"}
    move_in(city, first, Period(SINCE))
    with city.session(CITY_HALL) as session:
        changes = [
            Change("resident.jumin", moved, Period(date(2024, 1, 1))),
            Change(
                "resident.ido",
                moving("I91", HANAKO, todokedenengappi="2024-01-05", todokedenin_shimei="渡邉　花子"),
            ),
            *(Change("resident.memo", memo(n)) for n in range(1, 6)),
        ]
        session.record("転居", HANAKO, changes, valid=date(2024, 1, 1), note={"留意事項": "本人届出"})
    corrected = {**first, "rirekibango": 3, "shimei_furigana": "ワタノ　ハナコ"}
    move_in(city, corrected, Period(SINCE, date(2022, 4, 1)))
    move_in(city, person(TARO, "渡邉　太郎", "ワタノベ　タロウ", seibetsu="1", **family), Period(SINCE))
    move_in(
        city,
        person(
            NADAKO,
            "渡辺　灘子",
            "ワタノベ　ナダコ",
            shiteitoshi_gyoseikutokodo=NADA,
            jusho_shikuchosonkodo=NADA,
        ),
        Period(SINCE),
    )
    move_in(city, person(GONE, "渡部　去", "ワタノベ　サル", juminjotai="3", shojojiyu="21"), Period(SINCE))
    uncertain = {"seinengappi": None, "seinengappi_fushofuragu": "1", "seinengappi_fushohyoki": "昭和25年頃"}
    move_in(city, person(VAGUE, "渡会　古", "ワタライ　フルシ", **uncertain), Period(SINCE))
    home = {"setaibango": "911".zfill(15), "jusho_banchigohyoki": "７番７号"}
    with city.session(CITY_HALL) as session:
        again = {**household, "setaibango": home["setaibango"]}
        session.record("設定", again["setaibango"], [Change("resident.setai", again, Period(SINCE))])
    move_in(city, person(KEPT, "守田　静", "モリタ　シズカ", shiensochifuragu="1", **home), Period(SINCE))
    move_in(city, person(CHILD, "守田　光", "モリタ　ヒカル", **home), Period(SINCE))


def memo(number: int) -> dict[str, Any]:
    return {
        "atenabango": HANAKO, "memorenban": number, "shiteitoshi_gyoseikutokodo": "281018", "memonaiyo": f"申し送り{number}",
        "sosashaid": "x", "sosanengappi": "2024-01-01", "sosajikoku": "09:00:00",
    }  # fmt: skip


@pytest.fixture(scope="session")
def peopled(house: web.House) -> web.House:
    assert house.city is not None
    _people(house.city.store)
    return house


@pytest.fixture
def clerk(peopled: web.House) -> Client:
    """A browser in which a clerk of the counter of 東灘区 works."""
    return Client(peopled).work(CLERK)


def at_work(house: web.House, number: str) -> Client:
    return Client(house).work(number)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def searched(client: Client, follow: bool = True, **form: str) -> Any:
    """The page to which a search leads."""
    return client.django.post("/people", {"register": "resident.jumin", **form}, follow=follow)


def links(page: str, pattern: str = r"/people/at/[^\"/?#]+") -> list[str]:
    return list(dict.fromkeys(re.findall(rf'href="({pattern})"', page)))


def words(page: str) -> str:
    """What is read on a page."""
    return re.sub(r"<[^>]+>", " ", page.split("<main")[1])


def opened(client: Client, number: str, **query: str) -> str:
    """The page of a person, found by her number."""
    answer = searched(client, atenabango=number)
    assert answer.status_code == 200, text(answer)
    if query:
        answer = client.get(answer.redirect_chain[-1][0], query)
    return text(answer)
