"""The books of the platform: what it delivered, what was answered, what waits. Each part of the room has its tables in its folder."""

from __future__ import annotations

from importlib import resources

from kiban import store


def open_linkage(opened: store.Store) -> store.Books:
    """The books of the linkage in the database of the registers, made where they are not there yet.

    Raises:
        Problem: those of `store.open_books`.
    """
    folders = sorted(
        (each for each in resources.files("kiban.linkage").iterdir() if each.is_dir()),
        key=lambda each: each.name,
    )
    files = [folder / "tables.sql" for folder in folders]
    parts = [file.read_text(encoding="utf-8") for file in files if file.is_file()]
    return store.open_books(opened, "linkage", "\n".join(parts))
