"""What the readers of plan.yaml share: lists of entries, forms of names, files beside the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from kiban import characters
from kiban.standard import Fields, suggest


def entries(top: Fields, key: str, called: str, *, needed: bool = True) -> list[Fields]:
    """The entries of a list of mappings. Finds `field-not-list`, `plan-empty`."""
    raw = top.raw(key)
    if raw is None or raw == []:
        if needed:
            top.findings.fault(
                "plan-empty",
                f"the plan names no {key}",
                top.where(key),
                f"add at least one entry below {key}:",
            )
        return []
    if not isinstance(raw, list):
        top.findings.fault(
            "field-not-list", f"{key} is not a list", top.where(key), 'write each entry as "- id: …"'
        )
        return []
    return [
        Fields(top.document, (*top.path, key, at), each, top.findings, f"{called} {_name(each, at)}")
        for at, each in enumerate(raw)
    ]


def _name(entry: object, at: int) -> str:
    name = entry.get("id") or entry.get("group") if isinstance(entry, dict) else None
    return str(name or at + 1)


def form(one: Fields, key: str, pattern: re.Pattern[str], words: str) -> str:
    """A text of a certain form. Finds `field-form`."""
    text = one.text(key)
    if text and not pattern.fullmatch(text):
        one.findings.fault(
            "field-form",
            f"{key} {text} of {one.called} has not the right form",
            one.where(key),
            f"write {words}",
        )
    return text


def no_twins(ones: Sequence[tuple[str, Fields]], what: str) -> None:
    """Find `plan-twice` for every name that stands more than once."""
    seen: dict[str, str] = {}
    for name, one in ones:
        if name and name in seen:
            one.findings.fault(
                "plan-twice",
                f"the {what} {name} stands twice (first in {seen[name]})",
                one.where(),
                "give it another name, or remove it",
            )
        seen.setdefault(name, one.where())


def beside(one: Fields, key: str, folder: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """Files of the project folder. Finds `plan-file-missing`."""
    paths = []
    for name in names:
        path = folder / name
        paths.append(path)
        if not path.exists():
            near = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
            one.findings.fault(
                "plan-file-missing",
                f"{key} {name} of {one.called} is not there",
                one.where(key),
                suggest(path.name, near, f"put it into {path.parent.name}/ or correct the name"),
            )
    return tuple(paths)


def code_page(one: Fields, name: str) -> str:
    """The name of a code page. Finds `plan-code-page`."""
    if name and name not in characters.CODE_PAGES:
        one.findings.fault(
            "plan-code-page",
            f"code_page {name} of {one.called} is not known",
            one.where("code_page"),
            suggest(name, characters.CODE_PAGES, f"write one of {', '.join(characters.CODE_PAGES)}"),
        )
    return name


def part(one: Fields, key: str) -> Fields | None:
    """A mapping below a key; None where there is none."""
    raw = one.raw(key)
    if raw is None:
        return None
    return Fields(one.document, (*one.path, key), raw, one.findings, f"{key} of {one.called}")


def condition(one: Fields, key: str) -> tuple[str, tuple[str, ...]] | None:
    """A field and the values with which something applies; None where nothing is said. Finds `field-missing`."""
    each = part(one, key)
    if each is None:
        return None
    values = each.texts("is")
    if not values:
        each.findings.fault(
            "field-missing", f"{each.called} has no values", each.where(), 'add a line is: ["1"]'
        )
    found = (each.text("field"), tuple(values))
    each.done()
    return found
