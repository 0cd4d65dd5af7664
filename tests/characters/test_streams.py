"""A stream read or written piece by piece is what it is as a whole, whatever the cuts; a fault keeps its place in the stream."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import characters
from kiban.characters import CodePage, Decoded, Encoded, StreamDecoder, StreamEncoder
from kiban.cli import main

PAGES = [name for name in characters.CODE_PAGES if name != "jipse"]


def page_of(name: str) -> CodePage:
    """A page with a decided character of the city's own, where it has room for one."""
    areas = characters.code_page(name).user_areas
    return characters.code_page(name, gaiji={areas[0][0]: "辻\U000e0102"} if areas else None)


PAGE = {name: page_of(name) for name in PAGES}


def pieces(length: int, cuts: Sequence[int]) -> list[slice]:
    places = [0, *sorted(cut % (length + 1) for cut in cuts), length]
    return [slice(*ends) for ends in pairwise(places)]


def together(parts: Sequence[Decoded]) -> Decoded:
    faults = sorted((one for part in parts for one in part.faults), key=lambda one: (one.offset, one.code))
    text = None if faults else "".join(part.text or "" for part in parts)
    return Decoded(text, tuple(faults), tuple(one for part in parts for one in part.own))


def streams(page: CodePage) -> st.SearchStrategy[bytes]:
    """Codes of the page, its shift codes, cut ones and bytes of any kind."""
    codes = [code.to_bytes(2, "big") for code in (*sorted(page.double)[::97], *page.gaiji)]
    codes += [bytes((code,)) for code in page.single]
    for first, last in page.user_areas:
        codes += [first.to_bytes(2, "big"), last.to_bytes(2, "big")]
    shifts = [*page.to_double, *page.to_single]
    some = st.sampled_from(codes) | st.binary(min_size=1, max_size=3)
    if shifts:
        some |= st.sampled_from([*shifts, *(shift[:1] for shift in shifts)])
    return st.lists(some, max_size=30).map(b"".join)


cuts = st.lists(st.integers(0, 200), max_size=8)


@pytest.mark.parametrize("start", ["single", "double"])
@pytest.mark.parametrize("name", PAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_stream_reads_as_the_whole_does_whatever_the_cuts(
    name: str, start: str, data: st.DataObject
) -> None:
    page = PAGE[name]
    whole = data.draw(streams(page))
    decoder = StreamDecoder(page, start=start)  # type: ignore[arg-type]
    found = [decoder.feed(whole[piece]) for piece in pieces(len(whole), data.draw(cuts))]
    assert together([*found, decoder.finish()]) == page.decode(whole, start=start)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", ["single", "double"])
@pytest.mark.parametrize("name", PAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_stream_is_written_as_the_whole_is_whatever_the_cuts(
    name: str, start: str, data: st.DataObject
) -> None:
    page = PAGE[name]
    units = [*sorted(page.single_codes)[::7], *sorted(page.double_codes)[::97], "辻\U000e0102"]
    some = st.sampled_from([*units, "\U000e0102", "\ufffd", "𠮷"]) | st.sampled_from(units)
    whole = data.draw(st.lists(some, max_size=30).map("".join))
    encoder = StreamEncoder(page, start=start)  # type: ignore[arg-type]
    made = [encoder.feed(whole[piece]) for piece in pieces(len(whole), data.draw(cuts))]
    made.append(encoder.finish())
    faults = tuple(fault for part in made for fault in part.faults)
    written = None if faults else b"".join(part.data or b"" for part in made)
    assert Encoded(written, faults) == page.encode(whole, start=start)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PAGES)
def test_a_stream_cut_after_every_byte_reads_the_same(name: str) -> None:
    page = PAGE[name]
    whole = page.encode("A田中B太郎C辻\U000e0102" if page.gaiji else "A田中B太郎C").data or b""
    decoder = StreamDecoder(page)
    parts = [decoder.feed(whole[place : place + 1]) for place in range(len(whole))]
    assert together([*parts, decoder.finish()]) == page.decode(whole)


def test_a_fault_far_into_a_stream_has_its_offset_there_and_its_bytes() -> None:
    decoder = StreamDecoder(PAGE["jef"])
    good = PAGE["jef"].encode("田中太郎").data or b""
    seen = 0
    for _ in range(1_000):
        assert decoder.feed(good).faults == ()
        seen += len(good)
    made = decoder.feed(bytes.fromhex("28 C5C4 FFFF 29"))
    assert made.text is None
    assert [(fault.offset, fault.raw, fault.code) for fault in made.faults] == [
        (seen + 3, b"\xff\xff", "code-unmapped")
    ]


def test_a_shift_that_nothing_closes_is_told_where_it_stands() -> None:
    decoder = StreamDecoder(PAGE["keis83"])
    decoder.feed(b"\xc1\x0a")
    decoder.feed(b"\x42\xc5\xc4")
    [fault] = decoder.finish().faults
    assert (fault.offset, fault.raw, fault.code) == (1, b"\x0a", "shift-unbalanced")


def test_lines_of_a_text_file_are_read_and_written_with_their_ends() -> None:
    for name, data in (("jef", b"\xc1\x15\xc2\x15"), ("cp932", b"A\nB\n"), ("cp932", b"A\r\nB\r\n")):
        page = characters.with_line_ends(PAGE[name])
        text = page.decode(data).text
        assert (text or "").replace("\r", "") == "A\nB\n"
        assert page.encode(text or "").data == data
        assert PAGE[name].decode(data).text is None


def decode(folder: Path, data: bytes, *more: str) -> int:
    (folder / "memo").write_bytes(data)
    out = ["--out", str(folder / "memo.txt"), "--ledger", str(folder / "ledger.csv")]
    with pytest.raises(SystemExit) as end:
        main(["characters", "decode", str(folder / "memo"), "--page", "jef", *out, *more])
    return int(end.value.code or 0)


def test_a_text_file_is_written_in_utf8_where_all_of_it_can_be_read(tmp_path: Path) -> None:
    line = bytes.fromhex("81 28 C5C4 C3E6 29 15")
    assert decode(tmp_path, line * 300_000) == 0  # more than one piece
    assert (tmp_path / "memo.txt").read_text("utf-8") == "ｱ田中\n" * 300_000
    assert (tmp_path / "ledger.csv").read_text("utf-8") == "file,offset,raw,code\n"


def test_where_one_byte_cannot_be_read_no_text_is_written_and_the_ledger_has_every_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = bytes.fromhex("81 28 C5C4 C3E6 29 15")
    (tmp_path / "memo.txt").write_text("before", "utf-8")
    assert decode(tmp_path, line * 200_000 + bytes.fromhex("28 80A1 FFFF C5C4")) == 1
    assert "[text-undecoded]" in capsys.readouterr().err
    assert (tmp_path / "memo.txt").read_text("utf-8") == "before"
    end = 200_000 * len(line)
    assert (tmp_path / "ledger.csv").read_text("utf-8").splitlines()[1:] == [
        f"memo,{end + 1},80A1,gaiji-undecided",
        f"memo,{end + 3},FFFF,code-unmapped",
        f"memo,{end},28,shift-unbalanced",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger.csv", "memo", "memo.txt"]


def test_only_characters_that_two_people_decided_on_become_text(tmp_path: Path) -> None:
    chart, decisions = tmp_path / "chart.csv", tmp_path / "decisions.csv"
    chart.write_text("system,code,unicode,mj,note\njef,80A1,8FBB E0102,,\n", "utf-8")
    data = bytes.fromhex("28 80A1 29")
    assert decode(tmp_path, data, "--chart", str(chart)) == 1
    decisions.write_text(
        "system,code,unicode,class,decided_by_1,decided_on_1,decided_by_2,decided_on_2,reason\n"
        "jef,80A1,8FBB E0102,exact,甲,2026-10-01,乙,2026-10-02,\n",
        "utf-8",
    )
    assert decode(tmp_path, data, "--chart", str(chart), "--chart", str(decisions)) == 0
    assert (tmp_path / "memo.txt").read_text("utf-8") == "辻\U000e0102"


def test_a_place_where_nothing_can_be_written_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "memo.txt").mkdir()
    assert decode(tmp_path, b"\x81") == 1
    assert "[text-file]" in capsys.readouterr().err
