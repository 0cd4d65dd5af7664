"""The .xlsx file itself: a zip archive of a certain shape."""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from kiban.kernel import Problem

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_BORDER = re.compile(rb"<((?:\w+:)?)border(?:\s[^>/]*)?(?:/>|>.*?</\1border>)", re.DOTALL)
_NO_BORDER = rb"<\1border><\1left/><\1right/><\1top/><\1bottom/></\1border>"
_MOST_BYTES = 1 << 29  # unpacked; an item list has a few megabytes, a zip bomb has more


def check_container(data: bytes, name: str) -> tuple[tuple[str, str], ...]:
    """Refuse what is no sound .xlsx file, before anything of it is read.

    Returns:
        Text inside text boxes and shapes, with the part of the file that holds it.

    Raises:
        Problem: `workbook-empty`, `workbook-encrypted`, `workbook-old-format`, `workbook-not-xlsx`,
            `workbook-too-large` or `workbook-damaged`.
    """
    _check_kind(data, name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive, name)
            return tuple(_drawn_texts(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise Problem(
            "workbook-damaged", "the workbook is cut off or damaged", name, "fetch the file again"
        ) from error


def _check_kind(data: bytes, name: str) -> None:
    if not data:
        raise Problem("workbook-empty", "the file is empty", name, "fetch it again")
    if data.startswith(_OLD_EXCEL):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Problem(
                "workbook-encrypted",
                "the workbook is protected by a password",
                name,
                "open it in Excel and save it without a password",
            )
        raise Problem(
            "workbook-old-format",
            "the file is an Excel 97-2003 workbook (.xls)",
            name,
            "open it in Excel and save it as .xlsx",
        )
    if not data.startswith(b"PK"):
        raise Problem(
            "workbook-not-xlsx",
            "the file is not an Excel workbook (.xlsx)",
            name,
            "choose the .xlsx file of the item definition",
        )


def _check_archive(archive: zipfile.ZipFile, name: str) -> None:
    if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
        raise Problem(
            "workbook-too-large",
            "the workbook unpacks to more than 512 MiB",
            name,
            "check that it is the published file",
        )
    if "xl/workbook.xml" not in archive.namelist():
        raise Problem(
            "workbook-not-xlsx",
            "the file is a zip archive but no Excel workbook",
            name,
            "choose the .xlsx file of the item definition",
        )
    broken = archive.testzip()
    if broken is not None:
        raise Problem(
            "workbook-damaged",
            f"the part {broken} of the workbook is damaged",
            name,
            "fetch the file again",
        )


def without_borders(data: bytes) -> bytes:
    """The same workbook with plain borders.

    The reader copies the border of a merged range to each of its cells, which takes most of the time of a workbook
    that is laid out with merged cells; nobody here looks at borders.
    """
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(plain, "w") as new:
        for name in dict.fromkeys(old.namelist()):
            content = old.read(name)
            new.writestr(name, _BORDER.sub(_NO_BORDER, content) if name == "xl/styles.xml" else content)
    return plain.getvalue()


def _drawn_texts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    for part in archive.namelist():
        if re.fullmatch(r"xl/drawings/drawing[0-9]+\.xml", part):
            xml = archive.read(part).decode("utf-8", errors="replace")
            for shape in re.findall(r"<(?:\w+:)?txBody>.*?</(?:\w+:)?txBody>", xml, re.DOTALL):
                text = "".join(re.findall(r"<a:t>([^<]*)</a:t>", shape))
                if text.strip():
                    yield part, html.unescape(text)
