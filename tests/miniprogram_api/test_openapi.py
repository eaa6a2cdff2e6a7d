"""The document is valid, current, and true: schemathesis tries what it promises."""

import asyncio
import json
import sys
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from miniprogram_api.__main__ import DOCUMENT, written
from miniprogram_api.application import ENDPOINTS, described_api
from tests.miniprogram_api.conftest import Api, Patient

_EXAMPLES = "15"


def test_the_document_is_valid_openapi_3_1() -> None:
    document = described_api()
    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_the_committed_document_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == written(described_api()), "run `python -m miniprogram_api`"


def test_every_endpoint_is_in_the_document_under_its_own_name() -> None:
    names = [endpoint.operation for endpoint in ENDPOINTS]
    assert len(names) == len(set(names))
    paths = described_api()["paths"]
    assert {paths[one.path][one.method.lower()]["operationId"] for one in ENDPOINTS} == set(names)


async def test_the_document_is_served_as_it_is_committed(api: Api) -> None:
    async with api.http.get(f"{api.url}/api/v1/openapi.json") as response:
        assert await response.json() == json.loads(written(described_api()))


async def test_schemathesis_finds_nothing(patient: Patient, tmp_path: Path) -> None:
    await patient.case()
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{patient.api.url}/api/v1/openapi.json",
        "--checks", "all", "--header", f"Authorization: Bearer {patient.api.token}",
        "--max-examples", _EXAMPLES, "--seed", "1", "--request-timeout", "10", "--phases", "examples,coverage,fuzzing",
        "--warnings", "off", "--no-color", "--suppress-health-check", "all",
    ]  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, output.decode()[-6000:]
