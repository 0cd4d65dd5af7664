"""Where accounts and sessions lie: a schema and a role of their own beside the registers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management import call_command
from django.db import connections

from kiban import store

SCHEMA = "accounts"


def install(opened: store.Store) -> dict[str, str]:
    """Make the tables of accounts and sessions, or bring them up to date (may run again), and connect to them.

    Args:
        opened: the registers; the schema lies in their database. Django has to be set up.

    Returns:
        How a process reaches them, for `connect`.

    Raises:
        Problem: those of `store.open_books`.
    """
    store.open_books(opened, SCHEMA, "").close()
    connect(store.reach(opened, SCHEMA, owner=True))
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    store.open_books(
        opened, SCHEMA, ""
    ).close()  # once more: the role of the schema gets its rights on what was made
    reached = store.reach(opened, SCHEMA)
    connect(reached)
    connections.close_all()  # whoever forks next hands none of them on
    return reached


def connect(reached: Mapping[str, str]) -> None:
    """Have Django work there from now on, in all threads of this process that have not connected yet."""
    rest = dict(reached)
    wanted: dict[str, Any] = {name: rest.pop(key, "") for name, key in _NAMES.items()}
    wanted |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, "OPTIONS": rest}
    connections["default"].close()
    for settings in (connections.settings["default"], connections["default"].settings_dict):
        settings.update(wanted)


_NAMES = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
