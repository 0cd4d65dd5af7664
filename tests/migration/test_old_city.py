"""What the mainframes of a city hand over is read back as the city it was written from, by a reader that shares nothing with the writer."""

import csv
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa

from kiban import characters, town
from kiban.migration import records

ALTERNATIVES = {"JK-NIHONJIN": ("JK-JUMIN-SHUBETSU", ["1"]), "JK-GAIKOKUJIN": ("JK-JUMIN-SHUBETSU", ["2"])}
SEEN_IN_DECODING = {kind.name for kind in town.FAULT_KINDS if kind.notice == "decode"}


def kinds(prefix: str) -> dict[str, tuple[str, list[str]]]:
    field = f"{prefix}-REC-KUBUN"
    return {f"{prefix}-{name}": (field, [name[0]]) for name in ("HEADER", "DATA", "TRAILER")}


def source(folder: Path, name: str) -> records.Source:
    book = name.rstrip("123")
    prefix = {"JUKI": "JK", "SETAI": "SE", "SHIEN": "SH"}[book]
    text = (folder / f"project/copybooks/{book}.cpy").read_text("utf-8")
    reading = records.Reading(
        modes={"JUKI": {"JK-KATAGAKI": "mixed"}, "SETAI": {"SE-KATAGAKI": "mixed"}}.get(book, {}),  # type: ignore[arg-type]
        when={} if book == "SHIEN" else kinds(prefix) | (ALTERNATIVES if book == "JUKI" else {}),
    )
    chart = characters.Chart.load(folder / "project/characters", unsigned=True)
    page = characters.code_page("jef", gaiji=chart.gaiji("jef"))
    framing: records.Framing = "rdw" if book == "SHIEN" else "fixed"
    copybook = records.parse_copybook(text, f"{book}.cpy")
    return records.Source(name, folder / f"unload/{name}.DAT", framing, copybook, reading, page)


def batches(folder: Path, *names: str) -> Iterator[records.Batch]:
    for name in names:
        yield from records.decode_file(source(folder, name))


def test_every_person_comes_back_as_they_were(old_city: Path, unloaded: Path) -> None:
    read = list(batches(unloaded, "JUKI1", "JUKI2", "JUKI3"))
    assert sum(batch.ledger.num_rows for batch in read) == 0
    found = pl.from_arrow(pa.Table.from_batches([batch.segments["JK-DATA"] for batch in read]))
    assert isinstance(found, pl.DataFrame)
    held = pl.read_parquet(old_city / "resident/jumin/*.parquet")
    pairs = {
        "JK-ATENA-NO": pl.col("atenabango").cast(pl.Int64),
        "JK-RIREKI-NO": pl.col("rirekibango").cast(pl.Int64),
        "JK-SETAI-NO": pl.col("setaibango").cast(pl.Int64),
        "JK-SHIMEI": pl.col("shimei"),
        "JK-SEIBETSU": pl.col("seibetsu"),
        "JK-JUHYO-CD": pl.col("juminhyokodo").cast(pl.Int64),
        "JK-BANCHI": pl.col("jusho_banchigohyoki"),
        "JK-HITTOSHA": pl.col("hittosha"),
    }
    told = found.select(pairs.keys()).sort("JK-ATENA-NO", "JK-RIREKI-NO")
    wanted = held.select(column.alias(name) for name, column in pairs.items()).sort(
        "JK-ATENA-NO", "JK-RIREKI-NO"
    )
    assert told.height == wanted.height > 1_500
    for name in pairs:
        differing = (told[name].ne_missing(wanted[name].cast(told[name].dtype))).sum()
        assert differing == 0, name


def test_what_was_read_is_written_again_byte_for_byte(unloaded: Path) -> None:
    for name in ("JUKI1", "JUKI2", "JUKI3", "SETAI", "SHIEN"):
        read = list(batches(unloaded, name))
        rows = [pair for batch in read for pair in batch.segments.items()]
        ledger = pa.Table.from_batches([batch.ledger for batch in read])
        proof = records.prove(source(unloaded, name), rows, ledger)
        assert proof.records > (400 if name != "SHIEN" else 0)
        assert dict(proof.other) == {}
        assert (proof.unexplained, proof.missing) == (0, 0)


def test_no_byte_lies_outside_what_the_copybooks_explain(unloaded: Path) -> None:
    assert sum(batch.filled for batch in batches(unloaded, "JUKI1", "JUKI2", "JUKI3", "SETAI", "SHIEN")) == 0


def test_protected_people_come_with_their_measures(old_city: Path, unloaded: Path) -> None:
    [batch] = batches(unloaded, "SHIEN")
    held = pl.read_parquet(old_city / "resident/shiensochi_taishosha/*.parquet")
    assert batch.segments["SH-TAISHO"].num_rows == held.height
    numbers = sorted(filter(None, batch.segments["SH-TAISHO"].column("SH-TS-ATENA").to_pylist()))
    assert numbers == sorted(held["atenabango"].drop_nulls().cast(pl.Int64).to_list())


def test_every_seeded_fault_of_writing_is_located_and_nothing_else_is(faulty: Path) -> None:
    with (faulty / "faults.csv").open(encoding="utf-8", newline="") as file:
        seeded = [row for row in csv.DictReader(file) if row["kind"] in SEEN_IN_DECODING]
    lines = [
        line
        for batch in batches(faulty, "JUKI1", "JUKI2", "JUKI3", "SETAI", "SHIEN")
        for line in batch.ledger.to_pylist()
    ]
    located = {(line["file"], line["record"], line["field"]) for line in lines}
    assert {(row["file"].removesuffix(".DAT"), int(row["record"]), row["field"]) for row in seeded} == located
    assert len(located) >= 36
    assert {row["kind"] for row in seeded} == SEEN_IN_DECODING
    raw = (faulty / "unload/JUKI1.DAT").read_bytes()
    for line in lines:
        if line["file"] == "JUKI1":  # the offset and the bytes of the ledger are those of the file
            assert raw[line["offset"] :].startswith(bytes.fromhex(line["raw"]))
