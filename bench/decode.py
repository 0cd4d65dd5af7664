"""Decode 280-byte JEF records: blocks on two processes beside a plain decoder, field by field, of the same file."""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from bench import measure
from kiban import characters
from kiban.migration import records

COPYBOOK = """
01 REC.
  03 SHIMEI PIC N(20).
  03 JUSHO PIC N(20).
  03 KANA PIC X(25).
  03 GAKU PIC S9(9) COMP-3 OCCURS 6 TIMES.
  03 NO PIC 9(10) OCCURS 5 TIMES.
  03 FILLER PIC X(95).
"""
_PLAIN = 20_000
_BLOCK = 100_000


def _source(path: Path) -> records.Source:
    copybook = records.parse_copybook(COPYBOOK, "bench")
    page = characters.code_page("jef")
    return records.Source("BENCH", path, "fixed", copybook, records.Reading(), page)


def _write(path: Path, count: int) -> None:
    """Records with names of 2 to 20 characters, kana, amounts and numbers; the same for the same count."""
    drawn = np.random.default_rng(1)
    codes = np.array([code for code in characters.code_page("jef").double if 0xB0A1 <= code < 0xD000], ">u2")
    with path.open("wb") as file:
        for begin in range(0, count, _BLOCK):
            rows = min(_BLOCK, count - begin)
            texts = codes[drawn.integers(0, len(codes), (rows, 2, 20))]
            texts[np.arange(20) >= drawn.integers(2, 21, (rows, 2, 1))] = 0x4040
            kana = drawn.integers(0x81, 0x8A, (rows, 25), np.uint8)
            kana[np.arange(25) >= drawn.integers(3, 26, (rows, 1))] = 0x40
            digits = drawn.integers(0, 10, (rows, 6, 10), np.uint8)
            digits[:, :, 9] = 0xC
            packed = digits[:, :, 0::2] << 4 | digits[:, :, 1::2]
            zoned = drawn.integers(0xF0, 0xFA, (rows, 50), np.uint8)
            parts = [
                texts.view(np.uint8).reshape(rows, 80),
                kana,
                packed.reshape(rows, 30),
                zoned,
                np.full((rows, 95), 0x40, np.uint8),
            ]
            file.write(np.concatenate(parts, axis=1).tobytes())


def _blocks(path: Path, first: int, stop: int) -> tuple[int, int]:
    """Rows and ledger lines of a range."""
    rows = lines = 0
    for batch in records.decode_file(_source(path), first, stop):
        rows += batch.segments["REC"].num_rows
        lines += batch.ledger.num_rows
    return rows, lines


def _plain(path: Path, count: int) -> int:
    """What a decoder without blocks does: every field of every record on its own."""
    source = _source(path)
    [record] = source.copybook.records
    done = 0
    with path.open("rb") as file:
        for _ in range(count):
            data = file.read(record.length)
            values: list[object] = []
            for field in record.fields:
                raw = data[field.offset : field.offset + field.length]
                if field.kind == "national":
                    values.append(source.page.decode(raw, start="double").text)
                elif field.kind == "text":
                    values.append(source.page.decode(raw).text)
                elif field.kind == "packed":
                    digits = raw.hex()
                    values.append(-int(digits[:-1]) if digits[-1] == "d" else int(digits[:-1]))
                elif field.kind == "zoned":
                    values.append(int(bytes(byte & 15 | 0x30 for byte in raw)))
            done += len(values) > 0
    return done


def run(residents: int) -> None:
    with tempfile.TemporaryDirectory(prefix="kiban-decode-") as name:
        path = Path(name) / "BENCH.DAT"
        _write(path, residents)
        plain = min(_PLAIN, residents)
        started = time.perf_counter()
        _plain(path, plain)
        alone = plain / (time.perf_counter() - started)
        middle = residents // 2
        with measure.watched() as work, ProcessPoolExecutor(2) as pool:
            halves = [pool.submit(_blocks, path, *ends) for ends in ((0, middle), (middle, residents))]
            found = [half.result() for half in halves]
        assert (sum(rows for rows, _ in found), sum(lines for _, lines in found)) == (residents, 0)
        together = residents / work.seconds
        measure.result(
            f"decode {residents:,} JEF records of 280 bytes, 2 processes",
            together,
            "records/s",
            at_least=200_000,
        )
        measure.result("decode, plain Python, 1 process", alone, "records/s")
        measure.result(
            "decode, blocks as a multiple of plain on as many cores", together / (2 * alone), "times"
        )
        measure.result("decode, memory", work.peak_mib, "MiB", at_most=4096)
