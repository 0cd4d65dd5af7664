"""SQL as text: names, literals, views, and the fence around a table."""

from __future__ import annotations

from collections.abc import Sequence

SHADOW = "kiban_shadow"
"""The schema of tables that are being built."""
UNTOUCHED = " WITH (autovacuum_enabled = false)"
"""Of a table while it is built: the server's own rounds would only take time."""


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def view(name: str, columns: Sequence[str], source: str, condition: str) -> str:
    """A view in which the rights and the ward scope of whoever asks hold."""
    return own_view(name, f"SELECT {', '.join(columns)} FROM {source} WHERE {condition}")


def own_view(name: str, query: str) -> str:
    """A view of a query in which the rights and the ward scope of whoever asks hold."""
    return f"CREATE VIEW {name} WITH (security_invoker = true, security_barrier = true) AS {query}"


def scope(name: str, rule: str) -> tuple[str, ...]:
    """Row-level security on one table: the rows for which the rule holds; without an actor none."""
    return (
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS actor_scope ON {name}",
        f"CREATE POLICY actor_scope ON {name} FOR SELECT TO kiban_app USING ({rule})",
        f"GRANT SELECT ON {name} TO kiban_app",
    )


def scope_rule(business: str, ward: str | None, hidden: str | None) -> str:
    """The rows that an actor sees: of the actor's businesses, and wards, and not hidden.

    Whatever does not depend on the row is asked once a statement, and comes first.

    Args:
        business: ID of the edition.
        ward: the column of the ward; None where rows are the city's.
        hidden: the condition for rows of protected persons; None where there are none.
    """
    called = f"{literal(business)}::text"
    rule = f"(SELECT kiban.signed_in({called}))"
    if ward is not None:
        rule = (
            f"({quoted(ward)} = ANY ((SELECT kiban.visible_wards({called}))::text[]) "
            f"OR (SELECT kiban.sees_city({called})))"
        )
    return rule if hidden is None else f"{rule} AND ((SELECT kiban.sees_protected()) OR NOT ({hidden}))"
