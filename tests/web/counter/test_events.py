"""What happened to a person: her events on her page, each with what it changed, its papers, and whom else it changed."""

from __future__ import annotations

import re

from tests.web.counter.conftest import (
    CHILD,
    HANAKO,
    KEPT,
    NADAKO,
    SUPPORT,
    at_work,
    links,
    opened,
    text,
    words,
)
from tests.web.housing import Client

from kiban import web
from kiban.access.audit import Wanted

EVENT = r"/people/at/[^\"/?#]+/events/\d+"


def event(client: Client, kind: str, number: str = HANAKO, **query: str) -> str:
    """The page of the newest event of a kind, by the link on the page of the person."""
    page = opened(client, number)
    found = re.findall(rf'href="({EVENT})">{kind}</a>', page)
    assert found, words(page)
    return text(client.get(found[0], query))


def test_the_page_of_a_person_leads_to_her_last_events(clerk: Client) -> None:
    page = words(opened(clerk, HANAKO))
    assert page.index("最近の異動") < page.index("国内転入") < page.index("転居")  # corrected last


def test_an_event_tells_both_sides_of_each_item_and_who_recorded_it(clerk: Client) -> None:
    page = event(clerk, "転居")
    assert '<th scope="row">住所_番地号表記</th><td>２番３号</td><td>９番９号</td>' in page
    assert "令和6年1月1日" in page
    assert "留意事項：本人届出" in page
    assert "hall" in words(page)


def test_its_papers_are_what_the_edition_has_items_for(clerk: Client) -> None:
    papers = event(clerk, "転居").split('id="papers"')[1].split("</section>")[0]
    assert "届出年月日" in papers
    none = event(clerk, "国内転入").split('id="papers"')[1].split("</section>")[0]
    assert "届出・通知等の項目はありません" in none


def test_hidden_items_are_on_no_event(clerk: Client) -> None:
    assert "123456789018" not in event(clerk, "国内転入")


def test_an_event_of_somebody_else_is_none_of_hers(clerk: Client, peopled: web.House) -> None:
    hers = links(opened(at_work(peopled, SUPPORT), KEPT), EVENT)[0].rpartition("/")[2]
    mine = links(opened(clerk, HANAKO))[0]
    assert clerk.get(f"{mine}/events/{hers}").status_code == 404
    assert clerk.get(f"{mine}/events/{2**62}").status_code == 404


def test_an_event_that_was_not_known_yet_is_not_shown(clerk: Client) -> None:
    address = links(opened(clerk, HANAKO), EVENT)[0]
    assert clerk.get(address, {"known": "令和2年1月1日"}).status_code == 404


def test_looking_at_an_event_leaves_its_line(clerk: Client, peopled: web.House) -> None:
    event(clerk, "転居")
    assert peopled.city is not None
    line = peopled.city.audit.lines(Wanted(kinds=("history",))).entries[0].line
    assert (line.subjects, line.detail["page"]) == ((HANAKO,), "event")
    assert NADAKO not in line.subjects and CHILD not in line.subjects
