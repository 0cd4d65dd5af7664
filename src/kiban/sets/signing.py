"""Ed25519 signatures over documents, and the keys that people keep in PEM files."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiban.kernel import Problem

_PURPOSE = b"kiban-set-document-1\n"
"""Stands before what is signed, so that no signature made for another purpose fits."""
_RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


@dataclass(frozen=True)
class Signature:
    """Who signed a document.

    Attributes:
        key: the public key, 64 hex digits.
        value: the signature over the document without it, 128 hex digits.
    """

    key: str
    value: str


@dataclass(frozen=True)
class Signer:
    """Signs with a private key, which is no part of the printed form."""

    _key: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.key})"

    @property
    def key(self) -> str:
        """The public key, 64 hex digits."""
        return self._key.public_key().public_bytes(*_RAW).hex()

    def sign(self, data: bytes) -> Signature:
        """The signature of a document as it is written without one."""
        return Signature(self.key, self._key.sign(_PURPOSE + data).hex())


def fits(signature: Signature, data: bytes) -> bool:
    """Whether the signature is one of this document, by whomever."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.key))
        key.verify(bytes.fromhex(signature.value), _PURPOSE + data)
    except (ValueError, InvalidSignature):
        return False
    return True


@dataclass(frozen=True)
class Signed:
    """What frozen dataclasses have in common that end in the public key of who signed them and the signature, both hex."""

    document: ClassVar[str]
    """Stands in what is signed, so that no document passes for one of another kind."""
    if TYPE_CHECKING:  # fields of those who inherit, in their own order

        @property
        def key(self) -> str:
            """The public key."""

        @property
        def signature(self) -> str:
            """Over everything else."""

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over: everything else."""
        said = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "signature"}
        return orjson.dumps({"document": self.document, **said}, option=orjson.OPT_SORT_KEYS)

    @property
    def digest(self) -> str:
        """What the next one names as its previous, hex."""
        return hashlib.sha256(self.signed_bytes + self.signature.encode()).hexdigest()

    def sign(self, signer: Signer) -> Self:
        """The same, signed."""
        made = replace(self, **{"key": signer.key})
        return replace(made, **{"signature": signer.sign(made.signed_bytes).value})

    def signed_by(self, trusted: Collection[str]) -> bool:
        """Whether the signature is one of these public keys over what this says."""
        return self.key in trusted and fits(Signature(self.key, self.signature), self.signed_bytes)


def read_signer(path: Path) -> Signer:
    """The signer of a private key in a PEM file without a pass phrase.

    Raises:
        Problem: `signing-key`.
    """
    key = _key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_key(path, "a private key is needed to sign")
    return Signer(key)


def read_keys(paths: Iterable[Path]) -> frozenset[str]:
    """The public keys of PEM files, each 64 hex digits, as they are trusted.

    Raises:
        Problem: `signing-key`.
    """
    keys = (_key(path) for path in paths)
    public = (key.public_key() if isinstance(key, Ed25519PrivateKey) else key for key in keys)
    return frozenset(key.public_bytes(*_RAW).hex() for key in public)


def _key(path: Path) -> Ed25519PrivateKey | Ed25519PublicKey:
    try:
        data = path.read_bytes()
        key = (
            serialization.load_pem_private_key(data, None)
            if b"PRIVATE KEY" in data
            else serialization.load_pem_public_key(data)
        )
    except OSError as error:
        raise _bad_key(path, f"the key cannot be read ({error.strerror})") from error
    except (ValueError, TypeError) as error:
        raise _bad_key(path, "the key cannot be read: no PEM, or behind a pass phrase") from error
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise _bad_key(path, "the key is of another kind than Ed25519")
    return key


def _bad_key(path: Path, what: str) -> Problem:
    return Problem("signing-key", what, str(path), "openssl genpkey -algorithm ed25519 -out FILE makes a key")
