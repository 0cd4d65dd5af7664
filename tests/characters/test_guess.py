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


def run(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main(["characters", "guess", *command])
    assert not end.value.code
    return "".join(capsys.readouterr().out.split())


def test_the_output_says_that_the_score_is_no_probability_and_how_it_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unload"
    file.write_bytes(b"".join(sample("keis83")))
    command = [str(file), "--record-length", "40", "--field", "20:20:double"]
    out = run(command, capsys)
    assert "確率ではない" in out
    assert "解読" in out
    told = json.loads(run([*command, "--json"], capsys))
    assert "noprobability" in told["score"]


def test_it_is_said_whether_the_sample_holds_letters_that_differ_between_generations(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unload"
    options = [
        str(file),
        "--record-length",
        "40",
        "--field",
        "20:20:double",
        "--page",
        "keis78",
        "--page",
        "keis83",
    ]
    file.write_bytes(b"".join(sample("keis83")))
    assert "どちらで読んでも同じ" in run(options, capsys)
    file.write_bytes(b"".join(sample("keis83", ("桧山　花子", *KANJI[1:]))))
    assert "KEIS78の字/KEIS83の字:檜/桧(1)" in run(options, capsys)
    file.write_bytes(b"".join(sample("keis83", ("堯　花子", *KANJI[1:]))))  # F4A1, which 1978 did not have
    assert "keis83でだけ読める項目が1件" in run(options, capsys)


BOOK = """
01 REC.
  03 KUBUN PIC X.
  03 HEAD.
    05 FILE-ID PIC X(40).
  03 DATA1 REDEFINES HEAD.
    05 KANA PIC X(20).
    05 SHIMEI PIC N(10).
"""


def test_a_copybook_says_where_the_texts_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, book = tmp_path / "unload", tmp_path / "REC.cpy"
    book.write_text(BOOK, "utf-8")
    file.write_bytes(b"".join(b"\xf1" + record for record in sample("jef")))
    by_name = run([str(file), "--copybook", str(book), "--json"], capsys)
    by_bytes = run(
        [str(file), "--record-length", "41", "--field", "1:20:single", "--field", "21:20:double", "--json"],
        capsys,
    )
    scores = [
        [(page["page"], page["score"]) for page in json.loads(out)["pages"]] for out in (by_name, by_bytes)
    ]
    assert scores[0] == scores[1]
    only = run([str(file), "--copybook", str(book), "--field", "SHIMEI", "--json"], capsys)
    assert all(page["kana"] is None for page in json.loads(only)["pages"])
    with pytest.raises(SystemExit):
        main(["characters", "guess", str(file), "--copybook", str(book), "--field", "SHIMEI:half"])
    assert "the copybook has KUBUN, KANA, SHIMEI" in capsys.readouterr().err


def test_variable_records_are_sampled_and_short_ones_left_out_of_a_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bodies = [b"\xf1", *(b"\xf2" + record for record in sample("jef"))]
    plain = b"".join((len(one) + 4).to_bytes(2, "big") + b"\0\0" + one for one in bodies)
    for option, data in (("--rdw", plain), ("--vb", (len(plain) + 4).to_bytes(2, "big") + b"\0\0" + plain)):
        file = tmp_path / option.strip("-")
        file.write_bytes(data)
        out = run([str(file), option, "--field", "21:20:double", "--page", "jef", "--json"], capsys)
        assert json.loads(out)["pages"][0]["read"] == 1.0


def test_a_makers_table_and_a_citys_chart_let_more_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, table, chart = tmp_path / "unload", tmp_path / "table.json", tmp_path / "chart.csv"
    table.write_text('[{"code": "41A1", "unicode": "4E02"}]', "utf-8")
    chart.write_text("system,code,unicode,mj,note\nJUKI,80A1,8FBB E0102,,\n", "utf-8")
    file.write_bytes(bytes.fromhex("41A1C5C480A1C5C4"))
    command = [
        str(file),
        "--record-length",
        "4",
        "--field",
        "0:4:double",
        "--page",
        "jef",
        "--page",
        "keis83",
        "--json",
    ]
    read = [
        {page["page"]: page["read"] for page in json.loads(run([*command, *more], capsys))["pages"]}
        for more in ([], ["--table", f"jef={table}"], ["--table", f"jef={table}", "--chart", f"jef={chart}"])
    ]
    assert [found["jef"] for found in read] == [0.0, 0.5, 1.0]
    assert {found["keis83"] for found in read} == {0.0}  # a table is of one maker


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], "guess-options"),
        (["--record-length", "40"], "guess-options"),
        (["--rdw", "--vb", "--field", "0:4:double"], "guess-options"),
        (["--record-length", "7", "--field", "0:4:double"], "sample-file"),
        (["--record-length", "40", "--field", "20:20:double", "--table", "t.json"], "guess-page"),
        (["--record-length", "40", "--field", "20:20:double", "--table", "jif=t.json"], "guess-page"),
        (["--copybook", "nowhere.cpy"], "sample-file"),
    ],
)
def test_what_is_not_said_or_cannot_be_is_refused(
    options: list[str], code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "unload"
    file.write_bytes(b"".join(sample("jef")))
    with pytest.raises(SystemExit) as end:
        main(["characters", "guess", str(file), *options])
    assert end.value.code == 1
    assert f"[{code}]" in capsys.readouterr().err
