"""Secrets at rest: sealed with a key that lies in a file of the home, apart from the database."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from kiban.kernel import Problem


class Seal:
    """Seals texts and opens them again; the key is no part of the printed form."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    def __repr__(self) -> str:
        return "Seal()"

    def close(self, owner: str, text: str) -> bytes:
        """Seal a text for its owner."""
        return self._fernet.encrypt(f"{owner}\0{text}".encode())

    def open(self, owner: str, sealed: bytes) -> str:
        """The text that was sealed for this owner.

        Raises:
            Problem: `secret-unreadable` where it was sealed with another key, or for somebody else.
        """
        try:
            whose, _, text = self._fernet.decrypt(bytes(sealed)).decode().partition("\0")
        except InvalidToken:
            whose, text = "", ""
        if whose != owner:
            raise Problem(
                "secret-unreadable",
                "a secret of a system was not sealed with the key of this home",
                fix="bring back the file access.key of the home, or give the system a new secret (kiban link systems rotate)",
            )
        return text


def seal(file: Path) -> Seal:
    """The seal of a home, from its file; made at the first call, readable by its owner only.

    Raises:
        Problem: `access-key-open` where others may read the file, `access-key-broken` where it holds no key.
    """
    if not file.exists():
        _make(file)
    if file.stat().st_mode & 0o077:
        raise Problem(
            "access-key-open", "others may read the key of the secrets", str(file), "chmod 600 the file"
        )
    try:
        return Seal(file.read_bytes().strip())
    except ValueError:
        raise Problem(
            "access-key-broken", "the file holds no key", str(file), "bring it back from the backup"
        ) from None


def _make(file: Path) -> None:
    """Put a whole key there at once, unless somebody else was first."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(Fernet.generate_key())
        opened.flush()
        os.fsync(opened.fileno())
    with suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()
