"""`qiaoyi doctor` says what is wrong before a start would."""

import socket
from pathlib import Path

import pytest

from backend.security.keyring import open_key_file
from bot.wechat.settings import WechatSettings
from nlu.models import ModelError
from qiaoyi import diagnosis
from qiaoyi.cli import main
from qiaoyi.diagnosis import examine
from qiaoyi.roles import ServeRole
from qiaoyi.settings import NluProvider, Settings, load
from tests.support.processes import free_port
from tests.support.sandbox import running_sandbox
from tests.support.transport import local_settings


@pytest.fixture
def sound(migrated: Path) -> Settings:
    """A set-up without fault."""
    settings = load(port=free_port())
    open_key_file(settings.key_file)
    return settings


async def wrong(settings: Settings) -> list[str]:
    return [finding.text for finding in await examine(settings) if not finding.ok]


def with_account(settings: Settings, wechat: WechatSettings, public_url: str = "https://q.example") -> Settings:
    return settings.model_copy(update={"wechat": wechat, "public_url": public_url})


async def test_a_sound_set_up_has_no_finding(sound: Settings) -> None:
    assert await wrong(sound) == []


async def test_a_media_process_needs_nothing_of_wechat(sound: Settings) -> None:
    away = with_account(sound, local_settings("http://127.0.0.1:9"))
    assert await wrong(away) != []
    assert await wrong(away.model_copy(update={"role": ServeRole.MEDIA})) == []


async def test_a_damaged_key_file_is_found_and_left_alone(sound: Settings) -> None:
    sound.key_file.write_text("{}")
    [finding] = await wrong(sound)
    assert "restore the backup" in finding
    assert sound.key_file.read_text() == "{}"


async def test_a_key_file_that_others_can_read_is_found(sound: Settings) -> None:
    sound.key_file.chmod(0o644)
    [finding] = await wrong(sound)
    assert "chmod 600" in finding


async def test_missing_tables_are_found(sound: Settings) -> None:
    [finding] = await wrong(sound.model_copy(update={"data": Path("fresh")}))
    assert "qiaoyi migrate" in finding


async def test_a_folder_that_cannot_be_written_is_found(sound: Settings) -> None:
    findings = await wrong(sound.model_copy(update={"data": sound.key_file}))
    assert any("cannot be written" in finding for finding in findings)
    assert any("database" in finding for finding in findings)


async def test_little_room_is_found(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_LEAST_FREE_BYTES", 1 << 80)
    [finding] = await wrong(sound)
    assert "make room" in finding


async def test_a_taken_port_is_found(sound: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", sound.port))
        listener.listen()
        [finding] = await wrong(sound)
    assert f"port {sound.port}" in finding


@pytest.mark.parametrize(
    ("field", "value"),
    [("database_url", "mysql+asyncmy://u:hidden@127.0.0.1:9/q"), ("redis_url", "redis://:hidden@127.0.0.1:9/0")],
)
async def test_a_server_that_does_not_answer_is_found_without_its_password(
    sound: Settings, field: str, value: str
) -> None:
    [finding] = await wrong(sound.model_copy(update={field: value}))
    assert field in finding
    assert "hidden" not in finding


async def test_an_account_is_tried_on_wechat(sound: Settings) -> None:
    async with running_sandbox() as wechat:
        assert await wrong(with_account(sound, local_settings(wechat.base_url))) == []
        [finding] = await wrong(with_account(sound, local_settings(wechat.base_url, app_secret="wrong")))
        assert "errcode" in finding
        [finding] = await wrong(with_account(sound, local_settings(wechat.base_url), "http://q.example"))
        assert "public_url" in finding
        async with wechat.client.faulty(path="/cgi-bin/stable_token", body="<html>"):
            [finding] = await wrong(with_account(sound, local_settings(wechat.base_url)))
    assert "does not answer" in finding
    [finding] = await wrong(with_account(sound, local_settings("http://127.0.0.1:9")))
    assert "does not answer" in finding


async def test_language_data_that_does_not_load_is_found(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise ValueError("symptoms.json")

    monkeypatch.setattr(diagnosis, "EmbeddedProvider", damaged)
    [finding] = await wrong(sound)
    assert "language data" in finding


async def test_a_model_that_does_not_load_is_named(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise ModelError("reader.onnx: the model file is missing")

    monkeypatch.setattr(diagnosis, "EmbeddedProvider", damaged)
    [finding] = await wrong(sound)
    assert "reader.onnx" in finding


async def test_a_rasa_server_that_is_to_be_asked_and_is_not_there_is_found(sound: Settings) -> None:
    away = f"http://127.0.0.1:{free_port()}"
    [finding] = await wrong(sound.model_copy(update={"nlu_provider": NluProvider.RASA, "rasa_url": away}))
    assert "make rasa" in finding


def test_the_command_prints_each_finding_and_ends_with_one_where_something_is_wrong(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("WRONG") and "migrate" in line for line in lines)
    assert main(["migrate"]) == 0
    assert main(["--data", "var", "doctor"]) in (0, 1)
    assert not any("migrate" in line for line in capsys.readouterr().out.splitlines())


async def test_a_port_for_machines_that_is_taken_or_open_to_everybody_is_found(sound: Settings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        [finding] = await wrong(sound.model_copy(update={"dicom_port": port}))
        assert f"port {port}" in finding
    [finding] = await wrong(sound.model_copy(update={"dicom_port": port, "dicom_host": "0.0.0.0"}))  # noqa: S104  # to be refused
    assert "not encrypted" in finding


async def test_a_store_of_images_that_is_away_is_found(sound: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT": "http://127.0.0.1:9", "ALLOW_HTTP": "true", "REGION": "here"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "hidden")
    [finding] = await wrong(sound.model_copy(update={"imaging_store": "s3://images/county"}))
    assert "imaging_store" in finding
    assert "hidden" not in finding
