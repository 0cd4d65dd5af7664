"""Decisions of two people on a city's own characters, and the signature of the file that holds them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiban.kernel import Problem

_PURPOSE = b"kiban-character-decisions-1\n"
"""Stands before what is signed, so that no signature made for another purpose fits."""


def sign_decisions(path: Path, key: Path) -> Path:
    """Sign a file of decisions as it stands.

    Args:
        path: the file.
        key: an Ed25519 private key in PEM, without a pass phrase.

    Returns:
        The file beside it, its name followed by `.sig`, that holds public key and signature.

    Raises:
        Problem: `decisions-missing`, `decisions-key`, `target-not-writable`.
    """
    data, private = _read(path), _key(key)
    if not isinstance(private, Ed25519PrivateKey):
        raise _bad_key(key, "a private key is needed to sign")
    body = {
        "algorithm": "Ed25519",
        "key": _raw(private.public_key()).hex(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "signature": private.sign(_PURPOSE + data).hex(),
    }
    target, beside = signature_of(path), path.with_name(f".{path.name}.signing")
    try:
        beside.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        raise Problem(
            "target-not-writable",
            f"the signature cannot be written ({error.strerror})",
            str(target),
            "sign where you may write",
        ) from error
    return target


def verify_decisions(path: Path, keys: Sequence[Path] = (), *, unsigned: bool = False) -> None:
    """Refuse a file of decisions that is not what was signed.

    Args:
        path: the file.
        keys: Ed25519 public keys in PEM that are trusted. Without any, nothing is trusted.
        unsigned: accept a file without a signature, and without `keys` a signature of anybody. A signature that is
            there must fit the file all the same.

    Raises:
        Problem: `decisions-missing`, `decisions-key`, `decisions-unsigned`, `decisions-signature` where the file was
            changed after it was signed or another key signed it.
    """
    data, target = _read(path), signature_of(path)
    if not target.exists():
        if unsigned:
            return
        raise Problem(
            "decisions-unsigned",
            "nobody signed these decisions",
            str(path),
            f"kiban characters sign {path} --key FILE",
        )
    trusted = {_public(key) for key in keys}
    try:
        body: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
        signer = bytes.fromhex(body["key"])
        Ed25519PublicKey.from_public_bytes(signer).verify(bytes.fromhex(body["signature"]), _PURPOSE + data)
    except (OSError, ValueError, KeyError, TypeError, InvalidSignature) as error:
        raise Problem(
            "decisions-signature",
            "the decisions are not those that were signed",
            str(path),
            "undo the change, or have the deciders check it and sign again",
        ) from error
    if signer not in trusted and (trusted or not unsigned):
        raise Problem(
            "decisions-signature",
            "the decisions are signed with a key that is not trusted",
            str(path),
            "have them signed with a trusted key, or name the public key of the signer as trusted",
        )


def signature_of(path: Path) -> Path:
    """Where the signature of a file of decisions lies."""
    return path.with_name(f"{path.name}.sig")


def _public(path: Path) -> bytes:
    key = _key(path)
    return _raw(key.public_key() if isinstance(key, Ed25519PrivateKey) else key)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


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
    if not isinstance(key, (Ed25519PrivateKey, Ed25519PublicKey)):
        raise _bad_key(path, "the key is of another kind than Ed25519")
    return key


def _bad_key(path: Path, what: str) -> Problem:
    return Problem(
        "decisions-key", what, str(path), "openssl genpkey -algorithm ed25519 -out FILE makes a key"
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Problem(
            "decisions-missing",
            f"the decisions cannot be read ({error.strerror})",
            str(path),
            "name a file of decisions",
        ) from error
