"""psql is called without a password on its command line."""

from __future__ import annotations

import os
import subprocess

import pytest

from kiban import store
from kiban.kernel import Problem


@pytest.mark.parametrize(
    "dsn",
    ["postgresql://clerk:geheim@db.example/city", "host=db.example user=clerk password=geheim dbname=city"],
)
def test_a_password_goes_to_the_environment(dsn: str) -> None:
    command = store.psql(dsn)
    assert "geheim" not in str(command.arguments)
    assert "geheim" not in repr(command)
    assert command.environment == {"PGPASSWORD": "geheim"}


def test_the_embedded_server_is_reached_by_the_shipped_psql(server: store.Server) -> None:
    command = store.psql(server.app_dsn)
    done = subprocess.run(
        [command.program, *command.arguments, "-XAtc", "SELECT current_user"],
        env=os.environ | command.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("kiban_app\n", "")


def test_an_unreadable_connection_string_is_not_repeated() -> None:
    with pytest.raises(Problem) as caught:
        store.psql("clerk geheim")
    assert caught.value.code == "dsn-unreadable"
    assert "geheim" not in str(caught.value)
