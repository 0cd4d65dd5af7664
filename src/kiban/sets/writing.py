"""How manifests, drafts and marks of finished parts are written, and how they are read back. Receipts have their own file."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from typing import Any, cast, get_args

from kiban.kernel import AsOf
from kiban.sets import buckets, document, signing
from kiban.sets.buckets import Buckets
from kiban.sets.digest import Column, Kind
from kiban.sets.document import Reader, converted, many, mapping, optional, record, text, whole
from kiban.sets.manifest import Draft, Form, Manifest, Part, SetKind
from kiban.sets.signing import Signature, Signer

VERSION = 1
"""Of all three documents; a change of their writing is another version."""

_CONTROLS = r"\x00-\x1f\x7f\ud800-\udfff"
_LINE = text(rf"[^{_CONTROLS}]+")
NAME = text(r"[A-Za-z0-9][A-Za-z0-9._-]*", 100)
"""Reads what may be a folder or a key: a flow, a system."""
SET_ID = text("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""Reads the name of a set."""
SHA256 = text("[0-9a-f]{64}")
"""Reads a digest in hex."""


def _moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


MOMENT = converted(text(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\.[0-9]{6})?Z"), _moment, "moment")
"""Reads a moment in UTC."""
SIGNATURE = optional(record(Signature, {"key": SHA256, "value": text("[0-9a-f]{128}")}))
"""Reads who signed, or that nobody did."""

_DAY = converted(text("[0-9]{4}-[0-9]{2}-[0-9]{2}"), date.fromisoformat, "day")
_YEN = converted(text("0|-?[1-9][0-9]{0,38}"), int, "whole yen")
_PART = record(
    Part,
    {
        **{
            "number": whole(1),
            "of": whole(),
            "name": text(rf"[^/\\{_CONTROLS}]+"),
            "form": text("|".join(get_args(Form))),
        },
        **{"rows": whole(), "bytes": whole(), "sums": mapping(_YEN), "sha256": SHA256},
    },
)
_BUCKETS = converted(
    record(
        dict, {"rows_bytes": whole(1, 7), "sum_bytes": whole(1, 24), "data": text("[A-Za-z0-9+/=]*", 400_000)}
    ),
    buckets.read_buckets,
    "buckets of rows",
)
_COLUMN = record(Column, {"name": _LINE, "kind": text("|".join(get_args(Kind))), "scale": whole(0, 38)})
_DRAFT: dict[str, Reader] = {
    "set_id": SET_ID,
    "flow": NAME,
    "kind": text("|".join(get_args(SetKind))),
    "epoch": whole(1, 10**10 - 1),
    "sequence": whole(0, 10**10 - 1),
    "previous": optional(whole(0, 10**10 - 1)),
    "as_of": record(AsOf, {"valid": _DAY, "known": optional(MOMENT)}),
    "producer": _LINE,
    "edition": optional(_LINE),
    "register": optional(_LINE),
    "key": many(_LINE),
    "columns": many(_COLUMN),
    "sums": many(_LINE),
}
_HEAD: dict[str, Reader] = {"document": text("kiban-[a-z-]+"), "version": whole()}
_MANIFEST = {"parts": many(_PART), "buckets": optional(_BUCKETS), "signature": SIGNATURE}
_MARK: dict[str, Reader] = {"part": _PART, "buckets": optional(_BUCKETS)}


def manifest_bytes(manifest: Manifest) -> bytes:
    """A manifest as it lies on a shelf."""
    body = _draft_body(manifest, "manifest")
    body["parts"] = [_part_body(part) for part in manifest.parts]
    body["buckets"] = None if manifest.buckets is None else buckets.buckets_body(manifest.buckets)
    body["signature"] = signature_body(manifest.signature)
    return document.written(body)


def read_manifest(data: bytes, where: str) -> Manifest:
    """A manifest, if it is written as the specification says. What it says is not judged.

    Raises:
        Problem: `manifest-unreadable`, `manifest-version`.
        Problems: `document-field` for each field that is missing, unknown or unfit.
    """
    return cast(Manifest, _read(data, "manifest", where, {**_DRAFT, **_MANIFEST}, Manifest))


def signed(manifest: Manifest, signer: Signer | None) -> Manifest:
    """The manifest with the signature of its producer, or without any."""
    bare = replace(manifest, signature=None)
    return bare if signer is None else replace(bare, signature=signer.sign(manifest_bytes(bare)))


def signature_fits(manifest: Manifest) -> bool:
    """Whether the signature is one of this manifest, by whomever."""
    return manifest.signature is not None and signing.fits(
        manifest.signature, manifest_bytes(replace(manifest, signature=None))
    )


def draft_bytes(draft: Draft) -> bytes:
    """A draft as it lies on a shelf: the claim of whoever writes the set."""
    return document.written(_draft_body(draft, "claim"))


def read_draft(data: bytes, where: str) -> Draft:
    """A draft.

    Raises:
        Problem: `claim-unreadable`, `claim-version`.
        Problems: `document-field`.
    """
    return cast(Draft, _read(data, "claim", where, _DRAFT, Draft))


def mark_bytes(part: Part, held: Buckets | None) -> bytes:
    """The mark of a finished part: what the manifest will say of it, and the buckets of its rows."""
    written = None if held is None else buckets.buckets_body(held)
    body = {"document": "kiban-mark", "version": VERSION, "part": _part_body(part), "buckets": written}
    return document.written(body)


def read_mark(data: bytes, where: str) -> tuple[Part, Buckets | None]:
    """The mark of a finished part.

    Raises:
        Problem: `mark-unreadable`, `mark-version`.
        Problems: `document-field`.
    """
    body = _read(data, "mark", where, _MARK, dict)
    return body["part"], body["buckets"]


def moment_text(moment: datetime) -> str:
    """A moment with its zone as documents write it: in UTC."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"


def signature_body(signature: Signature | None) -> dict[str, str] | None:
    """A signature as documents write it."""
    return None if signature is None else {"key": signature.key, "value": signature.value}


def _read(data: bytes, kind: str, where: str, readers: dict[str, Reader], make: Any) -> Any:
    body = document.parsed(data, kind, VERSION, where)

    def made(**found: Any) -> Any:
        return make(**{name: value for name, value in found.items() if name not in _HEAD})

    return record(made, {**_HEAD, **readers})(body, where)


def _draft_body(draft: Draft, kind: str) -> dict[str, Any]:
    body: dict[str, Any] = {one.name: getattr(draft, one.name) for one in fields(Draft)}
    known = draft.as_of.known
    body["as_of"] = {
        "valid": draft.as_of.valid.isoformat(),
        "known": None if known is None else moment_text(known),
    }
    body["columns"] = [{"name": c.name, "kind": c.kind, "scale": c.scale} for c in draft.columns]
    return body | {"document": f"kiban-{kind}", "version": VERSION}


def _part_body(part: Part) -> dict[str, Any]:
    body = {one.name: getattr(part, one.name) for one in fields(Part)}
    return body | {"sums": {name: str(value) for name, value in part.sums}}
