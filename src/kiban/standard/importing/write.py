"""Writing an edition folder, whole or not at all."""

from __future__ import annotations

import csv
import fcntl
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kiban.kernel import Problem

_OWN = frozenset({"business.yaml", "items.csv", "codes", "source"})


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV in UTF-8 with plain line ends; cells keep their line breaks."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def check_target(target: Path, *, replace: bool) -> None:
    """Refuse a target that must not be written over.

    Raises:
        Problem: `target-exists` without `replace`; `target-not-an-edition` or `target-has-other-files` where
            replacing it would destroy what no import wrote.
    """
    if not target.exists():
        return
    if not replace:
        raise Problem(
            "target-exists",
            "the target is already there",
            str(target),
            "choose another --into or --edition, or add --replace",
        )
    if not (target / "business.yaml").is_file():
        raise Problem(
            "target-not-an-edition",
            "the target is not an edition folder",
            str(target),
            "choose another --into; only an edition folder can be replaced",
        )
    others = sorted(path.name for path in target.iterdir() if path.name not in _OWN)
    if others:
        raise Problem(
            "target-has-other-files",
            f"the target also holds {', '.join(others[:5])}",
            str(target),
            "move them away first, or choose another --into",
        )


def write_folder(target: Path, fill: Callable[[Path], None], *, replace: bool) -> None:
    """Fill a folder beside the target, then put it in the target's place.

    Whoever writes holds a lock on the folder above. What a writer that was killed left behind is cleared away by
    the next one, and the edition it was about to replace is put back.

    Raises:
        Problem: as `check_target`, and `target-not-writable`.
    """
    new, old = (target.with_name(f".{target.name}.{word}") for word in ("new", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent):
            _recover(target, new, old)
            check_target(target, replace=replace)
            try:
                new.mkdir()
                fill(new)
                if target.exists():
                    target.rename(old)
                new.rename(target)
            finally:
                _recover(target, new, old)
    except OSError as error:
        raise Problem(
            "target-not-writable",
            f"the target cannot be written ({error.strerror})",
            str(target),
            "check the permissions and the free space of the disk",
        ) from error


def _recover(target: Path, new: Path, old: Path) -> None:
    """Remove what is half-written, and put an edition back that was moved away and never replaced."""
    if old.exists() and not target.exists():
        old.rename(target)
    for folder in (new, old):
        if folder.exists():
            shutil.rmtree(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One writer at a time below a folder; the lock ends with the process, however it ends."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network drives know no locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
