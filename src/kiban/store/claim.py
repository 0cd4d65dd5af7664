"""The signed claim by which the database knows for whom a transaction reads and writes."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from kiban.kernel import ALL_BUSINESSES, ALL_WARDS, Actor, Problem

_SEPARATOR = "\x1f"
_BLOCK = 64
_WARD = re.compile(r"[0-9A-Za-z]{1,20}")
_BUSINESS = re.compile(r"[0-9a-z_]{1,63}")


def pads(key: bytes) -> tuple[bytes, bytes]:
    """The inner and outer pad of HMAC-SHA256 (RFC 2104) for a key, as the database keeps them.

    Raises:
        Problem: `actor-key-weak` for a key of fewer than 32 bytes.
    """
    if len(key) < 32:
        raise Problem(
            "actor-key-weak", "the key that signs actors is shorter than 32 bytes", fix="give 32 random bytes"
        )
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def sign(actor: Actor, key: bytes, *, backend: int, started_at: int) -> str:
    """The claim for one transaction on one connection.

    Args:
        actor: for whom the transaction works.
        key: the secret shared with the database, at least 32 bytes.
        backend: the process number of the connection's server process.
        started_at: the start of the transaction, microseconds since 1970.

    Returns:
        64 hexadecimal digits of HMAC-SHA256, a separator, and the actor: ID, own ward, wards, purpose, businesses,
        `protected` or nothing. What is hidden from the actor is not the database's to know: `Session` keeps it.

    Raises:
        Problem: `actor-unreadable` where a part holds a control character, or the wards are anything but codes or
            the whole city, or the businesses anything but IDs or all of them.
    """
    if actor.wards != ALL_WARDS and not all(_WARD.fullmatch(ward) for ward in actor.wards):
        raise Problem(
            "actor-unreadable", "a ward of the actor is not a code", fix="give codes, or ALL_WARDS alone"
        )
    if actor.businesses != ALL_BUSINESSES and not all(map(_BUSINESS.fullmatch, actor.businesses)):
        what, fix = "a business of the actor is not an ID", "give IDs of editions, or ALL_BUSINESSES alone"
        raise Problem("actor-unreadable", what, fix=fix)
    parts = [actor.id, actor.ward or "", ",".join(sorted(actor.wards)), actor.purpose]
    parts += [",".join(sorted(actor.businesses)), "protected" if actor.protected else ""]
    if not all(part.isprintable() for part in parts):
        raise Problem("actor-unreadable", "the actor's data holds a control character", fix="use plain text")
    body = _SEPARATOR.join(parts)
    message = f"{backend}{_SEPARATOR}{started_at}{_SEPARATOR}{body}"
    return f"{hmac.new(key, message.encode(), hashlib.sha256).hexdigest()}:{body}"


def actor_key(file: Path) -> bytes:
    """The secret that signs actors, from its file; made at the first call, readable by its owner only.

    Raises:
        Problem: `actor-key-open` where others may read the file, `actor-key-weak` where it holds too little.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_hex(32).encode())
    if file.stat().st_mode & 0o077:
        raise Problem(
            "actor-key-open", "others may read the key that signs actors", str(file), "chmod 600 the file"
        )
    key = file.read_bytes().strip()
    pads(key)
    return key
