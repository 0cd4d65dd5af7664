"""What the tables of a register look like, derived from its edition of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kiban import standard
from kiban.standard import Edition, Group, Item
from kiban.store.naming import Naming, naming
from kiban.store.text import SHADOW, UNTOUCHED, literal, quoted, scope, scope_rule, view

NEVER_NULL = "nn_"
"""How the names of checks begin that stand for NOT NULL."""
LATE = "kiban_late_"
"""How the names of indexes begin that a change of edition lays on the old table."""
_IDENTIFIER_BYTES = 63


@dataclass(frozen=True)
class Table:
    """One table of a register and everything that hangs on it, as SQL text.

    Attributes:
        group: the group of the standard that it holds.
        schema: where it stands in the end.
        references: its items that name a row elsewhere, with the register and the item they name.
        retired: columns of earlier editions that the edition no longer names; kept, so that nothing is lost.
        personal: those of `references` that name a row of a ward, which is a person's or a household's.
        naming: which of its columns name persons and households.
    """

    group: Group
    schema: str
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    retired: tuple[tuple[str, str], ...] = ()
    personal: frozenset[str] = frozenset()
    naming: Naming = field(default_factory=Naming)

    @staticmethod
    def of(
        edition: Edition, group_id: str, retired: tuple[tuple[str, str], ...] = (), by: Edition | None = None
    ) -> Table:
        """The table of a group of an edition; `by` is the edition in force that says who is protected."""
        group = edition.group(group_id)
        targets = {name: edition.group(target) for name, target in group.references.items()}
        references = {name: (f"{edition.id}.{t.id}", t.subject[0].romaji) for name, t in targets.items()}
        personal = frozenset(name for name, target in targets.items() if target.scope == "ward")
        columns = {item.romaji: standard.sql_type(item) for item in group.items} | dict(retired)
        named = naming(edition, group, columns, by)
        return Table(group, edition.id, references, retired, personal, named)

    @property
    def register(self) -> str:
        """The name in Kiban: schema.table."""
        return f"{self.schema}.{self.group.id}"

    @property
    def name(self) -> str:
        """The quoted name in SQL."""
        return f"{quoted(self.schema)}.{quoted(self.group.id)}"

    @property
    def shadow(self) -> str:
        """The quoted name of the table while it is built."""
        return f"{SHADOW}.{quoted(self.shadow_id)}"

    @property
    def shadow_id(self) -> str:
        """The bare name of the table while it is built."""
        return f"{self.schema}.{self.group.id}"

    @property
    def has_periods(self) -> bool:
        """Whether its rows are true for a period (a register), not at a moment (a log)."""
        return self.group.kind == "register"

    @cached_property
    def items(self) -> tuple[str, ...]:
        """The columns of the items, retired ones last."""
        return (*(item.romaji for item in self.group.items), *(name for name, _ in self.retired))

    @property
    def loaded(self) -> tuple[str, ...]:
        """The columns that a bulk load fills."""
        return (*self.items, *(("valid_from", "valid_to") if self.has_periods else ()))

    @cached_property
    def dates(self) -> frozenset[str]:
        """The columns of type date, apart from the period."""
        return frozenset(item.romaji for item in self.group.items if standard.sql_type(item) == "date")

    @cached_property
    def texts(self) -> frozenset[str]:
        """The columns of type text."""
        return frozenset(item.romaji for item in self.group.items if standard.sql_type(item) == "text")

    @property
    def subject(self) -> tuple[str, ...]:
        """The columns that say whose row it is."""
        return tuple(item.romaji for item in self.group.subject)

    @property
    def row_hash(self) -> str:
        """The SQL of a row's hash: items and period, not what is added when it is closed."""
        return f"hash_record_extended(ROW({', '.join(map(quoted, self.loaded))}), 0)"

    def create(self, edition: Edition, *, carried: bool = False, unchecked: bool = False) -> str:
        """The table while it is built: no index, not yet the columns of the event.

        Args:
            edition: the edition that the table belongs to.
            carried: whether rows of an earlier edition come into it. What is no longer known to be true was written
                under other rules and cannot be corrected any more, so only rows that are known now must keep the new ones.
            unchecked: leave the rules of the items out, for rows that were checked in columns; `checks` adds them.
        """
        spare = "closed_by IS NOT NULL OR " if carried and self.has_periods else ""
        lines = [self._column(item, edition, spare, unchecked=unchecked) for item in self.group.items]
        lines += [f"{quoted(name)} {kind}" for name, kind in self.retired]
        if self.has_periods:
            lines += [
                "valid_from date NOT NULL",
                "valid_to date NOT NULL",
                "CONSTRAINT valid_order CHECK (valid_from < valid_to)",
            ]
        lines += ["known_to timestamptz NOT NULL DEFAULT 'infinity'", "closed_by bigint"]
        if not self.has_periods:
            lines.append("CONSTRAINT never_closed CHECK (closed_by IS NULL)")
        body = ",\n    ".join(lines)
        return f"CREATE TABLE IF NOT EXISTS {self.shadow} (\n    {body}\n){UNTOUCHED}"

    def checks(self, edition: Edition) -> str | None:
        """Put the rules of the items on a table whose rows keep them already; None where no item has one."""
        rules = [(item, standard.sql_check(item, edition.code_list(item))) for item in self.group.items]
        added = [
            f"ADD CONSTRAINT {quoted('ck_' + i.romaji)} CHECK ({rule}) NOT VALID" for i, rule in rules if rule
        ]
        return f"ALTER TABLE {self.shadow} {', '.join(added)}" if added else None

    def _column(self, item: Item, edition: Edition, spare: str, *, unchecked: bool) -> str:
        column = quoted(item.romaji)
        parts = [column, standard.sql_type(item)]
        if never_null(item) and (item.key or not spare):
            parts.append("NOT NULL")
        elif never_null(item):
            parts.append(f"CONSTRAINT {quoted(NEVER_NULL + item.romaji)} CHECK ({spare}{column} IS NOT NULL)")
        check = standard.sql_check(item, edition.codes.get(item.code) if item.code else None)
        if check and not unchecked:
            parts.append(f"CONSTRAINT {quoted('ck_' + item.romaji)} CHECK ({spare}({check}))")
        return " ".join(parts)

    def indexes(self) -> tuple[str, ...]:
        """Indexes for the subject, the numbers it is searched by, and what its rows refer to; each may be built again."""
        subject = ", ".join(map(quoted, self.subject))
        if self.has_periods:
            built = [
                f"CREATE INDEX IF NOT EXISTS {quoted(self.key_name)} ON {self.shadow} ({subject}, valid_from)",
                self.closed_index(),
            ]
        else:
            built = [
                f"CREATE UNIQUE INDEX IF NOT EXISTS {quoted(self.key_name)} ON {self.shadow} ({subject})"
            ]
        for name in self.looked_up:
            built.append(f"CREATE INDEX IF NOT EXISTS {self._index(name)} ON {self.shadow} ({quoted(name)})")
        return tuple(built)

    def closed_index(self) -> str:
        """An index over the rows that are closed. No row of a bulk load is: while the table is empty it costs nothing."""
        return f"CREATE INDEX IF NOT EXISTS {self._index('closed_by')} ON {self.shadow} (closed_by) WHERE closed_by IS NOT NULL"

    @property
    def key_name(self) -> str:
        """The bare name of the index over the key; the same while the table is built and in its place."""
        return f"{self.schema}_{self.group.id}_key"[:_IDENTIFIER_BYTES]

    def overlaps(self, source: str, among: str = "true") -> str:
        """A question: how many rows known now begin before their predecessor's period has ended."""
        subject = ", ".join(map(quoted, self.subject))
        return (
            f"SELECT count(*) FROM (SELECT valid_to > lead(valid_from) OVER (PARTITION BY {subject} ORDER BY valid_from) "
            f"AS bad FROM {source} WHERE closed_by IS NULL AND {among}) s WHERE bad"
        )

    @property
    def looked_up(self) -> tuple[str, ...]:
        """Items by which rows are looked up: numbers of persons, and the rows of people and households they refer to."""
        names = dict.fromkeys(self.group.search.numbers if self.group.search else ())
        names |= dict.fromkeys(name for name in self.references if name in self.personal)
        return tuple(name for name in names if name != self.subject[0])

    def analyze(self) -> str:
        """Statistics of the columns that plans depend on; those of the others come with the server's own round."""
        ends = ("valid_from", "valid_to") if self.has_periods else ()
        names = dict.fromkeys((*self.subject, *self.looked_up, *ends, "closed_by"))
        return f"ANALYZE {self.shadow} ({', '.join(map(quoted, names))})"

    def late_index(self, base: int) -> str:
        """An index over the rows that come after an event; it goes when the table does."""
        name = f"{LATE}{base}_{self.schema}_{self.group.id}"[:_IDENTIFIER_BYTES]
        return f"CREATE INDEX IF NOT EXISTS {quoted(name)} ON {self.name} (event) WHERE event > {base}"

    def _index(self, name: str) -> str:
        return quoted(f"{self.schema}_{self.group.id}_{name}"[:_IDENTIFIER_BYTES])

    def event_columns(self, event: int, recorded_at: str) -> tuple[str, ...]:
        """Give every row of a finished load its event, at no cost: PostgreSQL keeps a constant default once for all rows."""
        return (
            f"ALTER TABLE {self.shadow} ADD COLUMN known_from timestamptz NOT NULL DEFAULT {literal(recorded_at)}, "
            f"ADD COLUMN event bigint NOT NULL DEFAULT {event}",
            f"ALTER TABLE {self.shadow} ALTER COLUMN known_from DROP DEFAULT, ALTER COLUMN event DROP DEFAULT",
        )

    def dress(self) -> tuple[str, ...]:
        """Ward scope, rights and comments of the register in its place."""
        labels = [(item.romaji, f"{item.id} {item.name}") for item in self.group.items]
        labels += [(name, "旧版の項目") for name, _ in self.retired]
        return (
            *scope(self.name, self.rule),
            f"COMMENT ON TABLE {self.name} IS {literal(self.group.name)}",
            *(f"COMMENT ON COLUMN {self.name}.{quoted(name)} IS {literal(label)}" for name, label in labels),
        )

    @property
    def rule(self) -> str:
        """Which of its rows an actor sees, as SQL."""
        return scope_rule(
            self.schema, self.group.ward.romaji if self.group.ward else None, self.naming.hidden
        )

    def place(self) -> tuple[str, ...]:
        """Put the shadow into its place and set the guard on it."""
        return (
            f"ALTER TABLE {self.shadow} RESET (autovacuum_enabled)",
            f"ALTER TABLE {self.shadow} RENAME TO {quoted(self.group.id)}",
            f"ALTER TABLE {SHADOW}.{quoted(self.group.id)} SET SCHEMA {quoted(self.schema)}",
            f"CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON {self.name} "
            "FOR EACH ROW EXECUTE FUNCTION kiban.guard()",
            *self._overlap_guard(),
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {self.name} EXECUTE FUNCTION kiban.append_only()",
        )

    def _overlap_guard(self) -> tuple[str, ...]:
        if not self.has_periods:
            return ()
        subject = ", ".join(map(literal, self.subject))
        return (
            f"CREATE TRIGGER no_overlap AFTER INSERT ON {self.name} "
            f"FOR EACH ROW EXECUTE FUNCTION kiban.no_overlap({subject})",
        )

    def views(self, title: str) -> tuple[str, ...]:
        """The views with Japanese titles: what is known now, and all that was ever known."""
        titled = [f"{quoted(item.romaji)} AS {quoted(japanese_title(item))}" for item in self.group.items]
        if self.has_periods:
            titled.append("nullif(valid_from, '-infinity') AS \"有効_開始日\"")
            titled.append("nullif(valid_to, 'infinity') AS \"有効_終了日\"")
        known = [
            'known_from AS "記録_登録日時"',
            "nullif(known_to, 'infinity') AS \"記録_訂正日時\"",
            'event AS "記録_事象番号"',
        ]
        now, ever = (f"{quoted(title)}.{quoted(name)}" for name in self.view_names)
        return (
            *self.drop_views(title),
            view(now, titled, self.name, "closed_by IS NULL"),
            view(ever, [*titled, *known], self.name, "true"),
            f"GRANT SELECT ON {now}, {ever} TO kiban_app",
        )

    def drop_views(self, title: str) -> tuple[str, ...]:
        """Take away the views with Japanese titles."""
        return tuple(f"DROP VIEW IF EXISTS {quoted(title)}.{quoted(name)}" for name in self.view_names)

    @property
    def view_names(self) -> tuple[str, str]:
        """The bare names of the views with Japanese titles."""
        return self.group.name, f"{self.group.name}_全記録"


def never_null(item: Item) -> bool:
    """Whether a row must have a value: a mandatory item; but of a date that may be unknown the words are enough."""
    return item.required and not item.allows_unknown_date


def japanese_title(item: Item) -> str:
    """The item's Japanese name as a column title.

    PostgreSQL keeps 63 bytes of a name, 21 kanji; a longer one is cut and ends in the item number, so that no two fall together.
    """
    if len(item.name.encode()) <= _IDENTIFIER_BYTES:
        return item.name
    tail = f"…{item.id[-5:]}"
    head = item.name.encode()[: _IDENTIFIER_BYTES - len(tail.encode())].decode(errors="ignore")
    return head + tail
