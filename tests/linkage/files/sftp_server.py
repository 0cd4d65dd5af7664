"""A real SFTP server over a folder, by paramiko's server classes: one key lets in, and it has a host key of its own."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Partner:
    """A partner's server.

    Attributes:
        url: of its folder.
        folder: the folder itself.
        key: private key that is let in.
        known_hosts: with the server's host key.
    """

    url: str
    folder: Path
    key: Path
    known_hosts: Path


def ssh_key(path: Path) -> Path:
    """A new private key in OpenSSH's form."""
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(*encoding))
    path.chmod(0o600)
    return path


@contextmanager
def serving(folder: Path, keys: Path) -> Iterator[Partner]:
    """A server in threads of its own, gone afterwards."""
    host, user = (paramiko.PKey.from_path(ssh_key(keys / name)) for name in ("host", "user"))
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    transports: list[paramiko.Transport] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transports.append(transport)
            transport.add_server_key(host)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _handler(folder))
            try:
                transport.start_server(server=_Login(user))
            except (paramiko.SSHException, EOFError, OSError):  # whoever was refused hangs up at once
                transport.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    known = keys / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {host.get_name()} {host.get_base64()}\n")
    try:
        yield Partner(f"sftp://city@127.0.0.1:{port}/in", folder, keys / "user", known)
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for transport in transports:
            transport.close()


class _Login(paramiko.ServerInterface):
    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        right = username == "city" and key == self._key
        return paramiko.common.AUTH_SUCCESSFUL if right else paramiko.common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.common.OPEN_SUCCEEDED


def _handler(folder: Path) -> type[paramiko.SFTPServerInterface]:
    """The calls of SFTP on a folder."""

    class Handler(paramiko.SFTPServerInterface):
        def _real(self, path: str) -> Path:
            return folder / self.canonicalize(path).lstrip("/")

        def list_folder(self, path: str) -> Any:
            return self._told(lambda: [self._attributes(one) for one in self._real(path).iterdir()])

        def stat(self, path: str) -> Any:
            return self._told(lambda: self._attributes(self._real(path)))

        lstat = stat

        def open(self, path: str, flags: int, attr: Any) -> Any:
            def opened() -> paramiko.SFTPHandle:
                handle = paramiko.SFTPHandle(flags)
                file = os.fdopen(
                    os.open(self._real(path), flags, 0o600), "rb" if flags & 3 == os.O_RDONLY else "r+b"
                )
                handle.readfile = handle.writefile = file  # type: ignore[attr-defined]
                return handle

            return self._told(opened)

        def posix_rename(self, oldpath: str, newpath: str) -> Any:
            return self._told(lambda: self._done(self._real(oldpath).replace(self._real(newpath))))

        def mkdir(self, path: str, attr: Any) -> Any:
            return self._told(lambda: self._done(self._real(path).mkdir()))

        def _attributes(self, path: Path) -> paramiko.SFTPAttributes:
            found = paramiko.SFTPAttributes.from_stat(path.stat())
            found.filename = path.name
            return found

        def _done(self, _: object) -> int:
            return paramiko.SFTP_OK

        def _told(self, work: Any) -> Any:
            try:
                return work()
            except OSError as error:
                return paramiko.SFTPServer.convert_errno(error.errno or 0)

    return Handler
