"""Which segments and fields a plan's files will have once they are decoded, so far as can be known without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kiban.kernel import Problem, Problems
from kiban.migration import records
from kiban.migration.plan import Plan
from kiban.migration.sources import source_of


@dataclass(frozen=True)
class Segment:
    """A segment to be decoded.

    Attributes:
        name: of it.
        kind: of the file it comes from, as in the plan.
        fields: without `#file` and its like; None for CSV, whose file names its own columns.
    """

    name: str
    kind: str
    fields: frozenset[str] | None


def segments(plan: Plan) -> tuple[dict[str, Segment], tuple[Problem, ...]]:
    """The segments of all files by name, and what is wrong with the copybooks that could not be read.

    Their names and fields are those the decoder gives to an empty file, so the two cannot differ.
    """
    found: dict[str, Segment] = {}
    faults: list[Problem] = []
    kinds: set[str] = set()
    for file in plan.files:
        if file.kind in kinds:
            continue
        kinds.add(file.kind)
        if file.form == "csv":
            found[file.segment] = Segment(file.segment, file.kind, None)
            continue
        try:
            source = source_of(plan, file, plan.unload)
            width = max(record.longest for record in source.copybook.records)
            nowhere = np.zeros(0, np.int64)
            batch = records.decode_block(
                source.copybook,
                source.reading,
                source.page,
                np.zeros((0, width), np.uint8),
                records.Place(file.id, nowhere, nowhere),
                None if file.form == "fixed" else nowhere,
            )
        except Problem as problem:
            faults.append(problem)
        except Problems as problems:
            faults += problems.problems
        else:
            for name, rows in batch.segments.items():
                fields = frozenset(one for one in rows.schema.names if not one.startswith("#"))
                found[name] = Segment(name, file.kind, fields)
    return found, tuple(faults)
