"""Rules of quality are judged over all rows of a feed in one pass; a rule that cannot be is refused with the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from kiban import linkage, standard, store
from kiban.kernel import Problems
from kiban.linkage import SAMPLES, Contract

TAX = (SAMPLES / "resident-tax.yaml").read_text(encoding="utf-8")


def rows(contract: Contract, *names: str | None) -> pa.RecordBatchReader:
    """Households with these heads, in batches of two."""
    feed = contract.feed("setai")
    kinds = store.arrow_schema(feed.group)
    schema = pa.schema([kinds.field(name).with_nullable(True) for name in feed.columns])
    table = pa.Table.from_pylist(
        [
            {"setaibango": str(at % 4), "setainushi_shimei": name, "setaijotai": "1"}
            for at, name in enumerate(names)
        ],
        schema,
    )
    return table.to_reader(2)


def rule(metric: str, **more: Any) -> dict[str, Any]:
    return {"type": "library", "metric": metric, "arguments": {"column": "setainushi_shimei"}, **more}


RULES: dict[str, tuple[dict[str, Any], str | None]] = {
    "no empty name, and there is one": (rule("nullValues", mustBe="0"), "nullValues is 1, mustBe 0"),
    "one empty name at most": (rule("nullValues", mustBeLessOrEqualTo="1"), None),
    "an empty text is missing, too": (rule("missingValues", mustBe="2"), None),
    "a quarter may be missing": (
        rule("missingValues", mustBeLessThan="25", unit="percent"),
        "missingValues is 40, mustBeLessThan 25",
    ),
    "only known names": (
        rule(
            "invalidValues",
            mustBe="0",
            arguments={"column": "setainushi_shimei", "validValues": ["青木", "O'Hara", ""]},
        ),
        None,
    ),
    "an unknown name": (
        rule("invalidValues", mustBe="0", arguments={"column": "setainushi_shimei", "validValues": [""]}),
        "invalidValues is 3, mustBe 0",
    ),
    "each household once": (
        rule("duplicateValues", mustBe="0", arguments={"properties": ["setaibango"]}, description="一度だけ"),
        "duplicateValues is 1, mustBe 0: 一度だけ",
    ),
    "each household with its state once": (
        rule("duplicateValues", mustBe="1", arguments={"properties": ["setaibango", "setaijotai"]}),
        None,
    ),
    "an item of its own": ({"metric": "nullValues", "property": "setaijotai", "mustBe": "0"}, None),
    "four to six rows": (rule("rowCount", mustBeBetween=["4", "6"]), None),
    "not four to six rows": (
        rule("rowCount", mustNotBeBetween=["4", "6"]),
        "rowCount is 5, mustNotBeBetween ['4', '6']",
    ),
    "more rows": (rule("rowCount", mustBeGreaterThan="5"), "rowCount is 5, mustBeGreaterThan 5"),
    "a text for people": ({"type": "text", "description": "注意"}, None),
}


@pytest.mark.parametrize(("one", "said"), RULES.values(), ids=RULES)
def test_a_rule_holds_or_is_told(one: dict[str, Any], said: str | None, contract: Contract) -> None:
    judged = replace(contract, quality={"setai": (one,)})
    found = linkage.judge(judged, judged.feed("setai"), rows(judged, "青木", None, "", "O'Hara", "青木"))
    assert [(each.code, each.what) for each in found] == ([("quality-failed", said)] if said else [])


def test_all_rules_are_told_at_once_and_no_rows_are_judged_too(contract: Contract) -> None:
    both = replace(
        contract, quality={"setai": (rule("rowCount", mustBe="9"), rule("nullValues", mustBe="9"))}
    )
    assert len(linkage.judge(both, both.feed("setai"), rows(both))) == 2


UNFIT = {
    "no operator": "{metric: nullValues, arguments: {column: shimei}}",
    "two operators": '{metric: nullValues, mustBe: "0", mustBeLessThan: "9", arguments: {column: shimei}}',
    "no number": "{metric: nullValues, mustBe: none, arguments: {column: shimei}}",
    "one end of a range": '{metric: rowCount, mustBeBetween: ["1"]}',
    "no item": '{metric: nullValues, mustBe: "0"}',
    "an item that is not carried": '{metric: nullValues, mustBe: "0", arguments: {column: kojinbango}}',
    "no values": '{metric: invalidValues, mustBe: "0", arguments: {column: shimei}}',
    "another unit": '{metric: rowCount, mustBe: "0", unit: dozen}',
}


@pytest.mark.parametrize("text", UNFIT.values(), ids=UNFIT)
def test_a_rule_that_cannot_be_checked_is_refused(
    text: str, tmp_path: Path, library: standard.Library
) -> None:
    old = "{type: text, description: 支援措置の対象者には、支援措置フラグに「1」が必ず付く}"
    assert old in TAX
    (tmp_path / "a.yaml").write_text(TAX.replace(old, text), encoding="utf-8")
    with pytest.raises(Problems) as caught:
        linkage.load_contracts([tmp_path], library)
    assert [each.code for each in caught.value.problems] == ["contract-quality"]


def test_a_rule_at_an_item_knows_its_item(tmp_path: Path, library: standard.Library) -> None:
    old = "{name: setaininzu, businessName: 世帯人数, logicalType: integer, required: true}"
    assert old in TAX
    more = ', quality: [{metric: invalidValues, mustBe: "0", arguments: {validValues: ["1", "2"]}}]}'
    (tmp_path / "a.yaml").write_text(TAX.replace(old, old[:-1] + more), encoding="utf-8")
    (contract,) = linkage.load_contracts([tmp_path], library)
    assert contract.quality["setai"][0]["property"] == "setaininzu"
