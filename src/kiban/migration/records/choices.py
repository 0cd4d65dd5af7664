"""Which description a record is meant for, and which of the groups that share its bytes: told by a field and its values, never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from kiban import characters
from kiban.kernel import Problem
from kiban.migration.records.layout import Copybook, Field, Reading, Record, base_name

Block = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def check(copybook: Copybook, reading: Reading) -> None:
    """Refuse a reading that leaves a choice open or names what is not there.

    Raises:
        Problem: `choice-open`, `reading-unknown`.
    """
    fields = {base_name(one.name) for record in copybook.records for one in record.fields}
    fields |= {
        base_name(one.name) for record in copybook.records if record.table for one in record.table.fields
    }
    groups = {name for names in copybook.choices for name in names} | {
        record.name for record in copybook.records
    }
    unknown = ({*reading.modes, *reading.unset, *(name for name, _ in reading.when.values())} - fields) | (
        reading.when.keys() - groups
    )
    if unknown:
        raise Problem(
            "reading-unknown",
            f"the copybook has no {', '.join(sorted(unknown))}",
            fix="correct the plan's modes, unset and when, or the copybook",
        )
    open_choices = [name for names in copybook.choices for name in names if name not in reading.when]
    open_choices += (
        [one.name for one in copybook.records if one.name not in reading.when]
        if len(copybook.records) > 1
        else []
    )
    if open_choices:
        raise Problem(
            "choice-open",
            f"nothing says when {', '.join(open_choices)} applies",
            fix="name the field and its values in the plan: when: {GROUP: {field: FIELD, is: [values]}}",
        )


def applies(record: Record, name: str, reading: Reading, page: characters.CodePage, block: Block) -> Mask:
    """Which records of a block a record description, or a redefining group of it, is meant for.

    Raises:
        Problem: `reading-unknown`.
    """
    told, values = reading.when[name]
    field = record.named(told)
    if field is None:
        raise Problem("reading-unknown", f"{record.name} has no {told}", fix="correct `when` in the plan")
    seen = block[:, field.offset : field.offset + field.length]
    found = np.zeros(len(block), bool)
    for value in values:
        written = page.encode(value).data or b""
        if len(written) <= field.length:
            bytes_ = written + page.pad("single") * (field.length - len(written))
            found |= (seen == np.frombuffer(bytes_, np.uint8)).all(axis=1)
    return found


def kinds(copybook: Copybook, record: Record) -> tuple[str, ...]:
    """The groups that are kinds of record, so that each becomes a dataset of its own; empty where there are none."""
    firsts = {one.under[0] for one in record.fields if one.under}
    return next((names for names in copybook.choices if set(names) & firsts and _whole(record, names)), ())


def _whole(record: Record, names: tuple[str, ...]) -> bool:
    """Whether a choice is between kinds of record: nothing but their discriminator stands outside of it."""
    outside = [one for one in record.fields if not one.under or one.under[0] not in names]
    return sum(one.length for one in outside) <= 4 and not any(one.under for one in outside)


def undecided(
    copybook: Copybook, record: Record, reading: Reading, masks: Mapping[str, Mask], rows: int
) -> Iterator[tuple[tuple[str, ...], Field | None, Mask]]:
    """For each choice of a record, the field that tells, and the records to which none of its groups applies.

    Args:
        copybook: what lies where.
        record: the description that applies.
        reading: what tells its groups apart.
        masks: of each group of the record, the records to which it applies.
        rows: how many records there are.
    """
    for choice in (names for names in copybook.choices if set(names) & masks.keys()):
        under = next(
            (one.under[: one.under.index(choice[0])] for one in record.fields if choice[0] in one.under), ()
        )
        wanted = np.ones(rows, bool)
        for group in under:
            wanted &= masks[group]
        met = np.logical_or.reduce([masks[name] for name in choice if name in masks])
        yield choice, record.named(reading.when[choice[0]][0]), wanted & np.logical_not(met)
