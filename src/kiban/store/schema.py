"""What the tables of a register look like, derived from its edition of the standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kiban import standard
from kiban.standard import Edition, Group, Item

SHADOW = "kiban_shadow"
_IDENTIFIER_BYTES = 63


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Table:
    """One table of a register and everything that hangs on it, as SQL text.

    Attributes:
        group: the group of the standard that it holds.
        schema: where it stands in the end.
        references: its items that name a row elsewhere, with the register and the item they name.
        retired: columns of earlier editions that the edition no longer names; kept, so that nothing is lost.
    """

    group: Group
    schema: str
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict, hash=False)
    retired: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(edition: Edition, group_id: str, retired: tuple[tuple[str, str], ...] = ()) -> Table:
        """The table of a group of an edition."""
        group = edition.group(group_id)
        targets = {name: edition.group(target) for name, target in group.references.items()}
        references = {name: (f"{edition.id}.{t.id}", t.subject[0].romaji) for name, t in targets.items()}
        return Table(group, edition.id, references, retired)

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

    @property
    def items(self) -> tuple[str, ...]:
        """The columns of the items, retired ones last."""
        return (*(item.romaji for item in self.group.items), *(name for name, _ in self.retired))

    @property
    def loaded(self) -> tuple[str, ...]:
        """The columns that a bulk load fills."""
        return (*self.items, *(("valid_from", "valid_to") if self.has_periods else ()))

    @property
    def dates(self) -> frozenset[str]:
        """The columns of type date, apart from the period."""
        return frozenset(item.romaji for item in self.group.items if standard.sql_type(item) == "date")

    @property
    def subject(self) -> tuple[str, ...]:
        """The columns that say whose row it is."""
        return tuple(item.romaji for item in self.group.subject)

    @property
    def row_hash(self) -> str:
        """The SQL of a row's hash: items and period, not what is added when it is closed."""
        return f"hash_record_extended(ROW({', '.join(map(quoted, self.loaded))}), 0)"

    def create(self, edition: Edition) -> str:
        """The table while it is built: no index, not yet the columns of the event."""
        lines = [self._column(item, edition) for item in self.group.items]
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
        return f"CREATE TABLE IF NOT EXISTS {self.shadow} (\n    {body}\n)"

    def _column(self, item: Item, edition: Edition) -> str:
        parts = [quoted(item.romaji), standard.sql_type(item)]
        if never_null(item):
            parts.append("NOT NULL")
        check = standard.sql_check(item, edition.codes.get(item.code) if item.code else None)
        if check:
            parts.append(f"CONSTRAINT {quoted('ck_' + item.romaji)} CHECK ({check})")
        return " ".join(parts)

    def indexes(self) -> tuple[str, ...]:
        """Indexes for the subject, the numbers it is searched by, and what its rows refer to; each may be built again."""
        subject = ", ".join(map(quoted, self.subject))
        last = ", valid_from" if self.has_periods else ""
        built = [
            f"CREATE INDEX IF NOT EXISTS {self._index('subject')} ON {self.shadow} ({subject}{last})",
            f"CREATE INDEX IF NOT EXISTS {self._index('closed_by')} ON {self.shadow} (closed_by) WHERE closed_by IS NOT NULL",
        ]
        looked_up = list(self.group.search.numbers) if self.group.search else []
        looked_up += [name for name in self.references if name not in looked_up]
        if self.group.history is None and not self.has_periods:
            built.append(
                f"CREATE UNIQUE INDEX IF NOT EXISTS {self._index('key')} ON {self.shadow} ({subject})"
            )
        for name in looked_up:
            if name != self.subject[0]:
                built.append(
                    f"CREATE INDEX IF NOT EXISTS {self._index(name)} ON {self.shadow} ({quoted(name)})"
                )
        return tuple(built)

    def temporal_key(self) -> str:
        """The constraint by which the database refuses two rows of one subject that are true on the same day.

        The subject enters by its 64-bit hash: equality on text in GiST is many times slower
        (docs/decisions/0003-temporal-key.md).
        """
        subject = " || E'\\x1f' || ".join(_immutable_text(item) for item in self.group.subject)
        return (
            f"ALTER TABLE {self.shadow} ADD CONSTRAINT {self._index('no_overlap')} EXCLUDE USING gist "
            f"(hashtextextended({subject}, 0) WITH =, daterange(valid_from, valid_to) WITH &&) WHERE (closed_by IS NULL)"
        )

    @property
    def temporal_key_name(self) -> str:
        """The bare name of that constraint; unique among all tables, as its index must be while both stand aside."""
        return f"{self.schema}_{self.group.id}_no_overlap"[:_IDENTIFIER_BYTES]

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
            *scope(self.name, self.group.ward.romaji if self.group.ward else None),
            f"COMMENT ON TABLE {self.name} IS {literal(self.group.name)}",
            *(f"COMMENT ON COLUMN {self.name}.{quoted(name)} IS {literal(label)}" for name, label in labels),
        )

    def place(self) -> tuple[str, ...]:
        """Put the shadow into its place and set the guard on it."""
        return (
            f"ALTER TABLE {self.shadow} RENAME TO {quoted(self.group.id)}",
            f"ALTER TABLE {SHADOW}.{quoted(self.group.id)} SET SCHEMA {quoted(self.schema)}",
            f"CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON {self.name} "
            "FOR EACH ROW EXECUTE FUNCTION kiban.guard()",
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {self.name} EXECUTE FUNCTION kiban.append_only()",
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
            f"DROP VIEW IF EXISTS {now}, {ever}",
            view(now, titled, self.name, "closed_by IS NULL"),
            view(ever, [*titled, *known], self.name, "true"),
            f"GRANT SELECT ON {now}, {ever} TO kiban_app",
        )

    @property
    def view_names(self) -> tuple[str, str]:
        """The bare names of the views with Japanese titles."""
        return self.group.name, f"{self.group.name}_全記録"


def view(name: str, columns: Sequence[str], source: str, condition: str) -> str:
    """A view in which the rights and the ward scope of whoever asks hold."""
    return (
        f"CREATE VIEW {name} WITH (security_invoker = true, security_barrier = true) AS "
        f"SELECT {', '.join(columns)} FROM {source} WHERE {condition}"
    )


def never_null(item: Item) -> bool:
    """Whether a row must have a value: a mandatory item; but of a date that may be unknown the words are enough."""
    return item.required and not item.allows_unknown_date


def _immutable_text(item: Item) -> str:
    """A key item as text, whatever the session's settings are."""
    column = quoted(item.romaji)
    return f"({column} - DATE '2000-01-01')::text" if standard.sql_type(item) == "date" else f"{column}::text"


def scope(name: str, ward: str | None) -> tuple[str, ...]:
    """Row-level security on one table: the rows of the actor's wards, or the city's rows for any actor; else none."""
    if ward is None:
        rule = "(SELECT kiban.signed_in())"
    else:
        column = quoted(ward)
        rule = f"{column} = ANY ((SELECT kiban.visible_wards())::text[]) OR (SELECT kiban.sees_city())"
    return (
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS actor_scope ON {name}",
        f"CREATE POLICY actor_scope ON {name} FOR SELECT TO kiban_app USING ({rule})",
        f"GRANT SELECT ON {name} TO kiban_app",
    )


def japanese_title(item: Item) -> str:
    """The item's Japanese name as a column title.

    PostgreSQL keeps 63 bytes of a name, 21 kanji; a longer one is cut and ends in the item number, so that no two fall together.
    """
    if len(item.name.encode()) <= _IDENTIFIER_BYTES:
        return item.name
    tail = f"…{item.id[-5:]}"
    head = item.name.encode()[: _IDENTIFIER_BYTES - len(tail.encode())].decode(errors="ignore")
    return head + tail


@dataclass(frozen=True)
class SearchTable:
    """The narrow table by which a register is searched: folded keys, one row for each form of a name at an address."""

    table: Table

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
        return f"{SHADOW}.{quoted(self.table.shadow_id + '_search')}"

    def create(self) -> str:
        """The table while it is built."""
        return (
            f"CREATE TABLE IF NOT EXISTS {self.shadow} (subject text NOT NULL, ward text, name_key text, kana_key text, "
            "address_key text, birth_from text, birth_to text, sex text)"  # days as text: 1951-02-29 is one
        )

    def indexes(self) -> tuple[str, ...]:
        """One index for each way of searching; the ward rides along so that ward scope needs no look at the row."""
        keys = {
            "subject": "subject",
            "kana": "kana_key, subject, ward",
            "name": "name_key, subject, ward",
            "address": "address_key, subject, ward",
            "birth": "birth_from, kana_key, subject, ward",
        }
        return tuple(
            f"CREATE INDEX IF NOT EXISTS {quoted(f'{self.table.schema}_{self.id}_{name}')} ON {self.shadow} ({columns})"
            for name, columns in keys.items()
        )

    def publish(self) -> tuple[str, ...]:
        """Turn the finished shadow into the search table of its register."""
        return (
            f"ALTER TABLE {self.shadow} RENAME TO {quoted(self.id)}",
            f"ALTER TABLE {SHADOW}.{quoted(self.id)} SET SCHEMA {quoted(self.table.schema)}",
            *scope(self.name, "ward" if self.table.group.ward else None),
            f"COMMENT ON TABLE {self.name} IS {literal(self.table.group.name + ' 検索鍵')}",
        )
