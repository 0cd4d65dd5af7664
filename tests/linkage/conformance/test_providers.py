"""A provider is judged by what it sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kiban import cli, linkage
from kiban.linkage import CLEAR, PROTECTED, Contract, Contracts, Message, encode
from kiban.linkage.conformance import CHECKS, verify_provider

Stream = list[Message]


def failed(contract: Contract, sent: list[bytes]) -> set[str]:
    results = verify_provider(contract, sent)
    assert [each.id for each in results] == list(CHECKS)
    return {each.id for each in results if not each.passed}


def test_what_is_invented_from_a_contract_passes(samples: Contracts) -> None:
    for contract in samples:
        sent = [encode(each) for each in linkage.sample(contract, 9, 30)]
        assert failed(contract, sent) == set()
        assert failed(contract, [each for one in sent for each in (one, one)]) == set()


def longest(contract: Contract) -> Stream:
    lives: dict[str, Stream] = {}
    for message in linkage.sample(contract, 9, 30):
        lives.setdefault(message.unit, []).append(message)
    return max((each for each in lives.values() if "jumin" in each[0].parts), key=len)


def drop_past(life: Stream) -> Stream:
    last = life[-2]
    return [*life[:-2], replace(last, parts={"jumin": last.parts["jumin"][-1:]})]


def change(life: Stream, **items: object) -> Message:
    rows = [{**row, **items} for row in life[0].parts["jumin"]]
    return replace(life[0], parts={"jumin": rows})


WRONG: dict[str, tuple[Callable[[Stream], Stream], str]] = {
    "another flow": (lambda life: [replace(life[0], flow="x.v1")], "flow"),
    "another contract": (lambda life: [replace(life[0], contract="0" * 64)], "flow"),
    "a code that is none": (lambda life: [change(life, seibetsu="Z")], "content"),
    "a local time": (lambda life: [replace(life[0], recorded_at="2026-04-01T09:00:00+09:00")], "time"),
    "no time": (lambda life: [replace(life[0], recorded_at="today")], "time"),
    "an older change after a newer": (lambda life: [life[1], life[0]], "grows"),
    "a change left out": (lambda life: [life[0], life[2]], "chain"),
    "a change said otherwise": (
        lambda life: [life[0], change(life, idojiyu="11"), change(life, idojiyu="12")],
        "same",
    ),
    "the past left out": (drop_past, "state"),
    "protection that ends by no event": (
        lambda life: [
            replace(life[0], protection=PROTECTED, protection_event=life[0].event),
            replace(life[1], protection=CLEAR, protection_event=0),
        ],
        "protection",
    ),
}


@pytest.mark.parametrize(("edit", "check"), WRONG.values(), ids=WRONG)
def test_a_provider_is_found_that_sends(
    edit: Callable[[Stream], Stream], check: str, contract: Contract
) -> None:
    life = longest(contract)
    assert len(life) >= 4
    assert check in failed(contract, [encode(each) for each in edit(life)])


def test_a_provider_that_writes_otherwise_or_nothing_is_found(contract: Contract) -> None:
    data = encode(longest(contract)[0])
    assert failed(contract, [data.replace(b'","', b'", "', 1)]) == {"canonical"}
    assert failed(contract, [b"nothing"]) == {"readable"}
    assert failed(contract, []) == {"readable"}


def test_faults_are_counted_and_named_by_their_place(contract: Contract) -> None:
    life = longest(contract)
    bad = [encode(replace(each, contract="0" * 64)) for each in life]
    (flow,) = [each for each in verify_provider(contract, bad * 2) if each.id == "flow"]
    assert flow.faults == ("1件目", "2件目", "3件目", f"ほか{2 * len(life) - 3}件")


def test_a_file_of_messages_is_verified_at_the_terminal(
    contract: Contract, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIBAN_CONTRACTS", raising=False)
    file = tmp_path / "sent.jsonl"
    file.write_bytes(b"".join(encode(each) + b"\n" for each in linkage.sample(contract, 2)))
    with pytest.raises(SystemExit) as end:
        cli.main(["link", "verify", "resident-tax.v1", "--provider", str(tmp_path)])
    assert not end.value.code
    assert "提供側：適合（10/10）" in capsys.readouterr().out
    file.write_bytes(b"nothing\n")
    with pytest.raises(SystemExit) as end:
        cli.main(["link", "verify", "resident-tax.v1", "--provider", str(file)])
    assert end.value.code == 1
