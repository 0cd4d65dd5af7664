"""A contract is read whole or refused with everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kiban import linkage, main, sets, standard
from kiban.kernel import Problem, Problems
from kiban.linkage import SAMPLES, Contract, Contracts, Due
from kiban.settings import Settings

DAY = date(2026, 11, 24)
TAX = (SAMPLES / "resident-tax.yaml").read_text(encoding="utf-8")
FILES = sorted(SAMPLES.glob("*.yaml"))


def loaded(text: str, folder: Path, library: standard.Library) -> Contract:
    file = folder / "flow.yaml"
    file.write_text(text, encoding="utf-8")
    (contract,) = linkage.load_contracts([file], library)
    return contract


def faults(text: str, folder: Path, library: standard.Library) -> tuple[Problem, ...]:
    with pytest.raises(Problems) as caught:
        loaded(text, folder, library)
    return caught.value.problems


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_sample_is_a_document_of_the_real_odcs_schema(file: Path) -> None:
    schema = json.loads((resources.files("open_data_contract_standard") / "schema.json").read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(yaml.safe_load(file.read_text("utf-8")))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_sample_says_that_it_is_an_example(file: Path) -> None:
    text = file.read_text("utf-8")
    assert "例" in text.splitlines()[0]
    assert "（例）" in yaml.safe_load(text)["name"]


def test_the_samples_cover_a_standard_a_legacy_an_own_and_an_incoming_system(samples: Contracts) -> None:
    assert [each.flow for each in samples] == [
        "donor-nonresident.v1",
        "resident-library.v1",
        "resident-tax.v1",
        "resident-tax-legacy.v1",
    ]
    assert samples.flow("donor-nonresident.v1").incoming is not None
    assert samples.flow("resident-library.v1").consumer.id == "L01"
    assert "jusho_choaza" in samples.flow("resident-library.v1").protection.withheld["jumin"]


def test_a_contract_says_what_stands_in_its_file(contract: Contract) -> None:
    assert contract.version == (1, 0, 0)
    assert [(feed.name, feed.unit.romaji) for feed in contract.feeds] == [
        ("jumin", "atenabango"),
        ("setai", "setaibango"),
    ]
    assert contract.due[1] == Due("delta", 6 * 60, "day", None, timedelta(minutes=30))
    assert contract.receiver.rows == 1_000_000
    assert contract.effective == date(2026, 4, 1)
    assert contract.until is None
    assert contract.quality["jumin"][0]["type"] == "text"


def test_the_order_of_what_is_carried_is_that_of_the_edition(contract: Contract) -> None:
    group = contract.feed("jumin").group
    places = [group.items.index(item) for item in contract.feed("jumin").items]
    assert places == sorted(places)


def test_a_contract_may_be_read_by_the_folders_of_the_settings(tmp_path: Path) -> None:
    given = Settings(tmp_path, contracts=(SAMPLES,))
    assert len(main.contracts(given)) == 4
    assert len(main.contracts(Settings(tmp_path))) == 0


FAULTS: dict[str, tuple[str, str, str, str]] = {
    "an item that the group has not": ("name: shimei,", "name: shimmei,", "item-unknown", "shimei"),
    "a title for a romaji": ("{name: seibetsu,", "{name: 性別,", "item-unknown", "write seibetsu"),
    "a group that the edition has not": ("- name: setai\n", "- name: setei\n", "group-unknown", "setai"),
    "a title for a group": ("- name: setai\n", "- name: 世帯\n", "group-unknown", "write its ID: setai"),
    "another title": ("businessName: 性別", "businessName: 性", "contract-disagrees", "性別"),
    "an item said to be needed": (
        "性別, logicalType: string}",
        "性別, required: true}",
        "contract-disagrees",
        "required: false",
    ),
    "a key said to be none": (
        "氏名, logicalType: string}",
        "氏名, primaryKey: true}",
        "contract-disagrees",
        "primaryKey: false",
    ),
    "another type": (
        "性別, logicalType: string}",
        "性別, logicalType: integer}",
        "contract-disagrees",
        "logicalType: string",
    ),
    "a unit that is not always there": (
        "x-unit, value: atenabango",
        "x-unit, value: shimei",
        "contract-unit",
        "",
    ),
    "an edition that is not there": ("kiban-2026.1", "kiban-2026.11", "edition-unknown", "kiban-2026.1"),
    "a business that is not there": (
        "{business: resident,",
        "{business: residents,",
        "business-unknown",
        "resident",
    ),
    "a version of two numbers": ('version: "1.0.0"', 'version: "1.0"', "field-form", "1.0.0"),
    "a status that is none": ("status: active", "status: activ", "field-choice", "active"),
    "a way that is none": ("[event, file]", "[event, file, fax]", "field-choice", "file"),
    "files without a profile": (
        "  - {property: x-profile, value: example-csv}\n",
        "",
        "contract-profile",
        "",
    ),
    "events due that are no way": ("[event, file]", "[file]", "contract-due", "event"),
    "a system of four letters": ("id: ZEI", "id: ZEIM", "field-form", "three"),
    "the 業務ID of another": ('id: "001"', 'id: "002"', "contract-system", '"001"'),
    "addresses without protection": (
        "carried: true",
        "carried: false",
        "contract-protection",
        "carried: true",
    ),
    "no legal basis": ("x-legal-basis", "x-legal-bases", "field-missing", "x-legal-basis"),
    "a property that means nothing": ("property: x-owner", "property: x-ownr", "field-unknown", "x-owner"),
    "a day that is none": ("2026-04-01", "2026-04-31", "field-form", "YYYY-MM-DD"),
    "a due time that is none": ('"06:00"', '"25:00"', "field-form", "06:00"),
    "a duration that is none": ("within: PT30M", "within: 30 minutes", "field-form", "PT10M"),
    "a rule that Kiban cannot check": ("type: text", "type: sql", "field-choice", "text"),
    "a contract inside Kiban": (
        "kind: standard}",
        "kind: standard, business: nonresident_addressee}",
        "contract-system",
        "",
    ),
}


@pytest.mark.parametrize(("old", "new", "code", "advice"), FAULTS.values(), ids=FAULTS)
def test_a_contract_is_refused_for(
    old: str, new: str, code: str, advice: str, tmp_path: Path, library: standard.Library
) -> None:
    assert old in TAX
    told = [each for each in faults(TAX.replace(old, new, 1), tmp_path, library) if each.code == code]
    assert told
    assert told[0].where is not None
    assert told[0].where.startswith(str(tmp_path / "flow.yaml:"))
    assert advice in f"{told[0].what} {told[0].fix}"


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path, library: standard.Library) -> None:
    (tmp_path / "a.yaml").write_text(
        TAX.replace("name: shimei,", "name: shimmei,").replace("[event, file]", "[fax]")
    )
    (tmp_path / "b.yaml").write_text(TAX.replace("id: resident-tax\n", "id: Resident\n"))
    (tmp_path / "c.yaml").write_text("nothing")
    with pytest.raises(Problems) as caught:
        linkage.load_contracts([tmp_path], library)
    told = caught.value.problems
    assert {Path(str(each.where).rsplit(":", 1)[0]).name for each in told} == {"a.yaml", "b.yaml", "c.yaml"}
    assert len([each for each in told if "a.yaml" in str(each.where)]) >= 2


def test_a_fault_names_its_line(tmp_path: Path, library: standard.Library) -> None:
    text = TAX.replace("within: PT30M", "within: soon")
    line = next(i for i, each in enumerate(text.splitlines(), 1) if "soon" in each)
    (fault,) = faults(text, tmp_path, library)
    assert fault.where == f"{tmp_path / 'flow.yaml'}:{line}"


def test_a_key_left_out_is_named(tmp_path: Path, library: standard.Library) -> None:
    line = "      - {name: rirekibango, businessName: 履歴番号, logicalType: integer, primaryKey: true, required: true}\n"
    (fault,) = faults(TAX.replace(line, "", 1), tmp_path, library)
    assert fault.code == "contract-key-missing"
    assert "rirekibango" in fault.what


def test_the_same_version_in_two_files_is_refused(tmp_path: Path, library: standard.Library) -> None:
    (tmp_path / "a.yaml").write_text(TAX)
    (tmp_path / "b.yaml").write_text(TAX)
    with pytest.raises(Problems) as caught:
        linkage.load_contracts([tmp_path], library)
    assert [each.code for each in caught.value.problems] == ["contract-twice"]


def test_traffic_of_a_flow_that_nobody_agreed_on_is_refused(
    signed: Callable[..., Contracts], signer: sets.Signer
) -> None:
    with pytest.raises(Problem, match="contract-unknown") as caught:
        signed().admit("resident-taxes.v1", DAY, {signer.key})
    assert "resident-tax.v1" in str(caught.value)


def test_an_unsigned_contract_carries_nothing(samples: Contracts, signer: sets.Signer) -> None:
    assert samples.live(DAY, {signer.key}) == ()
    with pytest.raises(Problem, match="contract-unsigned"):
        samples.admit("resident-tax.v1", DAY, {signer.key})


def test_a_contract_that_a_stranger_signed_carries_nothing(signed: Callable[..., Contracts]) -> None:
    assert signed().live(DAY, {"0" * 64}) == ()
    with pytest.raises(Problem, match="contract-unsigned"):
        signed().admit("resident-tax.v1", DAY, {"0" * 64})


def test_signed_contracts_are_live_in_their_period(
    signed: Callable[..., Contracts], signer: sets.Signer
) -> None:
    contracts = signed()
    assert len(contracts.live(DAY, {signer.key})) == 4
    assert [each.flow for each in contracts.live(date(2030, 4, 1), {signer.key})] == [
        "donor-nonresident.v1",
        "resident-library.v1",
        "resident-tax.v1",
    ]
    with pytest.raises(Problem, match="contract-not-in-force"):
        contracts.admit("resident-tax-legacy.v1", date(2030, 4, 1), {signer.key})
    with pytest.raises(Problem, match="contract-not-in-force"):
        contracts.admit("resident-tax.v1", date(2026, 3, 31), {signer.key})


def test_a_draft_carries_nothing_though_it_is_signed(
    signed: Callable[..., Contracts], signer: sets.Signer, tmp_path: Path
) -> None:
    (tmp_path / "draft.yaml").write_text(TAX.replace("status: active", "status: draft"))
    with pytest.raises(Problem, match="contract-not-in-force"):
        signed(tmp_path / "draft.yaml").admit("resident-tax.v1", DAY, {signer.key})


def test_a_changed_contract_has_lost_its_signature(
    signed: Callable[..., Contracts], library: standard.Library, tmp_path: Path
) -> None:
    signed()
    file = tmp_path / "contracts" / "resident-tax.yaml"
    file.write_text(file.read_text().replace("PT30M", "PT45M"))
    with pytest.raises(Problems, match="contract-signature") as caught:
        linkage.load_contracts([file], library)
    assert str(caught.value.problems[0].where).endswith("resident-tax.yaml.sig:1")


def test_provider_and_consumer_may_both_sign(
    signed: Callable[..., Contracts], signer: sets.Signer, library: standard.Library
) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    other: Any = sets.Signer(Ed25519PrivateKey.generate())
    contract = signed().flow("resident-tax.v1")
    assert contract.path is not None
    linkage.signature_file(contract.path).write_text(linkage.sign(contract, other))
    (again,) = linkage.load_contracts([contract.path], library)
    assert again.signed_by == {signer.key, other.key}


def test_a_contract_that_was_changed_is_signed_anew_after_looking_past_the_old_signature(
    signed: Callable[..., Contracts], library: standard.Library, signer: sets.Signer, tmp_path: Path
) -> None:
    signed()
    file = tmp_path / "contracts" / "resident-tax.yaml"
    file.write_text(file.read_text().replace("PT30M", "PT45M"))
    (one,) = linkage.load_contracts([file], library, signatures=False)
    assert one.signed_by == frozenset()
    linkage.signature_file(file).write_text(linkage.sign(one, signer))
    (again,) = linkage.load_contracts([file], library)
    assert again.signed_by == {signer.key}
