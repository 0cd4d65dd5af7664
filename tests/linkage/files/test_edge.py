"""At the edge a set has the names of the profile and is whole or not there; what partners leave is taken in when it is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.linkage.files.conftest import DAY, EXAMPLE, NOW, contract, move_in, rename, unit
from tests.linkage.files.sftp_server import Partner, serving, ssh_key

from kiban import sets
from kiban.kernel import Problem
from kiban.linkage import Contract, Profile, Receiver, Replica
from kiban.linkage.files import (
    CsvCodec,
    FolderPlace,
    Intake,
    Names,
    Place,
    arrived,
    fetch,
    open_sftp,
    publish_delta,
    publish_full,
    send,
    take_newest,
)
from kiban.standard import Library
from kiban.store import Store

Desks = Callable[..., Any]


@pytest.fixture
def partner(tmp_path: Path) -> Iterator[Partner]:
    for name in ("partner", "keys"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "partner", tmp_path / "keys") as opened:
        yield opened


@pytest.fixture(params=["folder", "sftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Place, Path]]:
    """A partner's folder, and where its files really lie."""
    if request.param == "folder":
        (tmp_path / "near").mkdir()
        yield FolderPlace(tmp_path / "near"), tmp_path / "near"
        return
    known: Partner = request.getfixturevalue("partner")
    with open_sftp(known.url, known.key, known.known_hosts) as opened:
        yield opened, known.folder / "in"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_set_goes_out_under_the_names_of_the_profile_and_comes_in_as_the_same_set(
    city: Store,
    library: Library,
    desk: Desks,
    folder: sets.Shelf,
    scratch: Path,
    tmp_path: Path,
    place: tuple[Place, Path],
) -> None:
    flow = contract(library, receiver=Receiver(rows=2))
    profile = replace(EXAMPLE, folder="{provider}/{consumer}")
    names = Names(flow, profile)
    for number in (1, 2, 3):
        move_in(city, number)
    full = publish_full(desk(folder), flow)
    sent = send(folder, full.manifest, names, place[0], scratch)
    assert sent[-1] == "jumin-zei.v1_full_000001-000000.end"
    assert [name for name in files(place[1]) if name.endswith(".csv") and "_jumin_" in name] == [
        "001/Z01/jumin-zei.v1_jumin_full_000001-000000_001of002.csv",
        "001/Z01/jumin-zei.v1_jumin_full_000001-000000_002of002.csv",
    ]
    before = {name: (place[1] / name).stat().st_mtime_ns for name in files(place[1])}
    assert send(folder, full.manifest, names, place[0], scratch) == sent
    assert {name: (place[1] / name).stat().st_mtime_ns for name in files(place[1])} == before
    rename(city, 2, "新　花子")
    send(folder, publish_delta(desk(folder), flow).manifest, names, place[0], scratch)
    other = sets.open_shelf(tmp_path / "other", make=True)
    done = fetch(names, place[0], other, CsvCodec(profile), scratch, lambda: NOW, DAY)
    assert [(one.made, one.arrival.kind) for one in done] == [(True, "full"), (True, "delta")]
    with Replica.open(tmp_path / "replica", flow) as replica:
        taken = take_newest(replica, other, Intake(CsvCodec(profile), scratch, lambda: NOW, unsigned=True))
        assert taken[0].equal and taken[0].digest == full.about.digest
        assert [row["shimei"] for row in replica.rows("jumin", unit(2))] == ["渡邉　花子", "新　花子"]
    again = fetch(names, place[0], other, CsvCodec(profile), scratch, lambda: NOW, DAY)
    assert [one.made for one in again] == [False, False]


def test_files_without_anything_of_kiban_become_a_set_with_digests(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    """What a partner writes who knows the profile only: rows, names, marker."""
    move_in(city, 1)
    names, near = Names(flow, EXAMPLE), FolderPlace(tmp_path / "near")
    full = publish_full(desk(folder), flow)
    send(folder, full.manifest, names, near, scratch)
    for path in (tmp_path / "near").glob("jumin-zei.v1.*"):
        path.unlink()
    other = sets.open_shelf(tmp_path / "other", make=True)
    [done] = fetch(names, near, other, CsvCodec(EXAMPLE), scratch, lambda: NOW, DAY)
    assert done.made and done.manifest is not None
    with Replica.open(tmp_path / "replica", flow) as replica:
        [taken] = take_newest(replica, other, Intake(CsvCodec(EXAMPLE), scratch, lambda: NOW, unsigned=True))
        assert taken.equal and taken.digest == full.about.digest
        assert replica.protection_held(unit(1)) == ("unknown", -1)


@pytest.mark.parametrize("lost", ["_jumin_", "_setai_", "_002of", ".end", ".units.csv"])
def test_what_is_not_whole_is_told_and_left(
    lost: str, city: Store, library: Library, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    flow = contract(library, receiver=Receiver(rows=2))
    for number in (1, 2, 3):
        move_in(city, number)
    names, near = Names(flow, EXAMPLE), FolderPlace(tmp_path / "near")
    send(folder, publish_full(desk(folder), flow).manifest, names, near, scratch)
    for path in sorted((tmp_path / "near").iterdir()):
        if lost in path.name:
            path.unlink()
    other = sets.open_shelf(tmp_path / "other", make=True)
    [done] = fetch(names, near, other, CsvCodec(EXAMPLE), scratch, lambda: NOW, DAY)
    assert done.manifest is None and done.arrival.lacking
    assert sets.contents(other).sets == ()


def test_nothing_is_seen_of_a_file_that_is_on_its_way(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    move_in(city, 1)
    names, near = Names(flow, EXAMPLE), FolderPlace(tmp_path / "near")
    sent = send(folder, publish_full(desk(folder), flow).manifest, names, near, scratch)
    whole = near.folder / sent[-2]
    whole.rename(whole.with_name(f".{whole.name}.part"))
    [one] = arrived(names, near)
    assert one.lacking and sent[-2] not in near.sizes("")


def test_another_file_of_the_same_name_is_never_written_over(
    city: Store, flow: Contract, desk: Desks, folder: sets.Shelf, scratch: Path, tmp_path: Path
) -> None:
    move_in(city, 1)
    names, near = Names(flow, EXAMPLE), FolderPlace(tmp_path)
    name = names.file("full", (1, 0), "jumin", 1, 1)
    (tmp_path / name).write_text("theirs")
    with pytest.raises(Problem, match="edge-exists"):
        send(folder, publish_full(desk(folder), flow).manifest, names, near, scratch)
    assert (tmp_path / name).read_text() == "theirs"
    assert not (tmp_path / str(names.marker("full", (1, 0)))).exists()


def test_a_profile_by_which_nobody_can_tell_when_a_set_is_whole_is_refused(
    flow: Contract, tmp_path: Path
) -> None:
    profile = Profile("x", "例", marker=None, file_name="{group}_{kind}_{epoch}_{sequence}_{number}.csv")
    with pytest.raises(Problem, match="profile-completeness"):
        arrived(Names(flow, profile), FolderPlace(tmp_path))


def test_a_host_whose_key_is_unknown_or_another_is_refused(partner: Partner, tmp_path: Path) -> None:
    nobody = tmp_path / "nobody"
    nobody.write_text("")
    with pytest.raises(Problem, match="edge-host-key"), open_sftp(partner.url, partner.key, nobody):
        pass
    assert nobody.read_text() == ""
    import paramiko

    other = paramiko.PKey.from_path(ssh_key(tmp_path / "other"))
    port = partner.url.rpartition(":")[2].partition("/")[0]
    nobody.write_text(f"[127.0.0.1]:{port} {other.get_name()} {other.get_base64()}\n")
    with pytest.raises(Problem, match="edge-host-key"), open_sftp(partner.url, partner.key, nobody):
        pass


def test_a_key_that_is_not_let_in_and_a_place_that_is_not_there_are_told_apart(
    partner: Partner, tmp_path: Path
) -> None:
    with (
        pytest.raises(Problem, match="edge-login"),
        open_sftp(partner.url, ssh_key(tmp_path / "stranger"), partner.known_hosts),
    ):
        pass
    with (
        pytest.raises(Problem, match="edge-unreachable"),
        open_sftp("sftp://city@127.0.0.1:1/in", partner.key, partner.known_hosts),
    ):
        pass
    for bad in ("sftp://city:secret@127.0.0.1/in", "https://city@127.0.0.1/in", "sftp://127.0.0.1/in"):
        with (
            pytest.raises(Problem, match="edge-url") as refused,
            open_sftp(bad, partner.key, partner.known_hosts),
        ):
            pass
        assert "secret" not in str(refused.value)
