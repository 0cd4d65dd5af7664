"""The side of who asks: a question with its headers, and the proof that an answer belongs to it and is whole."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from kiban.kernel import Problem
from kiban.linkage.api.question import CASE, HASH, ID, PURPOSE, USER, Envelope


def envelope(path: str, asked: Mapping[str, Any], *, id: str, purpose: str, user: str, case: str) -> Envelope:
    """A question as it travels, by POST.

    Args:
        path: `/link/FLOW/FEED`.
        asked: fields, keys, as_of, known, after, limit.
        id: names the question, 16 to 64 letters, digits and hyphens, each once.
        purpose: for which duty (事務).
        user: the officer.
        case: the case (事案).
    """
    said = {ID: id, PURPOSE: purpose, USER: user, CASE: case}
    return Envelope(
        "POST", path, {name: quote(text, safe="") for name, text in said.items()}, orjson.dumps(asked)
    )


def proved(asked: Envelope, system: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The answer, once it is shown to belong to the question and to be whole; not to be used otherwise.

    Args:
        asked: the question.
        system: who asked.
        headers: of the answer; names in any case.
        body: of the answer.

    Raises:
        Problem: `answer-damaged` where the digest is not that of the bytes, `answer-unbound` where it answers
            another question.
    """
    given = {name.lower(): text for name, text in headers.items()}
    digest = base64.b64encode(hashlib.sha512(body).digest()).decode()
    if not hmac.compare_digest(given.get("content-digest", ""), f"sha-512=:{digest}:"):
        raise Problem("answer-damaged", "the answer is not as it was sent", fix="ask again")
    told = orjson.loads(body)
    ours, theirs = asked.hash(system), told.get("question", {})
    if not given.get(HASH.lower(), "") == theirs.get("hash") == ours or theirs.get("id") != asked.headers[ID]:
        raise Problem(
            "answer-unbound",
            "the answer belongs to another question",
            fix="do not use it; ask again and tell the provider",
        )
    return dict(told)
