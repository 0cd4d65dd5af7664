"""A file of text in a legacy code page becomes one in UTF-8: all of it, or nothing and a ledger of what could not be read."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kiban.characters.codepages import CodePage, Decoded, StreamDecoder
from kiban.kernel import Problem

PIECE = 1 << 20
LEDGER_COLUMNS = ("file", "offset", "raw", "code")
"""A line for each place that cannot be read: byte from 0, the bytes there in hex, why; a shift that nothing closed stands last."""


@dataclass(frozen=True)
class TextFile:
    """What was written: bytes read, characters written, and codes of the city's own (gaiji) among them."""

    size: int
    characters: int
    own: int


def decode_text(
    source: Path,
    page: CodePage,
    to: Path,
    ledger: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TextFile:
    """Read a text file, or another stream without records, in pieces of bounded memory.

    Args:
        source: of bytes.
        page: how it is written; `with_line_ends` for lines.
        to: gets the text in UTF-8 only where every byte could be read; what is there stays otherwise.
        ledger: gets a CSV of `LEDGER_COLUMNS`, its heads alone where nothing is at fault.
        progress: told bytes done and all.

    Raises:
        Problem: `text-undecoded` where a byte could not be read: the ledger says which; `text-file` where a file cannot be read or
            written.
    """
    making, listing = (path.with_name(f".{path.name}.making") for path in (to, ledger))
    try:
        read, faults = _written(source, page, making, listing, progress)
        listing.replace(ledger)
        if not faults:
            making.replace(to)
    except OSError as error:
        raise Problem(
            "text-file",
            f"a file cannot be read or written ({error.strerror})",
            str(error.filename or source),
            "name a file that can be read, and places where you may write",
        ) from error
    finally:
        for path in (making, listing):
            path.unlink(missing_ok=True)
    if faults:
        raise Problem(
            "text-undecoded",
            f"{faults:,} places cannot be read as {page.name}; nothing was written",
            str(source),
            f"see {ledger}; name another page, the maker's table or the city's chart",
        )
    return read


def _written(
    source: Path, page: CodePage, making: Path, listing: Path, progress: Callable[[int, int], None]
) -> tuple[TextFile, int]:
    """Write both files beside their places; also how many places are at fault."""
    total = source.stat().st_size
    characters = own = faults = done = 0
    with (
        source.open("rb") as data,
        making.open("w", encoding="utf-8", newline="") as text,
        listing.open("w", encoding="utf-8", newline="") as lines,
    ):
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(LEDGER_COLUMNS)
        for size, part in _parts(page, iter(lambda: data.read(PIECE), b"")):
            for fault in part.faults:
                writer.writerow((source.name, fault.offset, fault.raw.hex().upper(), fault.code))
            text.write(part.text or "")
            characters += len(part.text or "")
            own, faults, done = own + len(part.own), faults + len(part.faults), done + size
            if size:
                progress(done, total)
    return TextFile(done, characters, own), faults


def _parts(page: CodePage, pieces: Iterator[bytes]) -> Iterator[tuple[int, Decoded]]:
    decoder = StreamDecoder(page)
    for piece in pieces:
        yield len(piece), decoder.feed(piece)
    yield 0, decoder.finish()
