"""The golden table of dates in words: what is read from each, and that nothing is lost."""

import csv
from pathlib import Path

import pytest

from kiban.kernel import UncertainDate

ROWS = list(
    csv.DictReader(Path(__file__).with_name("written_dates.csv").read_text(encoding="utf-8").splitlines())
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["notation"])
def test_words_say_what_the_golden_table_says(row: dict[str, str]) -> None:
    read = UncertainDate.parse(None, None, row["notation"])
    assert (read.kind.value, read.sort_lo, read.sort_hi, "yes" if read.approximate else "") == (
        row["kind"],
        row["lo"],
        row["hi"],
        row["approximate"],
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["notation"])
def test_every_form_comes_back_as_it_was_written(row: dict[str, str]) -> None:
    triple = (None, "1", row["notation"])
    read = UncertainDate.parse(*triple)
    assert read.triple() == triple
    assert str(read) == row["notation"]
    assert read.date is None


def test_the_golden_table_is_large() -> None:
    assert len({row["notation"] for row in ROWS}) == len(ROWS) >= 60
