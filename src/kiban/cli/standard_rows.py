"""What `kiban standard` lists: editions, groups, items, codes, changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Group as Lines
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kiban import standard
from kiban.cli.listing import Row, console, lines, tabbed
from kiban.kernel import Problem

Screen = tuple[Row, Sequence[Row]]

EDITION_HEADS = ("業務ID", "name", "title", "edition", "status", "effective", "items", "folder")
GROUP_HEADS = ("group", "name", "kind", "scope", "items", "key")
ITEM_HEADS = (
    *("ID", "項目", "romaji", "key", "type", "digits", "code", "repeat", "condition", "実装", "points to"),
)
CODE_HEADS = ("value", "label", "from", "to", "remarks")
CHANGE_HEADS = ("change", "group", "romaji", "項目", "what", "内容", "breaks")


def edition_rows(editions: Iterable[standard.Edition]) -> list[Row]:
    """One row per edition."""
    return [
        (
            *(e.business_id or "", e.id, e.title, e.edition, e.status, str(e.effective or "")),
            *(str(len(e.items)), str(e.folder)),
        )
        for e in editions
    ]


def edition_screen(editions: Iterable[standard.Edition], shipped: Sequence[Path]) -> Screen:
    """The editions as one types them, and where those lie that did not come with Kiban."""
    rows = []
    for e in editions:
        came = any(e.folder.is_relative_to(folder) for folder in shipped)
        here = e.folder.is_relative_to(Path.cwd())
        folder = "" if came else str(e.folder.relative_to(Path.cwd()) if here else e.folder)
        rows.append(
            (
                f"{e.called}@{e.edition}\n{e.id}",
                f"{e.title}\n{folder}".strip(),
                f"{e.status}\n{scope_note(e)}".strip(),
                str(e.effective or "not said"),
                str(len(e.items)),
            )
        )
    return ("EDITION", "title", "status", "effective", "items"), rows


def scope_note(edition: standard.Edition) -> str:
    """Words for an edition that can be looked at and not be used; empty for all others."""
    return "scope undecided" if any(g.scope == "undecided" for g in edition.groups) else ""


def group_rows(edition: standard.Edition) -> list[Row]:
    """One row per group."""
    return [
        (g.id, g.name, g.kind, g.scope, str(len(g.items)), ", ".join(i.romaji for i in g.key))
        for g in edition.groups
    ]


def group_screen(edition: standard.Edition) -> Screen:
    """The groups with their key one item a line."""
    rows = [
        (f"{g.id}\n{g.name}", g.kind, g.scope, str(len(g.items)), "\n".join(i.romaji for i in g.key))
        for g in edition.groups
    ]
    return ("group", "kind", "scope", "items", "主キー"), rows


def code_rows(edition: standard.Edition, word: str) -> list[Row]:
    """One row per value of a code list, named by its ID or by an item that it codes.

    Raises:
        Problem: `code-list-unknown`.
    """
    used = next((item.code for item in edition.items if item.romaji == word and item.code), word)
    found = edition.codes.get(used) or edition.codes.get(used.lstrip("0"))
    if found is None:
        known = ", ".join(f"{c.id} {c.name}" for c in edition.codes.values())
        raise Problem(
            "code-list-unknown",
            f"edition {edition.edition} has no code list {word}",
            "--code",
            f"known are {known}" if known else "this edition has no code lists",
        )
    return [
        (c.value, c.label, str(c.valid_from or ""), str(c.valid_to or ""), c.remarks) for c in found.codes
    ]


def item_rows(group: standard.Group) -> list[Row]:
    """One row per item."""
    return [
        (
            *(item.id, item.name, item.romaji, "○" if item.key else "", item.type, _digits(item)),
            *(item.code or "", str(item.repeat or ""), item.condition, item.implementation),
            group.references.get(item.romaji, ""),
        )
        for item in group.items
    ]


def item_screen(group: standard.Group) -> Screen:
    """The items, name above romaji, and what binds them."""
    rows = []
    for item in group.items:
        target = group.references.get(item.romaji)
        marks = ["主キー"] * item.key + ([f"→ {target}"] if target else [])
        shape = [f"{item.type} {_digits(item)}".strip()]
        shape += [f"×{item.repeat}"] * item.repeats + [f"コード {item.code}"] * (item.code is not None)
        rows.append(
            (
                item.id,
                "\n".join([item.name, item.romaji, *(["、".join(marks)] if marks else [])]),
                "\n".join(shape),
                item.condition + ("\n実装○" if item.implementation else ""),
            )
        )
    return ("ID", "項目", "型 桁数", "出力条件"), rows


def _digits(item: standard.Item) -> str:
    return f"{item.digits},{item.scale}" if item.scale is not None else str(item.digits or "")


def change_rows(changes: Iterable[standard.Change]) -> list[Row]:
    """One row per change."""
    return [
        (c.kind, c.group, c.romaji, _name(c), c.note, c.note_ja, ", ".join(c.breaks) if c.breaking else "")
        for c in changes
    ]


def _name(change: standard.Change) -> str:
    item = change.new or change.old
    return item.name if item else ""


def show_changes(title: str, changes: Sequence[standard.Change]) -> None:
    """The changes by group at a terminal; tab-separated lines in a pipe."""
    if not console().is_terminal:
        lines([title, *tabbed([CHANGE_HEADS, *change_rows(changes)])])
        return
    console().print(Text(title, style="bold"))
    for group in dict.fromkeys(c.group for c in changes):
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(width=17)
        grid.add_column(ratio=1, overflow="fold")
        for change in (c for c in changes if c.group == group):
            head = Text(f"{_name(change)} {change.romaji}".strip() or change.group)
            whom = [Text(f"breaks {', '.join(change.breaks)}", style="bold red")] if change.breaking else []
            grid.add_row(Text(change.kind), Lines(head, Text(change.note, style="dim"), *whom))
        console().print(Text(f"\n{group}", style="bold"), Padding(grid, (0, 0, 0, 2)))


def change_as_dict(change: standard.Change) -> dict[str, Any]:
    """A change for programs."""
    facts = asdict(change)
    for side in ("old", "new"):
        item = getattr(change, side)
        facts[side] = None if item is None else {"id": item.id, "romaji": item.romaji, "name": item.name}
    return facts
