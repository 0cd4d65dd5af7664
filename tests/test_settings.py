"""Settings are read once, and a wrong one is told with its remedy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kiban import settings
from kiban.kernel import Problems


def codes(environ: dict[str, str]) -> list[str]:
    with pytest.raises(Problems) as caught:
        settings.read(environ)
    return [problem.code for problem in caught.value.problems]


def test_without_settings_the_database_is_embedded_in_the_current_folder() -> None:
    given = settings.read({})
    assert given.home == Path.cwd() / ".kiban"
    assert given.embedded
    assert given.standards == ()


def test_an_empty_value_counts_as_not_given() -> None:
    assert settings.read(dict.fromkeys(settings.NAMES, "")) == settings.read({})


def test_a_server_of_the_city_is_named_by_both_roles(tmp_path: Path) -> None:
    both = {"KIBAN_DATABASE": "host=db user=o password=geheim", "KIBAN_DATABASE_APP": "host=db user=a"}
    given = settings.read(both)
    assert not given.embedded
    assert (given.database, given.database_app) == tuple(both.values())
    assert "geheim" not in repr(given)
    for name, value in both.items():
        assert codes({name: value}) == ["setting-database"]


def test_several_folders_of_editions_are_read_in_their_order(tmp_path: Path) -> None:
    folders = [tmp_path / "b", tmp_path / "a"]
    for folder in folders:
        folder.mkdir()
    assert settings.read({"KIBAN_STANDARDS": os.pathsep.join(map(str, folders))}).standards == tuple(folders)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {
        "KIBAN_HOME": str(tmp_path / "file"),
        "KIBAN_DATABASE": "host=db",
        "KIBAN_STANDARDS": str(tmp_path / "none"),
        "KIBAN_HOEM": "x",
        "PATH": "/bin",
    }
    assert codes(environ) == ["setting-unknown", "setting-home", "setting-database", "setting-standards"]


def test_a_misspelt_name_is_asked_about() -> None:
    with pytest.raises(Problems, match="did you mean KIBAN_DATABASE"):
        settings.read({"KIBAN_DATABSE": "host=db"})
