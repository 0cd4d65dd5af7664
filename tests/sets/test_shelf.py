"""A shelf is named without its credentials, and looked for without being made."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kiban import cli, sets
from kiban.kernel import Problem

from .conftest import draft, published
from .object_store import SECRET, ObjectStore


def test_no_credential_stands_in_a_place_a_problem_or_an_object(
    object_store: ObjectStore, scratch: Path
) -> None:
    shelf = object_store.shelf("no-credentials")
    manifest = published(shelf)
    written = b"".join(shelf.read(key) or b"" for key in shelf.sizes("") if key.endswith(".json"))
    wrong = sets.open_shelf(
        "s3://kiban/x", access=dataclasses.replace(object_store.access, secret_key="wrong-" + SECRET)
    )
    with pytest.raises(Problem) as caught:
        sets.publish(wrong, draft(), [])
    texts = [
        written.decode(),
        repr(shelf),
        repr(object_store.access),
        str(caught.value),
        repr(caught.value),
        repr(manifest),
    ]
    assert caught.value.code == "shelf-unreadable"
    assert not [text for text in texts if SECRET in text]
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "place",
    [
        "s3://key:geheim@bucket/x",
        "s3://",
        "s3://bucket/x?secret=geheim",
        "s3://bucket#geheim",
        "ftp://geheim/x",
        "s3://[geheim",
    ],
)
def test_a_url_that_is_no_place_is_refused_without_repeating_it(place: str) -> None:
    with pytest.raises(Problem) as caught:
        sets.open_shelf(place)
    assert caught.value.code == "shelf-place"
    assert "geheim" not in str(caught.value)


def test_a_folder_that_is_made_is_closed_to_others(tmp_path: Path) -> None:
    sets.open_shelf(tmp_path / "new" / "shelf", make=True)
    assert stat.S_IMODE((tmp_path / "new" / "shelf").stat().st_mode) == 0o700


def test_a_folder_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        sets.open_shelf(tmp_path / "nowhere")
    assert caught.value.code == "shelf-missing"
    assert not (tmp_path / "nowhere").exists()


def test_the_command_line_reaches_a_bucket_by_the_environment(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = object_store.shelf("by-command")
    manifest = published(shelf)
    for name, value in (("ACCESS_KEY_ID", "kiban"), ("SECRET_ACCESS_KEY", SECRET), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    command = [
        "sets",
        "verify",
        shelf.place,
        manifest.set_id,
        "--unsigned",
        "--endpoint",
        object_store.endpoint,
    ]
    done = CliRunner().invoke(cli.app, command)
    assert (done.exit_code, "不備はありません" in done.stdout) == (0, True)
