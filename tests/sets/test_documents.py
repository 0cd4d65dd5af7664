"""A manifest has one writing: what is read is what was written, and what is not in the writing is refused."""

from __future__ import annotations

import dataclasses
import json
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from kiban import sets
from kiban.kernel import AsOf, Problem, Problems
from kiban.sets import writing

from .conftest import AT, codes, draft, ledger

GOLDEN = Path(__file__).parent / "golden_manifest.json"

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
names = lines.filter(lambda name: not set(name) & set("/\\"))
numbers = st.integers(0, 2**53 - 1)
digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
moments = st.datetimes(timezones=st.just(UTC))
parts = st.builds(
    sets.Part,
    number=st.integers(1, 2**53 - 1),
    of=numbers,
    name=names,
    form=st.sampled_from(["parquet", "bytes"]),
    rows=numbers,
    bytes=numbers,
    sums=st.dictionaries(names, st.integers(-(2**100), 2**100), max_size=3).map(
        lambda one: tuple(sorted(one.items()))
    ),
    sha256=digests,
)
buckets = st.dictionaries(
    st.integers(0, sets.BUCKETS - 1),
    st.tuples(st.integers(1, 2**40), st.integers(0, 2**90), st.integers(0, 2**90)),
    max_size=6,
).map(lambda one: tuple(sets.BucketSum(number, *one[number]) for number in sorted(one)))
columns = st.builds(
    sets.Column,
    lines,
    st.sampled_from(["text", "integer", "decimal", "date", "boolean", "list", "bytes"]),
    st.integers(0, 38),
)
manifests = st.builds(
    sets.Manifest,
    set_id=st.binary(min_size=16, max_size=16).map(
        lambda raw: sets.new_set_id(AT + timedelta(milliseconds=raw[0]))
    ),
    flow=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True),
    kind=st.sampled_from(["full", "delta"]),
    epoch=st.integers(1, 10**10 - 1),
    sequence=st.integers(0, 10**10 - 1),
    previous=st.none() | st.integers(0, 10**10 - 1),
    as_of=st.builds(AsOf, st.dates(), st.none() | moments),
    producer=lines,
    edition=st.none() | lines,
    register=st.none() | lines,
    key=st.lists(lines, max_size=3).map(tuple),
    columns=st.lists(columns, max_size=3).map(tuple),
    sums=st.lists(lines, max_size=2).map(tuple),
    parts=st.lists(parts, max_size=3).map(tuple),
    buckets=st.none() | buckets,
    signature=st.none()
    | st.builds(sets.Signature, digests, st.binary(min_size=64, max_size=64).map(bytes.hex)),
)


@given(manifest=manifests)
def test_what_is_read_is_what_was_written(manifest: sets.Manifest) -> None:
    assert sets.read_manifest(sets.manifest_bytes(manifest), "here") == manifest


@given(manifest=manifests, data=st.data())
def test_a_changed_byte_is_refused_or_is_another_manifest_in_its_only_writing(
    manifest: sets.Manifest, data: Any
) -> None:
    written = bytearray(sets.manifest_bytes(manifest))
    written[data.draw(st.integers(0, len(written) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = sets.read_manifest(bytes(written), "here")
    except (Problem, Problems):
        return
    assert sets.manifest_bytes(read) == bytes(written)


def golden() -> sets.Manifest:
    table = ledger(0, 30)
    shelf = sets.open_shelf("memory:")
    said = draft(
        set_id="019f0000-0000-7000-8000-000000000001",
        as_of=AsOf(date(2026, 10, 1), datetime(2026, 10, 2, tzinfo=UTC)),
    )
    part = sets.Raw("課税.csv", 30, lambda: ["番号,税\r\n".encode("cp932")], batches=table.to_batches)
    return sets.publish(
        shelf, said, [part], signer=sets.Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    )


def test_the_same_set_is_written_with_the_bytes_of_the_golden_file() -> None:
    assert sets.manifest_bytes(golden()) == GOLDEN.read_bytes()
    assert sets.read_manifest(GOLDEN.read_bytes(), "golden") == golden()
    assert writing.signature_fits(golden())


def test_a_moment_is_written_in_utc_wherever_it_was_said() -> None:
    japan = datetime(2026, 10, 2, 9, tzinfo=timezone(timedelta(hours=9)))
    said = dataclasses.replace(golden(), as_of=AsOf(date(2026, 10, 1), japan))
    assert sets.manifest_bytes(said) == GOLDEN.read_bytes()


def body() -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_bytes()))


def refused(changed: Any) -> list[tuple[str, str | None]]:
    data = changed if isinstance(changed, bytes) else canonical(changed)
    with pytest.raises((Problem, Problems)) as caught:
        sets.read_manifest(data, "m")
    return [(problem.code, problem.where) for problem in getattr(caught.value, "problems", [caught.value])]


def canonical(body: Any) -> bytes:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"{text}\n".encode("utf-8", "surrogatepass")


def test_an_unknown_field_a_missing_one_and_unfit_ones_are_told_together() -> None:
    said = body() | {
        "comment": "",
        "epoch": -1,
        "columns": [{"name": "a", "kind": "float", "scale": 0}],
        "rows": 3,
    }
    del said["producer"]
    assert refused(said) == [
        ("document-field", "m.'producer'"),
        ("document-field", "m.'comment'"),
        ("document-field", "m.'rows'"),
        ("document-field", "m.epoch"),
        ("document-field", "m.columns[0].kind"),
    ]


def test_another_version_is_refused_by_name() -> None:
    assert refused(body() | {"version": 2}) == [("manifest-version", "m")]
    assert refused(body() | {"document": "kiban-receipt"}) == [("manifest-unreadable", "m")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]\n",
        b"{",
        b"\xff\xfe{}",
        b'{"document":"kiban-manifest","version":1,"version":1}\n',
        b'{"document":"kiban-manifest","version":1.0}\n',
        b'{"document":"kiban-manifest","version":NaN}\n',
        b'{"document":"kiban-manifest", "version":1}\n',
        b'{"version":1,"document":"kiban-manifest"}\n',
        b'{"document":"kiban-manifest","version":1}',
        b'{"document":"kiban-manifest","version":1,"x":"\\ud800"}\n',
        b"[" * 100_000,
    ],
)
def test_anything_but_the_canonical_writing_is_refused(data: bytes) -> None:
    assert refused(data) == [("manifest-unreadable", "m")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("set_id", "019f0000-0000-4000-8000-000000000001"),
        ("flow", "a/b"),
        ("as_of", {"valid": "2026-02-30", "known": None}),
        ("as_of", {"valid": "２０２６-10-01", "known": None}),
        ("as_of", {"valid": "2026-10-01", "known": "2026-10-01T00:00:00"}),
        ("epoch", True),
        ("epoch", 2**53),
        ("producer", "a\nb"),
        ("producer", None),
        ("key", "bango"),
        ("parts", {}),
        ("signature", {"key": "00", "value": "00"}),
        ("buckets", {"rows_bytes": 1, "sum_bytes": 8, "data": "AAAA"}),
        ("buckets", {"rows_bytes": 1, "sum_bytes": 8, "data": "****"}),
        ("buckets", {"rows_bytes": 2, "sum_bytes": 1, "data": "AAEAAQEB"}),
    ],
)
def test_a_value_of_another_form_is_refused(field: str, value: Any) -> None:
    found = refused(body() | {field: value})
    assert {code for code, _ in found} == {"document-field"}
    assert all(where and where.startswith(f"m.{field}") for _, where in found)


def test_an_amount_is_text_so_that_no_reader_cuts_it() -> None:
    said = body()
    assert said["parts"][0]["sums"] == {"zei": "36500"}
    said["parts"][0]["sums"] = {"zei": 36500}
    assert refused(said) == [("document-field", "m.parts[0].sums.zei")]
    said["parts"][0]["sums"] = {"zei": "-0"}
    assert refused(said) == [("document-field", "m.parts[0].sums.zei")]


def test_ids_of_one_moment_are_uuids_of_version_7_in_its_order_and_all_different() -> None:
    made = [sets.new_set_id(AT) for _ in range(10_000)]
    assert len(set(made)) == 10_000
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in made} == {(7, uuid.RFC_4122)}
    assert {int(uuid.UUID(one).int >> 80) for one in made} == {int(AT.timestamp() * 1000)}
    assert max(made) < sets.new_set_id(AT + timedelta(milliseconds=1))


def test_nothing_in_a_problem_repeats_what_stood_in_a_bad_document() -> None:
    for said in (body() | {"producer": "山田太郎\n"}, body() | {"flow": "山田太郎"}):
        with pytest.raises(Problems) as caught:
            sets.read_manifest(canonical(said), "m")
        assert "山田" not in str(caught.value)
        assert codes(caught.value.problems) == ["document-field"]
