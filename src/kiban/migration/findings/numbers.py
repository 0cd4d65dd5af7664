"""Checks of numbers: check digits, sums, counts of other rows, keys that stay apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kiban import kernel
from kiban.migration.findings.check import Check, Kind, place
from kiban.migration.findings.refs import Ref
from kiban.migration.findings.segments import Segments
from kiban.migration.mapping import Source, compile_rule, named, quoted

_LONGEST = 18


@dataclass(frozen=True)
class Algorithm:
    """A check digit, as arithmetic over a whole number; `kernel` says the same of one number.

    Attributes:
        digits: how many the number has with its check digit; None for any.
        weights: from the right, without the check digit; repeated where the number is longer.
        digit: from the remainder by 11, as SQL, to the check digit; null where none is right.
    """

    digits: int | None
    weights: Sequence[int]
    digit: Callable[[str], str]

    def good(self, number: str) -> str:
        """Whether a whole number, as SQL, ends in its check digit."""
        body = (self.digits or _LONGEST) - 1
        terms = [
            f"({number} // {10 ** (at + 1)} % 10) * {self.weights[at % len(self.weights)]}"
            for at in range(body)
        ]
        remainder = f"(({' + '.join(terms)}) % 11)"
        return f"coalesce({self.digit(remainder)} = {number} % 10, false)"


def _subtracted(remainder: str) -> str:
    return f"(CASE WHEN {remainder} <= 1 THEN 0 ELSE 11 - {remainder} END)"


def _without_one(remainder: str) -> str:
    return f"(CASE {remainder} WHEN 0 THEN 0 WHEN 1 THEN NULL ELSE 11 - {remainder} END)"


def _last_digit(remainder: str) -> str:
    return f"((11 - {remainder}) % 10)"


ALGORITHMS = {
    "宛名番号": Algorithm(None, kernel.ATENABANGO_WEIGHTS, _without_one),
    "世帯番号": Algorithm(None, kernel.ATENABANGO_WEIGHTS, _without_one),
    "個人番号": Algorithm(12, kernel.KOJINBANGO_WEIGHTS, _subtracted),
    "住民票コード": Algorithm(11, kernel.KOJINBANGO_WEIGHTS, _subtracted),
    "市区町村コード": Algorithm(6, kernel.LOCAL_GOVERNMENT_WEIGHTS, _last_digit),
}


def check_digit(check: Check, db: Segments) -> str:
    """検査数字: the last digit is not the one that the others ask for; the argument names the number."""
    algorithm = ALGORITHMS.get(check.argument)
    if algorithm is None:
        raise check.fault(
            f"{check.argument or 'nothing'} is no number with a check digit", f"write {'、'.join(ALGORITHMS)}"
        )
    parts = []
    for name in check.fields:
        column = f"r.{named(name)}"
        number, form = column, f"{column} BETWEEN 0 AND {10 ** (algorithm.digits or _LONGEST) - 1}"
        if not db.whole(check.rows.segment, name):
            digits = f"{algorithm.digits}" if algorithm.digits else f"2,{_LONGEST}"
            number, form = (
                f"TRY_CAST({column} AS BIGINT)",
                f"regexp_full_match(CAST({column} AS VARCHAR), '[0-9]{{{digits}}}')",
            )
        good = f"CASE WHEN {form} THEN CASE WHEN {algorithm.good(number)} THEN '' ELSE 'check-digit' END ELSE 'number-form' END"
        parts.append(
            f"SELECT * FROM (SELECT {place()}, {quoted(name)} AS field, {good} AS code FROM {db.rows(check.rows)} r "
            f"WHERE {db.holds(check.rows.segment, name, within='r.')}) WHERE code <> ''"
        )
    return " UNION ALL ".join(parts)


def total(check: Check, db: Segments) -> str:
    """合計: the field is not the sum of others: `A + B - 2*C`, or SEGMENT.FIELD for the rows of a table of the same record.

    A part without a value counts as 0. A record of which a part could not be decoded is left to the decode ledger. The finding names
    every field of the sum, as nobody can say here which of them is wrong.
    """
    name, segment = check.fields[0], check.rows.segment
    terms, joins, asked = [], [], [name]
    for at, (times, part) in enumerate(_terms(check)):
        if "." in part:
            other = check.ref(part, fields=1)
            joins.append(
                f'LEFT JOIN (SELECT "#file" AS file, "#record" AS record, sum({named(other.fields[0])}) AS n '
                f'FROM {db.rows(other)} GROUP BY ALL) t{at} ON t{at}.file = r."#file" AND t{at}.record = r."#record"'
            )
            terms.append(f"{times} * coalesce(t{at}.n, 0)")
            asked.append(other.fields[0])
        elif db.fields[segment].get(part, "VARCHAR") != "VARCHAR":
            terms.append(f"{times} * coalesce(r.{named(part)}, 0)")
            asked.append(part)
        else:
            raise check.fault(
                f"{segment} has no number {part}",
                "write FIELD + FIELD - 2*FIELD, or SEGMENT.FIELD of a table",
            )
    unread = f"SELECT DISTINCT file, record FROM ledger WHERE field IN ({', '.join(map(quoted, asked))})"
    return (
        f"SELECT {place()}, {quoted(' '.join(asked))} AS field, 'total-wrong' AS code FROM {db.rows(check.rows)} r {' '.join(joins)} "
        f'ANTI JOIN ({unread}) u ON u.file = r."#file" AND u.record = r."#record" '
        f"WHERE coalesce(r.{named(name)}, 0) <> {' + '.join(terms)}"
    )


def _terms(check: Check) -> list[tuple[int, str]]:
    """How many times each part counts, below zero where it is taken away."""
    words = check.argument.split()
    words = words if words[:1] in (["+"], ["-"]) else ["+", *words]
    found = []
    for sign, word in zip(words[::2], words[1::2], strict=False):
        times, star, part = word.rpartition("*")
        if sign in "+-" and (times.isdecimal() or not star):
            found.append(((int(times) if star else 1) * (-1 if sign == "-" else 1), part))
    if len(found) * 2 != len(words) or not found:
        fix = "write FIELD + FIELD - 2*FIELD, with spaces around the signs"
        raise check.fault(f"{check.argument or 'nothing'} is no sum", fix)
    return found


def _total_refs(check: Check) -> tuple[Ref, ...]:
    return tuple(check.ref(part, fields=1) for _, part in _terms(check) if "." in part)


def count(check: Check, db: Segments) -> str:
    """件数: the first field does not tell how many rows of another segment have the key of the others."""
    name, *keys = check.fields
    other = check.ref(fields=len(keys))
    mine = Ref(check.rows.segment, tuple(keys))
    grouped = ", ".join(f"o.{named(key)}" for key in other.fields)
    alike = " AND ".join(db.alike(mine, other, "r", "n"))
    return (
        f"SELECT {place()}, {quoted(name)} AS field, 'count-wrong' AS code FROM {db.rows(check.rows)} r "
        f"LEFT JOIN (SELECT {grouped}, count(*) AS many FROM {db.rows(other)} o GROUP BY ALL) n ON {alike} "
        f"WHERE r.{named(name)} <> coalesce(n.many, 0)"
    )


def one_to_one(check: Check, db: Segments) -> str:
    """一対一: two numbers of the old system become the same number of the standard, of so many digits as the argument says."""
    name, segment = check.fields[0], check.rows.segment
    if not check.argument.isdecimal():
        raise check.fault(
            f"{check.argument or 'nothing'} is no number of digits",
            "write how many digits the number has, such as 15",
        )
    value = compile_rule("番号", Source(name, check.argument)).value_sql
    return (
        f"SELECT {place()}, {quoted(name)} AS field, 'key-collides' AS code FROM {db.rows(check.rows)} r SEMI JOIN ("
        f"SELECT unnest(olds) AS old FROM (SELECT {value} AS new, list(DISTINCT {named(name)}) AS olds "
        f"FROM held.{named(segment)} GROUP BY 1) WHERE new IS NOT NULL AND len(olds) > 1) c ON c.old = r.{named(name)}"
    )


def _one_ref(check: Check) -> tuple[Ref, ...]:
    return (check.ref(),)


KINDS = (
    Kind("検査数字", check_digit, held_only=True),
    Kind("合計", total, _total_refs, most=1, relates=True),
    Kind("件数", count, _one_ref, least=2, relates=True),
    Kind("一対一", one_to_one, most=1, relates=True),
)
