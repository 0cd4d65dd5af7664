"""The security checklist says what its tables say, and names nothing that is not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ANSWERS = ("yes", "partly", "no", "n/a", "not checked")
LEVELS = {"1": 70, "2": 183}  # of OWASP ASVS 5.0.0


def cells(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


ROWS = cells([line for line in PAGE.splitlines() if re.match(r"\| \d", line)])


def test_every_requirement_of_two_levels_stands_once() -> None:
    numbers = [row[0] for row in ROWS]
    assert all(re.fullmatch(r"(1[0-7]|[1-9])\.[1-9]\.[1-9]\d?", number) for number in numbers)
    assert [number for number, times in Counter(numbers).items() if times > 1] == []
    assert Counter(row[1] for row in ROWS) == LEVELS


def test_every_row_stands_in_its_chapter_and_is_whole() -> None:
    chapter = ""
    for line in PAGE.splitlines():
        if head := re.match(r"### V(\d+) ", line):
            chapter = head[1]
        if re.match(r"\| \d", line):
            (number, _, answer, how, _) = cells([line])[0]
            assert number.split(".")[0] == chapter, number
            assert answer in ANSWERS and how, number


def test_everything_that_shows_an_answer_is_there() -> None:
    shown = {row[0]: row[4].strip("`") for row in ROWS}
    assert {number: path for number, path in shown.items() if not (ROOT / path).is_file()} == {}


def test_the_counts_at_the_top_are_those_of_the_tables() -> None:
    told = cells(
        [line for line in PAGE.splitlines() if line.startswith(tuple(f"| {each} | " for each in ANSWERS))]
    )
    counted = [
        [each, *(str(sum(row[2] == each and row[1] in of for row in ROWS)) for of in ("1", "2", "12"))]
        for each in ANSWERS
    ]
    assert told == counted
    assert f"（{len(ROWS)}項目）" in PAGE and f"| all | 70 | 183 | {len(ROWS)} |" in PAGE


def test_the_list_to_mend_names_what_falls_short_and_nothing_else() -> None:
    short = [row[0] for row in ROWS if row[2] in ("partly", "no", "not checked")]
    listed = re.findall(r"\d+\.\d+\.\d+", PAGE.partition("## What is short")[2])
    assert sorted(listed) == sorted(short)
