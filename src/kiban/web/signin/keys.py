"""The keys by which this city signs who somebody is: the next, the current, and retired ones, in one private file of the home."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from kiban import store
from kiban.kernel import Problem

KEPT = timedelta(days=30)
"""How long a retired key stays known: what it signed may be shown again at a sign-out."""
_BITS = 3072  # as strong as 128 bits
_FILE = "oidc-keys.json"
State = Literal["next", "current", "retired"]


@dataclass(frozen=True)
class Key:
    """A key.

    Attributes:
        state: `next` is published and signs from the next rotation on; `current` signs; `retired` is only known.
        since: since when it is in this state.
        pem: the private key.
    """

    state: State
    since: datetime
    pem: str

    def __repr__(self) -> str:
        """Without the key."""
        return f"Key({self.state!r}, {self.since!r})"


def read(folder: Path) -> Sequence[Key]:
    """The keys: next, current, then retired ones, the newest first.

    Raises:
        Problem: `oidc-keys-missing`, `oidc-keys-open` where others may read the file.
    """
    file = folder / _FILE
    try:
        if file.stat().st_mode & 0o077:
            raise Problem(
                "oidc-keys-open", "others may read the signing keys", str(file), "chmod 600 the file"
            )
        said = json.loads(file.read_text())
    except FileNotFoundError as error:
        fix = "kiban oidc keys rotate makes them"
        raise Problem("oidc-keys-missing", "there are no signing keys", str(file), fix) from error
    return [Key(each["state"], datetime.fromisoformat(each["since"]), each["pem"]) for each in said]


def make(folder: Path, now: datetime) -> None:
    """Make keys where there are none yet.

    Args:
        folder: of the home; made where it is missing.
        now: with its time zone.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / _FILE).exists():
        _write(folder, [Key("next", now, _fresh()), Key("current", now, _fresh())])


def rotate(folder: Path, now: datetime) -> Sequence[Key]:
    """Let the next key sign and the current one retire; a fresh one is published as the next.

    Whoever fetches the keys once in an hour knows a key before it signs, if rotations lie further apart.

    Returns:
        The keys afterwards.

    Raises:
        Problem: `oidc-keys-open`, `oidc-keys-early` where the next key was published less than an hour ago.
    """
    make(folder, now)
    held = read(folder)
    coming = next(each for each in held if each.state == "next")
    if now - coming.since < timedelta(hours=1):
        what = "the next key was published less than an hour ago: not everybody knows it yet"
        raise Problem("oidc-keys-early", what, fix="wait an hour after the rotation before")
    moved = {"next": "current", "current": "retired"}
    kept = [each for each in held if each.state != "retired" or now - each.since < KEPT]
    after = [Key(moved[e.state], now, e.pem) if e.state in moved else e for e in kept]  # type: ignore[arg-type]
    _write(folder, [Key("next", now, _fresh()), *after])
    return read(folder)


def _write(folder: Path, held: Sequence[Key]) -> None:
    said = [{"state": each.state, "since": each.since.isoformat(), "pem": each.pem} for each in held]
    store.write_private(folder / _FILE, json.dumps(said))


def _fresh() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    form, raw = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, raw).decode()
