"""MJ characters are told apart by their selectors, shrink to all candidates, and are drawn exactly or not at all."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiban import characters
from kiban.kernel import Problem
from kiban.settings import read

FOLDER = read({"KIBAN_HOME": str(Path(__file__).parents[2] / ".kiban")}).home / "characters"
installed = pytest.mark.skipif(not (FOLDER / "moji.db").exists(), reason="moji.db is not installed")
drawn = pytest.mark.skipif(characters.glyph_font(FOLDER) is None, reason="the IPAmj font is not installed")


def test_without_the_tables_the_installed_map_answers_and_says_so() -> None:
    plain, other = characters.identify("邉邉\U000e0119")
    assert (plain.kind, plain.mj, plain.source) == ("exact", None, "jntajis")
    assert (other.kind, other.candidates[0].text) == ("unresolved", "邉")
    shrunk = characters.shrink("𠮷")
    assert shrunk.source == "jntajis"
    assert shrunk.targets == {"吉"}


@given(st.text(alphabet="邉辺髙あA\U000e0100\ufe00", max_size=8))
def test_each_character_of_a_text_is_answered_once_and_nothing_is_lost(text: str) -> None:
    assert "".join(identity.text for identity in characters.identify(text)) == text


def test_a_broken_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "moji.db").write_bytes(b"no database")
    with pytest.raises(Problem, match="moji-unreadable"):
        characters.identify("邉", tmp_path)


@installed
def test_with_the_tables_a_selector_tells_the_mj_character() -> None:
    found = characters.identify("邉邉\U000e0119邉\U000e01efあ", FOLDER)
    assert [(each.kind, each.mj) for each in found] == [
        ("exact", "MJ026190"),
        ("exact", "MJ026191"),
        ("design", None),
        ("exact", None),
    ]
    assert len(found[2].candidates) == 16
    assert found[0].source == "mojidata"


@installed
def test_shrinking_gives_every_candidate_by_its_rule() -> None:
    assert characters.shrink("邉", FOLDER).candidates == (
        ("JIS包摂規準UCS統合規則", ("邉",)),
        ("戸籍統一文字情報_親字正字", ("辺", "邊")),
    )
    assert characters.shrink("あ", FOLDER).targets == frozenset()


def test_without_a_font_there_is_a_reason_instead_of_a_picture(tmp_path: Path) -> None:
    missing = characters.glyph_svg("邉", None)
    assert missing.svg is None
    assert missing.problem is not None
    assert missing.problem.code == "glyph-font-missing"
    broken = tmp_path / "ipamjm.ttf"
    broken.write_bytes(b"no font")
    unreadable = characters.glyph_svg("邉", broken).problem
    assert unreadable is not None
    assert unreadable.code == "glyph-font-unreadable"


@drawn
def test_a_shape_is_drawn_by_selector_and_by_number_alike_and_no_other_stands_in_for_it() -> None:
    font = characters.glyph_font(FOLDER)

    def path(character: str) -> str:
        svg = characters.glyph_svg(character, font).svg
        assert svg is not None
        return ElementTree.fromstring(svg)[0].attrib["d"]

    assert path("邉\U000e0119") == path("MJ026191")
    assert path("邉") == path("MJ026190")
    assert path("邉") != path("邉\U000e0119")
    for nowhere in ("邉\U000e01ef", "MJ999999", "邉辺"):
        problem = characters.glyph_svg(nowhere, font).problem
        assert problem is not None
        assert problem.code == "glyph-missing"
