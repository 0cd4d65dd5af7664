"""`kiban migrate delta` as a person at the terminal meets it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kiban import cli, migration

PROJECT = Path(migration.__file__).parents[1] / "town" / "legacy" / "project"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "old" / "project"
    shutil.copytree(PROJECT, folder)
    (folder / "characters").mkdir(exist_ok=True)
    for name in re.findall(r"characters/[\w-]+\.csv", (folder / "plan.yaml").read_text(encoding="utf-8")):
        (folder / name).touch()  # a town writes them with its unload
    return folder


def kiban(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["migrate", "delta", *arguments])
    said = capsys.readouterr()
    return end.value.code, said.out, said.err


def test_a_delta_that_has_not_begun_shows_what_comes_first(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [str(project), "--unload", str(project.parent / "newer"), "--cut-date", "2026-10-08", "--status"]
    code, out, _ = kiban(capsys, *asked)
    assert code == 0
    assert "（差分）（基準日 2026-10-08）" in out
    assert "`kiban migrate delta … --cut-date 2026-10-08` で進みます" in out
    assert not (project.parent / "work").exists()


def test_a_delta_that_is_not_newer_is_refused_with_the_remedy(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = kiban(capsys, str(project), "--unload", str(project.parent), "--cut-date", "2026-10-01")
    assert code == 1
    assert "[delta-cut-date]" in err and "the headers of the newer files" in err


def test_a_delta_works_in_a_folder_of_its_own_beside_the_project(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = project.parent / "newer"
    newer.mkdir()
    code, _, err = kiban(capsys, str(project), "--unload", str(newer), "--cut-date", "2026-10-08")
    assert code == 1 and "[file-withheld]" in err
    assert (project.parent / "work" / "delta-2026-10-08" / "journal.jsonl").is_file()
