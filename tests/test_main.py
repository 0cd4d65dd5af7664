"""The wiring hands the shipped editions and the chosen server to whoever asks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kiban import businesses, main, settings, store
from kiban.kernel import Problem


def test_the_library_holds_every_business_that_is_shipped() -> None:
    folders = {path.parent.name for path in Path(businesses.__path__[0]).glob("*/business.yaml")}
    assert "resident" in folders
    assert folders <= {edition.id for edition in main.library(given=settings.read({})).editions}


def test_editions_of_the_settings_and_of_a_root_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    shipped = main.library(given=settings.read({})).edition("resident")
    for name in ("a", "b"):
        folder = shutil.copytree(shipped.folder, tmp_path / name, ignore=shutil.ignore_patterns("editions"))
        file = folder / "business.yaml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(shipped.edition, f"city-{name}"), encoding="utf-8")
    given = settings.read({"KIBAN_STANDARDS": str(tmp_path / "a")})
    library = main.library([tmp_path / "b"], given)
    assert {library.edition("resident", f"city-{name}").edition for name in "ab"} == {"city-a", "city-b"}
    assert library.edition("resident").edition == shipped.edition


def test_a_named_server_is_taken_and_nothing_is_started(tmp_path: Path) -> None:
    environ = {
        "KIBAN_HOME": str(tmp_path / "home"),
        "KIBAN_DATABASE": "host=db user=owner",
        "KIBAN_DATABASE_APP": "host=db user=app",
    }
    assert main.server(settings.read(environ)) == store.Server("host=db user=owner", "host=db user=app")
    assert not (tmp_path / "home").exists()


def test_without_one_the_embedded_server_is_started(home: Path) -> None:
    given = settings.read({"KIBAN_HOME": str(home)})
    assert main.server(given) == main.server(given)
    assert main.cluster(given).status().state == "running"


def test_the_embedded_server_is_not_mistaken_for_a_named_one() -> None:
    environ = {"KIBAN_DATABASE": "host=db", "KIBAN_DATABASE_APP": "host=db"}
    with pytest.raises(Problem, match="database-elsewhere"):
        main.cluster(settings.read(environ))
