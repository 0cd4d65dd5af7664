"""What an installation decides: read once from the environment, then handed on as a value."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kiban.kernel import Problem, Problems

NAMES = {
    "KIBAN_HOME": "folder of the embedded database, files and logs (default: .kiban in the current folder)",
    "KIBAN_DATABASE": "libpq connection string of the owner on a PostgreSQL server of your own",
    "KIBAN_DATABASE_APP": "connection string of the application's role on that server",
    "KIBAN_STANDARDS": f"folders with further editions of the standard, joined by {os.pathsep!r}",
    "KIBAN_CONTRACTS": f"folders with the contracts of the linkage, joined by {os.pathsep!r}",
    "KIBAN_POLICIES": f"folders with the policy set of the city, joined by {os.pathsep!r} (default: Kiban's reference)",
    "KIBAN_BROKER": "address of a NATS server of your own, nats://HOST:PORT; several joined by commas",
    "KIBAN_BROKER_CREDENTIALS": "file with the credentials of the platform on that server",
    "KIBAN_SHELF": "where sets lie: a folder, or s3://BUCKET/PREFIX (default: sets in the home)",
}
"""Every setting with what it says."""


@dataclass(frozen=True)
class Settings:
    """The settings of one run.

    Attributes:
        home: absolute; need not exist.
        database: connection string of the owner; None for the embedded server. May hold a password, so it is
            not part of the printed form.
        database_app: of the application's role; None exactly where `database` is.
        standards: existing folders, absolute, in the order given.
        contracts: existing folders with contracts of the linkage, likewise.
        policies: existing folders with the policy set, likewise; empty for Kiban's reference.
        broker: addresses of a NATS server; None for the embedded one.
        broker_credentials: existing file; None where the server asks for none.
        shelf: where sets lie, as `sets.open_shelf` takes it.
    """

    home: Path
    database: str | None = field(default=None, repr=False)
    database_app: str | None = field(default=None, repr=False)
    standards: tuple[Path, ...] = ()
    contracts: tuple[Path, ...] = ()
    broker: str | None = None
    broker_credentials: Path | None = None
    shelf: str | None = None
    policies: tuple[Path, ...] = ()

    @property
    def embedded(self) -> bool:
        """Whether Kiban runs its own PostgreSQL."""
        return self.database is None


def read(environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        environ: usually `os.environ`. An empty value counts as not given.

    Raises:
        Problems: `setting-unknown` for a name that starts with KIBAN_ and is none, `setting-home` where it is
            a file, `setting-database` where only one of the two connection strings is given,
            `setting-standards`, `setting-contracts`, `setting-policies` for each folder that does not exist,
            `setting-credentials` for a file that does not.

    >>> read({"KIBAN_HOME": "/srv/kiban"}).home.as_posix()
    '/srv/kiban'
    """
    given = {name: value for name, value in environ.items() if name.startswith("KIBAN_") and value}
    problems = [_unknown(name) for name in sorted(given.keys() - NAMES.keys())]
    home = Path(given.get("KIBAN_HOME", ".kiban")).expanduser().absolute()
    if home.exists() and not home.is_dir():
        problems.append(
            Problem("setting-home", "KIBAN_HOME is not a folder", where=str(home), fix="name another path")
        )
    owner, app = given.get("KIBAN_DATABASE"), given.get("KIBAN_DATABASE_APP")
    if (owner is None) != (app is None):
        missing = "KIBAN_DATABASE" if owner is None else "KIBAN_DATABASE_APP"
        problems.append(
            Problem(
                "setting-database",
                f"{missing} is missing: a server of your own is reached by two roles",
                fix="set both, or neither for the embedded server",
            )
        )
    standards = _folders(given.get("KIBAN_STANDARDS", ""), "standards", problems)
    contracts = _folders(given.get("KIBAN_CONTRACTS", ""), "contracts", problems)
    policies = _folders(given.get("KIBAN_POLICIES", ""), "policies", problems)
    credentials = given.get("KIBAN_BROKER_CREDENTIALS")
    file = Path(credentials).expanduser().absolute() if credentials else None
    if file and not file.is_file():
        problems.append(_missing("credentials", "the file of KIBAN_BROKER_CREDENTIALS", file))
    if problems:
        raise Problems(problems)
    broker, shelf = given.get("KIBAN_BROKER"), given.get("KIBAN_SHELF")
    return Settings(home, owner, app, standards, contracts, broker, file, shelf, policies)


def _folders(names: str, what: str, problems: list[Problem]) -> tuple[Path, ...]:
    """The folders of a setting; those that do not exist are added to the problems."""
    folders = tuple(Path(name).expanduser().absolute() for name in names.split(os.pathsep) if name)
    told = f"a folder of KIBAN_{what.upper()}"
    problems += [_missing(what, told, folder) for folder in folders if not folder.is_dir()]
    return folders


def _missing(code: str, what: str, path: Path) -> Problem:
    return Problem(f"setting-{code}", f"{what} does not exist", where=str(path), fix="correct the path")


def _unknown(name: str) -> Problem:
    near = difflib.get_close_matches(name, NAMES, n=1)
    return Problem(
        "setting-unknown",
        f"{name} is no setting of Kiban",
        fix=f"did you mean {near[0]}?" if near else f"the settings are {', '.join(NAMES)}",
    )
