"""What may be changed in a contract, as functions from one version to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kiban.linkage import Contract, Protection
from kiban.standard import CodeList, Edition, Group

Edit = Callable[[Contract], Contract]


def regrouped(contract: Contract, name: str, group: Group, edition: Edition) -> Contract:
    feeds = tuple(
        replace(
            feed,
            edition=edition,
            group=group,
            items=tuple(each for each in group.items if each.romaji in {i.romaji for i in feed.items}),
            unit=next(each for each in group.items if each.romaji == feed.unit.romaji),
        )
        if feed.name == name
        else feed
        for feed in contract.feeds
    )
    return replace(contract, feeds=feeds)


def item(romaji: str, /, **changes: Any) -> Edit:
    """An edition in which one item of jumin differs."""

    def edit(contract: Contract) -> Contract:
        feed = contract.feed("jumin")
        assert romaji in feed.group
        items = tuple(
            replace(each, **changes) if each.romaji == romaji else each for each in feed.group.items
        )
        return regrouped(contract, "jumin", replace(feed.group, items=items), feed.edition)

    return edit


def codes(list_id: str, change: Callable[[CodeList], CodeList]) -> Edit:
    """An edition in which one list of codes differs."""

    def edit(contract: Contract) -> Contract:
        feed = contract.feed("jumin")
        lists = {**feed.edition.codes, list_id: change(feed.edition.codes[list_id])}
        return regrouped(contract, "jumin", feed.group, replace(feed.edition, codes=lists))

    return edit


def recoded(place: int, **changes: Any) -> Callable[[CodeList], CodeList]:
    def change(old: CodeList) -> CodeList:
        found = tuple(replace(each, **changes) if at == place else each for at, each in enumerate(old.codes))
        return replace(old, codes=found)

    return change


def without(name: str, group: str = "jumin") -> Edit:
    def edit(contract: Contract) -> Contract:
        feeds = tuple(
            replace(feed, items=tuple(each for each in feed.items if each.romaji != name))
            if feed.name == group
            else feed
            for feed in contract.feeds
        )
        return replace(contract, feeds=feeds)

    return edit


def with_item(name: str, **changes: Any) -> Edit:
    def edit(contract: Contract) -> Contract:
        feed = contract.feed("jumin")
        more = replace(feed.group.item(name), **changes)
        known = {each.romaji for each in feed.items} | {name}
        items = tuple(
            more if each.romaji == name else each for each in feed.group.items if each.romaji in known
        )
        return replace(contract, feeds=(replace(feed, items=items), contract.feeds[1]))

    return edit


def feed(**changes: Any) -> Edit:
    return lambda contract: replace(
        contract, feeds=(replace(contract.feeds[0], **changes), contract.feeds[1])
    )


def group(**changes: Any) -> Edit:
    def edit(contract: Contract) -> Contract:
        first = contract.feeds[0]
        return regrouped(contract, "jumin", replace(first.group, **changes), first.edition)

    return edit


def term(**changes: Any) -> Edit:
    return lambda contract: replace(contract, **changes)


def limits(**changes: Any) -> Edit:
    return lambda contract: replace(contract, receiver=replace(contract.receiver, **changes))


def due(kind: str, **changes: Any) -> Edit:
    def edit(contract: Contract) -> Contract:
        found = tuple(replace(each, **changes) if each.kind == kind else each for each in contract.due)
        return replace(contract, due=found)

    return edit


def system(end: str, **changes: Any) -> Edit:
    return lambda contract: replace(contract, **{end: replace(getattr(contract, end), **changes)})


def measured(before: str | None, after: str | None) -> tuple[Edit, Edit]:
    """The same contract with one measure of an item, and with another."""

    def with_measure(measure: str | None) -> Edit:
        def edit(contract: Contract) -> Contract:
            own = [{"property": "x-measure", "value": measure}] if measure else []
            properties = [{"name": "setaiinjunjo", "customProperties": own}]
            return replace(contract, document={"schema": [{"name": "jumin", "properties": properties}]})

        return edit

    return with_measure(before), with_measure(after)


RULE = {"type": "library", "metric": "nullValues", "mustBe": "0", "arguments": {"column": "shimei"}}
WITHHELD = Protection(True, {"jumin": frozenset({"jusho_choaza", "jusho_banchigohyoki"})})


def same(contract: Contract) -> Contract:
    return contract


Case = tuple[Edit, Edit, str, str, bool]
"""How it was, how it is, the kind and the place of the change, and whether it breaks."""


def breaks(kind: str, where: str, *edits: Edit) -> Case:
    """A change that breaks somebody: the edit that makes it, or how it was and how it is."""
    return (*(same, *edits)[-2:], kind, where, True)


def passes(kind: str, where: str, *edits: Edit) -> Case:
    """A change that breaks nobody."""
    return (*breaks(kind, where, *edits)[:4], False)


def with_list(contract: Contract, list_id: str) -> Contract:
    first = contract.feeds[0]
    lists = {**first.edition.codes, list_id: replace(first.edition.codes["1"], id=list_id)}
    return regrouped(contract, "jumin", first.group, replace(first.edition, codes=lists))


def moved(contract: Contract) -> Contract:
    first = contract.feeds[0]
    items = (*first.items[:5], first.items[6], first.items[5], *first.items[7:])
    return replace(contract, feeds=(replace(first, items=items), contract.feeds[1]))


def another_edition(contract: Contract) -> Contract:
    first = contract.feeds[0]
    return regrouped(contract, "jumin", first.group, replace(first.edition, edition="kiban-2027.1"))
