"""A flow to a mainframe travels as records of fixed length in its own code page, and back; what it cannot hold is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.linkage.files.conftest import NOW, contract, feed, move_in, rename, unit

from kiban import linkage, main, migration, sets
from kiban.kernel import Problem, Problems
from kiban.linkage import Contract, Replica
from kiban.linkage.contracts import Profile, ProfileFile
from kiban.linkage.files import Intake, columns_of, publish_delta, publish_full, take_newest
from kiban.standard import Library
from kiban.store import Store

Desks = Callable[..., Any]
BOOK = """
       01  JUMIN-REC.
         03  BANGO      PIC 9(15).
         03  RIREKI     PIC S9(05) COMP-3.
         03  SHIMEI     PIC N(20).
         03  SEINEN     PIC 9(08) COMP-3.
         03  SHIEN      PIC X(01).
         03  FILLER     PIC X(04).
         03  KAISHI     PIC 9(08).
         03  SHURYO     PIC 9(08) COMP-3.
"""
LAYOUT = """
copybook: jumin.cpy
page: {page}
fields:
  atenabango: BANGO
  rirekibango: RIREKI
  shimei: SHIMEI
  seinengappi: SEINEN
  shiensochifuragu: SHIEN
  valid_from: KAISHI
  valid_to: SHURYO
days: [seinengappi]
unset: {{KAISHI: spaces, SHURYO: low-values}}
"""
ITEMS = ("shimei", "seinengappi", "shiensochifuragu")
FIXED = Profile("rei-kotei", "例", form="records")


def laid_out(folder: Path, page: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "jumin.cpy").write_text(BOOK)
    (folder / "jumin.yaml").write_text(LAYOUT.format(page=page))
    return folder


@pytest.fixture
def flow(library: Library) -> Contract:
    edition = library.edition("resident")
    return contract(library, feeds=(feed(edition, "jumin", "atenabango", ITEMS),), profile="rei-kotei")


@pytest.fixture(params=["jef", "keis83", "cp932"])
def codec(request: pytest.FixtureRequest, flow: Contract, tmp_path: Path) -> Any:
    known = linkage.contracts.Contracts((flow,), {"rei-kotei": known_profile()})
    return main.codec(known, flow, laid_out(tmp_path / "layouts", request.param))


def known_profile() -> ProfileFile:
    return ProfileFile("rei-kotei", "例", "example", Path("rei.yaml"), (), FIXED)


def test_a_flow_travels_as_records_and_is_equal_at_the_other_side(
    city: Store, flow: Contract, codec: Any, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    for number in (1, 2, 3):
        move_in(city, number, f"山田　{'一二三'[number - 1]}郎")
    done = publish_full(desk(folder, codec=codec), flow)
    [part] = [one for one in done.manifest.parts if one.name == "jumin.0001.dat"]
    assert (part.rows, part.bytes % 3) == (3, 0)
    assert "山田".encode() not in (folder.read(f"parts/{done.manifest.set_id}/000001.dat") or b"")
    rename(city, 2, "田中　花子")
    publish_delta(desk(folder, codec=codec), flow)
    with Replica.open(tmp_path / "replica", flow) as replica:
        taken = take_newest(replica, folder, Intake(codec, scratch, lambda: NOW, unsigned=True))
        assert taken[0].equal and not done.held
        again = publish_full(desk(folder, codec=codec), flow)
        assert again.about.digest == taken[1].digest
        assert replica.rows("jumin", unit(2))[1] == {
            **{"atenabango": unit(2), "rirekibango": 2, "shimei": "田中　花子", "seinengappi": "1990-05-17"},
            **{"shiensochifuragu": "0", "valid_from": "2024-04-01", "valid_to": None},
        }


def test_what_the_record_or_the_code_page_cannot_hold_is_told_and_never_altered(
    flow: Contract, codec: Any
) -> None:
    [carried] = flow.feeds
    good = {
        **{"atenabango": unit(1), "rirekibango": 1, "shimei": "山田", "seinengappi": "1990-05-17"},
        **{"shiensochifuragu": "0", "valid_from": date(2020, 4, 1), "valid_to": None},
    }
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"shimei": "\U00020b9f田"}, "shimei", "char-unencodable"),
        ({"shimei": "山" * 21}, "shimei", "field-overflow"),
        ({"atenabango": "A" + unit(1)[1:]}, "atenabango", "number-form"),
        ({"atenabango": "1"}, "atenabango", "value-changed"),
        ({"rirekibango": 100_000}, "rirekibango", "digits-many"),
        ({"seinengappi": "不詳"}, "seinengappi", "number-form"),
        ({"seinengappi": None}, "seinengappi", "number-missing"),
        ({"shimei": "山田　"}, "shimei", "value-changed"),
        ({"shimei": ""}, "shimei", "value-changed"),
    ]
    rows = [good, *(good | change for change, _, _ in wrong)]
    batch = pa.RecordBatch.from_pylist(rows, columns_of(carried))
    found = [(one.row, one.item, one.why) for one in codec.unfit(carried, batch)]
    assert found == [(place, item, why) for place, (_, item, why) in enumerate(wrong, 1)]
    with pytest.raises(Problem, match="record-unfit"):
        codec.write(carried, batch)


def test_who_has_a_name_that_the_mainframe_lacks_is_held_back_and_named(
    city: Store, flow: Contract, codec: Any, desk: Desks, folder: sets.Shelf
) -> None:
    move_in(city, 1, "山田　一郎")
    move_in(city, 2, "\U00020b9f田　花子")
    done = publish_full(desk(folder, codec=codec), flow)
    assert [(key, often) for key, (often, _) in done.held.items()] == [
        (("jumin", "shimei", "char-unencodable"), 1)
    ]
    assert (done.about.held, done.about.rows) == (1, 1)


def test_a_file_that_is_no_records_is_refused_with_its_place(
    flow: Contract, codec: Any, tmp_path: Path
) -> None:
    [carried] = flow.feeds
    batch = pa.RecordBatch.from_pylist(
        [
            {
                **{"atenabango": unit(1), "rirekibango": 1, "shimei": "山田", "seinengappi": "1990-05-17"},
                **{"shiensochifuragu": "0", "valid_from": None, "valid_to": None},
            }
        ],
        columns_of(carried),
    )
    data = codec.write(carried, batch)
    file = tmp_path / "file.dat"
    file.write_bytes(data)
    assert next(codec.read(carried, file)).to_pylist() == batch.to_pylist()
    for broken, code in (
        (data[:-1], "record-length"),
        (data[:15] + b"\xff" + data[16:], "record-undecodable"),
    ):
        file.write_bytes(broken)
        with pytest.raises(Problem, match=code):
            list(codec.read(carried, file))


def test_a_layout_that_is_not_whole_is_refused_with_every_fault(flow: Contract, tmp_path: Path) -> None:
    known = linkage.contracts.Contracts((flow,), {"rei-kotei": known_profile()})
    with pytest.raises(Problem, match="layout-missing"):
        main.codec(known, flow, tmp_path)
    place = laid_out(tmp_path / "layouts", "jef")
    text = (place / "jumin.yaml").read_text()
    (place / "jumin.yaml").write_text(text.replace("  shimei: SHIMEI\n", ""))
    with pytest.raises(Problem, match="layout-columns"):
        main.codec(known, flow, place)
    (place / "jumin.yaml").write_text(
        text.replace("BANGO", "BANGOU").replace("SHURYO: low-values", "OWARI: nothing")
    )
    with pytest.raises(Problems) as refused:
        migration.load_flow_records(place / "jumin.yaml")
    assert len(refused.value.problems) == 3
    (place / "jumin.yaml").write_text(text.replace("page: jef", "page: jeff"))
    with pytest.raises((Problem, Problems), match="page"):
        migration.load_flow_records(place / "jumin.yaml")


def test_the_citys_own_characters_travel_where_the_layout_names_their_chart(
    flow: Contract, tmp_path: Path
) -> None:
    folder = laid_out(tmp_path / "layouts", "jef")
    (folder / "chart.csv").write_text("system,code,unicode,mj,note\njef,80A1,20B9F,,外字\n")
    (folder / "decisions.csv").write_text(
        "system,code,unicode,class,decided_by_1,decided_on_1,decided_by_2,decided_on_2,reason\n"
        "jef,80A1,20B9F,exact,職員甲,2026-10-01,職員乙,2026-10-01,字形が一致\n"
    )
    with (folder / "jumin.yaml").open("a") as layout:
        layout.write("system: jef\ncharacters: [chart.csv, decisions.csv]\n")
    codec = main.codec(linkage.contracts.Contracts((flow,), {"rei-kotei": known_profile()}), flow, folder)
    [carried] = flow.feeds
    row = {
        **{"atenabango": unit(1), "rirekibango": 1, "shimei": "\U00020b9f田", "seinengappi": "1990-05-17"},
        **{"shiensochifuragu": "0", "valid_from": date(2020, 4, 1), "valid_to": None},
    }
    batch = pa.RecordBatch.from_pylist([row], columns_of(carried))
    assert codec.unfit(carried, batch) == ()
    (tmp_path / "file.dat").write_bytes(codec.write(carried, batch))
    assert pa.Table.from_batches(codec.read(carried, tmp_path / "file.dat")).to_pylist() == batch.to_pylist()


def test_the_sample_of_a_legacy_flow_has_a_layout(library: Library) -> None:
    known = linkage.load_contracts([linkage.SAMPLES], library)
    codec = main.codec(known, known.flow("resident-tax-legacy.v1"))
    assert codec.ending == ".dat"
