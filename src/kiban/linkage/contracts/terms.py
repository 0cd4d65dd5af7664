"""The terms of a contract: fields of a YAML file that are more than texts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from kiban.standard import Document, Fields, suggest

_DURATION = re.compile(r"P(?!$)(?:(\d{1,3})D)?(?:T(?=\d)(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class Terms(Fields):
    """Fields of a mapping, read as what they mean; every fault goes to the findings."""

    def form(self, key: str, pattern: str, form: str, *, needed: bool = True) -> str:
        """A text of a form; empty where absent. Finds `field-form`."""
        text = self.text(key, needed=needed)
        if text and not re.fullmatch(pattern, text):
            self._misformed(key, form)
        return text

    def choice(self, key: str, known: Iterable[str], *, needed: bool = True) -> str:
        """One of some words; empty where absent. Finds `field-choice`."""
        text = self.text(key, needed=needed)
        return self._known(text, tuple(known), key) if text else ""

    def choices(self, key: str, known: Iterable[str]) -> tuple[str, ...]:
        """Some of the words, each once. Finds `field-choice`."""
        words = [self._known(text, tuple(known), key) for text in self.texts(key)]
        return tuple(dict.fromkeys(word for word in words if word))

    def flag(self, key: str, *, needed: bool = True) -> bool:
        """True or false; false where absent. Finds `field-choice`."""
        return self.choice(key, ("true", "false"), needed=needed) == "true"

    def number(self, key: str, least: int = 1, *, needed: bool = False) -> int | None:
        """A whole number; None where absent. Finds `field-form`."""
        text = self.text(key, needed=needed).replace("_", "")
        if not text:
            return None
        if not re.fullmatch(r"\d{1,15}", text) or int(text) < least:
            self._misformed(key, f"a whole number from {least} on")
            return None
        return int(text)

    def day(self, key: str, *, needed: bool = True) -> date | None:
        """A day; None where absent. Finds `field-form`."""
        text = self.text(key, needed=needed)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self._misformed(key, "a day of the calendar: YYYY-MM-DD")
            return None

    def duration(self, key: str) -> timedelta:
        """A duration longer than nothing. Finds `field-form`."""
        text = self.text(key)
        match = _DURATION.fullmatch(text)
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0,) * 4
        found = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if text and not found:
            self._misformed(key, "how long, as PT10M, PT2H or P1D")
        return found

    def clock(self, key: str) -> int | None:
        """A time of the day in minutes; None where absent. Finds `field-form`."""
        text = self.text(key)
        match = _CLOCK.fullmatch(text)
        if text and not match:
            self._misformed(key, 'a time of the day in quotes: "06:00"')
        return int(match[1]) * 60 + int(match[2]) if match else None

    def part(self, key: str, called: str) -> Terms | None:
        """The fields of a mapping below; None where absent. Finds `yaml-not-a-mapping`."""
        value = self.raw(key)
        if value is None:
            return None
        return Terms(self.document, (*self.path, key), value, self.findings, called)

    def parts(self, key: str, called: str) -> list[Terms]:
        """The fields of each mapping of a list; none where absent. Finds `field-not-list`."""
        value = self.raw(key)
        if value is not None and not isinstance(value, list):
            fix = f"write it as {key}: with one - per line"
            self.findings.fault(
                "field-not-list", f"{key} of {self.called} is not a list", self.where(key), fix
            )
        entries = value if isinstance(value, list) else []
        return [
            Terms(self.document, (*self.path, key, i), one, self.findings, f"{called} {i + 1}")
            for i, one in enumerate(entries)
        ]

    def leave(self, *keys: str) -> None:
        """Fields that may stand here and say nothing to Kiban."""
        self.asked += keys

    def fault(self, code: str, what: str, fix: str, *path: str | int) -> None:
        """A fault at one of the fields."""
        self.findings.fault(code, what, self.where(*path), fix)

    def _known(self, text: str, known: tuple[str, ...], key: str) -> str:
        if text in known:
            return text
        fix = suggest(text, known, f"write one of {', '.join(known)}")
        self.fault("field-choice", f"{key} {text} of {self.called} is not known", fix, key)
        return ""

    def _misformed(self, key: str, form: str) -> None:
        self.fault("field-form", f"{key} of {self.called} has not the right form", f"write {form}", key)


def custom(fields: Fields, called: str, key: str = "customProperties") -> Terms:
    """The `customProperties` of a mapping as fields: each property's name with its value.

    Finds `property-twice`.
    """
    document, findings = fields.document, fields.findings
    found: dict[str, Any] = {}
    base = ("custom", *fields.path)
    document.lines[base] = document.lines.get((*fields.path, key), document.lines.get(fields.path, 1))
    for entry in Terms(document, fields.path, fields.value, findings, called).parts(key, "custom property"):
        name = entry.text("property")
        value = entry.raw("value")
        entry.leave("id", "description", "vendor")
        entry.done()
        if name in found:
            entry.fault("property-twice", f"{name} of {called} stands twice", "keep one of them")
        found[name] = value
        _copy_lines(document, (*entry.path, "value"), (*base, name))
    fields.asked.append(key)
    return Terms(document, base, found, findings, called)


def _copy_lines(document: Document, old: tuple[str | int, ...], new: tuple[str | int, ...]) -> None:
    below = [(path, line) for path, line in document.lines.items() if path[: len(old)] == old]
    document.lines |= {(*new, *path[len(old) :]): line for path, line in below}
