"""What extracts take nothing from: lifts open one person to one pair of eyes, never to a file; and files end with the next protection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from kiban.kernel import Actor, Problem
from kiban.store import Session, Store, protected_marks

_FILE = ".protected"


@contextmanager
def without_lifts(session: Session, actor: Actor, now: datetime) -> Iterator[None]:
    """Let an actor's lifts open nothing that is read inside: whoever has one extracts when it is over.

    Raises:
        Problem: `extract-lifted` where a granted lift stands before or after, or may begin meanwhile.
    """
    _refuse_lifts(session, actor, now)
    yield
    _refuse_lifts(session, actor, now)  # one that was granted meanwhile may have opened rows


def _refuse_lifts(session: Session, actor: Actor, now: datetime) -> None:
    if actor.protected:
        return
    if any(lift.whom == actor.id and lift.granted_by and lift.ends > now for lift in session.lifts()):
        what = "a lift opens a protected person to whoever extracts"
        raise Problem("extract-lifted", what, fix="extract when it has ended: what it opens may not leave")


def remember(store: Store, folder: Path, actor: Actor) -> None:
    """Keep beside the files who was protected before they were read; where protected rows may leave there is nothing to keep."""
    if not actor.protected:
        file = folder / _FILE
        file.write_text("\n".join(sorted(protected_marks(store))), encoding="ascii")


def refuse_stale(store: Store, folder: Path, actor: Actor) -> None:
    """Refuse files that were made before somebody was protected: they may show her.

    Raises:
        Problem: `extract-stale`.
    """
    if actor.protected:
        return
    file = folder / _FILE
    known = frozenset(file.read_text(encoding="ascii").split()) if file.exists() else None
    if known is None or not protected_marks(store) <= known:
        what = "somebody is protected since the extract was made, who may be in it"
        raise Problem("extract-stale", what, fix="extract anew")
