"""A byte that means nothing, anywhere in a record of any page, is in the ledger with its place, and nothing stands for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kiban import characters
from kiban.characters import CodePage
from kiban.migration import records

PAGES = [name for name in characters.CODE_PAGES if name != "jipse"]
COPYBOOK = """
01 R.
  03 SINGLE PIC X(06).
  03 DOUBLE PIC N(04).
  03 MIXED PIC X(16).
  03 ZONED PIC 9(04).
  03 PACKED PIC S9(05) COMP-3.
  03 ROWS OCCURS 2 TIMES.
    05 CELL PIC N(02).
"""
BOOK = records.parse_copybook(COPYBOOK, "TEST.cpy")
READING = records.Reading(modes={"MIXED": "mixed"})
TEXTS = {"SINGLE", "DOUBLE", "MIXED", "CELL(1)", "CELL(2)"}


def clean(page: CodePage) -> bytes:
    digits = b"0123" if page.single_pad == 0x20 else b"\xf0\xf1\xf2\xf3"
    cells = [filled(page, "田中", 4, "double"), filled(page, "中田", 4, "double")]
    texts = [
        filled(page, "ABC", 6, "single"),
        filled(page, "田中太郎", 8, "double"),
        filled(page, "A田中B", 16, "mixed"),
    ]
    return b"".join([*texts, digits, bytes.fromhex("12345D"), *cells])


def filled(page: CodePage, text: str, width: int, mode: characters.Mode) -> bytes:
    data = page.encode_as(text, mode).data or b""
    pad = page.pad(mode)
    return data + pad * ((width - len(data)) // len(pad))


def senseless(page: CodePage) -> Iterator[bytes]:
    """Bytes that no character of a page is written with, alone or in a pair, and that shift nothing."""
    used = set(page.single) | {byte for code in page.double for byte in divmod(code, 256)} | page.leads
    used |= {byte for shift in (*page.to_double, *page.to_single) for byte in shift}
    for first, last in page.user_areas:
        used |= {*range(first >> 8, (last >> 8) + 1), *range(first & 0xFF, (last & 0xFF) + 1)}
    yield from (bytes((byte,)) for byte in range(1, 256) if byte not in used)


def decoded(
    folder: Path, page: CodePage, data: bytes
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    file = folder / "F.DAT"
    file.write_bytes(data)
    source = records.Source("F", file, "fixed", BOOK, READING, page)
    made = list(records.decode_file(source))
    rows = [row for batch in made for row in batch.segments["R"].to_pylist()]
    return rows, [line for batch in made for line in batch.ledger.to_pylist()]


def injected(page: CodePage) -> Iterator[tuple[int, bytes]]:
    """Every place of the record with every senseless byte, and every place of a code with codes that stand for nothing.

    In a number only bytes of which no half is a digit mean nothing: any other is the digit of another number.
    """
    [record] = BOOK.records
    numbers = {
        place
        for one in record.fields
        if one.kind in {"zoned", "packed"}
        for place in range(one.offset, one.offset + one.length)
    }
    for bad in senseless(page):
        no_digit = bad[0] >> 4 > 9 and bad[0] & 15 > 9
        yield from ((place, bad) for place in range(len(clean(page))) if no_digit or place not in numbers)
    unmapped = [code for code in range(0xA1A1, 0xFEFF) if code not in page.double and not page.is_own(code)]
    own = [first for first, _ in page.user_areas]
    codes = [code.to_bytes(2, "big") for code in (*unmapped[:3], *unmapped[-3:], *own)]
    for field in record.fields:
        if field.kind == "national":
            places = range(field.offset, field.offset + field.length, 2)
            yield from ((place, code) for code in codes for place in places)


@pytest.mark.parametrize("name", PAGES)
def test_what_means_nothing_is_in_the_ledger_wherever_it_stands(name: str, tmp_path: Path) -> None:
    page = characters.code_page(name)
    good = clean(page)
    [whole], none = decoded(tmp_path, page, good)
    assert none == []
    assert all(whole[field] is not None for field in TEXTS)
    cases = list(injected(page))
    assert len(cases) >= len(good)
    data = b"".join(good[:place] + bad + good[place + len(bad) :] for place, bad in cases)
    rows, ledger = decoded(tmp_path, page, data)
    lines: dict[object, list[dict[str, object]]] = {}
    for line in ledger:
        lines.setdefault(line["record"], []).append(line)
    [record] = BOOK.records
    for number, ((place, bad), row) in enumerate(zip(cases, rows, strict=True), 1):
        at = (number - 1) * len(good) + place
        field = next(one for one in record.fields if one.offset <= place < one.offset + one.length)
        told = lines[number]
        assert {(line["file"], line["field"]) for line in told} == {("F", field.name)}
        spans = [(int(str(line["offset"])), bytes.fromhex(str(line["raw"]))) for line in told]
        assert all(data[begin:].startswith(raw) and raw for begin, raw in spans)
        assert any(begin <= at and at + len(bad) <= begin + len(raw) for begin, raw in spans)
        assert row[field.name] is None
        others = {
            each: value for each, value in row.items() if each != field.name and not each.startswith("#")
        }
        assert others == {each: whole[each] for each in others}


def test_every_page_has_bytes_that_mean_nothing() -> None:
    assert all(b"\xff" in set(senseless(characters.code_page(name))) for name in PAGES)
