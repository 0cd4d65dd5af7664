"""`kiban standard` at a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kiban import cli

OFFICIAL = Path(__file__).parents[3] / "shared/data/official/031_jutogaisha_item_definition.xlsx"
TINY = Path(__file__).parent / "tiny"
Kiban = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kiban(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kiban:
    """Runs the command and gives its exit code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(["standard", *(str(argument) for argument in arguments)])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        code = left.value.code
        return (code if isinstance(code, int) else int(bool(code))), printed.out, printed.err

    return run


@pytest.mark.parametrize("command", ["import", "check", "show", "diff", "export"])
def test_every_command_teaches_with_an_example(command: str, kiban: Kiban) -> None:
    code, out, _ = kiban(command, "--help")
    assert code == 0
    assert f"kiban standard {command}" in out.split("Example")[1]
    assert f"kiban standard {command}" in kiban("--help")[1].split("Examples:")[1]


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the official workbook is not here")
def test_the_official_file_goes_round(kiban: Kiban, tmp_path: Path) -> None:
    code, out, _ = kiban(
        "import", OFFICIAL, "--business", "031", "--edition", "2023-09",
        "--group", "住登外者宛名基本情報=jutogaisha_atena_kihon_joho",
        "--scope", "jutogaisha_atena_kihon_joho=city",
    )  # fmt: skip
    assert code == 0
    assert "jutogaisha_atena_kihon_joho (29 items)" in out
    assert "「e」 ×49" in out
    assert "W7, W8, W9, W10 …" in out
    folder = tmp_path / "standards/031/2023-09"
    assert kiban("check", folder)[0] == 0
    assert "id: nonresident_addressee\n" in (folder / "business.yaml").read_text(encoding="utf-8")
    for form in ("table-schema", "json-schema", "openapi", "odcs", "ddl", "html"):
        code, out, _ = kiban("export", folder, "--to", form)
        assert code == 0
        assert "dokujishisakushisutemunadoid" in out
    code, out, _ = kiban(
        "diff", "031@official-2023.09", "031@2023-09", "--root", "standards", "--fail-on-breaking"
    )
    assert code == 0, "the edition shipped differs from the official file"
    assert kiban("import", OFFICIAL, "--business", "031", "--edition", "2023-09")[0] == 1


def test_a_check_tells_every_fault_and_leaves_with_one(kiban: Kiban, edited: Callable[..., Path]) -> None:
    folder = edited([("items.csv", "DATE", "DATA"), ("items.csv", "任意", "随意")])
    code, out, _ = kiban("check", folder)
    assert code == 1
    assert "fault  items.csv:9 (90100008 生年月日): データ型 DATA" in out
    assert "did you mean DATE?" in out
    assert "1 edition checked: 2 faults, 0 notes" in out
    assert [f["code"] for f in json.loads(kiban("check", folder, "--json")[1])] == [
        "condition-unknown",
        "type-unknown",
    ]


def test_a_check_covers_an_overlay_and_notes_where_asked(
    kiban: Kiban, tmp_path: Path, edited: Callable[..., Path]
) -> None:
    overlay = tmp_path / "kobe.yaml"
    overlay.write_text(
        'city: "281000"\nbase: {business: "901", edition: test-1}\ntypes: {}\n', encoding="utf-8"
    )
    code, out, _ = kiban("check", TINY, "--overlay", overlay)
    assert code == 1
    assert "[overlay-forbidden]" in out
    noted = edited([("items.csv", "1964-07-01", "昭和39年")])
    assert kiban("check", noted)[0] == 0
    assert kiban("check", noted, "--strict")[0] == 1


def test_everything_shipped_is_without_fault(kiban: Kiban) -> None:
    code, out, _ = kiban("check")
    assert code == 0
    assert "0 faults" in out


def test_show_goes_from_editions_to_groups_to_items_to_codes(kiban: Kiban) -> None:
    assert "test-1" in kiban("show", "--root", TINY.parent)[1]
    assert "hito" in kiban("show", "tiny", "--root", TINY.parent)[1]
    out = kiban("show", "901@test-1", "--root", TINY.parent, "--group", "人")[1]
    assert "基準版（公式ではない）" in out
    assert "seinengappi_fushohyoki" in out
    assert "不明" in kiban("show", TINY, "--code", "001")[1]
    assert kiban("show", TINY, "--code", "seibetsu")[1] == kiban("show", TINY, "--code", "1")[1]
    rows = json.loads(kiban("show", TINY, "--group", "setai", "--json")[1])
    assert [row["romaji"] for row in rows] == ["setaibango", "kukodo", "setainushi"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "tinny"), "[business-unknown]"),
        (("show", TINY, "--group", "hitto"), "did you mean hito?"),
        (("show", TINY, "--code", "7"), "known are 1 性別, 999 自治体固有コード"),
        (("show", "./nowhere"), "there is no such folder"),
        (("export", TINY, "--to", "xml"), "[export-format-unknown]"),
        (("export", TINY, "--to", "html", "--out", "no/where.html"), "[target-not-writable]"),
        (("import", "none.xlsx", "--business", "031", "--edition", "a"), "[workbook-missing]"),
        (("import", "none.xlsx", "--business", "31", "--edition", "a"), "[business-form]"),
        (("import", "none.xlsx", "--business", "031", "--edition", "a", "--group", "x"), "[group-form]"),
        (("import", "none.xlsx", "--business", "031", "--edition", "a", "--scope", "x=ward"), "[scope-form]"),
        (("import", "none.xlsx", "--business", "031", "--edition", "a", "--ward", "=x"), "[ward-form]"),
        (("show", TINY / "items.csv"), "this is a file, not an edition folder"),
        (("check", "--overlay", "kobe.yaml"), "[overlay-without-edition]"),
        (("check", "--root", "nowhere"), "[root-missing]"),
        (("export", TINY, "--to", "html", "--out", "."), "[target-not-writable]"),
        (("diff", TINY, "031"), "[diff-other-business]"),
    ],
)
def test_a_wrong_request_is_a_clear_problem(arguments: tuple[object, ...], says: str, kiban: Kiban) -> None:
    code, _, err = kiban(*arguments)
    assert code == 1
    assert says in err


def test_a_difference_that_breaks_fails_a_build_only_when_asked(
    kiban: Kiban, edited: Callable[..., Path]
) -> None:
    new = edited([("business.yaml", "test-1", "test-2"), ("items.csv", "氏名,,Ｎ,100", "氏名,,Ｎ,50"),
                  ("items.csv", "増減", "増減額")])  # fmt: skip
    code, out, _ = kiban("diff", TINY, new)
    assert code == 0
    assert "1 changes, 1 break somebody; 1 of wording only (--all lists them)" in out
    assert kiban("diff", TINY, new, "--fail-on-breaking")[0] == 1
    found = json.loads(kiban("diff", TINY, new, "--json")[1])
    assert found["breaking"] is True
    assert [(c["kind"], c["new"]["romaji"], c["breaks"]) for c in found["changes"]] == [
        ("narrowed", "shimei", ["writers", "stored data"]),
        ("reworded", "zogen", []),
    ]


def test_an_edition_that_nobody_decided_on_is_shown_compared_and_exported(
    kiban: Kiban, edited: Callable[..., Path]
) -> None:
    folder = edited([("business.yaml", "scope: city", "scope: undecided")])
    code, out, _ = kiban("check", folder)
    assert code == 1
    assert "[scope-undecided]" in out
    assert "scope undecided: not to be used yet" in kiban("show", folder)[1]
    assert kiban("show", "tiny", "--root", folder.parent)[0] == 0
    assert kiban("export", folder, "--to", "html")[0] == 0
    assert "scope: city → undecided" in kiban("diff", TINY, folder)[1]


def test_a_difference_goes_to_a_page(kiban: Kiban, edited: Callable[..., Path], tmp_path: Path) -> None:
    new = edited([("business.yaml", "test-1", "test-2"), ("items.csv", "氏名,,Ｎ,100", "氏名,,Ｎ,50")])
    code, out, _ = kiban("diff", TINY, new, "--html", "diff.html", "--fail-on-breaking")
    assert (code, out) == (1, "wrote diff.html\n")
    assert "入らなくなる値がある" in (tmp_path / "diff.html").read_text(encoding="utf-8")
    assert json.loads(kiban("diff", TINY, new, "--html", "diff.html", "--json")[1])["breaking"] is True


def test_a_list_in_a_pipe_is_tab_separated_with_every_column(kiban: Kiban) -> None:
    lines = kiban("show", TINY, "--group", "setai")[1].splitlines()
    assert lines[1].split("\t") == [
        *("ID", "項目", "romaji", "key", "type", "digits", "code", "repeat", "condition", "実装", "points to")
    ]
    assert lines[2].split("\t")[:6] == ["90100021", "世帯番号", "setaibango", "○", "X", "15"]
    assert len(lines) == 5


def test_an_export_never_takes_the_place_of_a_device(kiban: Kiban, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDWR)
    try:
        assert kiban("export", TINY, "--to", "odcs", "--out", "pipe")[0] == 0
        assert os.read(reader, 10) == b"apiVersion"
        assert (tmp_path / "pipe").is_fifo()
    finally:
        os.close(reader)


def test_an_export_goes_to_a_file(kiban: Kiban, tmp_path: Path) -> None:
    assert kiban("export", TINY, "--to", "html", "--out", "tiny.html")[0] == 0
    assert (tmp_path / "tiny.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.html"]
