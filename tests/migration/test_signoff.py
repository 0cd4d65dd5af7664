"""The packet of a real run: what came in, what came out, what is proved and what waits, on no more than ten pages."""

import json
import re
import shutil
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest

from kiban import migration, sets, store
from kiban.kernel import Problem
from kiban.migration import Plan, Result, Work
from kiban.store import Store

from .moving import HALL, KEY, library


def planned(city: Path) -> Plan:
    return migration.load_plan(city / "project", city / "unload", library())


def work_in(city: Path, database: Any) -> Work:
    def open_store() -> Store:
        opened = Store(store.Server(database.owner_dsn, database.app_dsn), library(), KEY)
        opened.install()
        return opened

    return Work(city / "work", open_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))


def run(city: Path, database: Any) -> list[Result]:
    return migration.run(migration.STAGES, planned(city), work_in(city, database))


def told_by(result: Result) -> dict[str, Any]:
    assert result.stage.name == "signoff" and result.out is not None
    packet: dict[str, Any] = json.loads((result.out / "packet.json").read_text("utf-8"))
    return packet


def test_a_city_goes_from_its_files_to_a_packet_that_waits_for_nothing_but_its_consumers(
    unloaded: Path, databases: Any, tmp_path: Path
) -> None:
    city = Path(shutil.copytree(unloaded, tmp_path / "old"))
    fresh: AbstractContextManager[Any] = databases.fresh()
    with fresh as database:
        results = run(city, database)
        assert [one.stage for one in results] == list(migration.STAGES)
        assert [one.stage.name for one in results if one.gate and not one.gate.open] == ["signoff"]
        told = told_by(results[-1])
        verdicts = {section["title"]: section["verdict"] for section in told["sections"]}
        assert verdicts.pop("使う先") == "open"
        assert set(verdicts.values()) == {"good", "none"}
        assert {"変換と取込み", "突合", "支援措置", "データ整備"} <= verdicts.keys()
        assert results[-1].out is not None
        pages = re.findall(rb"/Type\s*/Page\b", (results[-1].out / "packet.pdf").read_bytes())
        assert 1 <= len(pages) <= 10
        page = migration.hand_over(planned(city), results, work_in(city, database))
        assert page is not None and "かかった時間" in page.read_text("utf-8")
        again = run(city, database)
        assert not any(one.fresh for one in again)
        _one_person_side_by_side(city, database, again)
        _what_was_proved_leaves_as_sets(city, database, again)
    shutil.copytree(unloaded, tmp_path / "elsewhere")
    with databases.fresh() as other:
        elsewhere = run(tmp_path / "elsewhere", other)
    assert [one.output for one in elsewhere] == [one.output for one in results]


def _one_person_side_by_side(city: Path, database: Any, results: list[Result]) -> None:
    out = {one.stage.name: one.out for one in results}
    changed = out["decode"]
    assert changed is not None and out["cleanse"] is not None
    with work_in(city, database).open_store() as opened, opened.session(HALL) as session:
        number = session.sql("SELECT atenabango FROM resident.shiensochi_taishosha ORDER BY 1 LIMIT 1")[0][
            "atenabango"
        ]
        page = migration.people_page(
            planned(city), changed, out["cleanse"] / "excluded.parquet", opened, number.lstrip("0")
        )
        assert "一致しない</td>" not in page and "支援措置対象者" in page and "住民（" in page
        with pytest.raises(Problem, match="neither") as unknown:
            migration.people_page(planned(city), changed, None, opened, "999999999999999")
        assert unknown.value.code == "person-unknown"


def _what_was_proved_leaves_as_sets(city: Path, database: Any, results: list[Result]) -> None:
    shelf = sets.open_shelf(city / "shelf", make=True)
    place = work_in(city, database)
    made = list(migration.publish(planned(city), results, place, shelf))
    assert {one.register for one in made} >= {"resident.jumin", "resident.shiensochi"}
    assert [one.set_id for one in migration.publish(planned(city), results, place, shelf)] == [
        one.set_id for one in made
    ]
    for one in made:
        assert sets.verify(shelf, one, scratch=city, unsigned=True) == ()
    with pytest.raises(Problem) as early:
        list(migration.publish(planned(city), results[:-3], place, shelf))
    assert early.value.code == "stage-before"


def test_what_cannot_be_read_stands_in_the_packet_and_nothing_is_converted(
    unloaded: Path, tmp_path: Path
) -> None:
    city = Path(shutil.copytree(unloaded, tmp_path / "old"))
    path = city / "unload" / "JUKI1.DAT"
    data = bytearray(path.read_bytes())
    data[704 + 1 + 10 : 704 + 1 + 12] = b"\xff\xff"
    path.write_bytes(data)

    def no_store() -> NoReturn:
        raise AssertionError("behind a closed gate nothing opens the database")

    work = Work(city / "work", no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    results = migration.run(migration.STAGES, planned(city), work)
    names = [one.stage.name for one in results]
    assert "cleanse" in names and "transform" not in names and names[-1] == "signoff"
    verdicts = {section["title"]: section["verdict"] for section in told_by(results[-1])["sections"]}
    assert verdicts["復号"] == verdicts["データ整備"] == verdicts["これから行うもの"] == "open"
    assert "突合" not in verdicts
