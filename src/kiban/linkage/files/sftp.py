"""A partner's folder behind SFTP. The partner's host key is known beforehand and never learned on the way."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import paramiko

from kiban.kernel import Problem
from kiban.linkage.files.edge import edge_problem, is_unfinished, unfinished

_PATIENCE = 30  # seconds


@dataclass(frozen=True)
class SftpPlace:
    """A folder on a partner's server. Made by `open_sftp`.

    Attributes:
        called: as people name it.
        folder: path on the server.
    """

    called: str
    folder: str
    _client: paramiko.SFTPClient = field(repr=False)

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Place`."""
        with edge_problem("edge-unreadable", self.called):
            try:
                found = self._client.listdir_attr(posixpath.join(self.folder, folder))
            except FileNotFoundError:
                return {}
        return {
            one.filename: int(one.st_size or 0)
            for one in found
            if stat.S_ISREG(one.st_mode or 0) and not is_unfinished(one.filename)
        }

    def put(self, name: str, file: Path) -> None:
        """See `Place`."""
        target = posixpath.join(self.folder, name)
        waiting = posixpath.join(posixpath.dirname(target), unfinished(posixpath.basename(target)))
        with edge_problem("edge-unwritable", f"{self.called}/{name}"):
            self._make(posixpath.dirname(target))
            self._client.put(str(file), waiting)  # it asks for the size afterwards
            self._client.posix_rename(waiting, target)

    def get(self, name: str, file: Path) -> None:
        """See `Place`."""
        with edge_problem("edge-unreadable", f"{self.called}/{name}"):
            self._client.get(posixpath.join(self.folder, name), str(file))

    def _make(self, folder: str) -> None:
        try:
            self._client.stat(folder)
        except FileNotFoundError:
            self._make(posixpath.dirname(folder))
            with suppress(OSError):  # another sender made it
                self._client.mkdir(folder)


@contextmanager
def open_sftp(url: str, key: Path, known_hosts: Path) -> Iterator[SftpPlace]:
    """A partner's folder for the time of a `with` block.

    Args:
        url: sftp://USER@HOST[:PORT]/FOLDER; never with a password.
        key: private key of this side in a file, without a pass phrase.
        known_hosts: file with the partner's host key, as ssh-keyscan writes it after both sides have compared its fingerprint.

    Raises:
        Problem: `edge-url`; `edge-key` where a file cannot be read; `edge-host-key` where the host shows another key or none is
            known; `edge-login`; `edge-unreachable`.
    """
    parts = urlsplit(url)
    if parts.scheme != "sftp" or not parts.hostname or not parts.username or parts.password or parts.query:
        raise Problem(
            "edge-url", "no SFTP address", fix="write sftp://USER@HOST:PORT/FOLDER, without a password"
        )
    called = f"sftp://{parts.hostname}{parts.path}"
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    try:
        client.load_host_keys(str(known_hosts))
        own = paramiko.PKey.from_path(key)
    except (OSError, paramiko.SSHException, ValueError) as error:
        what = f"the key or the file of known hosts cannot be read ({type(error).__name__})"
        raise Problem("edge-key", what, called, "name readable files") from None
    try:
        _connect(client, parts.hostname, parts.port or 22, parts.username, own, called)
        with edge_problem("edge-unreachable", called):
            sftp = client.open_sftp()
        yield SftpPlace(called, parts.path or ".", sftp)
    finally:
        client.close()


def _connect(
    client: paramiko.SSHClient, host: str, port: int, user: str, key: paramiko.PKey, called: str
) -> None:
    try:
        client.connect(
            host, port, user, pkey=key, look_for_keys=False, allow_agent=False,
            timeout=_PATIENCE, banner_timeout=_PATIENCE, auth_timeout=_PATIENCE,
        )  # fmt: skip
    except paramiko.BadHostKeyException:
        fix = "stop, and ask the partner by another way whether the key was changed"
        raise Problem("edge-host-key", "the host shows another key than the known one", called, fix) from None
    except paramiko.AuthenticationException:
        fix = "have the partner enter your public key"
        raise Problem("edge-login", "the partner does not let this key in", called, fix) from None
    except paramiko.SSHException as error:
        if "not found in known_hosts" in str(error):
            fix = "compare the fingerprint with the partner by another way, then write the key into the file"
            raise Problem("edge-host-key", "no key of this host is known", called, fix) from None
        raise _unreachable(called, error) from None
    except (OSError, EOFError) as error:
        raise _unreachable(called, error) from None


def _unreachable(called: str, error: Exception) -> Problem:
    what = f"the partner's server does not answer ({type(error).__name__})"
    return Problem("edge-unreachable", what, called, "see whether host and port are right, and try again")
