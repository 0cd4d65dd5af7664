"""What a session tells of events: rows as they were known after some, and what was known or became known since one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kiban.store import after
from kiban.store.asking import Asking, Row
from kiban.store.errors import as_problems


class Following(Asking):
    """The part of a session that follows events."""

    def after_events(
        self, register: str, asked: Sequence[tuple[int, Mapping[str, str]]], items: Sequence[str]
    ) -> list[list[Row]]:
        """The rows that have some values in all their periods, each as they were known after an event.

        Args:
            register: schema.table.
            asked: for each answer the number of an event, and items with the values that rows have to have, in their
                written form: those of a subject, or others that have an index; the same items for all.
            items: romaji of what is wanted; nothing else is read.

        Returns:
            For each asked, its rows in the order of time: the items, and in a register `valid_from` and `valid_to`
            (YYYY-MM-DD, None where open). Empty where nothing was known, or outside what the actor may see.

        Raises:
            Problem: `register-unknown`, `item-unknown`, `item-hidden`.
        """
        if not asked:
            return []
        by = list(asked[0][1])
        table = self._open(register, [*items, *by])
        keys = [[values[name] for _, values in asked] for name in by]
        self._write_log(register, {"after_events": len(asked), "items": list(items)}, sorted(set(keys[0])))
        with as_problems(), self._cursor() as cursor:
            statement = after.known_after(table, items, by, guarded=not self.actor.protected)
            cursor.execute(statement.encode(), [[event for event, _ in asked], *keys], prepare=True)
            found: list[list[Row]] = [[] for _ in asked]
            for row in cursor:
                found[row.pop("place") - 1].append(row)
        return found

    def since(
        self,
        register: str,
        event: int,
        items: Sequence[str],
        where: tuple[str, Sequence[str]] | None = None,
        but: Mapping[str, Sequence[str]] | None = None,
    ) -> list[Row]:
        """Rows that were known after an event or became known later: what has to be looked at to tell what changed since.

        Args:
            register: schema.table.
            event: number of the event.
            items: romaji of what is wanted; nothing else is read.
            where: an item and the values of which it has one, where not all rows are wanted.
            but: items and the values with which a row is left out; an empty text stands for none.

        Returns:
            The items, in a register `valid_from` and `valid_to` (YYYY-MM-DD, None where open), `event` that wrote the row,
            and `closed_by`, the event after which it was no longer known (None while it is).

        Raises:
            Problem: `register-unknown`, `item-unknown`, `item-hidden`.
        """
        but = but or {}
        table = self._open(register, [*items, *but, *((where[0],) if where else ())])
        self._write_log(
            register, {"since": event, "items": list(items)}, sorted(set(where[1])) if where else []
        )
        values: list[object] = [event, *(list(values) for values in but.values())]
        if where:
            values.insert(0, list(where[1]))
        with as_problems(), self._cursor() as cursor:
            query = after.known_since(
                table, items, where[0] if where else None, but, guarded=not self.actor.protected
            )
            return cursor.execute(query.encode(), values, prepare=True).fetchall()
