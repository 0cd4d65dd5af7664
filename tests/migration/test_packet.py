"""The sign-off packet says the same on the page and on paper, and the same bytes each time."""

import re
from dataclasses import replace
from datetime import date

import pytest

from kiban.migration import packet
from kiban.migration.packet import Chart, Glyph, Packet, Section, Table

DAY = date(2026, 10, 1)


@pytest.fixture(scope="module")
def sample() -> Packet:
    received = Section(
        "入ってきたもの",
        "good",
        ["3つのファイルを受け取りました。"],
        [Table("件数", ("ファイル", "件数", "備考"), [(f"F{n}", 1234 + n, None) for n in range(40)])],
        [Chart("区ごとの人数", "人", ["東灘区", "灘区"], [("旧帳票", [10, 20]), ("新", [10, 21])])],
    )
    glyphs = Section("文字", "open", ["変わる文字"], glyphs=[Glyph("JUKI 80A1", "髙", None, "設計差　12人")])
    return Packet("試験市 <住民記録>", [("市", "試験市")], [received, glyphs], ["市民局長"])


def test_the_verdict_is_the_worst_of_all_sections(sample: Packet) -> None:
    assert sample.verdict == "open"
    worse = replace(sample, sections=[*sample.sections, Section("差", "bad", [])])
    assert worse.verdict == "bad"
    assert replace(sample, sections=[]).verdict == "none"


def test_the_page_is_whole_and_shows_every_figure(sample: Packet) -> None:
    page = packet.to_html(sample)
    assert "試験市 &lt;住民記録&gt;" in page and "<住民記録>" not in page
    assert "1,234" in page and "－" in page and "ほか16行" in page
    assert sample.digest in page
    assert "灘区 旧帳票20人 新21人" in page  # a chart is told in words too
    assert not re.search(r'(?:src|href)="(?!#)', page)  # nothing is loaded from anywhere


def test_the_same_content_gives_the_same_page_and_the_same_paper(sample: Packet) -> None:
    assert packet.to_html(sample) == packet.to_html(sample)
    paper = packet.to_pdf(sample, DAY)
    assert paper == packet.to_pdf(sample, DAY)
    assert paper.startswith(b"%PDF-")


def test_a_character_that_the_letters_of_the_paper_lack_is_printed_as_its_code(sample: Packet) -> None:
    glyphs = [
        Glyph("JUKI 80A2", "吳", None, "同じ字形　3人"),
        Glyph("JUKI 80A3", "葛\U000e0102", None, "設計差　1人"),
    ]
    rare = replace(sample, title="吳市", sections=[Section("文字", "good", ["吳の字"], glyphs=glyphs)])
    assert packet.to_pdf(rare, DAY).startswith(b"%PDF-")
    assert 0x5433 not in packet.charts.known_letters() and ord("呉") in packet.charts.known_letters()


def test_the_time_it_took_is_shown_and_is_no_part_of_the_content(sample: Packet) -> None:
    timed = replace(sample, time=Section("かかった時間", "good", ["全工程で12分でした。"]))
    assert timed.digest == sample.digest and timed.as_json() == sample.as_json()
    assert "全工程で12分でした。" in packet.to_html(timed)
    assert packet.to_pdf(timed, DAY) != packet.to_pdf(sample, DAY)
    assert Packet.from_json(timed.as_json()).as_json() == sample.as_json()


def test_another_figure_gives_another_digest(sample: Packet) -> None:
    other = replace(sample, facts=[("市", "別の市")])
    assert other.digest != sample.digest


def test_a_chart_says_its_labels_as_outlines_so_that_no_font_is_needed(sample: Packet) -> None:
    svg = packet.charts.to_svg(sample.sections[0].charts[0])
    assert "<text" not in svg and "<path" in svg
