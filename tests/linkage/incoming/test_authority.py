"""The authority map is whole and without overlap, or refused with every fault."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kiban.kernel import Problems
from kiban.linkage import Contract
from kiban.linkage.incoming import Authority, load_authority

from .conftest import KIHON

GOOD = f"""
authority:
  - {{register: {KIHON}, item: "*", valid_to: 2027-01-01, master: "F01"}}
  - {{register: {KIHON}, item: "*", valid_from: 2027-01-01, master: "031"}}
  - {{register: {KIHON}, item: shimei, master: "031"}}
"""


def read(tmp_path: Path, text: str, flow: Contract, name: str = "authority.yaml") -> Authority:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return load_authority(file, [flow])


def test_the_master_of_an_item_on_a_day(tmp_path: Path, flow: Contract) -> None:
    found = read(tmp_path, GOOD, flow)
    assert found.master(KIHON, "jusho_choaza", date(2026, 12, 31)) == "F01"
    assert found.master(KIHON, "jusho_choaza", date(2027, 1, 1)) == "031"
    assert found.master(KIHON, "shimei", date(2026, 12, 31)) == "031"
    assert found.turns(KIHON, ["shimei", "jusho_choaza"]) == [date(2027, 1, 1)]


def test_a_csv_says_the_same(tmp_path: Path, flow: Contract) -> None:
    text = "register,item,valid_from,valid_to,master\n"
    text += f"{KIHON},*,,2027-01-01,F01\n{KIHON},*,2027-01-01,,031\n{KIHON},shimei,,,031\n"
    assert read(tmp_path, text, flow, "authority.csv") == read(tmp_path, GOOD, flow)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("valid_from: 2027-01-01", "valid_from: 2026-12-01", "authority-overlap"),
        ("valid_from: 2027-01-01", "valid_from: 2027-02-01", "authority-missing"),
        ("valid_to: 2027-01-01", "valid_from: 2026-06-01, valid_to: 2027-01-01", "authority-missing"),
        ("valid_to: 2027-01-01", "valid_to: 令和9年", "authority-period"),
        ("valid_from: 2027-01-01", "valid_from: 2027-01-01, valid_to: 2026-01-01", "authority-period"),
        ("item: shimei", "item: simei", "authority-item"),
        (f"{KIHON}, item: shimei", "resident.jumin, item: shimei", "authority-register"),
        ('master: "F01"', "master: 31", "authority-form"),
        ("valid_to: 2027-01-01,", "until: 2027-01-01,", "authority-form"),
        ("authority:", "masters:", "authority-unreadable"),
        ("authority:", "authority: [", "authority-unreadable"),
    ],
)
def test_each_fault_is_told(tmp_path: Path, flow: Contract, old: str, new: str, code: str) -> None:
    assert old in GOOD
    with pytest.raises(Problems) as refused:
        read(tmp_path, GOOD.replace(old, new, 1), flow)
    assert code in [each.code for each in refused.value.problems]


def test_all_faults_are_told_at_once(tmp_path: Path, flow: Contract) -> None:
    bad = GOOD.replace("item: shimei", "item: simei").replace(
        "valid_from: 2027-01-01", "valid_from: 2027-02-01"
    )
    with pytest.raises(Problems) as refused:
        read(tmp_path, bad, flow)
    assert {each.code for each in refused.value.problems} == {"authority-item", "authority-missing"}
