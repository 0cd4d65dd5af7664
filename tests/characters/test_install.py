"""Character data come whole, by one rename, or not at all; what is missing is said and breaks nothing."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from kiban import characters
from kiban.cli import main

ROWS = 58_862
SHRUNK = 62_682


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds all programs there are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def package(folder: Path, rows: int) -> Path:
    """An archive of the shape that npm packs, its tables with so many rows."""
    database = folder / f"{rows}.db"
    with closing(sqlite3.connect(database)) as connection:
        for name, count in (("mji", rows), ("mjsm", SHRUNK)):
            connection.execute(f"create table {name} (number integer)")
            connection.executemany(f"insert into {name} values (?)", ((n,) for n in range(count)))
        connection.commit()
    archive = folder / f"{rows}.tgz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as out:
        out.add(database, "package/dist/moji.db")
    return archive


def test_what_came_whole_is_put_in_place_and_not_fetched_again(tmp_path: Path, tools: Path) -> None:
    tool(tools, "npm", f"echo called >> {tmp_path}/calls; /bin/cp {package(tmp_path, ROWS)} .")
    home = tmp_path / "home" / "characters"
    first, again = characters.install(home), characters.install(home)
    assert [(each.path, each.count, each.new) for each in first.placed] == [(home / "moji.db", ROWS, True)]
    assert [each.new for each in again.placed] == [False]
    assert (tmp_path / "calls").read_text() == "called\n"
    assert [each.name for each in home.iterdir()] == ["moji.db"]


def test_too_few_rows_are_refused_and_what_lay_there_stays(tmp_path: Path, tools: Path) -> None:
    tool(tools, "npm", f"/bin/cp {package(tmp_path, ROWS - 1)} .")
    (tmp_path / "moji.db").write_bytes(b"from before")
    found = characters.install(tmp_path)
    assert found.placed == ()
    assert found.problems[0].code == "install-short"
    assert (tmp_path / "moji.db").read_bytes() == b"from before"
    assert not list(tmp_path.glob(".install-*"))


def test_a_font_that_is_none_is_refused(tmp_path: Path, tools: Path) -> None:
    tool(tools, "apt-get", "echo > font.deb")
    tool(tools, "dpkg-deb", "/bin/mkdir unpacked; echo no font > unpacked/ipamjm.ttf")
    found = characters.install(tmp_path)
    assert [each.code for each in found.problems] == ["install-tool", "install-short"]
    assert not (tmp_path / "ipamjm.ttf").exists()


def test_a_download_that_fails_tells_the_reason(tmp_path: Path, tools: Path) -> None:
    tool(tools, "npm", "echo 'network is unreachable' >&2; exit 7")
    problem = characters.install(tmp_path).problems[0]
    assert (problem.code, "network is unreachable" in problem.what) == ("install-fetch", True)


@pytest.mark.usefixtures("tools")
def test_without_the_programs_the_command_lists_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["characters", "install", "--home", str(tmp_path)])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said.count("install-tool") == 2
    assert "no MJ number" in said
    assert "no pictures" in said


def test_the_command_names_the_licence(
    tmp_path: Path, tools: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool(tools, "npm", f"/bin/cp {package(tmp_path, ROWS)} .")
    with pytest.raises(SystemExit):
        main(["characters", "install", "--home", str(tmp_path)])
    out = capsys.readouterr().out
    assert "CC BY-SA" in out
    assert "58,862" in out
