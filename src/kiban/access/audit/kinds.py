"""The kinds of lines, from `log_kinds.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True)
class Kind:
    """One kind of line.

    Attributes:
        id: such as `search`.
        title: in Japanese.
        log: title of the log that it belongs to, such as 操作ログ.
        operation: whether it is one of the nine kinds of operation.
        source: `kiban` where the kind is Kiban's own, else the function that names it.
    """

    id: str
    title: str
    log: str
    operation: bool
    source: str


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its ID, in the order of the file."""
    file = _file()
    return {
        name: Kind(
            name, each["title"], file["classes"][each["class"]], each["class"] == "operation", each["source"]
        )
        for name, each in file["kinds"].items()
    }


@cache
def sign_in_acts() -> Mapping[str, str]:
    """What may happen at a sign-in: ID and Japanese title."""
    return dict(_file()["acts"])


@cache
def _file() -> dict[str, Any]:
    text = resources.files("kiban.access.audit").joinpath("log_kinds.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text)
    return read
