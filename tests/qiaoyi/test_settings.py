"""Settings: where they come from, and that each wrong one stops the start with one line that names it."""

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from backend.prescription import Limits
from qiaoyi.roles import ServeRole
from qiaoyi.settings import Compression, SettingsError, load

AES_KEY = "A" * 43
ACCOUNT = {
    "QIAOYI_WECHAT__APP_ID": "wx1",
    "QIAOYI_WECHAT__APP_SECRET": "hidden-secret",
    "QIAOYI_WECHAT__TOKEN": "hidden-token",
    "QIAOYI_WECHAT__AES_KEY": AES_KEY,
}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An account in the environment."""
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_without_any_setting_everything_has_its_default() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.role) == ("127.0.0.1", 8080, ServeRole.ALL)
    assert settings.wechat is None
    assert settings.database == f"sqlite+aiosqlite:///{Path('var').absolute()}/qiaoyi.db"
    assert settings.public == "http://127.0.0.1:8080"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("qiaoyi.toml").write_text('port = 1111\nhost = "127.0.0.2"\nlog_level = "ERROR"\n')
    monkeypatch.setenv("QIAOYI_PORT", "2222")
    monkeypatch.setenv("QIAOYI_HOST", "127.0.0.3")
    settings = load(port=3333, role=None)
    assert (settings.port, settings.host, settings.log_level) == (3333, "127.0.0.3", "ERROR")


def test_another_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = tmp_path / "other.toml"
    named.write_text("port = 4444\n[wechat]\n" + "".join(
        f'{name.rpartition("__")[2].lower()} = "{value}"\n' for name, value in ACCOUNT.items()
    ) + "replay_window = 60\nmenu_messages = false\n[wechat.templates]\noffer = \"T1\"\n")  # fmt: skip
    monkeypatch.setenv("QIAOYI_SETTINGS", str(named))
    settings = load()
    assert settings.port == 4444
    assert settings.wechat is not None
    assert settings.wechat.replay_window == timedelta(minutes=1)
    assert settings.wechat.templates == {"offer": "T1"}
    assert settings.wechat.menu_messages is False


def test_the_account_is_read_from_the_environment_with_every_kind_of_value(account: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PREVIOUS_AES_KEY": "B" * 43,
        "TEMPLATES": '{"offer": "T1", "result": "T2"}',
        "SUBSCRIPTIONS__TASK": "S1",
        "REPLAY_WINDOW": "90",
        "MESSAGE_WINDOW": "P1D",
        "TEXT_BYTES": "1024",
        "CALL_TIMEOUT": "2.5",
        "MENU_MESSAGES": "false",
    }.items():
        account.setenv(f"QIAOYI_WECHAT__{name}", value)
    wechat = load().wechat
    assert wechat is not None
    assert (wechat.app_id, wechat.aes_key, wechat.previous_aes_key) == ("wx1", AES_KEY, "B" * 43)
    assert wechat.templates == {"offer": "T1", "result": "T2"}
    assert wechat.subscriptions == {"task": "S1"}
    assert (wechat.replay_window, wechat.message_window) == (timedelta(seconds=90), timedelta(days=1))
    assert (wechat.text_bytes, wechat.call_timeout, wechat.menu_messages) == (1024, 2.5, False)


def test_the_environment_changes_single_values_of_the_account_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("qiaoyi.toml").write_text(
        f'[wechat]\napp_id = "wx1"\napp_secret = "s"\ntoken = "t"\naes_key = "{AES_KEY}"\ntext_bytes = 600\n'
    )
    monkeypatch.setenv("QIAOYI_WECHAT__APP_SECRET", "from-the-environment")
    wechat = load().wechat
    assert wechat is not None
    assert (wechat.app_secret, wechat.text_bytes) == ("from-the-environment", 600)


def test_an_institution_makes_prescribing_stricter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAOYI_PRESCRIBING__ACUTE_DAYS", "3")
    monkeypatch.setenv("QIAOYI_PRESCRIBING__FERTILE_UNTIL", "60")
    assert load().prescribing == Limits(acute_days=3, fertile_until=60)


def test_secrets_are_not_in_what_is_printed(account: pytest.MonkeyPatch) -> None:
    account.setenv("QIAOYI_MINI_APP_SECRET", "hidden-mini")
    account.setenv("QIAOYI_DATABASE_URL", "mysql+asyncmy://user:hidden-password@127.0.0.1/q")
    account.setenv("QIAOYI_REDIS_URL", "redis://:hidden-password@127.0.0.1")
    assert "hidden" not in repr(load())
    assert AES_KEY not in repr(load())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("HOST", ""),
        ("ROLE", "boss"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_URL", "postgresql://localhost/q"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "localhost:6379"),
        ("PUBLIC_URL", "ftp://example.org"),
        ("PUBLIC_URL", "example.org"),
        ("CLOCK_URL", "now"),
        ("BOGUS", "1"),
        ("WECHAT__AES_KEY", "short"),
        ("WECHAT__PREVIOUS_AES_KEY", "short"),
        ("WECHAT__TOKEN", ""),
        ("WECHAT__API_URL", "api.weixin.qq.com"),
        ("WECHAT__TEMPLATES", "{"),
        ("WECHAT__TEMPLATES", "[]"),
        ("WECHAT__REPLAY_WINDOW", "soon"),
        ("WECHAT__TOKEN_MARGIN", "-1"),
        ("WECHAT__TEXT_BYTES", "0"),
        ("WECHAT__MENU_MESSAGES", "perhaps"),
        ("WECHAT__BOGUS", "1"),
        ("PRESCRIPTION_DAYS", "4"),
        ("PRESCRIBING__ACUTE_DAYS", "8"),
        ("PRESCRIBING__ACUTE_DAYS", "0"),
        ("PRESCRIBING__ACUTE_DAYS", "many"),
        ("PRESCRIBING__MAX_MEDICINES", "6"),
        ("PRESCRIBING__CHRONIC_USUAL_DAYS", "5"),
        ("PRESCRIBING__FERTILE_FROM", "13"),
        ("PRESCRIBING__FERTILE_UNTIL", "50"),
        ("PRESCRIBING__BOGUS", "1"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_setting(account: pytest.MonkeyPatch, name: str, value: str) -> None:
    account.setenv(f"QIAOYI_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load()
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("setting ")
    for part in name.lower().split("__"):
        assert part in line.lower()
    assert "hidden" not in line


def test_half_an_account_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAOYI_WECHAT__APP_ID", "wx1")
    with pytest.raises(SettingsError, match=r"setting wechat\.app_secret"):
        load()


@pytest.mark.parametrize("content", [b"port = [[", b"\xff\xfe", b"prot = 1", b'[wechat]\napp = "x"'])
def test_a_file_that_is_wrong_is_one_line(content: bytes) -> None:
    Path("qiaoyi.toml").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load()
    assert "\n" not in str(caught.value)


def test_a_named_file_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAOYI_SETTINGS", "/nowhere/qiaoyi.toml")
    with pytest.raises(SettingsError, match=r"/nowhere/qiaoyi\.toml"):
        load()


def test_the_rooms_are_reached_beside_everything_else_unless_told_otherwise() -> None:
    assert load(public_url="https://county.test").media_socket == "wss://county.test/media/v1/socket"
    assert load(media_url="wss://media-2.county.test/x").media_socket == "wss://media-2.county.test/x"


def test_turn_servers_are_listed_with_commas_or_as_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAOYI_TURN_SECRET", "s" * 32)
    monkeypatch.setenv("QIAOYI_TURN_URLS", "turn:a.test:3478?transport=udp, turns:a.test:5349")
    assert load().turn_urls == ("turn:a.test:3478?transport=udp", "turns:a.test:5349")
    monkeypatch.delenv("QIAOYI_TURN_URLS")
    Path("qiaoyi.toml").write_text('turn_urls = ["turn:b.test"]\n')
    assert load().turn_urls == ("turn:b.test",)


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("QIAOYI_MEDIA_URL", "https://county.test", "media_url"),
        ("QIAOYI_MEDIA_CAPACITY", "0", "media_capacity"),
        ("QIAOYI_MEDIA_STUN_URL", "turn.test", "media_stun_url"),
        ("QIAOYI_TURN_URLS", "stun:a.test", "turn_urls"),
        ("QIAOYI_TURN_URLS", "turn:a.test", "turn_secret"),
    ],
)
def test_a_wrong_setting_of_the_rooms_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, named: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^setting {named}"):
        load()


def test_a_compression_whose_codec_is_not_installed_stops_the_start_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load(imaging_compression="htj2k").imaging_compression is Compression.HTJ2K
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(SettingsError, match=r"^setting imaging_compression: .*needs the package imagecodecs"):
        load(imaging_compression="htj2k")
    assert load(imaging_compression="jpeg2000").imaging_compression is Compression.JPEG_2000


INSURER = {
    "QIAOYI_INSURER__URL": "https://insurer.example.org/api",
    "QIAOYI_INSURER__INSTITUTION": "H99990200001",
    "QIAOYI_INSURER__KEY": "a key that both sides have",
    "QIAOYI_INSURER__TIMEOUT": "5",
}


def test_an_insurer_is_read_from_the_environment_and_its_key_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().insurer is None
    for name, value in INSURER.items():
        monkeypatch.setenv(name, value)
    settings = load()
    assert settings.insurer is not None
    assert (settings.insurer.timeout, settings.insurer.dialect) == (5, "national")
    assert "both sides" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SIGNATURE", "sm2", "insurer.signature: sm2 needs a certified"),
        ("URL", "http://insurer.example.org", "insurer.url: begins with https://"),
        ("KEY", "short", "insurer.key"),
        ("INSTITUTION", "YC-H01", "insurer.institution"),
    ],
)
def test_a_wrong_setting_of_the_insurer_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    for known, given in INSURER.items():
        monkeypatch.setenv(known, given)
    monkeypatch.setenv(f"QIAOYI_INSURER__{name}", value)
    with pytest.raises(SettingsError, match=words) as error:
        load()
    assert value not in str(error.value).removeprefix("setting insurer.signature: sm2")
