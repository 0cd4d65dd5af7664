"""Where things lie on a shelf. Names are made of ids and numbers, never of times.

parts/SET_ID/claim.json          who writes the set: its draft, created once
parts/SET_ID/000001.parquet      its parts
parts/SET_ID/marks/000001.json   that a part is finished; gone when the set is published
sets/FLOW/EPOCH-SEQUENCE.json    its manifest, created once: with it the set exists
receipts/SET_ID/SYSTEM/…         what a receiver says of it
"""

from __future__ import annotations

import re

from kiban.sets.manifest import Draft, Manifest, Part


def claim_of(set_id: str) -> str:
    """Where the claim of a set lies."""
    return f"parts/{set_id}/claim.json"


def parts_of(set_id: str) -> str:
    """Below which everything of a set lies but its manifest and receipts."""
    return f"parts/{set_id}"


def part_of(set_id: str, number: int, name: str) -> str:
    """Where a part lies; of its name only the ending is kept, which tools go by."""
    ending = re.search(r"\.[A-Za-z0-9]{1,16}$", name, re.ASCII)
    return f"parts/{set_id}/{number:06}{ending[0] if ending else ''}"


def place_of(manifest: Manifest, part: Part) -> str:
    """Where a part of a published set lies."""
    return part_of(manifest.set_id, part.number, part.name)


def mark_of(set_id: str, number: int) -> str:
    """Where it is said that a part is finished."""
    return f"parts/{set_id}/marks/{number:06}.json"


def manifest_of(draft: Draft) -> str:
    """Where the manifest of a set lies: no two sets of a flow have one epoch and sequence."""
    return manifest_at(draft.flow, draft.epoch, draft.sequence)


def manifest_at(flow: str, epoch: int, sequence: int) -> str:
    """Where the manifest of a position of a flow lies."""
    return f"sets/{flow}/{epoch:010}-{sequence:010}.json"


def manifests_of(flow: str | None) -> str:
    """Below which the manifests of a flow lie, or of all."""
    return "sets" if flow is None else f"sets/{flow}"


def receipt_of(set_id: str, system: str, name: str) -> str:
    """Where a receipt lies."""
    return f"{receipts_of(set_id)}/{system}/{name}.json"


def receipts_of(set_id: str) -> str:
    """Below which the receipts of a set lie."""
    return f"receipts/{set_id}"
