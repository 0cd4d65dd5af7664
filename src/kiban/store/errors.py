"""What the database refuses, told as problems: what, where, how to mend it; never the values of the row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from kiban.kernel import Problem
from kiban.store.schema import NEVER_NULL

_OF_A_VALUE: dict[type[psycopg.Error], tuple[str, str, str]] = {
    errors.CheckViolation: (
        "value-refused",
        "a value breaks a rule of the standard",
        "correct the value: type, length or code do not fit the item",
    ),
    errors.NotNullViolation: ("value-missing", "a mandatory item has no value", "give the item a value"),
    errors.UniqueViolation: (
        "key-duplicate",
        "the key exists already",
        "use the next number or correct the existing row",
    ),
    errors.StringDataRightTruncation: (
        "value-refused",
        "a value is longer than its item allows",
        "shorten the value",
    ),
    errors.DataError: (
        "value-unreadable",
        "a value has the wrong form for its item",
        "see the item's data type",
    ),
}
"""What has a place: code, what, fix. A more general kind comes later."""

_BUSY = (
    "event-busy",
    "another event or a long job holds the chain of events",
    "nothing was changed; do the same again in a moment",
)
_OF_THE_SERVER: dict[type[psycopg.Error], tuple[str, str, str]] = {
    errors.InsufficientPrivilege: (
        "permission-denied",
        "the database role may not do this",
        "registers change only by events",
    ),
    errors.DiskFull: (
        "database-full",
        "the disk of the database is full",
        "free space, then run the same command again",
    ),
    errors.LockNotAvailable: _BUSY,
    errors.DeadlockDetected: _BUSY,
    errors.SerializationFailure: _BUSY,
}
_TOO_LONG = ("25P03", "25P04", "57014")  # idle in a transaction, transaction, statement


@contextmanager
def as_problems() -> Iterator[None]:
    """Turn what PostgreSQL refuses into a `Problem`.

    Raises:
        Problem: the code given by the database's own functions (`actor-missing`, `ward-outside`, …), `value-refused`,
            `value-missing`, `period-overlap`, `key-duplicate`, `value-unreadable`, `permission-denied`,
            `view-depends`, `event-busy`, `time-exceeded`, `database-full`, `database-unreachable`, or `database-refused`
            for what has no name of its own.
    """
    try:
        yield
    except psycopg.Error as error:
        problem = _problem(error)
        # It quotes the row, and personal data must not reach a log, not even by the context of the exception.
        error.args = (f"SQLSTATE {error.sqlstate}",)
        raise problem from None
    except UnicodeEncodeError:
        raise Problem(
            "value-unreadable", "a text holds half a character", fix="give whole Unicode characters"
        ) from UnicodeError("surrogate")


def _problem(error: psycopg.Error) -> Problem:
    diagnosis = error.diag
    if error.sqlstate == "KB001":
        return Problem(
            diagnosis.message_primary or "refused", diagnosis.message_detail or "", fix=diagnosis.message_hint
        )
    where = _where(diagnosis)
    if isinstance(error, errors.CheckViolation) and (diagnosis.constraint_name or "").startswith(NEVER_NULL):
        error = errors.NotNullViolation()  # of a table that carries rows of an earlier edition
    for kinds, place in ((_OF_A_VALUE, where), (_OF_THE_SERVER, None)):
        for kind, (code, what, fix) in kinds.items():
            if isinstance(error, kind):
                return Problem(code, what, where=place, fix=fix)
    if isinstance(error, errors.DependentObjectsStillExist):
        return Problem(
            "view-depends",
            f"something that is not Kiban's own stands on what must be replaced: {diagnosis.message_detail}",
            fix="drop it, run the same command again, then make it anew",
        )
    if error.sqlstate in _TOO_LONG:
        return Problem(
            "time-exceeded",
            "the session held the database for too long and was ended by it",
            fix="nothing was changed; record an event and end its session at once",
        )
    if isinstance(error, psycopg.OperationalError):
        return Problem(
            "database-unreachable",
            "the connection to the database failed or was cut",
            fix="see `kiban db status`; what was not committed is undone, so run the same command again",
        )
    # Messages of class 42 speak of SQL and names; others may quote a row.
    said = f" ({diagnosis.message_primary})" if (error.sqlstate or "").startswith("42") else ""
    what, fix = (
        f"the database refused: SQLSTATE {error.sqlstate}{said}",
        "see the server's log, then report it with this line",
    )
    return Problem("database-refused", what, where=where, fix=fix)


def _where(diagnosis: errors.Diagnostic) -> str | None:
    """The table and the item, or the row of a COPY; None where neither is told."""
    where = ".".join(part for part in (diagnosis.schema_name, diagnosis.table_name) if part) or None
    name = diagnosis.column_name or diagnosis.constraint_name
    if where and name:
        where = f"{where} ({name})"
    copied = re.match(r"COPY (\S+), line (\d+)(?:, column (\w+))?", diagnosis.context or "")
    if copied and where is None:
        where = f"{copied[1]}, row {copied[2]}" + (f" ({copied[3]})" if copied[3] else "")
    return where
