"""The secret of the city under which lines name persons."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from kiban.kernel import Problem


def city_secret(file: Path) -> bytes:
    """The secret, from its file; made at the first call, readable by its owner only.

    Losing it keeps lines whole and makes them anonymous: keep a copy where the keys of the city are.

    Raises:
        Problem: `evidence-secret-open` where others may read the file, `evidence-secret-weak` where it holds too little.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    if not file.exists():
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_hex(32).encode())
        try:
            os.link(part, file)  # whole, or not there: another process may make it in the same moment
        except FileExistsError:
            pass
        finally:
            part.unlink()
    if file.stat().st_mode & 0o077:
        raise Problem("evidence-secret-open", "others may read the secret", str(file), "chmod 600 the file")
    secret = file.read_bytes().strip()
    if len(secret) < 32:
        raise Problem(
            "evidence-secret-weak", "the secret has fewer than 32 bytes", str(file), "restore its copy"
        )
    return secret
