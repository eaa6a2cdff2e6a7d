"""The sandbox as a process, and its settings."""

import asyncio
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from sandbox.settings import LOCAL_APP_ID, Settings, read_settings

ROOT = Path(__file__).parents[2]


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """A sandbox process and its first line."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    return process, (await asyncio.wait_for(process.stdout.readline(), 20)).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_process_says_ready_and_ends_cleanly_at_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "state.json"
    process, line = await start("--port", "0", "--state", str(state))
    assert line.startswith("ready ")
    url = line.split()[-1]
    async with aiohttp.ClientSession() as session:
        async with session.post(url + "/api/phones", json={"nickname": "王阿姨", "openid": "o-wang"}) as response:
            assert response.status == 200
        async with session.get(url + "/api/stream") as stream:
            assert stream.status == 200
            process.send_signal(number)
            await stream.read()  # raises unless the stream was ended properly
            assert await asyncio.wait_for(process.wait(), 10) == 0
    assert "o-wang" in state.read_text()


async def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    first, line = await start("--port", "0")
    port = line.rsplit(":", 1)[-1].strip()
    second = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", port, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    _, complaint = await asyncio.wait_for(second.communicate(), 20)
    assert second.returncode == 1
    assert port in complaint.decode()
    assert len(complaint.decode().splitlines()) == 1
    first.terminate()
    await first.wait()


def test_arguments_win_over_the_environment_and_that_over_defaults() -> None:
    environment = {"SANDBOX_PORT": "18150", "SANDBOX_TOKEN": "fromEnvironment", "SANDBOX_WEB": "/pages"}
    settings = read_settings(["--token", "fromArgument"], environment)
    assert (settings.port, settings.token, settings.web) == (18150, "fromArgument", Path("/pages"))
    assert (settings.app_id, settings.state) == (LOCAL_APP_ID, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "many"],
        ["--port", "70000"],
        ["--aes-key", "short"],
        ["--aes-key", "#" * 43],
        ["--callback-url", "ftp://a"],
        ["--deliveries", "0"],
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_line_that_names_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read_settings(arguments, {})
    assert arguments[0].strip("-").replace("-", "_") in capsys.readouterr().err.replace("-", "_")


def test_the_local_account_is_complete() -> None:
    settings = Settings()
    assert len(settings.aes_key) == 43
    assert settings.aes_key.isalnum()
    assert 3 <= len(settings.token) <= 32
    assert len(settings.app_secret) == len(settings.mini_app_secret) == 32
