"""Reading what the stages left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kiban.migration.stage import Context


def document(context: Context, stage: str, name: str) -> Mapping[str, Any]:
    """A JSON file of a stage's output."""
    return dict(json.loads((context.inputs[stage] / name).read_text(encoding="utf-8")))


def summary_of(context: Context, stage: str) -> Mapping[str, Any]:
    """The figures a stage found."""
    return dict(document(context, stage, "summary.json")["summary"])
