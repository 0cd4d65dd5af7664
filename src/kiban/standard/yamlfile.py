"""YAML files read as text with the line of every value, so that problems can point at it.

All scalars stay text: YAML would read 001 as the octal number 1, and コード 08 as a float.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml.error import MarkedYAMLError

from kiban.kernel import Problem
from kiban.standard.findings import Finding, Findings, suggest
from kiban.standard.tables import decode, read_bytes

Path_ = tuple[str | int, ...]


@dataclass
class Document:
    """A YAML file: nested dicts, lists, texts and None, and the line of each.

    Attributes:
        name: how problems call the file.
        value: the content; an empty dict where the file could not be read, and then no line is known.
        lines: path of keys and indexes -> line, from 1.
    """

    name: str
    value: dict[str, Any]
    lines: dict[Path_, int] = field(default_factory=dict)

    def where(self, *path: str | int) -> str:
        """The file with the line of a value, or of what encloses it."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return f"{self.name}:{self.lines[path[:end]]}"
        return self.name


def read_document(path: Path, name: str, findings: Findings, fix: str | None = None) -> Document:
    """Read a YAML file whose top is a mapping.

    Finds: `file-missing`, `file-unreadable`, `yaml-broken`, `yaml-key-twice`, `yaml-alias`, `yaml-not-a-mapping`.
    """
    document = Document(name, {})
    data = read_bytes(path, name, findings, fix) if fix else read_bytes(path, name, findings)
    if data is None:
        return document
    try:
        top = _Builder(document, findings).built(decode(data, name, findings))
    except (yaml.YAMLError, RecursionError) as error:
        findings.found.append(Finding("fault", _broken(name, error)))
        return Document(name, {})
    if not isinstance(top, dict):
        document.lines.clear()
        findings.fault(
            "yaml-not-a-mapping",
            "the file does not hold key: value lines",
            name,
            'begin with a line such as business: "001"',
        )
        return document
    document.value = top
    return document


def _broken(name: str, error: Exception) -> Problem:
    if isinstance(error, RecursionError):
        what = "the file nests its values too deeply"
        return Problem("yaml-broken", what, name, "write it as in other editions")
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or "it is not YAML"
    return Problem(
        "yaml-broken",
        f"the file cannot be read as YAML ({reason})",
        f"{name}:{mark.line + 1}" if mark is not None else name,
        "check indentation, colons and quotation marks of this line and the one before",
    )


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where libyaml is built in. Only its events are used: its own nodes are built by a recursion that a file can break."""
_DEEPEST = 100


class _Builder:
    """Builds the value of a document from the events of its parser, with the line of every value."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self._document, self._findings = document, findings
        self._depth = 0

    def built(self, text: str) -> Any:
        """The value of the only document; None where there is none.

        Raises:
            YAMLError: what keeps it from being read. RecursionError: it is nested too deeply.
        """
        self._events = yaml.parse(text, Loader=_LOADER)
        found: Any = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise MarkedYAMLError(problem="a second document begins")
                found = self._value(next(self._events), ())
        return found

    def _value(self, event: Any, path: Path_) -> Any:
        self._document.lines.setdefault(path, _line(event))
        if isinstance(event, yaml.ScalarEvent):
            plain = not event.style
            return None if plain and event.value in ("", "~", "null", "Null", "NULL") else event.value
        if isinstance(event, yaml.AliasEvent):
            where = self._document.where(*path)
            self._findings.fault(
                "yaml-alias", "the file uses a YAML alias (*name)", where, "write the value out"
            )
            return None
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RecursionError
        many = isinstance(event, yaml.SequenceStartEvent)
        found = self._list(path) if many else self._mapping(path)
        self._depth -= 1
        return found

    def _list(self, path: Path_) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found

    def _mapping(self, path: Path_) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = _line(event)
            key = str(event.value) if isinstance(event, yaml.ScalarEvent) else "?"
            if key == "?" and not isinstance(event, yaml.ScalarEvent):
                self._value(event, (*path, key))
            self._document.lines[(*path, key)] = line
            if key in found:
                where = self._document.where(*path, key)
                self._findings.fault(
                    "yaml-key-twice", f"the key {key} stands twice", where, "keep one of them"
                )
            found[key] = self._value(next(self._events), (*path, key))
        return found


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


class Fields:
    """The fields of one mapping, taken one by one; what is left over was not understood."""

    def __init__(self, document: Document, path: Path_, value: Any, findings: Findings, called: str) -> None:
        self.document, self.path, self.findings, self.called = document, path, findings, called
        self.asked: list[str] = []
        self.value: dict[str, Any] = value if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            findings.fault(
                "yaml-not-a-mapping",
                f"{called} is not a set of key: value",
                self.where(),
                "write one key: value per line below it",
            )

    def where(self, *path: str | int) -> str:
        """The place of a field."""
        return self.document.where(*self.path, *path)

    def text(self, key: str, *, needed: bool = True) -> str:
        """A text; empty where absent. Finds `field-missing` and `field-not-text`."""
        self.asked.append(key)
        value = self.value.get(key)
        if value is None:
            if needed:
                self.findings.fault(
                    "field-missing", f"{self.called} has no {key}", self.where(), f"add a line {key}: …"
                )
            return ""
        if not isinstance(value, str):
            self.findings.fault(
                "field-not-text",
                f"{key} of {self.called} is not one text",
                self.where(key),
                f"write it as {key}: text",
            )
            return ""
        return value.strip()

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty where absent. Finds `field-not-list`."""
        self.asked.append(key)
        value = self.value.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.findings.fault(
                "field-not-list",
                f"{key} of {self.called} is not a list of texts",
                self.where(key),
                f"write it as {key}: [a, b]",
            )
            return []
        return [str(v) for v in value]

    def raw(self, key: str) -> Any:
        """Whatever stands there."""
        self.asked.append(key)
        return self.value.get(key)

    def mapping(self, key: str) -> dict[str, str]:
        """A mapping of texts to texts; empty where absent. Finds `field-not-mapping`."""
        value = self.raw(key)
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            self.findings.fault(
                "field-not-mapping",
                f"{key} of {self.called} is not a list of old: new",
                self.where(key),
                f"write it as {key}: {{old: new}}",
            )
            return {}
        return {str(k): str(v) for k, v in value.items()}

    def done(self) -> None:
        """Find every field nobody asked for: `field-unknown`."""
        for key in self.value:
            if key not in self.asked:
                rest = [k for k in self.asked if k not in self.value]
                self.findings.fault(
                    "field-unknown",
                    f"{self.called} has a field {key} that means nothing here",
                    self.where(key),
                    suggest(key, rest, "remove it"),
                )
