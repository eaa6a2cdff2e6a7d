"""The document of the console's API is valid, current, and true: schemathesis tries what it promises."""

import asyncio
import json
import sys
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from backend.security.policy import Role
from miniprogram_api.__main__ import CONSOLE_DOCUMENT, written
from miniprogram_api.console.application import COOKIE, CSRF_HEADER, ENDPOINTS, described_console
from tests.miniprogram_api.console.conftest import Console

_EXAMPLES = "2"
_CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
"""What is answered. Who is let in, and what a file has to hold, no schema says: other tests do."""
_ENDS_THE_SESSION = "consoleSignOut"


def test_the_document_is_valid_and_current_and_names_every_endpoint_once() -> None:
    document = described_console()
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert CONSOLE_DOCUMENT.read_text("utf-8") == written(document), "run `python -m miniprogram_api`"
    names = [endpoint.operation for endpoint in ENDPOINTS]
    assert len(names) == len(set(names))
    assert {document["paths"][one.path][one.method.lower()]["operationId"] for one in ENDPOINTS} == set(names)


async def test_schemathesis_finds_nothing(console: Console, tmp_path: Path) -> None:
    clerk = await console.as_("陈管", Role.ADMINISTRATOR)
    described = tmp_path / "console.json"
    described.write_text(json.dumps(described_console()), "utf-8")
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(described), "--url", console.url,
        "--checks", _CHECKS, "--header", f"Cookie: {COOKIE}={clerk.cookie}",
        "--header", f"{CSRF_HEADER}: {clerk.csrf}", "--exclude-operation-id", _ENDS_THE_SESSION,
        "--max-examples", _EXAMPLES, "--seed", "1", "--request-timeout", "60", "--phases", "examples,fuzzing",
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
