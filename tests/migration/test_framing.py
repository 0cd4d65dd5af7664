"""Variable records: their descriptor words are followed to the last byte, and the first that cannot be is named with its byte."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import characters
from kiban.kernel import Problem
from kiban.migration import records
from kiban.migration.records import framing

JEF = characters.code_page("jef")
COPYBOOK = """
01 REC.
  03 NO PIC 9(3).
  03 SU PIC 9(2).
  03 TAISHO OCCURS 0 TO 5 TIMES DEPENDING ON SU.
    05 T-NO PIC 9(2).
    05 T-NA PIC N(2).
"""
BOOK = records.parse_copybook(COPYBOOK, "TEST.cpy")
MOST = BOOK.records[0].longest


def body(number: int, names: list[str]) -> bytes:
    made = JEF.encode(f"{number:03}{len(names):02}").data or b""
    for index, name in enumerate(names):
        made += (JEF.encode(f"{index:02}").data or b"") + (JEF.encode(name, start="double").data or b"")
    return made


def word(length: int) -> bytes:
    return length.to_bytes(2, "big") + b"\0\0"


def rdw(bodies: list[bytes]) -> bytes:
    return b"".join(word(len(one) + 4) + one for one in bodies)


def vb(blocks: list[list[bytes]]) -> bytes:
    return b"".join(word(len(rdw(one)) + 4) + rdw(one) for one in blocks if one)


def source(folder: Path, data: bytes, form: records.Framing) -> records.Source:
    file = folder / f"F.{form}"
    file.write_bytes(data)
    return records.Source("F", file, form, BOOK, records.Reading(), JEF)


def rows(found: records.Source, segment: str) -> list[dict[str, object]]:
    made = [one for batch in records.decode_file(found) for one in batch.segments[segment].to_pylist()]
    assert not any(batch.ledger.num_rows for batch in records.decode_file(found))
    return [{name: value for name, value in one.items() if name != "#offset"} for one in made]


bodies = st.lists(
    st.builds(body, st.integers(0, 999), st.lists(st.sampled_from(["田中", "中田"]), max_size=5)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(blocks=st.lists(bodies, min_size=1, max_size=5))
def test_records_in_blocks_are_those_without_blocks(
    blocks: list[list[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("framing")
    plain = source(folder, rdw([one for block in blocks for one in block]), "rdw")
    blocked = source(folder, vb(blocks), "vb")
    assert records.record_count(plain) == records.record_count(blocked) == sum(map(len, blocks))
    for segment in ("REC", "TAISHO"):
        assert rows(plain, segment) == rows(blocked, segment)


@pytest.mark.parametrize("form", ["rdw", "vb"])
def test_a_file_cut_anywhere_but_between_its_parts_is_refused(form: records.Framing, tmp_path: Path) -> None:
    parts = [[body(1, ["田中"]), body(2, [])], [body(3, ["田中", "中田"])]]
    whole = rdw([one for block in parts for one in block]) if form == "rdw" else vb(parts)
    ends = {0, len(whole)}
    ends |= (
        {len(rdw([*parts[0], *parts[1]][:count])) for count in (1, 2)}
        if form == "rdw"
        else {len(vb(parts[:1]))}
    )
    for size in range(len(whole)):
        found = source(tmp_path, whole[:size], form)
        if size in ends:
            assert records.record_count(found) < 3
            continue
        with pytest.raises(Problem) as caught:
            records.record_count(found)
        assert caught.value.code in {"record-descriptor", "block-descriptor"}


@pytest.mark.parametrize("form", ["rdw", "vb"])
def test_a_broken_byte_in_any_descriptor_word_is_named_with_its_word(
    form: records.Framing, tmp_path: Path
) -> None:
    one, other = body(1, ["田中"]), body(2, ["田中"])
    whole = rdw([one, other]) if form == "rdw" else vb([[one], [other]])
    step = len(one) + (4 if form == "rdw" else 8)
    words = [0, step] if form == "rdw" else [0, 4, step, step + 4]
    for at in words:
        for place in range(4):
            data = bytearray(whole)
            data[at + place] = 0xFF
            with pytest.raises(Problem) as caught:
                records.record_count(source(tmp_path, bytes(data), form))
            assert caught.value.code in {"record-descriptor", "block-descriptor"}
            assert caught.value.where == f"F byte {at}"


@pytest.mark.parametrize("blocks", [[[body(1, ["田中"]), body(2, [])]], [[body(1, [])], [body(2, [])]]])
def test_a_file_of_blocks_said_to_have_none_is_refused_and_the_fix_says_so(
    blocks: list[list[bytes]], tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        records.record_count(source(tmp_path, vb(blocks), "rdw"))
    assert "records: vb" in (caught.value.fix or "")
    with pytest.raises(Problem) as caught:
        records.record_count(source(tmp_path, rdw([one for block in blocks for one in block]), "vb"))
    assert caught.value.code in {"block-descriptor", "record-descriptor"}


def test_a_record_in_several_blocks_is_refused(tmp_path: Path) -> None:
    data = bytearray(vb([[body(1, [])]]))
    data[6] = 1  # the first segment of a spanned record
    with pytest.raises(Problem, match="several blocks") as caught:
        records.record_count(source(tmp_path, bytes(data), "vb"))
    assert caught.value.where == "F byte 4"


def test_a_block_may_say_its_length_in_four_bytes(tmp_path: Path) -> None:
    inner = rdw([body(1, ["田中"]), body(2, [])])
    data = (0x80000000 | len(inner) + 4).to_bytes(4, "big") + inner
    assert records.record_count(source(tmp_path, data, "vb")) == 2


def test_a_fault_behind_good_records_is_told_even_if_a_later_block_is_broken_too(tmp_path: Path) -> None:
    good, bad = vb([[body(1, [])]]), bytearray(vb([[body(2, [])]]))
    bad[4:6] = b"\0\0"
    with pytest.raises(Problem) as caught:
        records.record_count(source(tmp_path, good + bytes(bad) + b"\xff" * 9, "vb"))
    assert caught.value.where == f"F byte {len(good) + 4}"


def test_many_records_are_numbered_through_all_runs(tmp_path: Path) -> None:
    count = 2 * framing.RUN + 7
    found = source(tmp_path, rdw([body(7, [])]) * count, "rdw")
    numbers = np.concatenate(
        [batch.segments["REC"].column("#record").to_numpy() for batch in records.decode_file(found)]
    )
    assert (numbers == np.arange(count) + 1).all()
    part = list(records.decode_file(found, framing.RUN - 2, framing.RUN + 2))
    assert [one for batch in part for one in batch.segments["REC"].column("#record").to_pylist()] == [
        framing.RUN + offset for offset in (-1, 0, 1, 2)
    ]


@pytest.mark.parametrize("form", ["rdw", "vb"])
def test_what_was_read_of_variable_files_is_written_again(form: records.Framing, tmp_path: Path) -> None:
    parts = [[body(1, ["田中"]), body(2, [])], [body(3, ["田中", "中田"])]]
    data = rdw([one for block in parts for one in block]) if form == "rdw" else vb(parts)
    found = source(tmp_path, data, form)
    read = list(records.decode_file(found))
    pieces = [pair for batch in read for pair in batch.segments.items()]
    proof = records.prove(found, pieces, pa.Table.from_batches([batch.ledger for batch in read]))
    assert (proof.records, proof.unexplained, proof.missing, dict(proof.other)) == (3, 0, 0, {})
    assert proof.fields == 3 * 2 + 3 * 2
