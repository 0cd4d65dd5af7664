"""`kiban standard` at a terminal."""

from __future__ import annotations

import json
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
    )  # fmt: skip
    assert code == 0
    assert "jutogaisha_atena_kihon_joho (29 items)" in out
    assert "W3, W7" in out
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
    assert "1 checked: 2 faults, 0 notes" in out
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
    rows = json.loads(kiban("show", TINY, "--group", "setai", "--json")[1])
    assert [row["romaji"] for row in rows] == ["setaibango", "kukodo", "setainushi"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "tinny"), "[business-unknown]"),
        (("show", TINY, "--group", "hitto"), "did you mean hito?"),
        (("show", TINY, "--code", "7"), "known are 1, 999"),
        (("show", "./nowhere"), "there is no such folder"),
        (("export", TINY, "--to", "xml"), "[export-format-unknown]"),
        (("export", TINY, "--to", "html", "--out", "no/where.html"), "[target-not-writable]"),
        (("import", "none.xlsx", "--business", "031", "--edition", "a"), "[workbook-missing]"),
        (("import", "none.xlsx", "--business", "31", "--edition", "a"), "[business-form]"),
        (("import", "none.xlsx", "--business", "031", "--edition", "a", "--group", "x"), "[group-form]"),
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


def test_an_export_goes_to_a_file(kiban: Kiban, tmp_path: Path) -> None:
    assert kiban("export", TINY, "--to", "html", "--out", "tiny.html")[0] == 0
    assert (tmp_path / "tiny.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.html"]
