"""Providers elsewhere at which people may sign in: the city's own, or the nation's; in one private file of the home."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kiban import store
from kiban.kernel import Problem

_FILE = "providers.json"


@dataclass(frozen=True)
class Provider:
    """A provider elsewhere.

    Attributes:
        id: short, in addresses: letters, digits, hyphens.
        title: in Japanese, on the page of sign-in.
        issuer: its address, https; http on this machine only.
        client_id: what it calls this city.
        client_secret: what it gave this city.
        claim: which claim holds the staff number; "" where only an administrator links accounts.
    """

    id: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str = ""


def read(folder: Path | None) -> Sequence[Provider]:
    """The providers; none where there is no file.

    Raises:
        Problem: `providers-open` where others may read the file.
    """
    file = folder / _FILE if folder else None
    if file is None or not file.exists():
        return ()
    if file.stat().st_mode & 0o077:
        raise Problem(
            "providers-open", "others may read the secrets of providers", str(file), "chmod 600 the file"
        )
    return [Provider(**each) for each in json.loads(file.read_text())]


def add(folder: Path, provider: Provider) -> None:
    """Put a provider into the file, in the place of one of the same ID.

    Raises:
        Problem: `provider-id`, `provider-issuer`, `providers-open`.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", provider.id):
        raise Problem(
            "provider-id", "the ID cannot stand in an address", provider.id, "letters, digits, hyphens"
        )
    parts = urlsplit(provider.issuer)
    near = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if (parts.scheme != "https" and not (parts.scheme == "http" and near)) or not parts.hostname:
        # Its word is taken because TLS says that it is it.
        raise Problem(
            "provider-issuer", "the provider is not reached by TLS", provider.issuer, "give https://…"
        )
    kept = [each for each in read(folder) if each.id != provider.id]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store.write_private(
        folder / _FILE, json.dumps([asdict(each) for each in [*kept, provider]], ensure_ascii=False)
    )
