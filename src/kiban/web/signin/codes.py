"""Codes of invitations."""

from __future__ import annotations

import hashlib
import secrets

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # none that is read for another; 20 of them are 100 bits


def fresh() -> str:
    """A code that nobody guesses, in four groups of five."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(20))
    return "-".join(code[at : at + 5] for at in range(0, 20, 5))


def digest(code: str) -> str:
    """What is kept of a code: the same however its letters and groups are typed.

    >>> digest("abcde-FGHJK") == digest("ABCDEFGHJK")
    True
    """
    plain = "".join(each for each in code.upper() if each in _LETTERS)
    return hashlib.sha256(plain.encode()).hexdigest()
