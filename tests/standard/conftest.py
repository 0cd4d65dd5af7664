"""A tiny edition, whole and broken, for the tests of the standard."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from kiban import standard

Edit = tuple[str, str, str]
"""File of the edition, text in it, text to put in its place; an empty text to find means: add at the end."""

TINY = Path(__file__).parent / "tiny"


@pytest.fixture(scope="session")
def tiny() -> standard.Edition:
    """The tiny edition."""
    return standard.load(TINY)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., Path]:
    """Makes a copy of the tiny edition with some places of its files changed."""

    def make(edits: Iterable[Edit] = (), name: str = "edition") -> Path:
        folder = tmp_path / name
        shutil.copytree(TINY, folder)
        for file, old, new in edits:
            path = folder / file
            path.parent.mkdir(exist_ok=True)
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            assert old in text, f"{old} is not in {file}"
            path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
        return folder

    return make
