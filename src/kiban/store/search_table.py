"""The table by which a register is searched, derived from its edition of the standard."""

from __future__ import annotations

from dataclasses import dataclass

from kiban.store.naming import Naming
from kiban.store.schema import Table
from kiban.store.text import SHADOW, UNTOUCHED, literal, quoted, scope, scope_rule

VAGUE = "birth_from <> birth_to"
"""Entries whose birth is not known to the day, as SQL; they have an index of their own."""


@dataclass(frozen=True)
class SearchTable:
    """The narrow table by which a register is searched: folded keys, one row for each form of a name at an address.

    Attributes:
        table: the register.
        variant: sets apart the shadow that is built for a register in force from that of a load or an edition.
    """

    table: Table
    variant: str = ""

    @property
    def id(self) -> str:
        """The bare name."""
        return f"{self.table.group.id}_search"

    @property
    def name(self) -> str:
        """The quoted name in SQL."""
        return f"{quoted(self.table.schema)}.{quoted(self.id)}"

    @property
    def shadow(self) -> str:
        """The quoted name while it is built."""
        return f"{SHADOW}.{quoted(self.shadow_id)}"

    @property
    def shadow_id(self) -> str:
        """The bare name while it is built."""
        return f"{self.table.shadow_id}_search{self.variant}"

    @property
    def rule(self) -> str:
        """Which of its entries an actor sees, as SQL."""
        section = self.table.group.search
        named = section is not None and section.subject in self.table.naming.people
        hidden = Naming(people=("subject",)).hidden if named else self.table.naming.hidden and "true"
        return scope_rule(self.table.schema, "ward" if self.table.group.ward else None, hidden)

    def create(self) -> str:
        """The table while it is built."""
        return (
            f"CREATE TABLE IF NOT EXISTS {self.shadow} (subject text NOT NULL, ward text, name_key text, kana_key text, "
            # Days are text: 1951-02-29 is one of them.
            f"address_key text, birth_from text, birth_to text, sex text){UNTOUCHED}"
        )

    def drop(self) -> tuple[str, ...]:
        """Take it away, with the entries of protected persons that stand apart, before another takes its place."""
        kept = f"DELETE FROM kiban.protected_name WHERE register = {literal(self.table.register)}"
        return f"DROP TABLE IF EXISTS {self.name}", kept

    def indexes(self) -> tuple[str, ...]:
        """One index for each way of searching; the ward rides along so that ward scope needs no look at the row."""
        keys = {
            "subject": "subject",
            "kana": "kana_key, subject, ward",
            "name": "name_key, subject, ward",
            "address": "address_key, subject, ward",
            "birth": "birth_from, subject, ward",
        }
        # The few whose birth is not known to the day may be born on a day on which their span does not begin.
        some = {"vague": f"birth_from, subject, ward) WHERE ({VAGUE}"}
        return tuple(
            f"CREATE INDEX IF NOT EXISTS {quoted(f'{self.table.schema}_{self.id}{self.variant}_{name}')} ON {self.shadow} ({columns})"
            for name, columns in (keys | some).items()
        )

    def publish(self) -> tuple[str, ...]:
        """Turn the finished shadow into the search table of its register."""
        return (
            f"ALTER TABLE {self.shadow} RESET (autovacuum_enabled)",
            f"ALTER TABLE {self.shadow} RENAME TO {quoted(self.id)}",
            f"ALTER TABLE {SHADOW}.{quoted(self.id)} SET SCHEMA {quoted(self.table.schema)}",
            *scope(self.name, self.rule),
            f"COMMENT ON TABLE {self.name} IS {literal(self.table.group.name + ' 検索鍵')}",
        )
