"""Rows taken from the database onto the desk: all of them, or those of the subjects that changed since the load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import pyarrow as pa

from kiban import store
from kiban.kernel import Actor
from kiban.migration.back.desk import (
    BASE,
    LINES,
    LOST,
    OLD,
    STANDING,
    Desk,
    match,
    place_main,
    place_other,
    whole_rows,
)
from kiban.migration.back.forms import Form
from kiban.migration.back.rekey import RECORD_GONE
from kiban.migration.mapping import Map, named, quoted
from kiban.store import Span, Store

CHANGED = "changed"
"""Laid down for a register: the subjects that changed."""
_RAW = "raw"


def lay_changed(at: Desk, opened: Store, registers: Sequence[str], span: Span) -> dict[str, int]:
    """Leave `CHANGED` for each register; how many subjects each has."""
    return {name: at.keep(name, CHANGED, store.changed_subjects(opened, name, span)) for name in registers}


def lay_all(at: Desk, opened: Store, form: Form, actor: Actor, until: int) -> int:
    """Leave all rows of a form and where they belong; how many legacy records there are for its main map."""
    for made in form.maps:
        at.keep(made.register, STANDING, store.known_rows(opened, made.register, actor, until), numbered=True)
    return _place(at, form)


def lay_some(at: Desk, opened: Store, form: Form, actor: Actor, until: int) -> None:
    """Leave the rows of every record that has something of a changed subject, and where they belong."""
    main = form.main
    asked = [at.keys(f"SELECT * FROM {at.rows(main.register, CHANGED)}")]
    for other in form.maps[1:]:
        links = _subject_links(form, other)
        if links:
            named_ = ", ".join(f"{named(mine)} AS {named(theirs)}" for mine, theirs in links.items())
            asked.append(at.keys(f"SELECT DISTINCT {named_} FROM {at.rows(other.register, CHANGED)}"))
    _lay(at, main, _rows(opened, main, actor, until, asked))
    for other in form.maps[1:]:
        asked = [at.keys(f"SELECT * FROM {at.rows(other.register, CHANGED)}")]
        links = _subject_links(form, other)
        if links:
            named_ = ", ".join(f"{named(theirs)} AS {named(mine)}" for mine, theirs in links.items())
            asked.append(at.keys(f"SELECT DISTINCT {named_} FROM {at.rows(main.register, STANDING)}"))
        _lay(at, other, _rows(opened, other, actor, until, asked))
    _place(at, form)
    _gone(at, main)


def _subject_links(form: Form, other: Map) -> dict[str, str]:
    names = {item.romaji for item in other.group.subject}
    return {mine: theirs for mine, theirs in form.links(other).items() if mine in names}


def _rows(
    opened: Store, made: Map, actor: Actor, until: int, asked: Sequence[pa.Table]
) -> Iterator[pa.RecordBatch]:
    return chain.from_iterable(store.known_rows(opened, made.register, actor, until, keys) for keys in asked)


def _lay(at: Desk, made: Map, rows: Iterator[pa.RecordBatch]) -> None:
    """Lay rows down, each once and numbered by their key."""
    at.keep(made.register, _RAW, rows)
    order = ", ".join(named(item.romaji) for item in made.group.key)
    order += ", valid_from NULLS FIRST" if made.group.kind == "register" else ""
    at.write(
        f'SELECT *, row_number() OVER (ORDER BY {order}) - 1 AS "#row" '
        f'FROM (SELECT DISTINCT * FROM {at.rows(made.register, _RAW)}) ORDER BY "#row"',
        at.path(made.register, STANDING),
    )


def _place(at: Desk, form: Form) -> int:
    count = match(at, form.main)
    place_main(at, form)
    for made in form.maps[1:]:
        match(at, made)
        place_other(at, form, made)
    return count


def _gone(at: Desk, made: Map) -> None:
    """Leave lines for legacy records of changed subjects that no row stands for any more."""
    same = ", ".join(named(item.romaji) for item in made.group.subject)
    base, changed, old = (at.rows(made.register, what) for what in (BASE, CHANGED, OLD))
    origin = '"#file", "#record", "#index"'
    gone = f"{base} WHERE ({same}) IN (SELECT {same} FROM {changed}) AND ({origin}) NOT IN (SELECT {origin} FROM {old})"
    at.write(whole_rows(made, quoted(RECORD_GONE), gone), at.path(made.register, LOST))


def lost_of(at: Desk, forms: Sequence[Form]) -> str:
    """All lines that placing rows left, as a query."""
    paths = [at.path(made.register, LOST) for form in forms for made in form.maps]
    there = [quoted(str(path)) for path in paths if path.is_file()]
    nothing = ", ".join(f"cast(NULL AS varchar) AS {name}" for name in LINES.names)
    return f"SELECT * FROM read_parquet([{', '.join(there)}])" if there else f"SELECT {nothing} WHERE false"
