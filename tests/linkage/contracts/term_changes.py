"""Changes of groups and terms: what each is called, and whether it breaks anybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.linkage.contracts.edits import (
    RULE,
    WITHHELD,
    Case,
    another_edition,
    breaks,
    due,
    feed,
    group,
    limits,
    moved,
    passes,
    same,
    system,
    term,
)

from kiban.linkage import Incoming, Protection

FEEDS: dict[str, Case] = {
    "a group goes": breaks("group-removed", "setai", lambda old: replace(old, feeds=old.feeds[:1])),
    "a group comes": passes("group-added", "setai", lambda new: replace(new, feeds=new.feeds[:1]), same),
    "another order in files": breaks("order-changed", "jumin", moved),
    "another order where no files travel": passes(
        "order-changed",
        "jumin",
        term(ways=frozenset({"event"})),
        lambda old: moved(replace(old, ways=frozenset({"event"}))),
    ),
    "order is kept by household": breaks(
        "unit-changed", "jumin", lambda old: feed(unit=old.feeds[0].group.item("setaibango"))(old)
    ),
    "a register becomes a log": breaks("kind-changed", "jumin", group(kind="log")),
    "history is no longer counted": breaks("history-changed", "jumin", group(history=None)),
    "another title of the group": passes("group-renamed", "jumin", group(name="住民等")),
    "another edition that says the same": passes("edition-changed", "jumin", another_edition),
    "another target of a reference": passes(
        "reference-changed", "jumin.setaibango", group(references={"setaibango": "gyoseiku"})
    ),
    "a rule of quality comes": breaks("quality-added", "jumin", term(quality={"jumin": (RULE,)})),
    "a rule of quality goes": breaks(
        "quality-removed", "jumin", term(quality={"jumin": (RULE,)}), term(quality={})
    ),
    "a rule of quality is relaxed": breaks(
        "quality-removed",
        "jumin",
        term(quality={"jumin": (RULE,)}),
        term(quality={"jumin": ({**RULE, "mustBeLessThan": "9"},)}),
    ),
    "a text on quality comes": passes(
        "quality-added",
        "jumin",
        term(quality={}),
        term(quality={"jumin": ({"type": "text", "description": "注意"},)}),
    ),
}

INCOMING = Incoming({"jumin": frozenset({"shimei"})}, "市民課")

TERMS: dict[str, Case] = {
    "events end": breaks("way-removed", "x-ways", term(ways=frozenset({"file"}))),
    "files end": breaks("way-removed", "x-ways", term(ways=frozenset({"event"}))),
    "the API ends": breaks("way-removed", "x-ways", term(ways=frozenset({"api", "event", "file"})), same),
    "the API comes": passes("way-added", "x-ways", term(ways=frozenset({"api", "event", "file"}))),
    "other files": breaks("profile-changed", "x-profile", term(profile="example-csv-bom")),
    "files come with their profile": passes(
        "profile-changed", "x-profile", term(ways=frozenset({"event"}), profile=None), same
    ),
    "another purpose": breaks("purpose-changed", "x-purpose", term(purpose="市税の滞納整理")),
    "another legal basis": breaks("basis-changed", "x-legal-basis", term(basis="条例")),
    "another owner": passes("owner-changed", "x-owner", term(owner="税制課")),
    "another name of the flow": passes("title-reworded", "name", term(title="住民情報")),
    "a contract is retired": passes("status-changed", "status", term(status="retired")),
    "it begins later": passes("effective-changed", "x-effective", term(effective=date(2026, 10, 1))),
    "it ends": breaks("until-changed", "x-until", term(until=date(2030, 4, 1))),
    "it ends sooner": breaks(
        "until-changed", "x-until", term(until=date(2031, 4, 1)), term(until=date(2030, 4, 1))
    ),
    "it ends later": passes(
        "until-changed", "x-until", term(until=date(2030, 4, 1)), term(until=date(2031, 4, 1))
    ),
    "it no longer ends": passes("until-changed", "x-until", term(until=date(2030, 4, 1)), same),
    "another provider": breaks("provider-changed", "x-provider", system("provider", id="002")),
    "another consumer": breaks("consumer-changed", "x-consumer", system("consumer", id="ZE2")),
    "a consumer is no longer a standard one": breaks(
        "consumer-changed", "x-consumer", system("consumer", standard=False)
    ),
    "a consumer has another name": passes("consumer-renamed", "x-consumer", system("consumer", name="税")),
    "a file may have fewer rows": breaks("receiver-rows-down", "x-receiver", limits(rows=999_999)),
    "a file may have more rows": passes("receiver-rows-up", "x-receiver", limits(rows=2_000_000)),
    "a file has a limit of bytes": breaks("receiver-bytes-down", "x-receiver", limits(bytes=10**9)),
    "a file has no limit of bytes": passes("receiver-bytes-up", "x-receiver", limits(bytes=10**9), same),
    "fewer messages a second": breaks("receiver-per-second-down", "x-receiver", limits(per_second=100)),
    "no limit of messages a second": passes("receiver-per-second-up", "x-receiver", limits(per_second=None)),
    "fewer messages under way": breaks("receiver-pending-down", "x-receiver", limits(pending=10)),
    "fewer questions a minute": breaks("receiver-requests-down", "x-receiver", limits(requests=600)),
    "fewer bytes of answers a minute": breaks(
        "receiver-answer-bytes-down", "x-receiver", limits(answer_bytes=10**6)
    ),
    "no limit of questions a minute": passes(
        "receiver-requests-up", "x-receiver", limits(requests=600), same
    ),
    "protection no longer travels": breaks(
        "protection-weakened", "x-protection", term(protection=Protection(False))
    ),
    "protection travels": passes(
        "protection-strengthened", "x-protection", term(protection=Protection(False)), same
    ),
    "the last state counts for longer": breaks(
        "protection-weakened", "x-protection", term(protection=Protection(True, patience=timedelta(hours=1)))
    ),
    "the last state counts for less": passes(
        "protection-strengthened",
        "x-protection",
        term(protection=Protection(True, patience=timedelta(minutes=1))),
    ),
    "an address is no longer withheld": breaks(
        "protection-weakened",
        "jumin.jusho_banchigohyoki",
        term(protection=WITHHELD),
        term(protection=Protection(True, {"jumin": frozenset({"jusho_choaza"})})),
    ),
    "addresses are no longer withheld": breaks(
        "protection-weakened", "jumin.jusho_choaza", term(protection=WITHHELD), same
    ),
    "an address is withheld": passes(
        "protection-strengthened", "jumin.jusho_choaza", term(protection=WITHHELD)
    ),
    "files are due later": breaks("due-changed", "x-due", due("delta", at=7 * 60)),
    "files are due sooner": breaks("due-changed", "x-due", due("delta", at=5 * 60)),
    "files are due on Mondays": breaks("due-changed", "x-due", due("delta", every="monday")),
    "files are due on another day": breaks("due-changed", "x-due", due("full", day=15)),
    "more patience": breaks("due-changed", "x-due", due("delta", within=timedelta(hours=1))),
    "events have more time": breaks("due-changed", "x-due", due("event", within=timedelta(hours=1))),
    "full sets are no longer due": breaks("due-removed", "x-due", lambda old: replace(old, due=old.due[:2])),
    "full sets are due": passes("due-added", "x-due", lambda new: replace(new, due=new.due[:2]), same),
    "more is applied without an officer": breaks(
        "incoming-auto-added", "jumin.shimei", term(incoming=Incoming({}, "市民課")), term(incoming=INCOMING)
    ),
    "more waits for an officer": passes(
        "incoming-auto-removed",
        "jumin.shimei",
        term(incoming=INCOMING),
        term(incoming=Incoming({}, "市民課")),
    ),
    "other officers decide": passes(
        "incoming-owner-changed",
        "x-incoming",
        term(incoming=INCOMING),
        term(incoming=replace(INCOMING, owner="区政課")),
    ),
    "it goes into Kiban": breaks("incoming-changed", "x-incoming", term(incoming=INCOMING)),
    "another flow": breaks("id-changed", "id", term(id="resident-taxes")),
}
