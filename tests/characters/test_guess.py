"""The code page of a sample is found where its bytes tell, and where they do not, that is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kiban import characters
from kiban.cli import main
from kiban.kernel import Problem

KANA = ("ｻﾄｳ ﾊﾅｺ", "ｽｽﾞｷ ﾀﾛｳ", "ﾀｶﾊｼ ｼﾞﾛｳ", "ﾀﾅｶ ｹﾝ")
KANJI = ("佐藤　花子", "鈴木　太郎", "高橋　次郎", "田中　健")
FIELDS = (characters.FieldAt(0, 20, "single"), characters.FieldAt(20, 20, "double"))


def sample(page_name: str, kanji: tuple[str, ...] = KANJI) -> list[bytes]:
    page = characters.code_page(page_name)
    records = []
    for reading, name in zip(KANA, kanji, strict=True):
        single = page.encode(reading).data
        double = page.encode(name, start="single" if page.leads else "double").data
        assert single is not None
        assert double is not None
        pad = page.pad("double")
        records.append(single.ljust(20, page.pad("single")) + double + pad * ((20 - len(double)) // 2))
    return records


@pytest.mark.parametrize("page", ["ibm930", "ibm939", "cp932"])
def test_the_page_is_among_the_likeliest(page: str) -> None:
    best = characters.guess(sample(page), FIELDS)[0]
    assert page in (best.page, *best.same_as)
    assert best.read == 1.0


def test_kana_tells_the_ibm_pages_apart() -> None:
    found = {each.page: each for each in characters.guess(sample("ibm930"), FIELDS, ["ibm930", "ibm939"])}
    assert found["ibm930"].kana == 1.0
    assert found["ibm939"].kana == 0.0
    assert characters.told_apart(characters.guess(sample("ibm939"), FIELDS, ["ibm930", "ibm939"]))


def test_the_generations_of_keis_are_never_told_apart_by_names_that_are_names_in_both() -> None:
    pages = ["keis78", "keis83"]
    alike = characters.guess(sample("keis83"), FIELDS, pages)
    assert not characters.told_apart(alike)
    assert alike[0].same_as == ("keis83",)
    for names in (("桧山　花子", "桧垣　太郎"), ("檜山　花子", "檜垣　太郎")):
        for page in pages:
            found = characters.guess(sample(page, (*names, *KANJI[2:])), FIELDS, pages)
            assert not characters.told_apart(found)
            assert (found[0].swapped, found[0].swapped_fields) == (2, ((FIELDS[1], 2),))


def test_a_difference_below_the_margin_tells_nothing() -> None:
    best = characters.Guess("ibm930", 0.99, 1, 1, None, 0.97)
    assert not characters.told_apart((best, characters.Guess("ibm939", 0.98, 1, 1, None, 0.94)))
    assert characters.told_apart((best, characters.Guess("ibm939", 0.9, 1, 1, None, 0.7)))


def test_jef_and_keis_cannot_be_told_apart_by_what_they_share() -> None:
    found = characters.guess(sample("jef"), FIELDS, ["jef", "keis78", "keis83"])
    assert not characters.told_apart(found)


def test_shift_codes_tell_jef_from_keis() -> None:
    page = characters.code_page("jef")
    records = [page.encode(name).data or b"" for name in KANJI]
    width = max(map(len, records))
    filled = [record.ljust(width, b"\x40") for record in records]
    found = characters.guess(filled, [characters.FieldAt(0, width, "mixed")], ["jef", "keis83"])
    assert found[0].page == "jef"
    assert characters.told_apart(found)


def test_an_empty_sample_and_a_field_outside_are_refused() -> None:
    with pytest.raises(Problem, match="guess-nothing"):
        characters.guess([b"\x40" * 40], FIELDS)
    with pytest.raises(Problem, match="guess-field"):
        characters.guess([b"\x40" * 39], FIELDS)


def test_the_command_shows_why_and_says_what_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unload"
    file.write_bytes(b"".join(sample("keis83")))
    command = ["characters", "guess", str(file), "--record-length", "40", "--field", "20:20:double"]
    with pytest.raises(SystemExit) as end:
        main(command)
    assert not end.value.code
    out = capsys.readouterr().out
    assert "この標本では区別できない" in out
    with pytest.raises(SystemExit):
        main([*command, "--json"])
    assert json.loads(capsys.readouterr().out)["told_apart"] is False
    with pytest.raises(SystemExit) as end:
        main([*command[:-1], "20:21:double"])
    assert end.value.code == 1
    assert "guess-field" in capsys.readouterr().err


def test_the_command_names_the_fields_by_which_a_person_confirms_the_generation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unload"
    file.write_bytes(b"".join(sample("keis78", ("桧山　花子", "桧垣　太郎", *KANJI[2:]))))
    with pytest.raises(SystemExit):
        main(["characters", "guess", str(file), "--record-length", "40", "--field", "20:20:double"])
    out = "".join(capsys.readouterr().out.split())
    assert "20:20:double(2件)" in out
    assert "人が世代を確認すること" in out
    assert "最も確からしいもの" not in out
