"""YAML files read as text with the line of every value, so that problems can point at it.

All scalars stay text: YAML would read 001 as the octal number 1, and コード 08 as a float.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kiban.standard.findings import Findings, suggest
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
        node = yaml.compose(decode(data, name, findings), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or "it is not YAML"
        findings.fault(
            "yaml-broken",
            f"the file cannot be read as YAML ({reason})",
            f"{name}{line}",
            "check indentation, colons and quotation marks of this line and the one before",
        )
        return document
    except RecursionError:
        findings.fault(
            "yaml-broken", "the file nests its values too deeply", name, "write it as in other editions"
        )
        return document
    if not isinstance(node, yaml.MappingNode):
        findings.fault(
            "yaml-not-a-mapping",
            "the file does not hold key: value lines",
            name,
            'begin with a line such as business: "001"',
        )
        return document
    document.value = _build(node, (), document, findings, set())
    return document


def _build(node: yaml.Node, path: Path_, document: Document, findings: Findings, seen: set[int]) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    where = document.where(*path)
    if id(node) in seen:
        findings.fault("yaml-alias", "the file uses a YAML alias (*name)", where, "write the value out")
        return None
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        empty = node.style is None and node.value in ("", "~", "null", "Null", "NULL")
        return None if empty else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, i), document, findings, seen) for i, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, child in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else "?"
        document.lines[(*path, key)] = key_node.start_mark.line + 1
        if key in result:
            findings.fault(
                "yaml-key-twice",
                f"the key {key} stands twice",
                document.where(*path, key),
                "keep one of them",
            )
        result[key] = _build(child, (*path, key), document, findings, seen)
    return result


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
