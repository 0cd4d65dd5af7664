"""Finding people: folded keys, the actor's own ward first, pages by key and never a count of everything."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import psycopg

from kiban import characters
from kiban.kernel import Actor, Problem, UncertainDate
from kiban.standard import Group, Search
from kiban.store.schema import SearchTable

PAGE_MOST = 200
_MARK_MOST = 10_000


@dataclass(frozen=True)
class Query:
    """What a clerk asks. All that is given must hold; one of name, kana, address, birth is needed.

    Attributes:
        as_of: the day whose row is shown of each person found.
        name: the beginning of a name in kanji or Latin letters; variant kanji are the same kanji.
        kana: the beginning of a name in kana; small kana, voicing, long vowels, spaces and hyphens make no difference.
        address: the beginning of 町字 and 番地; any digits and hyphens.
        birth: first and last day between which the birth may lie (both included); unknown parts of a birth date match.
        sex: the code of 性別.
        wards: "own" searches the actor's own ward; "all" goes on with every other ward the actor may see.
        limit: hits on a page, 1 to 200; as many as a screen shows unless said otherwise.

    Raises:
        Problem: `query-empty`, `query-limit`.
    """

    as_of: date
    name: str | None = None
    kana: str | None = None
    address: str | None = None
    birth: tuple[date, date] | None = None
    sex: str | None = None
    wards: str = "own"
    limit: int = 20

    def __post_init__(self) -> None:
        if not (self.keys() or self.birth):
            raise Problem(
                "query-empty", "the search names nobody", fix="give a name, kana, an address or a birth date"
            )
        if not 1 <= self.limit <= PAGE_MOST or self.wards not in ("own", "all"):
            raise Problem(
                "query-limit",
                f"a page has 1 to {PAGE_MOST} hits, of wards `own` or `all`",
                fix="ask for less",
            )

    def keys(self) -> dict[str, str]:
        """The folded keys asked for, by column."""
        folded = {
            "kana_key": characters.kana_loose_key(self.kana) if self.kana else "",
            "name_key": characters.name_key(self.name) if self.name else "",
            "address_key": characters.address_key(self.address) if self.address else "",
        }
        return {column: key for column, key in folded.items() if key}

    def asked(self) -> dict[str, object]:
        """The query as the look-up log keeps it."""
        given = {"name": self.name, "kana": self.kana, "address": self.address, "sex": self.sex}
        asked: dict[str, object] = {name: value for name, value in given.items() if value}
        if self.birth:
            asked["birth"] = [day.isoformat() for day in self.birth]
        return asked


@dataclass(frozen=True)
class Hit:
    """One subject found.

    Attributes:
        subject: the 宛名番号.
        ward: the ward of the row whose name or address was found; it may be a former one.
        row: of the subject's row as of the day asked for, or the one before, the items that the search section names;
            None where no row lies within the actor's wards.
    """

    subject: str
    ward: str | None
    row: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Page:
    """Hits in the order of the key, and where the next page starts (None: no more)."""

    hits: tuple[Hit, ...]
    next: str | None

    def with_rows(self, rows: Mapping[str, Mapping[str, Any]]) -> Page:
        """The same page with the row of each subject."""
        return replace(self, hits=tuple(replace(hit, row=rows.get(hit.subject)) for hit in self.hits))


def run(
    connection: psycopg.Connection[Any], table: SearchTable, query: Query, actor: Actor, after: str | None
) -> Page:
    """One page of a query; see `Session.search`.

    Raises:
        Problem: `page-unreadable` where `after` is not the `next` of an earlier page.
    """
    phases = _phases(table, query, actor)
    phase, position = _position(after)
    found: list[tuple[int, object, Hit]] = []
    while phase < len(phases) and len(found) <= query.limit:
        wanted = query.limit + 1 - len(found)
        rows = _find(connection, table, query, phases[phase], position, wanted)
        found += [(phase, key, hit) for hit, key in rows]
        phase, position = phase + 1, None
    hits = tuple(hit for _, _, hit in found[: query.limit])
    if len(found) <= query.limit:
        return Page(hits, None)
    (shown_in, key, last), (goes_on_in, _, _) = found[query.limit - 1], found[query.limit]
    return Page(hits, _token(goes_on_in, (key, last.subject) if shown_in == goes_on_in else None))


def _phases(table: SearchTable, query: Query, actor: Actor) -> list[tuple[str, list[object]]]:
    """The conditions on the ward, one after the other: the own ward, then all others."""
    if table.table.group.ward is None or actor.ward is None:
        return [("true", [])]
    own: tuple[str, list[object]] = ("s.ward = %s", [actor.ward])
    if query.wards == "own":
        return [own]
    # A person who was shown under the own ward is not shown again for a former row elsewhere.
    conditions, values = _conditions(query, "o")
    shown = (
        f"EXISTS (SELECT FROM {table.name} o WHERE o.subject = s.subject AND o.ward = %s AND {conditions})"
    )
    return [own, (f"s.ward <> %s AND NOT {shown}", [actor.ward, actor.ward, *values])]


def _find(
    connection: psycopg.Connection[Any],
    table: SearchTable,
    query: Query,
    phase: tuple[str, list[object]],
    position: tuple[object, str] | None,
    limit: int,
) -> list[tuple[Hit, object]]:
    order = next(iter(query.keys()), "birth_from")
    conditions, values = _conditions(query, "s")
    ward, ward_values = phase
    beyond = ""
    if position is not None:
        beyond = f" AND (s.{order}, s.subject) > (%s, %s)"
    statement = (
        f"SELECT DISTINCT ON (s.{order}, s.subject) s.{order}, s.subject, s.ward FROM {table.name} s "
        f"WHERE {conditions} AND {ward}{beyond} ORDER BY s.{order}, s.subject LIMIT %s"
    )
    parameters = [*values, *ward_values, *(position or ()), limit]
    rows = connection.execute(statement.encode(), parameters).fetchall()
    return [(Hit(subject, ward_code), key) for key, subject, ward_code in rows]


def _conditions(query: Query, alias: str) -> tuple[str, list[object]]:
    # Only comparisons that PostgreSQL knows to be leakproof: others would not use an index under row-level security.
    conditions: list[str] = []
    values: list[object] = []
    for column, key in query.keys().items():
        conditions.append(f"{alias}.{column} >= %s AND {alias}.{column} < %s")
        values += [key, key + "\U0010ffff"]
    if query.birth:
        conditions.append(f"{alias}.birth_from <= %s AND {alias}.birth_to >= %s")
        values += [query.birth[1].isoformat(), query.birth[0].isoformat()]
        if not query.keys():
            # An index range needs a lower end too: a birth known only by its decade begins at most ten years earlier.
            conditions.append(f"{alias}.birth_from >= %s")
            values.append(query.birth[0].replace(year=max(1, query.birth[0].year - 10), day=1).isoformat())
    if query.sex:
        conditions.append(f"{alias}.sex = %s")
        values.append(query.sex)
    return " AND ".join(conditions), values


def _token(phase: int, position: tuple[object, str] | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([phase, position], ensure_ascii=False).encode()).decode()


def _position(after: str | None) -> tuple[int, tuple[object, str] | None]:
    if after is None:
        return 0, None
    damaged = Problem("page-unreadable", "the mark of the page is damaged", fix="start the search again")
    try:
        mark = json.loads(base64.urlsafe_b64decode(after.encode()[:_MARK_MOST]))
    except (ValueError, RecursionError):
        raise damaged from None
    match mark:
        case [int(phase), None] if 0 <= phase < 2:
            return phase, None
        case [int(phase), [str(key), str(subject)]] if 0 <= phase < 2:
            return phase, (key, subject)
    raise damaged


def entries(group: Group, row: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """The search entries of one row: one for each form of the name that it holds.

    Args:
        group: the group, which has a search section.
        row: items by their romaji, in their written form.
    """
    section = group.search
    assert section is not None
    lo, hi = birth_range(*birth_items(section, row))
    shared = {
        "subject": row[section.subject],
        "ward": row.get(group.ward.romaji) if group.ward else None,
        "address_key": characters.address_key("".join(row.get(name) or "" for name in section.address))
        or None,
        "birth_from": lo,
        "birth_to": hi,
        "sex": row.get(section.sex) if section.sex else None,
    }
    made = []
    for name, kana in section.names:
        written, read = row.get(name), row.get(kana) if kana else None
        if written or read:
            keys = {
                "name_key": characters.name_key(written) if written else None,
                "kana_key": characters.kana_loose_key(read) if read else None,
            }
            made.append({**shared, **keys})
    return made or [{**shared, "name_key": None, "kana_key": None}]


def looked_at(group: Group, query: Query) -> list[str]:
    """The items that a query compares with something; romaji."""
    section = group.search
    assert section is not None
    found = [name for name, _ in section.names if query.name]
    found += [kana for _, kana in section.names if query.kana and kana]
    found += section.address if query.address else ()
    found += [section.birth] if query.birth and section.birth else []
    return [*found, *([section.sex] if query.sex and section.sex else [])]


def shown(group: Group, items: Sequence[str]) -> list[str]:
    """What a list of hits shows of a row: the items that the search section names, and the ward.

    Whoever is chosen from the list is read whole, by `Session.read`.
    """
    section = group.search
    assert section is not None
    names = [section.subject, *section.numbers, *(name for pair in section.names for name in pair if name)]
    names += [
        *section.address,
        *([section.sex] if section.sex else []),
        *([group.ward.romaji] if group.ward else []),
    ]
    if section.birth:
        names += [section.birth, f"{section.birth}_fushofuragu", f"{section.birth}_fushohyoki"]
    return [name for name in dict.fromkeys(names) if name in items]


def birth_items(section: Search, row: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The triple of the birth date in a row: date, 不詳フラグ, 不詳表記."""
    if section.birth is None:
        return None, None, None
    return (
        row.get(section.birth),
        row.get(f"{section.birth}_fushofuragu"),
        row.get(f"{section.birth}_fushohyoki"),
    )


def birth_range(day: str | None, flag: str | None, notation: str | None) -> tuple[str | None, str | None]:
    """The first and last day on which the birth may lie, as ISO text; (None, None) where nothing is written."""
    if day is None and not notation:
        return None, None
    born = UncertainDate.parse(day, flag, notation)
    return born.sort_lo, born.sort_hi
