"""One line of the audit trail: who did what, when, where and why, to whom, and what came of it."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime

from kiban.access.audit.kinds import kinds, sign_in_acts
from kiban.kernel import Problem, Problems

OUTCOMES = {"done": "成功", "refused": "拒否", "failed": "失敗"}
"""What came of an act: `done`; `refused` where it was not allowed; `failed` where it was allowed and went wrong."""

SUBJECTS_MOST = 10_000
Said = str | int | bool


@dataclass(frozen=True)
class Line:
    """What is written of one act.

    Attributes:
        kind: ID of a kind in `log_kinds.yaml`.
        outcome: one of `OUTCOMES`.
        actor: staff number or ID of the system; empty where nobody is known, as at a sign-in under a name that does not
            exist: what was typed there may be a password, and is never written.
        office: ID of the office.
        duty: ID of the duty (職務).
        purpose: 事務, in words.
        address: network address that the request came from.
        session: `session_mark` of the session; never its key.
        request: number of the request, the one on error pages.
        business: ID of the edition; for pages about Kiban itself their action, such as `audit`.
        subjects: 宛名番号 of whom it was about; nowhere else does a line hold them. At most 10,000.
        detail: further facts by short names. Never a secret, and no number of a person.
        at: when, with its time zone.
    """

    kind: str
    outcome: str
    actor: str
    at: datetime
    office: str = ""
    duty: str = ""
    purpose: str = ""
    address: str = ""
    session: str = ""
    request: str = ""
    business: str = ""
    subjects: tuple[str, ...] = ()
    detail: Mapping[str, Said] = field(default_factory=dict, hash=False)


COLUMNS = tuple(each.name for each in fields(Line))
"""The names of what a line says; columns of the table."""


def session_mark(key: str) -> str:
    """What stands for a session in lines: the same for all its lines, and nobody can sign in with it."""
    return hashlib.sha256(b"kiban-session\x1f" + key.encode()).hexdigest()[:16]


def check(line: Line) -> None:
    """Refuse a line that would not say what happened, or would say too much.

    Raises:
        Problems: `audit-kind`, `audit-outcome`, `audit-act`, `audit-text`, `audit-session`, `audit-moment`,
            `audit-subjects`, `audit-secret`, `audit-number`.
    """
    found = [*_of_words(line), *_of_texts(line), *_of_detail(line.detail)]
    if found:
        raise Problems(found)


def _of_words(line: Line) -> Iterable[Problem]:
    if line.kind not in kinds():
        yield _fault("kind", "a line has a kind that there is not", f"one of {', '.join(kinds())}")
    if line.outcome not in OUTCOMES:
        yield _fault("outcome", "a line has an outcome that there is not", f"one of {', '.join(OUTCOMES)}")
    if line.kind == "signin" and line.detail.get("act") not in sign_in_acts():
        yield _fault(
            "act", "a line of a sign-in does not say which act", f"one of {', '.join(sign_in_acts())}"
        )
    if line.at.tzinfo is None:
        yield _fault("moment", "the moment of a line has no time zone", "give it in UTC")
    if line.session and not re.fullmatch(r"[0-9a-f]{16}", line.session):
        yield _fault(
            "session", "a line names its session by something else than its mark", "use session_mark"
        )


def _of_texts(line: Line) -> Iterable[Problem]:
    for name in ("actor", "office", "duty", "purpose", "address", "request", "business"):
        if not _plain(getattr(line, name), 200):
            yield _fault(
                "text", f"{name} of a line is longer than 200 characters or no plain text", "shorten it"
            )
    if len(line.subjects) > SUBJECTS_MOST or not all(_plain(each, 64) and each for each in line.subjects):
        yield _fault(
            "subjects", "a line has too many subjects, or one that is none", "write their number instead"
        )


_SECRETS = re.compile(
    r"pass(word|phrase)|secret|token|otp|cookie|authorization|assertion|private|(^|[_-])(key|pin)$"
)
_NUMBER = re.compile(r"(?<![0-9A-Za-z.])(\d{4}([- ]?)\d{4}\2\d{4}|\d{11}|\d{15})(?![0-9A-Za-z.])")
"""As long as 個人番号 (12), 住民票コード (11) or 宛名番号 (15)."""


def _of_detail(detail: Mapping[str, Said]) -> Iterable[Problem]:
    for name, value in detail.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", name) or not _plain(str(value), 2_000):
            yield _fault("text", "a detail of a line has no short name, or no plain text", "shorten it")
        elif _SECRETS.search(name):
            yield _fault("secret", f"the detail {name} has the name of a secret", "leave it out")
        elif _NUMBER.search(unicodedata.normalize("NFKC", str(value))):
            what = f"the detail {name} holds a number as long as that of a person"
            yield _fault("number", what, "leave it out; 宛名番号 are subjects")


def _plain(text: str, most: int) -> bool:
    """Whether a text has no control characters but line ends, and is not too long."""
    return len(text) <= most and not re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", text)


def _fault(code: str, what: str, fix: str) -> Problem:
    return Problem(f"audit-{code}", what, fix=fix)


def utc(moment: datetime) -> datetime:
    """The moment in UTC, as lines are read again."""
    return moment.astimezone(UTC)
