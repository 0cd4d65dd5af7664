"""Writing an edition folder, whole or not at all."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
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
    """Fill a folder beside the target, then put it in the target's place in one step.

    Raises:
        Problem: as `check_target`, and `target-not-writable`.
    """
    check_target(target, replace=replace)
    beside = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        beside.chmod(0o777 & ~_umask())
        fill(beside)
        if target.exists():
            old = beside.with_name(beside.name + "-old")
            target.rename(old)
            beside.rename(target)
            shutil.rmtree(old)
        else:
            beside.rename(target)
    except OSError as error:
        raise Problem(
            "target-not-writable",
            f"the target cannot be written ({error.strerror})",
            str(target),
            "check the permissions and the free space of the disk",
        ) from error
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
