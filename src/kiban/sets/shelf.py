"""A shelf: the place where sets lie. A folder, a bucket of an S3 object store, or memory; one behaviour for all.

Nothing here knows what a set is. Objects are put whole or not at all; what is created is created once.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, MemoryStore, S3Store

from kiban.kernel import Problem
from kiban.sets import pumping

_PIECE = 5 * 2**20
"""S3 takes no smaller piece of a larger object."""
_UPLOADS = 4
"""Pieces of one object on their way at a time: a writer holds 20 MiB, and as much that waits."""


@dataclass(frozen=True)
class Shelf:
    """An open shelf.

    Attributes:
        place: as people name it; holds no credentials.
        folder: where its objects are files; None elsewhere.
    """

    place: str
    folder: Path | None
    _store: Any = field(repr=False)

    def put(self, key: str, data: bytes | Iterable[bytes]) -> None:
        """Write an object, in bounded memory where it comes piece by piece.

        Nothing is seen of it before it is whole and, in a folder, on the disk.

        Raises:
            Problem: `shelf-not-writable`; what the pieces raise.
        """

        def put(whole: bytes | Iterator[bytes]) -> None:
            with self._reaching("shelf-not-writable", key):
                obstore.put(self._store, key, whole, chunk_size=_PIECE, max_concurrency=_UPLOADS)
                self._settle(key)

        pumping.put_all(put, [data] if isinstance(data, bytes) else data, _PIECE)

    def create(self, key: str, data: bytes) -> bool:
        """Write an object that is not there yet. Returns whether it was so: of all who try, one succeeds.

        Raises:
            Problem: `shelf-not-writable`.
        """
        with self._reaching("shelf-not-writable", key):
            try:
                obstore.put(self._store, key, data, mode="create")
            except AlreadyExistsError:
                return False
            self._settle(key)
            return True

    def read(self, key: str) -> bytes | None:
        """A small object; None where there is none.

        Raises:
            Problem: `shelf-unreadable`.
        """
        with self._reaching("shelf-unreadable", key):
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                return None

    def size(self, key: str) -> int | None:
        """Bytes of an object; None where there is none.

        Raises:
            Problem: `shelf-unreadable`.
        """
        with self._reaching("shelf-unreadable", key):
            try:
                return int(obstore.head(self._store, key)["size"])
            except FileNotFoundError:
                return None

    def written_at(self, key: str) -> datetime | None:
        """When an object was written, by the clock of the shelf; None where there is none.

        Raises:
            Problem: `shelf-unreadable`.
        """
        with self._reaching("shelf-unreadable", key):
            try:
                moment: datetime = obstore.head(self._store, key)["last_modified"]
                return moment
            except FileNotFoundError:
                return None

    def chunks(self, key: str) -> Iterator[bytes]:
        """An object piece by piece; no piece where there is none.

        Raises:
            Problem: `shelf-unreadable`.
        """
        with self._reaching("shelf-unreadable", key):
            try:
                for piece in obstore.get(self._store, key).stream(min_chunk_size=_PIECE):
                    yield bytes(piece)
            except FileNotFoundError:
                return

    def sizes(self, prefix: str) -> dict[str, int]:
        """Every object below a prefix with its size, in the order of the keys.

        Raises:
            Problem: `shelf-unreadable`.
        """
        with self._reaching("shelf-unreadable", prefix):
            found = (one for chunk in obstore.list(self._store, prefix) for one in chunk)
            return dict(sorted((str(one["path"]), int(one["size"])) for one in found))

    def clear(self, prefix: str, keep: Collection[str] = ()) -> None:
        """Remove everything below a prefix but the objects to keep; in a folder also what killed writers left there.

        Raises:
            Problem: `shelf-not-writable`.
        """
        with self._reaching("shelf-not-writable", prefix):
            if self.folder is not None:
                _clear(self.folder / prefix, {self.folder / key for key in keep})
                return
            for key in self.sizes(prefix):
                if key not in keep:
                    obstore.delete(self._store, key)

    def file(self, key: str) -> Path | None:
        """The file of an object, where objects are files."""
        return None if self.folder is None else self.folder / key

    def _settle(self, key: str) -> None:
        """Have the disk keep an object and the folders that name it: no power failure takes what others rely on."""
        if self.folder is None:
            return
        path = self.folder / key
        while True:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
            if path == self.folder:
                return
            path = path.parent

    @contextmanager
    def _reaching(self, code: str, key: str) -> Iterator[None]:
        """Turn what the store raises into a problem. Its texts are not repeated: they may name credentials."""
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            why = type(error).__name__.removesuffix("Error")
            fix = "see whether the place is there, has room and lets you in; then run the same again"
            raise Problem(
                code, f"the shelf refuses or does not answer ({why})", f"{self.place}/{key}", fix
            ) from None


def _clear(folder: Path, keep: Set[Path]) -> None:
    """Also files whose name the store passes over: NAME#1 is an object that nobody finished."""
    for path in sorted(folder.rglob("*"), reverse=True):  # what lies in a folder comes before it
        if path.is_dir():
            with suppress(OSError):  # it holds something to keep
                path.rmdir()
        elif path not in keep:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


@dataclass(frozen=True)
class Access:
    """How an S3 store is reached; no part of any printed form.

    Attributes:
        endpoint: URL of the store; None for that of the environment, or of AWS.
        region: its region, likewise.
        access_key: who asks, likewise.
        secret_key: what they prove it by, likewise.
        token: of a session, likewise.
    """

    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)


def open_shelf(place: str | Path, *, make: bool = False, access: Access | None = None) -> Shelf:
    """Open a shelf.

    Args:
        place: a folder; `s3://BUCKET/PREFIX`; or `memory:`, a new one that ends with the process.
        make: make the folder where it is missing; only its owner may look into it until they let others.
        access: how an S3 store is reached. What is not given is taken from the environment (AWS_ENDPOINT_URL, AWS_REGION,
            AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN).

    Raises:
        Problem: `shelf-place` where the text names no such place, `shelf-missing` where the folder is not there.
    """
    if place == "memory:":
        return Shelf("memory:", None, MemoryStore())
    if isinstance(place, str) and "://" in place:
        return _bucket(place, access or Access())
    folder = Path(place).absolute()
    if make:
        _made(folder)
    if not folder.is_dir():
        raise Problem(
            "shelf-missing", "there is no such folder", str(place), "name the folder where the sets lie"
        )
    return Shelf(str(place), folder, LocalStore(folder))


def _made(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = f"the folder cannot be made ({error.strerror})"
        raise Problem("shelf-missing", what, str(folder), "name a folder that you may make") from error


def _bucket(place: str, access: Access) -> Shelf:
    try:
        url = urlsplit(place)
        plain = url.scheme == "s3" and url.netloc and not set("@?#") & set(place)
    except ValueError:
        plain = False
    if not plain:  # the text is not repeated: it may hold a secret
        fix = "name a folder or s3://BUCKET/PREFIX; credentials are given apart, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise Problem("shelf-place", "no place where sets can lie", fix=fix)
    bucket, prefix = url.netloc, url.path.strip("/")
    given = {
        **{"endpoint": access.endpoint, "region": access.region, "access_key_id": access.access_key},
        **{"secret_access_key": access.secret_key, "session_token": access.token},
    }
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if (access.endpoint or os.environ.get("AWS_ENDPOINT_URL", "")).startswith("http://"):
        options["client_options"] = {"allow_http": True}
    try:
        store = S3Store(bucket, prefix=prefix or None, **options)
    except (BaseError, ValueError) as error:
        what = f"the object store cannot be opened ({type(error).__name__})"
        fix = "give region, access key and secret key together, or none of them"
        raise Problem("shelf-place", what, f"s3://{bucket}", fix) from None
    return Shelf(f"s3://{bucket}/{prefix}".rstrip("/"), None, store)
