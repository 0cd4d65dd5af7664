"""What stands in an address instead of a person or a search: sealed for one session, of no use in any other."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.http import Http404, HttpRequest

from kiban.web.pages import alarm, sitting

_LONGEST = 4_000
PERSON, SEARCH, ROWS = "person", "search", "rows"
"""What a handle stands for; one of one kind does not pass for another."""


def seal(request: HttpRequest, kind: str, what: Mapping[str, str]) -> str:
    """A handle, fit for an address; the same for the same within a session.

    Args:
        request: of the session.
        kind: what it stands for.
        what: plain texts.
    """
    text = orjson.dumps(dict(what), option=orjson.OPT_SORT_KEYS)
    sealed = _cipher(_session(request)).encrypt(text, [kind.encode()])
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(request: HttpRequest, kind: str, handle: str) -> dict[str, str]:
    """What a handle of this session stands for.

    Raises:
        Http404: where it is of another session, of another kind, or damaged.
    """
    try:
        sealed = base64.urlsafe_b64decode(handle[:_LONGEST] + "=" * (-len(handle[:_LONGEST]) % 4))
        text = _cipher(_session(request)).decrypt(sealed, [kind.encode()])
    except (InvalidTag, ValueError, binascii.Error):
        alarm.raised(request, "handle-foreign")
        raise Http404 from None
    found: dict[str, str] = orjson.loads(text)
    return found


def _session(request: HttpRequest) -> str:
    named = sitting.name(request)
    if not named:
        raise Http404
    return named


@lru_cache(maxsize=1_024)
def _cipher(session: str) -> AESSIV:
    # The same address for the same person: a browser then knows which links were visited.
    made = HKDF(SHA512(), 64, settings.SECRET_KEY.encode(), b"kiban counter handles")
    return AESSIV(made.derive(session.encode()))
