"""The document that the service gives of itself is valid, and the service is as it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from .conftest import NUMBERING, READING, Live

PATH = "/app_submit/v10/jutogaishaatenabangofuban"


def test_it_is_valid_openapi(served: Live) -> None:
    OpenAPIV31SpecValidator(served.get("/openapi.json").json()).validate()


def test_it_lists_what_the_contracts_give_and_no_more(served: Live) -> None:
    told = served.get("/openapi.json").json()
    assert [path for path in told["paths"] if path.startswith("/link/")] == [
        "/link/resident-library.v1/jumin"
    ]
    asked = told["paths"]["/link/resident-library.v1/jumin"]["post"]["requestBody"]["content"][
        "application/json"
    ]
    assert asked["schema"]["properties"]["fields"]["items"]["enum"] == list(served.contract.feeds[0].columns)
    flow = told["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]
    assert {NUMBERING, READING} <= set(flow["scopes"])
    assert flow["tokenUrl"] == served.url + "/oauth/token"


def test_the_numbering_api_is_the_edition(served: Live) -> None:
    spec = served.house.numbering
    assert spec is not None
    operation = served.get("/openapi.json").json()["paths"][PATH]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert list(body["properties"]) == list(spec.spec.parameters)
    assert body["required"] == spec.spec.official["required"]
    assert list(operation["responses"]["200"]["content"]) == [spec.spec.official["media_type"]]


RUNS = [
    ("/app_submit", NUMBERING),
    ("/link", READING),
    ("/oauth|/healthz|/.well-known|/openapi", None),
]


@pytest.mark.parametrize(("paths", "scope"), RUNS)
def test_schemathesis_finds_nothing(served: Live, paths: str, scope: str | None, tmp_path: Path) -> None:
    token = ["-H", f"Authorization: Bearer {served.token(served.library, scope)}"] if scope else []
    program = Path(sys.executable).with_name("schemathesis")
    command = [
        str(program),
        "run",
        f"{served.url}/openapi.json",
        "--include-path-regex",
        f"^({paths})",
        *token,
    ]
    command += ["--checks", "all", "--exclude-checks", "positive_data_acceptance"]
    command += ["--phases", "examples,coverage,fuzzing", "--max-examples", "15", "--seed", "1"]
    command += ["--generation-database", "none", "--warnings", "off", "--no-color"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
