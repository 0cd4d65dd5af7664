"""Files that a command writes: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from kiban.kernel import Problem


def write_text(path: Path, text: str) -> None:
    """Write a text in UTF-8; a file that is there is replaced in one step.

    Args:
        path: the file. A pipe or device, such as /dev/stdout, is written to and stays what it is.
        text: all of it.

    Raises:
        Problem: `target-not-writable`.
    """
    beside = path.with_name(f".{path.name}.writing") if path.name else path
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")  # a folder refuses here, before anything is written
            return
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise Problem(
            "target-not-writable",
            f"the file cannot be written ({error.strerror})",
            str(path),
            "name a file in a folder that is there and that you may write to",
        ) from error
