"""What an edition defines, as one digest."""

from __future__ import annotations

import hashlib

from kiban.standard.model import Edition


def definition(edition: Edition) -> str:
    """SHA-256 of all that tables derive from, in hex; it changes when somebody edits the files of an edition in force."""
    parts = [repr(group) for group in edition.groups] + [
        repr(edition.codes[key]) for key in sorted(edition.codes)
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
