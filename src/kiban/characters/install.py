"""Fetching the character data that Kiban uses and never carries: the MJ tables and the font that draws them.

Each part comes from its publisher with the publisher's own client, is counted, and is put in place by one rename: what
lies in the folder is whole or is not there.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTLibError

from kiban.characters.glyphs import FONT_FILE, FONT_GLYPHS, count_glyphs
from kiban.characters.mj import COUNTS, MOJI_FILE
from kiban.kernel import Problem

_NPM_PACKAGE = "@mandel59/mojidata@1.8.1"
_DEBIAN_PACKAGE = "fonts-ipamj-mincho"
_SECONDS = 900
"""Longest time of one download: an office line is slow, but a hanging one must end."""


@dataclass(frozen=True)
class Placed:
    """One part that is in the folder, whole.

    Attributes:
        path: where it lies.
        count: MJ characters of the tables, or glyphs of the font.
        new: False where it lay there already and nothing was fetched.
        source: the package it comes from.
        licence: under which its publisher gives it.
    """

    path: Path
    count: int
    new: bool
    source: str
    licence: str


@dataclass(frozen=True)
class Installation:
    """What is there now, and for each part that is not: why, and what is missing without it."""

    placed: tuple[Placed, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Part:
    file: str
    source: str
    licence: str
    least: int
    count: Callable[[Path], int]
    fetch: Callable[[Path], Path]
    without: str


def install(folder: Path) -> Installation:
    """Put the MJ tables and the font into a folder; what lies there whole is left alone.

    Args:
        folder: `KIBAN_HOME/characters`; made where it does not exist.

    Returns:
        The parts in place; and a Problem for each other: `install-tool` where npm, apt-get or dpkg-deb is lacking,
        `install-fetch` where the download fails, `install-short` where less came than the part has. A file that was
        there before is then as it was.

    Raises:
        Problem: `install-folder` where the folder cannot be written.
    """
    placed, problems = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in _PARTS:
            try:
                placed.append(_place(part, folder))
            except Problem as problem:
                problems.append(problem)
    except OSError as error:
        raise Problem(
            "install-folder",
            f"the folder cannot be written ({error.strerror})",
            str(folder),
            "name another one with --home",
        ) from error
    return Installation(tuple(placed), tuple(problems))


def _place(part: _Part, folder: Path) -> Placed:
    target = folder / part.file
    count = _counted(part, target)
    if count >= part.least:
        return Placed(target, count, False, part.source, part.licence)
    # Inside the folder, because a rename is atomic only within one file system.
    with tempfile.TemporaryDirectory(prefix=".install-", dir=folder) as name:
        try:
            fetched = part.fetch(Path(name))
        except Problem as problem:
            what = f"{problem.what}; without it {part.without}"
            raise Problem(problem.code, what, part.source, problem.fix) from problem
        count = _counted(part, fetched)
        if count < part.least:
            what = f"{count} of at least {part.least} came; it is not put in place, and without it {part.without}"
            raise Problem("install-short", what, part.source, "run `kiban characters install` again")
        fetched.chmod(0o644)
        fetched.replace(target)
    return Placed(target, count, True, part.source, part.licence)


def _counted(part: _Part, path: Path) -> int:
    """What a file holds; 0 where it is absent or broken."""
    try:
        return part.count(path) if path.is_file() else 0
    except (sqlite3.Error, TTLibError):
        return 0


def _count_rows(path: Path) -> int:
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        counts = {name: connection.execute(f"select count(*) from {name}").fetchone()[0] for name in COUNTS}
    short = any(counts[name] < least for name, least in COUNTS.items() if name != "mji")
    return 0 if short else int(counts["mji"])


def _fetch_tables(folder: Path) -> Path:
    _run(["npm", "pack", "--silent", _NPM_PACKAGE], folder)
    target = folder / MOJI_FILE
    try:
        with tarfile.open(next(folder.glob("*.tgz"))) as archive:
            member = archive.extractfile(f"package/dist/{MOJI_FILE}")
            if member is None:
                raise KeyError(MOJI_FILE)
            with member, target.open("wb") as out:
                shutil.copyfileobj(member, out)
    except (StopIteration, KeyError, tarfile.TarError, EOFError) as error:
        raise _not_fetched(f"the package holds no {MOJI_FILE}") from error
    return target


def _fetch_font(folder: Path) -> Path:
    _tool("dpkg-deb")
    _run(["apt-get", "download", _DEBIAN_PACKAGE], folder)
    archive = next(folder.glob("*.deb"), None)
    if archive is None:
        raise _not_fetched("apt-get brought no package")
    _run(["dpkg-deb", "-x", archive.name, "unpacked"], folder)
    font = next((folder / "unpacked").rglob(FONT_FILE), None)
    if font is None:
        raise _not_fetched(f"the package holds no {FONT_FILE}")
    return font


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise Problem(
            "install-tool", f"{name} is not on this machine", fix=f"install {name}, or bring the file by hand"
        )
    return found


def _run(command: Sequence[str], folder: Path) -> None:
    tool = _tool(command[0])
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands, no shell
            [tool, *command[1:]], cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _not_fetched(f"{command[0]} did not end within {_SECONDS} seconds") from error
    if done.returncode:
        said = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        raise _not_fetched(f"{command[0]} ended with {done.returncode} ({said.strip()})")


def _not_fetched(what: str) -> Problem:
    return Problem("install-fetch", what, fix="check the connection to the publisher, then run it again")


_PARTS = (
    _Part(
        MOJI_FILE,
        f"npm {_NPM_PACKAGE}",
        "CC BY-SA 2.1 JP",
        COUNTS["mji"],
        _count_rows,
        _fetch_tables,
        "characters have no MJ number and selectors are not judged",
    ),
    _Part(
        FONT_FILE,
        f"Debian {_DEBIAN_PACKAGE}",
        "IPA Font License 1.0",
        FONT_GLYPHS,
        count_glyphs,
        _fetch_font,
        "papers show no pictures of characters",
    ),
)
