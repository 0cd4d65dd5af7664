"""Codes of invitations."""

from __future__ import annotations

import hashlib
import secrets

_GROUPS, _GROUP = 5, 5  # 125 bits: no list of digests helps whoever saw one
_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read for another: 5 bits each


def fresh() -> str:
    """A code that nobody guesses, in five groups of five letters and digits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def digest(code: str) -> str:
    """What is kept of a code: the same however its letters and groups are typed.

    >>> digest("abcde-FGHJK") == digest("ABCDEFGHJK")
    True
    """
    plain = "".join(each for each in code.upper() if each in _LETTERS)
    return hashlib.sha256(plain.encode()).hexdigest()
