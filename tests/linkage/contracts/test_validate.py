"""What is not as its contract says is found, in messages one by one and in rows by the million, by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiban import linkage, standard, store
from kiban.linkage import Contract, Contracts, Feed, Message

Edit = Callable[[dict[str, Any]], object]


def arrow(feed: Feed, rows: list[Any]) -> pa.RecordBatch:
    """Rows of messages as they stand in a file."""
    kinds = store.arrow_schema(feed.group)
    schema = pa.schema([kinds.field(name).with_nullable(True) for name in feed.columns])
    return pa.RecordBatch.from_pylist([days(row) for row in rows], schema)


def days(row: Any) -> dict[str, Any]:
    from datetime import date

    ends = {name: row[name] and date.fromisoformat(row[name]) for name in ("valid_from", "valid_to")}
    return {**row, **ends}


def residents(contract: Contract) -> list[Message]:
    return [each for each in linkage.sample(contract, 7) if each.parts.get("jumin")]


def changed(message: Message, edit: Edit) -> Message:
    rows = [dict(row) for row in message.parts["jumin"]]
    edit(rows[0])
    return replace(message, parts={**message.parts, "jumin": rows})


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_samples_are_good_and_the_same_seed_gives_the_same(samples: Contracts, seed: int) -> None:
    for contract in samples:
        messages = linkage.sample(contract, seed, 8)
        assert messages == linkage.sample(contract, seed, 8)
        assert [linkage.validate(contract, each) for each in messages] == [()] * len(messages)
        assert len({each.id for each in messages}) == len(messages)


def test_samples_have_a_past_wards_unknown_days_protection_and_ends(contract: Contract) -> None:
    messages = linkage.sample(contract, 3, 40)
    rows = [row for each in messages for row in each.parts.get("jumin", ())]
    assert max(len(each.parts.get("jumin", ())) for each in messages) >= 3
    assert len({row["shiteitoshi_gyoseikutokodo"] for row in rows}) >= 2
    assert {row["seinengappi_fushofuragu"] for row in rows} == {"0", "1"}
    assert {each.protection for each in messages} == {linkage.CLEAR, linkage.PROTECTED}
    assert any(not any(each.parts.values()) for each in messages)


def test_the_versions_of_a_unit_follow_each_other(contract: Contract) -> None:
    held: dict[str, int] = {}
    for message in linkage.sample(contract, 11, 30):
        assert message.previous == held.get(message.unit, 0)
        held[message.unit] = message.event


def test_a_protected_person_of_the_library_has_no_address(samples: Contracts) -> None:
    contract = samples.flow("resident-library.v1")
    protected = [each for each in linkage.sample(contract, 5) if each.protection == linkage.PROTECTED]
    rows = [row for each in protected for row in each.parts["jumin"]]
    assert rows
    assert all(row["jusho_choaza"] is None for row in rows)


@pytest.mark.parametrize("state", [linkage.PROTECTED, linkage.UNKNOWN])
def test_an_address_of_who_is_protected_or_unknown_is_refused(samples: Contracts, state: str) -> None:
    contract = samples.flow("resident-library.v1")
    clear = next(each for each in residents(contract) if each.protection == linkage.CLEAR)
    problems = linkage.validate(contract, replace(clear, protection=state))
    assert {each.code for each in problems} == {"message-not-withheld"}
    assert "jumin.jusho_choaza" in {each.where for each in problems}


WRONG: dict[str, tuple[Edit, str, str]] = {
    "an item too few": (lambda row: row.pop("shimei"), "message-columns", "jumin"),
    "an item too many": (lambda row: row.update(kojinbango="123456789018"), "message-columns", "jumin"),
    "another's row": (lambda row: row.update(atenabango="0" * 15), "message-unit", "jumin"),
    "nothing that is needed": (lambda row: row.update(juminjotai=None), "value-missing", "jumin.juminjotai"),
    "an empty text": (lambda row: row.update(shimei=""), "value-kind", "jumin.shimei"),
    "a number as a text": (lambda row: row.update(rirekibango="1"), "value-kind", "jumin.rirekibango"),
    "truth as a number": (lambda row: row.update(rirekibango=True), "value-kind", "jumin.rirekibango"),
    "a text as a number": (lambda row: row.update(seibetsu=1), "value-kind", "jumin.seibetsu"),
    "too many digits": (lambda row: row.update(rirekibango=100_000), "value-type", "jumin.rirekibango"),
    "a number below nothing": (lambda row: row.update(rirekibango=-1), "value-type", "jumin.rirekibango"),
    "half-width in a name": (lambda row: row.update(shimei="Aoki"), "value-type", "jumin.shimei"),
    "a line break in a name": (lambda row: row.update(shimei="青木\n太郎"), "value-type", "jumin.shimei"),
    "a name too long": (lambda row: row.update(shimei="青" * 101), "value-too-long", "jumin.shimei"),
    "a code that is none": (lambda row: row.update(seibetsu="Z"), "value-not-in-code-list", "jumin.seibetsu"),
    "a day that is none": (
        lambda row: row.update(tenshutsunengappi="2026-02-30"),
        "value-not-a-day",
        "jumin.tenshutsunengappi",
    ),
    "a period that is none": (lambda row: row.update(valid_from="2026-02-30"), "message-period", "jumin"),
    "a period of no length": (
        lambda row: row.update(valid_from="2026-02-03", valid_to="2026-02-03"),
        "message-period",
        "jumin",
    ),
}


@pytest.mark.parametrize(("edit", "code", "where"), WRONG.values(), ids=WRONG)
def test_a_message_is_refused_for(edit: Edit, code: str, where: str, contract: Contract) -> None:
    problems = linkage.validate(contract, changed(residents(contract)[0], edit))
    assert (code, where) in [(each.code, each.where) for each in problems]


def test_no_problem_tells_a_value(contract: Contract) -> None:
    message = changed(residents(contract)[0], lambda row: row.update(shimei="Secret", seibetsu="Q"))
    told = " ".join(str(each) for each in linkage.validate(contract, message))
    assert "Secret" not in told
    assert message.unit not in told


def test_two_rows_of_one_key_and_overlapping_periods_are_refused(contract: Contract) -> None:
    message = residents(contract)[0]
    row = dict(message.parts["jumin"][0])
    twice = replace(message, parts={"jumin": [row, row]})
    assert "message-key-twice" in {each.code for each in linkage.validate(contract, twice)}
    later = {**row, "valid_from": "9000-01-01", "valid_to": None}
    over = replace(message, parts={"jumin": [later, {**row, "valid_to": None}]})
    assert {each.code for each in linkage.validate(contract, over)} == {"message-overlap"}


def test_a_message_outside_the_contract_is_refused(contract: Contract) -> None:
    message = residents(contract)[0]
    for wrong, code in (
        (replace(message, flow="other.v1"), "message-elsewhere"),
        (replace(message, parts={}), "message-empty"),
        (replace(message, parts={"gaikokujin": []}), "message-group"),
        (replace(message, previous=message.event), "message-version"),
    ):
        assert [each.code for each in linkage.validate(contract, wrong)] == [code]


def test_rows_of_good_messages_are_good_in_bulk(samples: Contracts) -> None:
    for contract in samples:
        for feed in contract.feeds:
            last = {each.unit: each for each in linkage.sample(contract, 5, 40) if feed.name in each.parts}
            rows = [row for each in last.values() for row in each.parts[feed.name]]
            assert (
                linkage.validate_rows(
                    feed, arrow(feed, rows), contract.protection.withheld.get(feed.name, ())
                )
                == ()
            )


ONE_BY_ONE = [
    name for name, (_, code, _) in WRONG.items() if code.startswith("value") and code != "value-kind"
]


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_bulk_finds_the_same_in_the_row_where_it_stands(name: str, contract: Contract) -> None:
    edit, code, where = WRONG[name]
    feed = contract.feed("jumin")
    last = {each.unit: each for each in residents(contract)}
    rows = [dict(row) for each in last.values() for row in each.parts["jumin"]]
    edit(rows[4])
    (fault,) = linkage.validate_rows(feed, arrow(feed, rows))
    assert (fault.problem.code, fault.problem.where, fault.rows.to_pylist()) == (code, where, [4])


@given(
    values=st.lists(
        st.one_of(
            st.none(),
            st.text(alphabet="青木葛\U000e0100アｱaZ ０0-12　\n\x00", max_size=14),
            st.from_regex(r"\A20[0-9]{2}-[0-9]{2}-[0-9]{2}\Z"),
        ),
        min_size=1,
        max_size=30,
    ),
    name=st.sampled_from(
        ["shimei", "jusho_yubinbango", "seibetsu", "seinengappi", "tenshutsunengappi", "jusho_todofuken"]
    ),
)
def test_bulk_and_one_by_one_judge_alike(contract: Contract, values: list[str | None], name: str) -> None:
    feed = contract.feed("jumin")
    item = feed.group.item(name)
    good = residents(contract)[0].parts["jumin"][0]
    rows = [{**good, "atenabango": str(place).zfill(15), name: value} for place, value in enumerate(values)]
    found = {
        (fault.problem.code, place)
        for fault in linkage.validate_rows(feed, arrow(feed, rows))
        for place in fault.rows.to_pylist()
    }
    codes = feed.edition.code_list(item)
    wanted = set()
    for place, value in enumerate(values):
        unknown = value is None and item.allows_unknown_date  # the words beside it say what is known
        problem = None if value == "" or unknown else standard.check_value(item, value or "", codes)
        if value == "":
            wanted.add(("value-kind", place))
        elif problem:
            wanted.add((problem.code, place))
    assert found == wanted


def test_columns_without_any_value_and_batches_without_rows_are_judged(contract: Contract) -> None:
    feed = contract.feed("jumin")
    good = residents(contract)[0].parts["jumin"][0]
    empty = {
        name: None if not feed.group.item(name).required else value
        for name, value in good.items()
        if name in feed.group
    }
    assert linkage.validate_rows(feed, arrow(feed, [{**good, **empty}])) == ()
    assert linkage.validate_rows(feed, arrow(feed, [])) == ()


def test_bulk_finds_keys_and_periods(contract: Contract) -> None:
    feed = contract.feed("jumin")
    row = {**residents(contract)[0].parts["jumin"][0], "valid_from": "2020-01-01", "valid_to": "2021-01-01"}
    other = {**row, "atenabango": "0" * 15}
    rows = [
        row,
        {**row, "valid_from": "2020-06-01", "valid_to": None},
        other,
        {**other, "valid_to": "2022-01-01"},
        {**row, "atenabango": "1" * 15, "valid_to": "2019-01-01"},
        {**row, "atenabango": "2" * 15, "valid_from": None, "valid_to": None},
        {**row, "atenabango": "2" * 15},
    ]
    found = {
        fault.problem.code: fault.rows.to_pylist() for fault in linkage.validate_rows(feed, arrow(feed, rows))
    }
    assert found == {"row-period": [4], "row-overlap": [1, 6], "row-key-twice": [3]}


def test_rows_with_other_columns_are_not_looked_at(contract: Contract) -> None:
    feed = contract.feed("jumin")
    batch = arrow(feed, list(residents(contract)[0].parts["jumin"])).drop_columns(["shimei"])
    (fault,) = linkage.validate_rows(feed, batch)
    assert fault.problem.code == "rows-columns"
    assert len(fault.rows) == batch.num_rows
