"""The packet of a real run: what was received beside what was printed, what is not done yet, and no more than ten pages."""

import json
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from kiban import main, migration
from kiban.migration import Result, Work


def no_store() -> NoReturn:
    raise AssertionError("no stage here opens the database")


def run(city: Path, work: str = "work") -> list[Result]:
    plan = migration.load_plan(city / "project", city / "unload", main.library())
    place = Work(city / work, no_store, lambda *_: None, lambda: datetime(2026, 10, 1, tzinfo=UTC))
    return migration.run(migration.STAGES, plan, place)


def test_the_packet_tells_what_came_in_and_that_it_cannot_be_signed_yet(
    unloaded: Path, tmp_path: Path
) -> None:
    city = tmp_path / "old"
    shutil.copytree(unloaded, city)
    last = run(city)[-1]
    assert last.stage.name == "signoff"
    assert last.gate is not None and not last.gate.open
    assert last.out is not None
    told = json.loads((last.out / "packet.json").read_text("utf-8"))
    titles = {section["title"]: section["verdict"] for section in told["sections"]}
    assert titles["入ってきたもの"] == titles["復号"] == titles["文字"] == titles["支援措置"] == "good"
    assert titles["これから行うもの"] == "open"
    received = next(section for section in told["sections"] if section["title"] == "入ってきたもの")
    assert all(row[-1] == 0 for row in received["tables"][0]["rows"])
    assert received["charts"][0]["series"][0][1] == received["charts"][0]["series"][1][1]
    pages = len(re.findall(rb"/Type\s*/Page\b", (last.out / "packet.pdf").read_bytes()))
    assert 1 <= pages <= 10


def test_a_second_run_elsewhere_gives_the_same_packet_to_the_byte(unloaded: Path, tmp_path: Path) -> None:
    packets = []
    for name in ("one", "two"):
        shutil.copytree(unloaded, tmp_path / name)
        out = run(tmp_path / name)[-1].out
        assert out is not None
        packets.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert packets[0] == packets[1]
