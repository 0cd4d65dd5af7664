"""What a city unloaded becomes what it was in the items of the standard; what a rule refuses is told by place and stops the load."""

from pathlib import Path
from shutil import copytree, rmtree

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kiban import main, migration, store
from kiban.kernel import Problems
from kiban.migration import mapping, workers
from kiban.migration.digests import folder_digest
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome
from kiban.migration.stages import decode, transform

ENLARGED = {
    "jumin": {"shimei_furigana", "kyuji_furigana", "tsusho_furigana"},
    "shiensochi_taishosha": {"shimei_furigana"},
}
"""Items that the mainframe keeps as half-width kana, in which small kana are enlarged: ショウジ comes back as シヨウジ."""

NEVER_HELD = {
    "jumin": {
        *("uji_nihonjin", "na_nihonjin", "uji_nihonjin_furigana", "na_nihonjin_furigana"),
        *(f"zenjusho_{part}" for part in ("shikuchosonkodo", "todofuken", "shikugunchosonmei", "choaza", "banchigohyoki")),
        *(f"zenjusho_{part}" for part in ("katagaki", "yubinbango", "kokumeikodo", "kokumeito")),
        *(f"tenshutsusaki_yotei_{part}" for part in ("shikuchosonkodo", "jusho", "yubinbango", "kokumeikodo")),
        *(f"tenshutsusaki_kakutei_{part}" for part in ("shikuchosonkodo", "jusho", "yubinbango")),
        *("tenshutsuyoteinengappi", "tenshutsunengappi", "tennyutsuchinengappi", "jusho_katagaki_furigana"),
    },
}  # fmt: skip
"""Items that the city has and its mainframe does not: the maps say 保有なし, each with its reason."""

NO_ONE = pa.schema(
    [(name, pa.int64() if name in ("record", "index") else pa.string())
     for name in ("segment", "file", "record", "index", "fate", "reason")]
)  # fmt: skip

Excluded = list[tuple[str, str, int, int, str, str]]


def decoded(project: Path, folder: Path) -> Path:
    """The output of the stage decode, on files as they came."""
    plan = migration.load_plan(project, project.parent / "unload")
    folder.mkdir()
    for file in plan.files:
        unit = folder.with_name("units") / file.id
        unit.parent.mkdir(exist_ok=True)
        decode.decode_one(plan, file, unit)
        for path in unit.glob("*.parquet"):
            (folder / path.stem).mkdir(exist_ok=True)
            path.rename(folder / path.stem / f"{file.id}.parquet")
    return folder


@pytest.fixture(scope="module")
def clean(unloaded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return decoded(unloaded / "project", tmp_path_factory.mktemp("clean") / "decoded")


@pytest.fixture(scope="module")
def dirty(faulty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return decoded(faulty / "project", tmp_path_factory.mktemp("dirty") / "decoded")


def plan_of(project: Path) -> Plan:
    return migration.load_plan(project, library=main.library())


def context(plan: Plan, files: Path, folder: Path, excluded: Excluded = []) -> Context:  # noqa: B006  (never changed)
    cleansed, out = folder / "cleanse", folder / "out"
    rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    cleansed.mkdir(exist_ok=True)
    rows = [dict(zip(NO_ONE.names, one, strict=True)) for one in excluded]
    pq.write_table(pa.Table.from_pylist(rows, NO_ONE), cleansed / "excluded.parquet")
    inputs = {"decode": files, "cleanse": cleansed}
    return Context(plan, inputs, out, folder / "units", lambda *_: None, _no_store)


def _no_store() -> store.Store:
    raise AssertionError("the transform opens no database")


def run(plan: Plan, files: Path, folder: Path, excluded: Excluded = []) -> tuple[Outcome, Path]:  # noqa: B006
    made = context(plan, files, folder, excluded)
    return transform.TRANSFORM.run(made), made.out


@pytest.fixture(scope="module")
def migrated(unloaded: Path, clean: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    return run(plan_of(unloaded / "project"), clean, tmp_path_factory.mktemp("migrated"))


def side_by_side(out: Path, town: Path, register: str, key: list[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    return tuple(
        pl.read_parquet(folder / register.replace(".", "/") / "*.parquet").sort(key) for folder in (out, town)
    )  # type: ignore[return-value]


def enlarged(kana: pl.Series) -> pl.Series:
    return kana.str.replace_many(list("ァィゥェォッャュョヮ"), list("アイウエオツヤユヨワ"))


def test_a_city_comes_back_in_every_item_its_mainframe_holds(
    old_city: Path, unloaded: Path, migrated: tuple[Outcome, Path]
) -> None:
    outcome, out = migrated
    assert outcome.gate.open
    for made in mapping.load_maps(plan_of(unloaded / "project")):
        group = made.group
        found, wanted = side_by_side(out, old_city, made.register, [item.romaji for item in group.key])
        assert found.height == wanted.height > 0, group.id
        unequal = {line.item for line in made.lines if not found[line.item].equals(wanted[line.item])}
        assert unequal <= ENLARGED.get(group.id, set()) | NEVER_HELD.get(group.id, set()), group.id
        for item in ENLARGED.get(group.id, ()):
            assert found[item].equals(enlarged(wanted[item])), item
        lost = {line.item for line in made.lines if line.how == mapping.NOT_HELD} & unequal
        assert lost == unequal - ENLARGED.get(group.id, set()), group.id


def test_what_comes_out_is_what_the_store_loads(unloaded: Path, migrated: tuple[Outcome, Path]) -> None:
    _, out = migrated
    for made in mapping.load_maps(plan_of(unloaded / "project")):
        files = sorted((out / made.register.replace(".", "/")).glob("*.parquet"))
        assert files
        assert all(pq.read_schema(path).equals(store.arrow_schema(made.group)) for path in files)


def test_rows_are_counted_by_file_and_ward(old_city: Path, migrated: tuple[Outcome, Path]) -> None:
    outcome, out = migrated
    rows = pl.read_parquet(out / "rows.parquet")
    assert rows.filter(
        pl.col("source") != pl.sum_horizontal("mapped", "merged", "rejected", "refused")
    ).is_empty()
    told = (
        rows.filter(pl.col("register") == "resident.jumin")
        .group_by("ward")
        .agg(pl.col("mapped").sum())
        .sort("ward")
    )
    town = pl.read_parquet(old_city / "resident/jumin/*.parquet")
    counted = town.group_by("shiteitoshi_gyoseikutokodo").len().sort("shiteitoshi_gyoseikutokodo")
    assert told.rows() == counted.rows()
    taxes = rows.filter(pl.col("register") == "individual_resident_tax.kazei")
    ledger = pl.read_parquet(old_city / "individual_resident_tax/kazei/*.parquet")
    by_year = ledger.group_by("shiteitoshi_gyoseikutokodo", "kazeinendo").len().sort(pl.all())
    assert taxes.group_by("ward", "year").agg(pl.col("mapped").sum()).sort(pl.all()).rows() == by_year.rows()
    files = rows.filter(pl.col("register") == "resident.jumin")["file"].unique()
    assert files.sort().to_list() == ["JUKI-1", "JUKI-2", "JUKI-3"]
    assert outcome.summary["mapped"] == outcome.summary["source"] == rows["source"].sum()


def test_rows_that_were_merged_or_rejected_are_left_out_and_counted(
    unloaded: Path, clean: Path, tmp_path: Path
) -> None:
    excluded: Excluded = [
        ("JK-DATA", "JUKI-1", 2, 0, "merged", "同じ記録"),
        ("JK-DATA", "JUKI-1", 3, 0, "rejected", "世帯がない"),
        ("JK-DATA", "JUKI-2", 3, 0, "rejected", "世帯がない"),
        ("SE-DATA", "SETAI", 4, 0, "merged", "同じ記録"),
    ]
    plan = plan_of(unloaded / "project")
    outcome, out = run(plan, clean, tmp_path, excluded)
    told = outcome.summary["registers"]
    assert [told["resident.jumin"][name] for name in ("merged", "rejected", "refused")] == [1, 2, 0]
    assert [told["resident.setai"][name] for name in ("merged", "rejected", "refused")] == [1, 0, 0]
    for made in mapping.load_maps(plan):
        files = list((out / made.register.replace(".", "/")).glob("*.parquet"))
        assert sum(pq.read_metadata(path).num_rows for path in files) == told[made.register]["mapped"]
    with duckdb.connect() as engine:
        jumin = mapping.load_maps(plan)[5]
        sql = jumin.sql(clean, tmp_path / "cleanse/excluded.parquet")
        assert engine.sql(f"select count(*) from ({sql})").fetchall() == [(told["resident.jumin"]["mapped"],)]


def test_a_value_that_a_rule_refuses_is_told_by_place_and_closes_the_gate(
    faulty: Path, dirty: Path, tmp_path: Path
) -> None:
    outcome, out = run(plan_of(faulty / "project"), dirty, tmp_path)
    assert not outcome.gate.open
    assert "規則で移せない値が" in outcome.gate.reasons[0]
    refused = pl.read_parquet(out / "refused.parquet")
    assert refused.height == sum(one["values"] for one in outcome.summary["refusals"]) > 10
    rows = pl.read_parquet(out / "rows.parquet")
    assert rows["refused"].sum() == refused.select("segment", "file", "record", "index").unique().height
    faults = pl.read_csv(faulty / "faults.csv", infer_schema=False)
    put = set(faults.select("file", pl.col("record").cast(pl.Int64)).rows())
    told = {
        (f"{file.replace('-', '')}.DAT", record) for file, record in refused.select("file", "record").rows()
    }
    assert told <= put  # every record with a refusal is one that a fault was put into


@pytest.mark.parametrize("files", ["clean", "dirty"])
def test_two_engines_make_the_same_rows_and_refuse_the_same_values(
    files: str, unloaded: Path, faulty: Path, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(files)
    for made in mapping.load_maps(plan_of((unloaded if files == "clean" else faulty) / "project")):
        pieces = list(made.pieces(folder))
        here = pa.concat_tables([piece.rows for piece in pieces])
        refused = pa.concat_tables([piece.refused for piece in pieces])
        columns = ", ".join(f'"{name}"' for name in here.schema.names)
        with duckdb.connect() as engine:
            engine.execute(f"create table there as {made.sql(folder)}")
            engine.execute(f"create table told as {made.refusals_sql(folder)}")
            engine.register("here", here)
            engine.register("refused", refused)
            bad = 'select 1 from told where file = "#file" and record = "#record" and "index" = "#index"'
            good = f"select {columns} from there where not exists ({bad})"
            for one, other in ((good, "select * from here"), ("select * from told", "select * from refused")):
                assert engine.sql(f"({one}) except all ({other})").fetchall() == []
                assert engine.sql(f"({other}) except all ({one})").fetchall() == []


def test_a_run_that_was_cut_goes_on_to_the_same_bytes(
    unloaded: Path,
    clean: Path,
    migrated: tuple[Outcome, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_of(unloaded / "project")
    carried: list[str] = []
    real = transform.transform_one

    def cut(task: transform.Task) -> None:
        if len(carried) == 3:
            raise KeyboardInterrupt
        real(task)
        carried.append(task.unit.name)

    monkeypatch.setattr(transform, "transform_one", cut)
    with pytest.raises(KeyboardInterrupt):
        run(plan, clean, tmp_path)
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == sorted(carried)
    monkeypatch.setattr(transform, "transform_one", real)
    before = {path: path.stat().st_ino for path in (tmp_path / "units").iterdir()}
    _, out = run(plan, clean, tmp_path)
    assert {path: path.stat().st_ino for path in before} == before  # what was done is not done again
    assert folder_digest(out) == folder_digest(migrated[1])


def test_two_processes_write_the_same_bytes_as_one(
    unloaded: Path,
    clean: Path,
    migrated: tuple[Outcome, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workers, "_MANY", 0)
    _, out = run(plan_of(unloaded / "project"), clean, tmp_path)
    assert folder_digest(out) == folder_digest(migrated[1])


def test_pieces_of_any_size_hold_the_same_rows(
    unloaded: Path, clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in mapping.load_maps(plan_of(unloaded / "project")):
        whole = pa.concat_tables([piece.rows for piece in made.pieces(clean)])
        with monkeypatch.context() as patch:
            patch.setattr("kiban.migration.mapping.frames.ROWS", 500)
            pieces = list(made.pieces(clean))
        assert pa.concat_tables([piece.rows for piece in pieces]).equals(whole)


def test_a_changed_code_table_does_only_its_own_maps_again(
    unloaded: Path, clean: Path, tmp_path: Path
) -> None:
    project = Path(copytree(unloaded / "project", tmp_path / "project"))
    run(plan_of(project), clean, tmp_path / "run")
    before = {path.name for path in (tmp_path / "run/units").iterdir()}
    table = project / "codes/jotai.csv"
    table.write_text(table.read_text("utf-8").replace("10,1,住民", "10,2,住民"), "utf-8")
    run(plan_of(project), clean, tmp_path / "run")
    after = {path.name for path in (tmp_path / "run/units").iterdir()}
    assert {name.split("-")[0] for name in after - before} == {"resident.jumin"}


def test_a_field_that_a_decoded_list_lacks_is_told_before_anything_is_done(
    unloaded: Path, clean: Path, tmp_path: Path
) -> None:
    project = Path(copytree(unloaded / "project", tmp_path / "project"))
    path = project / "maps/kyuji.csv"
    path.write_text(path.read_text("utf-8").replace(",旧氏_フリガナ,写す", ",旧氏フリガナ,写す"), "utf-8")
    with pytest.raises(Problems, match="did you mean 旧氏_フリガナ"):
        run(plan_of(project), clean, tmp_path / "run")
    assert list((tmp_path / "run/units").iterdir()) == []


def test_a_segment_without_any_record_gives_no_rows(unloaded: Path, clean: Path, tmp_path: Path) -> None:
    files = Path(copytree(clean, tmp_path / "decoded"))
    rmtree(files / "KYUJI")
    outcome, out = run(plan_of(unloaded / "project"), files, tmp_path / "run")
    assert outcome.gate.open
    assert not (out / "resident/kyuji").exists()
    made = next(one for one in mapping.load_maps(plan_of(unloaded / "project")) if one.group.id == "kyuji")
    with duckdb.connect() as engine:
        assert engine.sql(made.sql(files)).fetchall() == engine.sql(made.refusals_sql(files)).fetchall() == []
