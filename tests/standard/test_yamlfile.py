"""YAML is read as text with the line of every value, by events: no file can break the reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiban import standard
from kiban.standard import Document, Findings


def read(folder: Path, text: str) -> tuple[Document, list[tuple[str, str | None]]]:
    (folder / "a.yaml").write_text(text, encoding="utf-8")
    findings = Findings()
    document = standard.read_document(folder / "a.yaml", "a.yaml", findings)
    return document, [(each.problem.code, each.problem.where) for each in findings.found]


def test_scalars_stay_text_and_only_plain_nothing_is_nothing(tmp_path: Path) -> None:
    text = "a: 001\nb: 'null'\nc: null\nd: ~\ne:\nf: ''\ng: 08\nh: yes\ni: |\n  x\n  y\n"
    document, found = read(tmp_path, text)
    assert found == []
    assert document.value == {
        **{"a": "001", "b": "null", "c": None, "d": None, "e": None, "f": "", "g": "08", "h": "yes"},
        "i": "x\ny\n",
    }


def test_every_value_knows_its_line(tmp_path: Path) -> None:
    document, _ = read(tmp_path, "a:\n  - b: 1\n    c: 2\n  - [x,\n     y]\nd: 3\n")
    assert document.where("a", 0, "c") == "a.yaml:3"
    assert document.where("a", 1, 1) == "a.yaml:5"
    assert document.where("d") == "a.yaml:6"
    assert document.where("a", 1, "unknown") == "a.yaml:4"


@pytest.mark.parametrize(
    ("text", "code", "where"),
    [
        ("a: " + "[" * 200_000, "yaml-broken", "a.yaml"),
        ("a: " + "{b: " * 200_000, "yaml-broken", "a.yaml"),
        ("a: 1\n---\nb: 2\n", "yaml-broken", "a.yaml"),
        ("a: 1\nb: [1\n", "yaml-broken", "a.yaml:3"),
        ("a: &x 1\nb: *x\n", "yaml-alias", "a.yaml:2"),
        ("a: 1\na: 2\n", "yaml-key-twice", "a.yaml:2"),
        ("- a\n", "yaml-not-a-mapping", "a.yaml"),
        ("", "yaml-not-a-mapping", "a.yaml"),
    ],
    ids=[
        "lists in lists",
        "maps in maps",
        "two documents",
        "an open list",
        "an alias",
        "a key twice",
        "a list",
        "nothing",
    ],
)
def test_a_file_is_refused_with_its_place(text: str, code: str, where: str, tmp_path: Path) -> None:
    assert read(tmp_path, text)[1] == [(code, where)]
