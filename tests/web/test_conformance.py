"""Kiban's own API passes what the conformance kit asks of every vendor's, and careless ones are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiban import cli
from kiban.kernel import Problem
from kiban.linkage.conformance import Ask, Told, asking, verify_api

from .conftest import READING, Live

UNITS = [str(n).zfill(15) for n in (1, 2, 3)]


@pytest.fixture
def ask(served: Live) -> Ask:
    served.protections.update({UNITS[0]: ("clear", 7), UNITS[1]: ("protected", 8)})
    return asking(served.url)


@pytest.fixture
def token(served: Live) -> str:
    return served.token(served.library, READING)


def failed(served: Live, token: str, ask: Ask) -> set[str]:
    return {each.id for each in verify_api(served.contract, token, UNITS, ask) if not each.passed}


def test_the_api_of_kiban_passes(served: Live, token: str, ask: Ask) -> None:
    results = verify_api(served.contract, token, UNITS, ask)
    assert len(results) == 12
    assert [(each.id, each.faults) for each in results if not each.passed] == []


def changing(ask: Ask, change: Callable[[dict[str, Any]], object]) -> Ask:
    """A provider whose answers differ, though they are still bound and whole."""
    import base64
    import hashlib

    def asked(path: str, headers: Mapping[str, str], body: bytes) -> Told:
        told = ask(path, headers, body)
        if told.status != 200:
            return told
        answer = json.loads(told.body)
        change(answer)
        data = json.dumps(answer, ensure_ascii=False).encode()
        digest = base64.b64encode(hashlib.sha512(data).digest()).decode()
        others = {name: text for name, text in told.headers.items() if name.lower() != "content-digest"}
        return replace(told, body=data, headers={**others, "Content-Digest": f"sha-512=:{digest}:"})

    return asked


def each_row(change: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    return lambda answer: [change(row) for row in answer["rows"]]


CARELESS: dict[str, tuple[Callable[[dict[str, Any]], object], set[str]]] = {
    "gives more than was asked for": (each_row(lambda row: row["items"].update(kojinbango="1")), {"fields"}),
    "gives another value": (each_row(lambda row: row["items"].update(juminjotai="Z")), {"values", "fields"}),
    "gives nothing": (lambda answer: answer["rows"].clear(), {"answers"}),
    "says nothing of protection": (each_row(lambda row: row.pop("protection")), {"protection"}),
    "tells an address that is withheld": (
        each_row(
            lambda row: "jusho_choaza" in row["items"] and row["items"].update(jusho_choaza="松町一丁目")
        ),
        {"protection"},
    ),
    "does not say what it withheld": (
        each_row(lambda row: row["withheld"].clear()),
        {"protection", "values"},
    ),
    "names another contract": (lambda answer: answer.update(contract="0" * 64), {"named"}),
    "forgets the next page": (lambda answer: answer.update(next=None), {"pages"}),
}


@pytest.mark.parametrize(("change", "wanted"), CARELESS.values(), ids=CARELESS)
def test_a_provider_is_found_that(
    change: Callable[[dict[str, Any]], object], wanted: set[str], served: Live, token: str, ask: Ask
) -> None:
    assert wanted <= failed(served, token, changing(ask, change))


def test_a_provider_that_answers_anybody_is_found(served: Live, token: str, ask: Ask) -> None:
    def open_door(path: str, headers: Mapping[str, str], body: bytes) -> Told:
        return ask(path, {**headers, "Authorization": f"Bearer {token}"}, body)

    assert failed(served, token, open_door) == {"token"}


def test_a_provider_that_gives_the_answer_of_another_question_is_found(
    served: Live, token: str, ask: Ask
) -> None:
    first: list[Told] = []

    def repeating(path: str, headers: Mapping[str, str], body: bytes) -> Told:
        first.append(ask(path, headers, body))
        return next(each for each in first if each.status == 200)

    assert "bound" in failed(served, token, repeating)


def test_the_test_is_not_begun_without_persons_or_an_api(served: Live, token: str, ask: Ask) -> None:
    with pytest.raises(Problem, match="verify-units"):
        verify_api(served.contract, token, UNITS[:1], ask)
    with pytest.raises(Problem, match="verify-way"):
        verify_api(replace(served.contract, ways=frozenset({"event"})), token, UNITS, ask)
    with pytest.raises(Problem, match="subject-unreachable"):
        verify_api(served.contract, token, UNITS, asking("http://127.0.0.1:9"))


def test_an_api_is_verified_at_the_terminal(
    served: Live,
    token: str,
    ask: Ask,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KIBAN_CONTRACTS", raising=False)
    (tmp_path / "token.txt").write_text(token)
    (tmp_path / "persons.txt").write_text("\n".join(UNITS))
    files = ["--token", str(tmp_path / "token.txt"), "--units", str(tmp_path / "persons.txt")]
    with pytest.raises(SystemExit) as end:
        cli.main(["link", "verify", "resident-library.v1", "--provider", served.url, *files])
    out, err = capsys.readouterr()
    assert not end.value.code, err
    assert "提供側：適合（12/12）" in out
    assert token not in out + err
