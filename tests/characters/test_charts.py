"""A city's own characters count when two people decided on them, and only as they were signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiban import characters
from kiban.cli import main
from kiban.kernel import Problem, Problems

CHART = "system,code,unicode,mj,note\n"
DECISIONS = "system,code,unicode,class,decided_by_1,decided_on_1,decided_by_2,decided_on_2,reason\n"
TWO = "山田,2026-11-01,鈴木,2026-11-02"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, chart: str = "", decisions: str = "") -> characters.Chart:
    written(folder, "chart.csv", CHART + chart)
    written(folder, "decisions.csv", DECISIONS + decisions)
    return characters.Chart.load(folder, unsigned=True)


def codes(folder: Path, chart: str = "", decisions: str = "") -> list[tuple[str, str]]:
    with pytest.raises(Problems) as caught:
        load(folder, chart, decisions)
    return [(problem.code, (problem.where or "").rpartition("/")[2]) for problem in caught.value.problems]


def key(folder: Path, name: str) -> tuple[Path, Path]:
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return (
        written(folder, f"{name}.pem", secret.decode()),
        written(folder, f"{name}.pub", public.decode()),
    )


def test_only_what_two_people_decided_is_a_character(tmp_path: Path) -> None:
    chart = load(
        tmp_path,
        "jumin,80A1,8FBB E0102,MJ026190,\njumin,80A2,9AD9,,\njumin,80A3,5409,,\njumin,80A4,,,しみ\n",
        f"jumin,80A1,8FBB E0102,exact,{TWO},\njumin,80A2,9AD9,design,山田,2026-11-01,,,\n"
        f"jumin,80A4,,unresolved,{TWO},読めない\nzei,80A1,5409,substitute,{TWO},\n",
    )
    assert chart.gaiji("jumin") == {0x80A1: "辻\U000e0102"}
    assert chart.gaiji("zei") == {0x80A1: "吉"}
    assert chart.undecided("jumin", [0x80A4, 0x80A1, 0x80A2, 0x80A9]) == (0x80A2, 0x80A4, 0x80A9)
    assert chart.classes[("jumin", 0x80A2)] == "design"
    assert chart.systems == ("jumin", "zei")
    row = chart.row("jumin", 0x80A1)
    assert row is not None
    assert (row.mj, row.decided_by) == ("MJ026190", ("山田", "鈴木"))


def test_a_decided_chart_makes_a_page_read_its_codes(tmp_path: Path) -> None:
    chart = load(tmp_path, decisions=f"jumin,80A1,8FBB E0102,exact,{TWO},\n")
    page = characters.code_page("jef", gaiji=chart.gaiji("jumin"))
    assert page.decode(b"\x80\xa1", start="double").text == "辻\U000e0102"
    assert page.decode(b"\x80\xa2", start="double").faults[0].code == "gaiji-undecided"


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    found = codes(
        tmp_path,
        "jumin,80A1,8FBB,,\njumin,80A1,9AD9,,\njumin,80G1,9AD9,,\n,80A3,E000,MJ1,\njumin,80A4,FFFD,,\n",
        "jumin,80A1,9AD9,exact,山田,2026-11-01,山　田,2026-11-02,\n"
        f"jumin,80A2,9AD9,same,{TWO},\njumin,80A3,,exact,{TWO},\n"
        "jumin,80A4,9AD9,exact,山田,,鈴木,2026-13-02,\n"
        f"jumin,80A5,9AD9,exact,{TWO},\njumin,80A5,9AD9,exact,{TWO},\njumin,80A6\n",
    )
    assert found == [
        ("chart-code-twice", "chart.csv:3"),
        ("chart-code", "chart.csv:4"),
        ("chart-system", "chart.csv:5"),
        ("chart-unicode", "chart.csv:5"),
        ("chart-mj", "chart.csv:5"),
        ("chart-unicode", "chart.csv:6"),
        ("decision-person", "decisions.csv:2"),
        ("decision-class", "decisions.csv:3"),
        ("decision-character", "decisions.csv:4"),
        ("decision-day", "decisions.csv:5"),
        ("decision-day", "decisions.csv:5"),
        ("decision-twice", "decisions.csv:7"),
        ("chart-columns", "decisions.csv:8"),
    ]


def test_a_folder_without_charts_and_foreign_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Problems, match="chart-missing"):
        characters.Chart.load(tmp_path)
    written(tmp_path, "a.csv", "code,unicode\n80A1,8FBB\n")
    with pytest.raises(Problems, match="chart-columns"):
        characters.Chart.load(tmp_path)
    (tmp_path / "a.csv").write_bytes((CHART + "jumin,80A1,8FBB,,高\n").encode("cp932"))
    with pytest.raises(Problems, match="chart-unreadable"):
        characters.Chart.load(tmp_path)


def test_signed_decisions_are_read_and_changed_ones_are_refused(tmp_path: Path) -> None:
    private, public = key(tmp_path, "city")
    path = written(tmp_path, "decisions.csv", DECISIONS + f"jumin,80A1,9AD9,exact,{TWO},\n")
    with pytest.raises(Problems, match="decisions-unsigned"):
        characters.Chart.load(path, keys=[public])
    characters.sign_decisions(path, private)
    assert characters.Chart.load(path, keys=[public]).gaiji("jumin") == {0x80A1: "髙"}
    path.write_text(path.read_text(encoding="utf-8").replace("9AD9", "9AD8"), encoding="utf-8")
    for unsigned in (False, True):
        with pytest.raises(Problems, match="decisions-signature"):
            characters.Chart.load(path, keys=[public], unsigned=unsigned)


def test_a_signature_of_a_stranger_is_refused(tmp_path: Path) -> None:
    _, public = key(tmp_path, "city")
    stranger, _ = key(tmp_path, "stranger")
    path = written(tmp_path, "decisions.csv", DECISIONS)
    characters.sign_decisions(path, stranger)
    with pytest.raises(Problem, match="not trusted"):
        characters.verify_decisions(path, [public])
    with pytest.raises(Problem, match="not trusted"):
        characters.verify_decisions(path, [])
    with pytest.raises(Problem, match="private key is needed"):
        characters.sign_decisions(path, public)


def test_decisions_at_fault_are_not_signed_and_changed_ones_are_signed_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = key(tmp_path, "city")
    path = written(
        tmp_path, "decisions.csv", DECISIONS + "jumin,80A1,9AD9,exact,山田,2026-11-01,山田,2026-11-02,\n"
    )
    command = ["characters", "sign", str(path), "--key", str(private)]
    with pytest.raises(SystemExit) as end:
        main(command)
    assert end.value.code == 1
    assert "decision-person" in capsys.readouterr().err
    for code in ("9AD9", "9AD8"):
        written(tmp_path, "decisions.csv", DECISIONS + f"jumin,80A1,{code},exact,{TWO},\n")
        with pytest.raises(SystemExit) as end:
            main(command)
        assert not end.value.code
        assert characters.Chart.load(path, keys=[public]).gaiji("jumin") == {0x80A1: chr(int(code, 16))}
