"""What officials and clerks at a terminal see of contracts."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kiban import cli, linkage, sets
from kiban.linkage import SAMPLES, Contracts

Kiban = Callable[..., tuple[int, str, str]]


@pytest.fixture
def kiban(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kiban:
    """Runs the command without any setting of this machine."""
    monkeypatch.delenv("KIBAN_CONTRACTS", raising=False)
    monkeypatch.setenv("KIBAN_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            cli.main(["link", "contracts", *map(str, arguments)])
        out, err = capsys.readouterr()
        code = end.value.code
        return (code if isinstance(code, int) else 0), out, err

    return run


class Balanced(HTMLParser):
    """Every element ends where it should."""

    VOID = frozenset({"meta", "input", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_every_contract_has_a_page_that_is_whole_and_loads_nothing(samples: Contracts) -> None:
    for contract in samples:
        page = linkage.contract_page(contract, samples.profiles.get(contract.profile or ""))
        parser = Balanced()
        parser.feed(page)
        assert parser.open == []
        assert not re.search(r'(src|href)="(?!#)', page)
        for feed in contract.feeds:
            assert all(f">{item.romaji}</code>" in page for item in feed.items)
        assert contract.purpose in page
        assert "署名されていない" in page


def test_the_page_says_what_is_withheld_what_waits_and_what_is_not_official(samples: Contracts) -> None:
    library_card = linkage.contract_page(samples.flow("resident-library.v1"))
    assert "対象者には渡さない" in library_card
    assert "公式ではない" in library_card
    donors = linkage.contract_page(samples.flow("donor-nonresident.v1"))
    assert donors.count("職員が確認") == 17
    assert donors.count("確認なしに反映<") == 2


def test_the_page_of_files_that_nobody_knows_says_which_details_are_unknown(samples: Contracts) -> None:
    page = linkage.contract_page(samples.flow("resident-tax.v1"), samples.profiles["official-unset"])
    assert "未確認の細目" in page
    assert "文字コード" in page


def test_what_stands_in_a_contract_cannot_become_markup(samples: Contracts) -> None:
    from dataclasses import replace

    contract = replace(samples.flow("resident-tax.v1"), purpose="<script>alert(1)</script>")
    assert "<script>alert" not in linkage.contract_page(contract)


def test_the_list_says_who_gives_whom_and_whether_it_may(
    kiban: Kiban, signed: Callable[..., Contracts], tmp_path: Path, key_file: Path
) -> None:
    code, out, err = kiban("list")
    assert code == 0
    assert "見本の契約を使う" in err
    assert "resident-tax.v1\t1.0.0\t001\tZEI\tevent、file\t適用中\tなし" in out
    signed()
    assert kiban("list", "--root", tmp_path / "contracts")[1].count("通信できる") == 0
    assert kiban("list", "--root", tmp_path / "contracts", "--key", key_file)[1].count("通信できる") == 4
    (tmp_path / "home" / "trusted").mkdir(parents=True)
    shutil.copy(key_file, tmp_path / "home" / "trusted")
    assert kiban("list", "--root", tmp_path / "contracts")[1].count("通信できる") == 4


def test_a_good_folder_is_said_to_be_good_and_a_bad_one_is_told_whole(kiban: Kiban, tmp_path: Path) -> None:
    assert kiban("check", SAMPLES)[:2] == (0, "契約4件に誤りはない\n")
    text = (SAMPLES / "resident-tax.yaml").read_text("utf-8")
    (tmp_path / "a.yaml").write_text(
        text.replace("name: shimei,", "name: shimmei,").replace("active", "activ"), "utf-8"
    )
    code, _, err = kiban("check", tmp_path)
    assert code == 1
    assert "did you mean shimei?" in err
    assert "2 problems" in err


def test_unknown_details_of_files_are_told_when_a_contract_is_checked(kiban: Kiban, tmp_path: Path) -> None:
    text = (SAMPLES / "resident-tax.yaml").read_text("utf-8").replace("example-csv", "official-unset")
    (tmp_path / "a.yaml").write_text(text, "utf-8")
    code, out, _ = kiban("check", tmp_path)
    assert code == 0
    assert "ファイルは渡せない" in out


def test_a_contract_is_shown_with_its_items(kiban: Kiban) -> None:
    out = kiban("show", "resident-library.v1")[1]
    assert "利用目的    図書館利用カードの発行と更新（例）" in out
    assert "jumin\t住所_町字\tjusho_choaza\tN\t120\t条件付き必須\t対象者には渡さない" in out
    assert json.loads(kiban("show", "resident-library.v1", "--json")[1])["kind"] == "DataContract"


def test_samples_are_messages_of_the_flow(kiban: Kiban, samples: Contracts, tmp_path: Path) -> None:
    out = kiban("sample", "resident-library.v1", "--units", 3, "--seed", 4)[1]
    messages = [linkage.decode(line.encode()) for line in out.splitlines()]
    assert tuple(messages) == linkage.sample(samples.flow("resident-library.v1"), 4, 3)
    assert kiban("sample", "resident-library.v1", "--out", tmp_path / "m.jsonl")[0] == 0
    assert (tmp_path / "m.jsonl").read_text("utf-8").count("\n") >= 20


def test_a_breaking_change_is_told_and_leaves_with_one(kiban: Kiban, tmp_path: Path) -> None:
    text = (SAMPLES / "resident-tax.yaml").read_text("utf-8").replace("kiban-2026.1", "kiban-2026.2")
    new, page = tmp_path / "new.yaml", tmp_path / "diff.html"
    new.write_text(text.replace('"1.0.0"', '"1.1.0"'), "utf-8")
    code, out, err = kiban("diff", "resident-tax.v1", new, "--out", page)
    assert code == 1
    assert "要対応\t消除事由のコード 21（国内転出）がなくなる" in out
    assert 'version: "2.0.0"' in err
    assert "対応が要る" in page.read_text("utf-8")
    new.write_text(text.replace('"1.0.0"', '"2.0.0"'), "utf-8")
    assert kiban("diff", "resident-tax.v1", new)[0] == 0


def test_a_contract_is_signed_and_becomes_void_when_it_changes(
    kiban: Kiban, tmp_path: Path, key_file: Path, signer: sets.Signer
) -> None:
    file = tmp_path / "tax.yaml"
    file.write_text((SAMPLES / "resident-tax.yaml").read_text("utf-8"), "utf-8")
    assert signer.key[:16] in kiban("sign", file, "--key", key_file)[1]
    assert kiban("check", file)[0] == 0
    file.write_text(file.read_text("utf-8").replace("PT30M", "PT31M"), "utf-8")
    code, _, err = kiban("check", file)
    assert code == 1
    assert "contract-signature" in err
    assert kiban("sign", file, "--key", key_file)[0] == 0
    assert kiban("check", file)[0] == 0


def test_profiles_and_pages_are_reached_from_the_terminal(kiban: Kiban, tmp_path: Path) -> None:
    assert "official-unset\t公式\t" in kiban("profiles")[1]
    assert kiban("page", "resident-tax.v1", "--out", tmp_path / "tax.html")[0] == 0
    assert "ファイルの細目" in (tmp_path / "tax.html").read_text("utf-8")
