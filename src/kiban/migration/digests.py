"""SHA-256 of files, folders and values; a file's is remembered as long as size, time and place of the file stay the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def digest_of(value: Any) -> str:
    """SHA-256 of a value that JSON can hold, in hex; the same for mappings of another order."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """SHA-256 over the relative names and digests of all files below a folder, in hex."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_of([[path.relative_to(folder).as_posix(), file_digest(path)] for path in files])


class Hashes:
    """Digests of files, kept between runs so that large unloads are not read again at every look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known: dict[str, list[Any]] = {}
        try:
            self.known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.known = {}  # only a memory: without it files are read again

    def of(self, path: Path) -> str:
        """Digest of a file, or "missing"; of a folder, over the names and sizes in it."""
        try:
            stat = path.stat()
        except OSError:
            return "missing"
        if path.is_dir():
            names = sorted(
                (p.relative_to(path).as_posix(), p.stat().st_size) for p in path.rglob("*") if p.is_file()
            )
            return digest_of(names)
        seen = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        name = path.as_posix()
        if self.known.get(name, [None])[:-1] != seen:
            self.known[name] = [*seen, file_digest(path)]
        return str(self.known[name][-1])

    def keep(self) -> None:
        """Write the memory; a cut in between leaves the one before."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.known, indent=0, sort_keys=True), encoding="utf-8")
        new.replace(self.path)
