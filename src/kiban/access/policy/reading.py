"""Duties, actions and item classes, read from the files of a policy set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from kiban.access.people import OFFICE_KINDS, OfficeKind
from kiban.access.policy.parts import Action, Duty, ItemClass
from kiban.standard import Document, Edition, Fields, Findings, Library, read_document, suggest

_T = TypeVar("_T", Duty, Action, ItemClass)
_MATCHERS = ("group", "romaji", "class_lv2", "class_lv3")


def duties(folders: Iterable[Path], findings: Findings) -> dict[str, Duty]:
    """The duties of all folders. Finds `duty-purposeless`, `office-kind`, and what is wrong with a file."""

    def read(fields: Fields) -> Duty:
        made = Duty(
            fields.text("id"),
            fields.text("title"),
            tuple(fields.texts("purposes")),
            frozenset(fields.texts("offices")) or frozenset(get_args(OfficeKind)),
            fields.text("note", needed=False),
        )
        if not made.purposes:
            findings.fault(
                "duty-purposeless",
                f"the duty {made.id} has no purpose",
                fields.where(),
                "add purposes: [事務]",
            )
        for kind in sorted(made.offices - OFFICE_KINDS.keys()):
            what = f"the duty {made.id} names a kind of office that there is not: {kind}"
            findings.fault("office-kind", what, fields.where("offices"), f"one of {', '.join(OFFICE_KINDS)}")
        return made

    return _all(folders, "duties", read, findings)


def actions(folders: Iterable[Path], findings: Findings) -> dict[str, Action]:
    """The actions of all folders. Finds `action-over`, and what is wrong with a file."""

    def read(fields: Fields) -> Action:
        over = fields.text("over")
        if over and over not in ("business", "city"):
            findings.fault("action-over", f"over is {over}", fields.where("over"), "business or city")
        second = fields.text("second", needed=False)
        if second not in ("", "true", "false"):
            findings.fault("action-second", f"second is {second}", fields.where("second"), "true or false")
        kind = "city" if over == "city" else "business"
        return Action(fields.text("id"), fields.text("title"), kind, fields.text("log"), second == "true")  # type: ignore[arg-type]

    return _all(folders, "actions", read, findings)


def item_classes(folders: Iterable[Path], library: Library, findings: Findings) -> dict[str, ItemClass]:
    """The classes of items of all folders.

    Finds `class-empty`, `business-unknown`, `class-unmatched` where an edition lacks what is named, and what is wrong with a file.
    """

    def read(fields: Fields) -> ItemClass:
        items: dict[str, frozenset[str]] = {}
        matchers = fields.raw("items")
        if not isinstance(matchers, list) or not matchers:
            findings.fault(
                "class-empty",
                "the class names no items",
                fields.where(),
                "add items: [{edition: …, romaji: …}]",
            )
            matchers = []
        for place, _ in enumerate(matchers):
            path = (*fields.path, "items", place)
            each = Fields(fields.document, path, matchers[place], findings, "a matcher")
            edition, wanted = (
                each.text("edition"),
                {name: each.text(name, needed=False) for name in _MATCHERS},
            )
            each.done()
            found = _matched(edition, wanted, library, each, findings)
            items[edition] = items.get(edition, frozenset()) | found
        return ItemClass(fields.text("id"), fields.text("title"), items)

    return _all(folders, "item_classes", read, findings)


def _matched(
    business: str, wanted: Mapping[str, str], library: Library, at: Fields, findings: Findings
) -> frozenset[str]:
    """The items of a business that have all that is wanted. Every edition at hand has to have some: a new name must not open an item."""
    editions = [each for each in library.editions if each.id == business]
    if not editions:
        known = sorted({each.id for each in library.editions})
        findings.fault(
            "business-unknown",
            f"no edition is called {business}",
            at.where(),
            suggest(business, known, "see its ID"),
        )
    if not any(wanted.values()):
        findings.fault(
            "class-unmatched", "the matcher names no item", at.where(), f"give one of {', '.join(_MATCHERS)}"
        )
        return frozenset()
    found: set[str] = set()
    for edition in editions:
        some = set(_items(edition, wanted))
        if not some:
            what = f"edition {edition.edition} of {business} has no such item: {', '.join(filter(None, wanted.values()))}"
            findings.fault("class-unmatched", what, at.where(), "look it up with: kiban standard show")
        found |= some
    return frozenset(found)


def _items(edition: Edition, wanted: Mapping[str, str]) -> Iterator[str]:
    for group in edition.groups:
        for item in group.items:
            has = {
                "group": group.id,
                "romaji": item.romaji,
                "class_lv2": item.classes[1],
                "class_lv3": item.classes[2],
            }
            if all(has[name] == value for name, value in wanted.items() if value):
                yield f"{edition.id}.{group.id}.{item.romaji}"


def _all(
    folders: Iterable[Path], name: str, read: Callable[[Fields], _T], findings: Findings
) -> dict[str, _T]:
    """Everything under `name` in the file `name`.yaml of each folder. Finds `id-twice`."""
    found: dict[str, _T] = {}
    for folder in folders:
        path = folder / f"{name}.yaml"
        if not path.is_file():
            continue
        document = read_document(path, str(path), findings)
        top = Fields(document, (), document.value, findings, f"{name}.yaml")
        for fields in _entries(document, name, top, findings):
            made = read(fields)
            fields.done()
            if made.id in found:
                findings.fault("id-twice", f"{made.id} stands twice", fields.where(), "keep one of both")
            found[made.id] = made
    return found


def _entries(document: Document, name: str, top: Fields, findings: Findings) -> Iterator[Fields]:
    top.text("note", needed=False)
    listed: Any = top.raw(name)
    top.done()
    if not isinstance(listed, list):
        findings.fault("field-not-list", f"there is no list {name}", document.where(), f"begin with {name}:")
        return
    for place, value in enumerate(listed):
        yield Fields(document, (name, place), value, findings, f"entry {place + 1}")
