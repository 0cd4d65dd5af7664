"""People are recorded at the terminal, and why somebody may do something is told there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kiban import access
from kiban.cli.access import app
from kiban.kernel import Problem, Problems

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def run(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("home")
    with databases.fresh() as database:
        environ = {
            "KIBAN_HOME": str(home / "home"),
            "KIBAN_DATABASE": database.owner_dsn,
            "KIBAN_DATABASE_APP": database.app_dsn,
        }

        def made(*arguments: str) -> Result:
            return CliRunner().invoke(app, list(arguments), env=environ)

        for setting in (
            ("office", "set", "hall", "--name", "市役所", "--kind", "city"),
            (
                "office",
                "set",
                "east",
                "--name",
                "東灘区役所",
                "--kind",
                "ward",
                "--parent",
                "hall",
                "--ward",
                "281018",
            ),
            (
                "staff",
                "set",
                "1",
                "--name",
                "基盤　太郎",
                "--kana",
                "キバン　タロウ",
                "--start",
                "2020-04-01",
            ),
            (
                "staff",
                "set",
                "2",
                "--name",
                "基盤　花子",
                "--kana",
                "キバン　ハナコ",
                "--start",
                "2020-04-01",
            ),
            ("assign", "1", "resident-counter", "east", "--start", "2026-04-01", "--last", "2027-03-31"),
            (
                "substitute",
                "2",
                "1",
                "resident-counter",
                "east",
                "--start",
                "2026-11-01",
                "--last",
                "2026-11-30",
            ),
        ):
            result = made(*setting)
            assert result.exit_code == 0, (setting, result.output, result.exception)
        yield made


def explain(run: Run, staff: str, on: str, *more: str) -> Result:
    return run("explain", "--staff", staff, "--action", "read", "--business", "resident", "--on", on, *more)


def test_what_is_allowed_is_explained(run: Run) -> None:
    told = explain(run, "1", "2026-11-24")
    assert told.exit_code == 0
    assert (
        "東灘区役所・住民記録窓口・住民基本台帳事務" in told.stdout
        and "住民基本台帳・照会：できる" in told.stdout
    )
    assert "許可  counter-read" in told.stdout and "resident.cedar:" in told.stdout


def test_what_is_not_allowed_says_what_is_missing(run: Run) -> None:
    told = explain(run, "1", "2026-11-24", "--item-class", "individual-number")
    assert told.exit_code == 1 and "できない" in told.stdout and "許す方針がない" in told.stdout
    over = explain(run, "1", "2027-04-01")
    assert over.exit_code == 1 and "発令の期間（2026-04-01～2027-04-01の前日）の外" in over.stdout


def test_a_substitution_is_explained_for_its_days(run: Run) -> None:
    assert "（1 の代理）" in explain(run, "2", "2026-11-24").stdout
    assert explain(run, "2", "2026-12-01").exit_code == 1


def test_a_person_is_shown_with_the_history(run: Run) -> None:
    told = run("staff", "show", "2").stdout
    assert "基盤　花子" in told and "1 の代理" in told and told.count("cli:") == 2
    assert (
        "281018" in run("office", "list").stdout
        and "基盤 太郎" in run("staff", "list", "--on", "2026-11-24").stdout
    )
    unknown = run("staff", "show", "9")
    assert isinstance(unknown.exception, Problem) and unknown.exception.code == "staff-unknown"


def test_files_are_taken_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    staff, assignments = tmp_path / "staff.csv", tmp_path / "assignments.csv"
    staff.write_text(
        "職員番号,氏名,フリガナ,採用日,最終日,外部ID\n3,基盤　三郎,キバン　サブロウ,2020-04-01,2026-03-31,\n"
    )
    header = "職員番号,職務,組織コード,開始日,最終日,代理される職員番号\n"
    assignments.write_text(header + "3,fishing,east,2021-04-01,,\n")
    refused = run("import", "--staff", str(staff), "--assignments", str(assignments))
    assert isinstance(refused.exception, Problems)
    assignments.write_text(header + "3,resident-counter,east,2021-04-01,,\n")
    files = ("import", "--staff", str(staff), "--assignments", str(assignments))
    assert "2件が変わる" in run(*files, "--dry-run").stdout and "2件を変えた" in run(*files).stdout
    assert run("staff", "list", "--gone").stdout.split() == ["3"]


def test_the_policy_set_is_checked_and_shown_to_an_auditor(run: Run, tmp_path: Path) -> None:
    assert "職務 10" in run("policies", "check").stdout
    table = run("policies", "show", "--duty", "audit", "--on", "2026-11-24").stdout
    assert "市全体" in table and "○" in table
    page = tmp_path / "policies.html"
    assert run("policies", "show", "--html", str(page)).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert (
        "never-extract-numbers" in text and "個人番号・住民票コード・支援措置の内容は、誰も抽出しない" in text
    )
    assert str(access.REFERENCE) not in text


def test_two_sets_are_compared(run: Run, tmp_path: Path) -> None:
    for each in access.REFERENCE.iterdir():
        text = each.read_text(encoding="utf-8")
        text = text.replace(
            'resource in ItemClass::"memo")\n};', 'resource in ItemClass::"memo" && principal has ward)\n};'
        )
        (tmp_path / each.name).write_text(
            text.replace('in ItemClass::"resident-code" ||', 'in ItemClass::"memo" ||'), encoding="utf-8"
        )
    told = run("policies", "diff", str(access.REFERENCE), str(tmp_path), "--on", "2026-11-24")
    assert told.exit_code == 1
    assert "許す  － → ○  住民記録担当・住民基本台帳・住民票コード・EUC抽出" in told.stdout
    assert "許さない  ○ → △  住民記録窓口・住民基本台帳・メモ・照会" in told.stdout
    assert run("policies", "diff", str(access.REFERENCE), str(access.REFERENCE)).exit_code == 0
