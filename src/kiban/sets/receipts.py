"""What a receiver says of a set: received, validated, applied. Sent is not done; a set is done when it is applied."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, cast, get_args

from kiban.kernel import Problem
from kiban.sets import document, places, signing, writing
from kiban.sets.contents import published
from kiban.sets.document import many, optional, record, text, whole
from kiban.sets.shelf import Shelf
from kiban.sets.signing import Signature, Signer

State = Literal["received", "validated", "applied"]
_STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One statement of a receiver.

    Attributes:
        set_id: of the set.
        system: who received it.
        state: how far it came: `received` (its parts are there), `validated` (they are right), `applied`.
        at: when, with its time zone.
        problems: codes of what kept it from this state; none where the state is reached. After one there is no further receipt.
        rows: rows that the receiver holds afterwards, for `applied`; otherwise None.
        digest: one digest of all of them, see `digest_of`, for `applied`; otherwise None.
        signature: of the receiver; None where it did not sign.
    """

    set_id: str
    system: str
    state: State
    at: datetime
    problems: tuple[str, ...] = ()
    rows: int | None = None
    digest: str | None = None
    signature: Signature | None = None


_HEAD = {"document": text("kiban-receipt"), "version": whole()}
_RECEIPT = {
    "set_id": writing.SET_ID,
    "system": writing.NAME,
    "state": text("|".join(_STATES)),
    "at": writing.MOMENT,
    "problems": many(text("[a-z]+(-[a-z]+)*")),
    "rows": optional(whole()),
    "digest": optional(writing.SHA256),
    "signature": writing.SIGNATURE,
}


def receipt_bytes(receipt: Receipt) -> bytes:
    """A receipt as it lies on a shelf."""
    body: dict[str, Any] = {one.name: getattr(receipt, one.name) for one in fields(Receipt)}
    body |= {"at": writing.moment_text(receipt.at), "signature": writing.signature_body(receipt.signature)}
    return document.written(body | {"document": "kiban-receipt", "version": writing.VERSION})


def read_receipt(data: bytes, where: str) -> Receipt:
    """A receipt, if it is written as the specification says.

    Raises:
        Problem: `receipt-unreadable`, `receipt-version`, `receipt-order` where it says what no receiver can.
        Problems: `document-field`.
    """

    def made(**found: Any) -> Receipt:
        return Receipt(**{name: value for name, value in found.items() if name not in _HEAD})

    body = document.parsed(data, "receipt", writing.VERSION, where)
    receipt = cast(Receipt, record(made, {**_HEAD, **_RECEIPT})(body, where))
    done = receipt.state == "applied" and not receipt.problems
    if done in {receipt.rows is None, receipt.digest is None}:
        fix = "give both for a set that is applied, and only then"
        raise Problem(
            "receipt-order", "rows and digest of what is held belong to what is applied", where, fix
        )
    return receipt


def receipt_fits(receipt: Receipt) -> bool:
    """Whether the signature is one of this receipt, by whomever."""
    bare = receipt_bytes(replace(receipt, signature=None))
    return receipt.signature is not None and signing.fits(receipt.signature, bare)


def file_receipt(shelf: Shelf, receipt: Receipt, signer: Signer | None = None) -> Receipt:
    """Put a receipt beside its set, once; the same again changes nothing.

    Raises:
        Problem: `receipt-order` where the state before is not reached, or one stands with problems; `receipt-exists` where
            another receipt says otherwise; `set-missing` where no such set is published; those of `read_receipt`.
        Problems: `document-field`.
    """
    bare = replace(receipt, signature=None)
    signed = bare if signer is None else replace(bare, signature=signer.sign(receipt_bytes(bare)))
    read_receipt(receipt_bytes(signed), "receipt")
    published(shelf, receipt.set_id)
    step = _STATES.index(receipt.state)
    before = None if step == 0 else shelf.read(_place(receipt, step - 1))
    if step and (before is None or read_receipt(before, _place(receipt, step - 1)).problems):
        what = f"{receipt.state} before it is {_STATES[step - 1]} without problems"
        raise Problem("receipt-order", what, receipt.set_id, "file the receipts in the order of the states")
    place, data = _place(receipt, step), receipt_bytes(signed)
    if not shelf.create(place, data) and shelf.read(place) != data:
        fix = "a set is received once; have it published again under a new id"
        raise Problem("receipt-exists", "another receipt of this state is there", place, fix)
    return signed


def receipts(shelf: Shelf, set_id: str) -> tuple[Receipt, ...]:
    """All receipts of a set, by system and state.

    Raises:
        Problem: `shelf-unreadable`, and those of `read_receipt`; `receipt-place` where one is of another set or system.
        Problems: `document-field`.
    """
    found = []
    for key in shelf.sizes(places.receipts_of(set_id)):
        receipt = read_receipt(shelf.read(key) or b"", key)
        if receipt.set_id != set_id or _place(receipt, _STATES.index(receipt.state)) != key:
            raise Problem(
                "receipt-place", "the receipt is of another set, system or state", key, "remove the copy"
            )
        found.append(receipt)
    return tuple(found)


def _place(receipt: Receipt, step: int) -> str:
    return places.receipt_of(receipt.set_id, receipt.system, f"{step + 1}-{_STATES[step]}")
