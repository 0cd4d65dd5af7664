"""What the mainframes of a city hand over is read back as the city it was written from, by a reader that shares nothing with the writer."""

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban import characters, town
from kiban.migration import records

ALTERNATIVES = {
    "JUKI": {"JK-NIHONJIN": ("JK-JUMIN-SHUBETSU", ["1"]), "JK-GAIKOKUJIN": ("JK-JUMIN-SHUBETSU", ["2"])},
    "ZEI": {
        f"ZE-{name}": ("ZE-CHOSHU-HOHO", [value])
        for name, value in {"FUTSU": "01", "TOKU": "02", "NENKIN": "03", "NASHI": " "}.items()
    },
}
PREFIXES = {"JUKI": "JK", "SETAI": "SE", "SHIEN": "SH", "ZEI": "ZE"}
FIXED = ("JUKI1", "JUKI2", "JUKI3", "SETAI", "ZEI1", "ZEI2", "ZEI3")
AMOUNTS = {
    "ZE-KYUYO-SHUNYU": "kyuyoshunyu",
    "ZE-KOJO-KEI": "shotokukojogokei",
    "ZE-HYOJUN": "kazeihyojungaku",
    "ZE-SHI-SHOTOKU": "shiminzei_shotokuwari",
    "ZE-KEN-SHOTOKU": "kenminzei_shotokuwari",
    "ZE-SHINRIN": "shinrinkankyozei",
    "ZE-NENZEI": "nenzeigaku",
    "ZE-KI-GAKU(1)": "kibetsuzeigaku_1ki",
    "ZE-KI-GAKU(4)": "kibetsuzeigaku_4ki",
    "ZE-TOKU-GATSU6": "tokubetsuchoshuzeigaku_6gatsu",
    "ZE-TOKU-IKO": "tokubetsuchoshuzeigaku_7gatsuiko",
    "ZE-NK-SHOKAI": "nenkintokubetsuchoshuzeigaku_shokai",
    "ZE-NK-IKO": "nenkintokubetsuchoshuzeigaku_2kaiiko",
}
ZEI, NAME, KANA = 302, characters.FieldAt(22, 64, "double"), characters.FieldAt(86, 48, "single")
"""Record length of the tax ledger, and where its names lie, counted by hand."""
SEEN_IN_DECODING = {kind.name for kind in town.FAULT_KINDS if kind.notice == "decode"}


def kinds(prefix: str) -> dict[str, tuple[str, list[str]]]:
    field = f"{prefix}-REC-KUBUN"
    return {f"{prefix}-{name}": (field, [name[0]]) for name in ("HEADER", "DATA", "TRAILER")}


def source(folder: Path, name: str) -> records.Source:
    book = name.rstrip("123")
    prefix = PREFIXES[book]
    text = (folder / f"project/copybooks/{book}.cpy").read_text("utf-8")
    reading = records.Reading(
        modes={"JUKI": {"JK-KATAGAKI": "mixed"}, "SETAI": {"SE-KATAGAKI": "mixed"}}.get(book, {}),  # type: ignore[arg-type]
        when={} if book == "SHIEN" else kinds(prefix) | ALTERNATIVES.get(book, {}),
    )
    chart = characters.Chart.load(folder / "project/characters", unsigned=True)
    system, called = ("keis", "keis83") if book == "ZEI" else ("jef", "jef")
    page = characters.code_page(called, gaiji=chart.gaiji(system))
    framing: records.Framing = "rdw" if book == "SHIEN" else "fixed"
    copybook = records.parse_copybook(text, f"{book}.cpy")
    return records.Source(name, folder / f"unload/{name}.DAT", framing, copybook, reading, page)


def batches(folder: Path, *names: str) -> Iterator[records.Batch]:
    for name in names:
        yield from records.decode_file(source(folder, name))


def rows_of(folder: Path, segment: str, *names: str) -> pl.DataFrame:
    read = list(batches(folder, *names))
    assert sum(batch.ledger.num_rows for batch in read) == 0
    found = pl.from_arrow(pa.Table.from_batches([batch.segments[segment] for batch in read]))
    assert isinstance(found, pl.DataFrame)
    return found


def test_every_person_comes_back_as_they_were(old_city: Path, unloaded: Path) -> None:
    found = rows_of(unloaded, "JK-DATA", "JUKI1", "JUKI2", "JUKI3")
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


def test_every_tax_amount_comes_back_to_the_yen_whichever_way_it_is_collected(
    old_city: Path, unloaded: Path
) -> None:
    found = rows_of(unloaded, "ZE-DATA", "ZEI1", "ZEI2", "ZEI3")
    held = pl.read_parquet(old_city / "individual_resident_tax/kazei/*.parquet")
    keys = ["ZE-ATENA-NO", "ZE-NENDO", "ZE-RIREKI-NO"]
    wanted = held.select(
        pl.col("atenabango").cast(pl.Int64).alias(keys[0]),
        (pl.col("kazeinendo").cast(pl.Int64) - 2018 + 500).alias(keys[1]),  # 令和, the era of every year here
        pl.col("rirekibango").alias(keys[2]),
        *(pl.col(item).alias(field) for field, item in AMOUNTS.items()),
    ).sort(keys)
    assert found.select(keys + list(AMOUNTS)).sort(keys).equals(wanted)
    assert wanted.height > 3_000
    assert {*found["ZE-CHOSHU-HOHO"]} == {"01", "02", "03", None}


def test_the_trailer_of_the_tax_ledger_tells_records_and_yen(unloaded: Path) -> None:
    for name in ("ZEI1", "ZEI2", "ZEI3"):
        data, trailer = rows_of(unloaded, "ZE-DATA", name), rows_of(unloaded, "ZE-TRAILER", name)
        assert trailer["ZET-KENSU"].to_list() == [data.height]
        assert trailer["ZET-NENZEI"].to_list() == [data["ZE-NENZEI"].sum()]


def test_the_tax_ledger_has_the_names_that_the_residents_have(unloaded: Path) -> None:
    tax = rows_of(unloaded, "ZE-DATA", "ZEI1", "ZEI2", "ZEI3")
    assert other_names(unloaded, tax) == []


def test_the_wrong_generation_reads_without_a_fault_and_only_the_other_system_shows_it(
    old_city: Path, tmp_path: Path
) -> None:
    shutil.copytree(old_city, tmp_path / "town")
    renamed = give_names(tmp_path / "town", "壺井　桧", 5)
    town.unload(tmp_path / "town", tmp_path / "right", processes=1)
    town.unload(
        tmp_path / "town", tmp_path / "wrong", processes=1, generation=["ZEI1.DAT", "ZEI2.DAT", "ZEI3.DAT"]
    )
    right, wrong = (
        rows_of(tmp_path / name, "ZE-DATA", "ZEI1", "ZEI2", "ZEI3") for name in ("right", "wrong")
    )
    assert other_names(tmp_path / "right", right) == []
    assert set(other_names(tmp_path / "wrong", wrong)) >= set(renamed)  # and whoever was called so before
    read = wrong.filter(pl.col("ZE-ATENA-NO").is_in(renamed))["ZE-SHIMEI"].unique().to_list()
    assert read == ["壷井　檜"]  # no fault, and not their name
    raw = (tmp_path / "wrong/unload/ZEI1.DAT").read_bytes()
    sample = [raw[at : at + ZEI] for at in range(ZEI, len(raw) - ZEI, ZEI)]
    guesses = characters.guess(sample, [KANA, NAME], ["keis78", "keis83"])
    assert not characters.told_apart(guesses)  # the bytes cannot tell; that there are such characters is said


def give_names(city: Path, name: str, count: int) -> list[int]:
    """The first taxpayers of a part get a name that the generations of KEIS write otherwise."""
    part = sorted((city / "individual_resident_tax/kazei").glob("*.parquet"))[0].name
    taxed = pl.read_parquet(city / "individual_resident_tax/kazei" / part)["atenabango"].unique().sort()
    chosen = taxed.head(count).to_list()
    path = city / "resident/jumin" / part
    table = pq.read_table(path)
    here = pc.is_in(table["atenabango"], pa.array(chosen))
    at = table.schema.get_field_index("shimei")
    names = pc.if_else(here, name, table["shimei"])
    pq.write_table(table.set_column(at, table.schema.field(at), names), path)
    return sorted(map(int, chosen))


def other_names(folder: Path, tax: pl.DataFrame) -> list[int]:
    """Whoever has another name in the tax ledger than in the newest row of the resident register."""
    residents = rows_of(folder, "JK-DATA", "JUKI1", "JUKI2", "JUKI3").sort("JK-RIREKI-NO")
    newest = residents.group_by("JK-ATENA-NO").last().select("JK-ATENA-NO", "JK-SHIMEI")
    both = tax.join(newest, left_on="ZE-ATENA-NO", right_on="JK-ATENA-NO", how="left")
    differing = both.filter(pl.col("ZE-SHIMEI").ne_missing(pl.col("JK-SHIMEI")))
    return sorted(differing["ZE-ATENA-NO"].unique().to_list())


def test_what_was_read_is_written_again_byte_for_byte(unloaded: Path) -> None:
    for name in (*FIXED, "SHIEN"):
        read = list(batches(unloaded, name))
        rows = [pair for batch in read for pair in batch.segments.items()]
        ledger = pa.Table.from_batches([batch.ledger for batch in read])
        proof = records.prove(source(unloaded, name), rows, ledger)
        assert proof.records > (400 if name != "SHIEN" else 0)
        assert dict(proof.other) == {}
        assert (proof.unexplained, proof.missing) == (0, 0)


def test_no_byte_lies_outside_what_the_copybooks_explain(unloaded: Path) -> None:
    assert sum(batch.filled for batch in batches(unloaded, *FIXED, "SHIEN")) == 0


def test_protected_people_come_with_their_measures(old_city: Path, unloaded: Path) -> None:
    [batch] = batches(unloaded, "SHIEN")
    held = pl.read_parquet(old_city / "resident/shiensochi_taishosha/*.parquet")
    assert batch.segments["SH-TAISHO"].num_rows == held.height
    numbers = sorted(filter(None, batch.segments["SH-TAISHO"].column("SH-TS-ATENA").to_pylist()))
    assert numbers == sorted(held["atenabango"].drop_nulls().cast(pl.Int64).to_list())


def test_every_seeded_fault_of_writing_is_located_and_nothing_else_is(faulty: Path) -> None:
    with (faulty / "faults.csv").open(encoding="utf-8", newline="") as file:
        seeded = [row for row in csv.DictReader(file) if row["kind"] in SEEN_IN_DECODING]
    lines = [line for batch in batches(faulty, *FIXED, "SHIEN") for line in batch.ledger.to_pylist()]
    located = {(line["file"], line["record"], line["field"]) for line in lines}
    assert {(row["file"].removesuffix(".DAT"), int(row["record"]), row["field"]) for row in seeded} == located
    assert len(located) >= 36
    assert {row["kind"] for row in seeded} == SEEN_IN_DECODING
    raw = (faulty / "unload/JUKI1.DAT").read_bytes()
    for line in lines:
        if line["file"] == "JUKI1":  # the offset and the bytes of the ledger are those of the file
            assert raw[line["offset"] :].startswith(bytes.fromhex(line["raw"]))
