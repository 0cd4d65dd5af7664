"""Where the embedded PostgreSQL lies, and as whom it runs.

PostgreSQL refuses to run as root. So when root calls, its programs run as an unprivileged user of the system,
which must be able to reach both the programs and the data. Where it cannot, because a clone or the virtual
environment lies in `/root`, data and a copy of the programs go to `/var/lib/kiban`: nobody's directories are
opened for it. A normal user runs PostgreSQL as themselves, inside the home.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kiban.kernel import Problem
from kiban.store import programs

OUTSIDE = Path("/var/lib/kiban")
"""Holds the clusters of root whose homes an unprivileged user cannot reach."""

PORT = 5432
"""Part of the socket's file name only: nothing listens on a network."""

_SOCKET_LIMIT = 103  # bytes of sun_path on macOS with its closing zero; Linux has 107
_CANDIDATES = ("kiban", "postgres", "nobody")


@dataclass(frozen=True)
class User:
    """The unprivileged user who runs the server for root.

    Attributes:
        name: of the system account.
        uid: number of the account.
        gid: number of its first group.
    """

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """The folders of one cluster.

    Attributes:
        home: of Kiban, where the marker, the lock and the password file lie.
        folder: belongs to the caller; holds `data`, `socket`, `log` and, if needed, a copy of the programs.
        user: who runs the server; None for the caller.
    """

    home: Path
    folder: Path
    user: User | None

    @property
    def data(self) -> Path:
        """The data directory of PostgreSQL."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The file the server logs to; it holds no personal data."""
        return self.folder / "log" / "postgresql.log"

    @property
    def socket(self) -> Path:
        """The directory of the Unix socket: inside the folder, or in /tmp where its path will not do."""
        inside = self.folder / "socket"
        # libpq takes a host with a comma for a list of hosts.
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) < _SOCKET_LIMIT and "," not in str(inside):
            return inside
        return Path("/tmp") / f"kiban-{_digest(self.folder)}"  # noqa: S108 - mode and owner are checked

    def make_folders(self) -> None:
        """Make what is missing of the folders, each with its owner and closed to everybody else.

        Raises:
            Problem: `cluster-no-access`, `cluster-socket-taken`.
        """
        owner = self.user.uid if self.user else os.geteuid()
        try:
            if not self.folder.exists():
                self.folder.mkdir(parents=True)
                # The server's user passes through here and may list nothing; the umask has no say.
                self.folder.chmod(0o711 if self.user else 0o700)
            for path in (self.data, self.log.parent, self.socket):
                if not os.path.lexists(path):
                    path.mkdir(mode=0o700)
                    if self.user:
                        os.chown(path, self.user.uid, self.user.gid, follow_symlinks=False)
        except OSError as error:
            raise Problem(
                "cluster-no-access",
                f"a folder for the embedded PostgreSQL cannot be made: {error.strerror}",
                where=str(error.filename or self.folder),
                fix="set KIBAN_HOME to a folder you can write to",
            ) from error
        seen = self.socket.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != owner or stat.S_IMODE(seen.st_mode) & 0o077:
            raise Problem(
                "cluster-socket-taken",
                "the directory for the database socket belongs to somebody else or is open to others",
                where=str(self.socket),
                fix="remove it, or set KIBAN_HOME to another folder",
            )

    def programs(self) -> Path:
        """The directory of initdb, pg_ctl and the other programs, copied first if the user cannot reach them.

        Raises:
            Problem: `postgres-missing` where the package is not installed; `cluster-no-access` where a copy
                is needed and cannot be made.
        """
        package, shipped = programs.package(), programs.shipped_programs()
        if self.user is None or _runs(shipped / "initdb", self.user):
            return shipped
        copy = self.folder / f"postgresql-{programs.version()}"
        if not copy.exists():
            programs.copy_programs(package, copy)
        return copy / package.name / "pginstall" / "bin"

    def run(
        self, program: str, arguments: Sequence[str], pass_fds: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of PostgreSQL to its end, as the server's user, without the caller's environment.

        Args:
            program: such as `initdb`.
            arguments: no secrets; everybody can read them while it runs.
            pass_fds: file descriptors that the program shall keep open.
        """
        return subprocess.run(  # noqa: S603 - our own program, no shell
            [str(self.programs() / program), *arguments],
            cwd=self.folder,
            # PGDATA, PGOPTIONS or a foreign LD_LIBRARY_PATH of the caller would change what runs.
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            pass_fds=pass_fds,
            user=self.user.uid if self.user else None,
            group=self.user.gid if self.user else None,
            extra_groups=[] if self.user else None,
        )


def find(home: Path, folder: Path | None = None) -> Place:
    """Choose folder and user for the cluster of a home.

    Args:
        home: exists.
        folder: the one chosen when the cluster was made; None for a new one.

    Raises:
        Problem: `cluster-no-user` where root calls and the system has no unprivileged account.
    """
    inside = home / "postgres"
    if os.geteuid() != 0:
        return Place(home, folder or inside, None)
    outside = OUTSIDE / _digest(home)
    user = _owner((folder or inside) / "data") or _owner(outside / "data") or _candidate()
    if folder is None:
        folder = inside if _reaches(home, user) else outside
    return Place(home, folder, user)


def require_space(path: Path, needed: int) -> None:
    """Refuse where a file system has too little room.

    Args:
        path: exists; any folder of the file system.
        needed: bytes.

    Raises:
        Problem: `disk-full`.
    """
    free = shutil.disk_usage(path).free
    if free < needed:
        raise Problem(
            "disk-full",
            f"{free // 2**20:,} MiB are free, {needed // 2**20:,} MiB are needed",
            where=str(path),
            fix="free some space, or set KIBAN_HOME to a folder on another disk",
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]


def _owner(data: Path) -> User | None:
    """The user a cluster was made for, so that an account added later does not lock it out."""
    try:
        uid = data.lstat().st_uid
        account = pwd.getpwuid(uid)
    except (OSError, KeyError):
        return None
    return User(account.pw_name, uid, account.pw_gid) if uid else None


def _candidate() -> User:
    for name in _CANDIDATES:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        if account.pw_uid:
            return User(name, account.pw_uid, account.pw_gid)
    raise Problem(
        "cluster-no-user",
        "PostgreSQL does not run as root, and the system has no user kiban, postgres or nobody",
        fix="add one, for example: useradd --system kiban",
    )


def _reaches(folder: Path, user: User) -> bool:
    """Whether a user can walk into a folder; the system is asked, so that access lists count too."""
    test = shutil.which("test", path="/usr/bin:/bin")
    return test is not None and _runs(Path(test), user, "-x", str(folder))


def _runs(program: Path, user: User, *arguments: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            [str(program), *(arguments or ("--version",))],
            cwd="/",
            env={"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            user=user.uid,
            group=user.gid,
            extra_groups=[],
        )
    except PermissionError:
        return False
    return done.returncode == 0
