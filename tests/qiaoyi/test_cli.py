"""The `qiaoyi` command in a folder of its own: what it does, and what it says when it cannot."""

import io
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from nlu.models import FOLDER
from nlu.reader import Reader
from qiaoyi.cli import main
from sandbox import settings as account
from tests.support.processes import free_port, serving
from tests.support.sandbox import running_sandbox

AES_KEY = "A" * 43
MODEL_FILES = ("reader.onnx", "reader.json", "reader_status.onnx", "reader_status.json")
ACCOUNT = {
    "WECHAT__APP_ID": account.LOCAL_APP_ID,
    "WECHAT__APP_SECRET": account.LOCAL_APP_SECRET,
    "WECHAT__TOKEN": account.LOCAL_TOKEN,
    "WECHAT__AES_KEY": account.LOCAL_AES_KEY,
}


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def with_account(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The local account in the environment; nobody plays WeChat."""
    for name, value in (ACCOUNT | {"WECHAT__API_URL": "http://127.0.0.1:9"}).items():
        monkeypatch.setenv(f"QIAOYI_{name}", value)
    return monkeypatch


def test_an_empty_folder_is_made_ready_filled_rotated_and_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert main(["migrate"]) == 0
    assert main(["seed"]) == 0
    assert main(["seed"]) == 0
    assert Path("var/keys.json").stat().st_mode & 0o077 == 0
    assert main(["keys", "rotate"]) == 0
    assert "key 2 is in use" in capsys.readouterr().out
    assert set(json.loads(Path("var/keys.json").read_text())["keys"]) == {"1", "2"}
    assert main(["audit", "verify"]) == 0
    assert "all as they were written" in capsys.readouterr().out


def test_a_media_process_that_is_not_there_cannot_be_drained(
    migrated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["nodes"]) == 0
    assert main(["drain", "--all", "--wait"]) == 0
    assert main(["drain", "--node", "nobody"]) == 1
    assert "没有这个视频服务进程" in capsys.readouterr().err


def test_machines_that_send_images_are_registered_shown_and_removed(
    seeded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sender", "add", "QL-T01", "放射科CT"]) == 0
    lines = capsys.readouterr().out.splitlines()
    token = lines[2].removeprefix("Authorization: Bearer ")
    assert len(token) > 30
    by_title = ["sender", "add", "QL-T01", "超声", "--title", "US1"]
    assert main([*by_title, "--network", "10.1.2.0/24"]) == 0
    assert "dicom_port is 0" in capsys.readouterr().out
    for wrong in (["sender", "add", "nowhere", "CT"], by_title, [*by_title, "--network", "10.1.2.0/24"]):
        assert main(wrong) == 1
    said = capsys.readouterr().err
    assert all(each in said for each in ("没有找到这家医院", "要一起写", "已经有别的设备"))
    assert main(["sender", "list"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert "C-STORE US1 from 10.1.2.0/24" in shown[1]
    assert token not in "".join(shown)
    assert main(["sender", "remove", shown[0].split()[0]]) == 0
    assert main(["sender", "remove", "nobody"]) == 1
    capsys.readouterr()
    main(["sender", "list"])
    assert [" off " in line for line in capsys.readouterr().out.splitlines()] == [True, False]


def test_the_pacs_of_institutions_are_registered_shown_changed_and_probed(
    seeded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = "http://127.0.0.1:1/dicom-web"
    add = ["destination", "add", "QL-T01"]
    monkeypatch.setenv("PACS_PASSWORD", "secret of the PACS")
    limited = ["--rate", "500", "--window", "22:00-6:00"]
    assert main([*add, "县医院PACS", "--url", nowhere, "--user", "qiaoyi", *limited]) == 0
    assert main([*add, "教学库", "--host", "127.0.0.1", "--port", "1", "--title", "TEACH", "--teaching"]) == 0
    capsys.readouterr()
    assert main(["destination", "list"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert all(each in first for each in ("active  care", "县医院PACS", f"STOW-RS {nowhere}", "500 kB/s  22:00-6:00"))
    assert all(each in second for each in ("teaching", "C-STORE TEACH at 127.0.0.1:1 as QIAOYI"))
    assert "secret" not in first
    known = first.split()[0]
    assert main(["destination", "change", known, "--window", "none", "--rate", "900"]) == 0
    assert capsys.readouterr().out.strip().endswith(f"STOW-RS {nowhere}  900 kB/s")
    assert main(["destination", "change", second.split()[0], "--own-title", "COUNTY"]) == 0
    assert "C-STORE TEACH at 127.0.0.1:1 as COUNTY" in capsys.readouterr().out
    assert main(["destination", "probe", known]) == 1
    assert "暂时连不上" in capsys.readouterr().err
    assert main(["destination", "resend", known]) == 0
    assert "0 instances are tried again" in capsys.readouterr().out
    assert main(["destination", "remove", known]) == 0
    capsys.readouterr()
    main(["destination", "list"])
    assert [" off " in line for line in capsys.readouterr().out.splitlines()] == [True, False]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (["--url", "ftp://pacs"], "网址不对"),
        ([], "请写影像系统的网址"),
        (["--url", "https://pacs", "--host", "pacs"], "只能写一种"),
        (["--user", "qiaoyi"], "账号只用于网址"),
        (["--url", "https://pacs", "--user", "qiaoyi"], "没有读到密码"),
        (["--host", "pacs", "--port", "104"], "AE标题不对"),
        (["--url", "https://pacs", "--window", "22-6"], "传输时段不对"),
        (["--url", "https://pacs", "--window", "22:70-6:00"], "传输时段不对"),
        (["--url", "https://pacs", "--window", "25:00-6:00"], "传输时段不对"),
        (["--url", "https://pacs", "--rate", "fast"], "每秒多少千字节"),
        (["--url", "https://pacs", "--rate", "9"], "网速上限太低"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_in_words(
    seeded: Path, said: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["destination", "add", "QL-T01", "PACS", *said]) == 1
    assert words in capsys.readouterr().err


def test_a_password_of_a_pacs_comes_from_standard_input_and_never_as_an_argument(
    seeded: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a token of the PACS\n"))
    assert main(["destination", "add", "QL-T01", "PACS", "--url", "https://pacs", "--token"]) == 0
    assert "a token" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["destination", "add", "QL-T01", "PACS", "--url", "https://pacs", "--password", "secret"])


def test_a_changed_audit_entry_is_named(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", "verify"])
    entries = int(capsys.readouterr().out.splitlines()[-1].split()[0])
    assert entries > 0
    connection = sqlite3.connect("var/qiaoyi.db")
    try:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE audit_entries SET action = 'x' WHERE id = (SELECT min(id) FROM audit_entries)")
        connection.commit()
    finally:
        connection.close()
    assert main(["audit", "verify"]) == 1
    assert "entry 1 (place 0) was changed" in capsys.readouterr().out


def test_serving_without_an_account_ends_with_one_line(migrated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 2
    assert_one_line(capsys, "setting wechat")


def test_serving_without_tables_says_to_migrate(
    with_account: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("var").mkdir()
    assert main(["serve"]) == 2
    assert_one_line(capsys, "qiaoyi migrate")


def test_a_taken_port_ends_with_one_line(
    migrated: Path, with_account: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], taken_port: int
) -> None:
    assert main(["serve", "--port", str(taken_port)]) == 2
    assert_one_line(capsys, f"setting port: 127.0.0.1:{taken_port}")


def test_a_clock_that_does_not_answer_ends_with_one_line(
    migrated: Path, with_account: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with_account.setenv("QIAOYI_CLOCK_URL", "http://127.0.0.1:9/api/clock")
    assert main(["serve"]) == 2
    assert_one_line(capsys, "setting clock_url")


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_damaged_model_ends_the_start_with_one_line(
    migrated: Path, with_account: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    for part in MODEL_FILES:
        shutil.copy(FOLDER / part, tmp_path)
    (tmp_path / name).write_bytes(b"{")
    with_account.setattr("nlu.embedded.reader", lambda: Reader(tmp_path))
    assert main(["serve"]) == 1
    assert_one_line(capsys, name)


@pytest.mark.parametrize("command", [["migrate"], ["seed"], ["serve"], ["keys", "rotate"], ["audit", "verify"]])
def test_a_data_folder_that_is_a_file_ends_with_one_line(
    with_account: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    Path("var").write_text("")
    assert main(command) in (1, 2)
    errors = capsys.readouterr().err
    assert "Traceback" not in errors
    assert len([line for line in errors.splitlines() if line.startswith("qiaoyi: ")]) == 1


@pytest.mark.parametrize("command", [["migrate"], ["serve"]])
def test_a_database_that_does_not_answer_ends_with_one_line(
    with_account: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    with_account.setenv("QIAOYI_DATABASE_URL", f"mysql+asyncmy://u:hidden@127.0.0.1:{free_port()}/q")
    assert main(command) == 1
    assert "hidden" not in assert_one_line(capsys, "database_url")


def test_a_damaged_key_file_is_never_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    Path("var").mkdir()
    Path("var/keys.json").write_text("{")
    for command in (["seed"], ["keys", "rotate"], ["audit", "verify"]):
        assert main(command) == 2
        assert_one_line(capsys, "keys.json")
    assert Path("var/keys.json").read_text() == "{"


def test_a_wrong_setting_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QIAOYI_PORT", "many")
    assert main(["migrate"]) == 2
    assert_one_line(capsys, "setting port")


@pytest.mark.parametrize("arguments", [[], ["dance"], ["serve", "--role", "boss"], ["keys"], ["run", "--port", "x"]])
def test_a_wrong_call_shows_how_it_is_called(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: qiaoyi" in capsys.readouterr().err


async def test_a_served_product_is_healthy_and_ends_cleanly(migrated: Path, tmp_path: Path) -> None:
    port = free_port()
    async with running_sandbox() as wechat, aiohttp.ClientSession() as http:
        settings = ACCOUNT | {"PORT": str(port), "WECHAT__API_URL": wechat.base_url}
        async with serving(tmp_path, settings):
            for path in ("/healthz", "/readyz", "/api/v1/openapi.json"):
                async with http.get(f"http://127.0.0.1:{port}{path}") as answer:
                    assert answer.status == 200, path
            async with http.get(f"http://127.0.0.1:{port}/wechat/callback") as answer:
                assert 400 <= answer.status < 500


def assert_one_line(capsys: pytest.CaptureFixture[str], wanted: str) -> str:
    errors = capsys.readouterr().err
    lines = [line for line in errors.splitlines() if line]
    assert len(lines) == 1, errors
    assert lines[0].startswith("qiaoyi: ")
    assert wanted in lines[0]
    assert os.linesep * 2 not in errors
    return lines[0]


def test_the_package_alone_loads_nothing_of_the_product() -> None:
    """What a decoding process imports of its parent: it would cost it seconds and 150 MB."""
    script = "import sys, qiaoyi; print([one for one in sys.modules if one.startswith(('qiaoyi.', 'backend', 'bot'))])"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run", "--sandbox-port", "99999"], "99999 is no port"),
        (["run", "--port", "0"], "0 is no port"),
        (["serve", "--port", "abc"], "abc is no port"),
    ],
)
def test_what_is_no_port_is_said_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert told in capsys.readouterr().err


def test_the_product_and_the_local_wechat_do_not_share_a_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(free_port())
    assert main(["run", "--data", str(tmp_path / "var"), "--port", port, "--sandbox-port", port]) == 1
    assert "need two ports" in capsys.readouterr().err


def test_a_data_folder_that_cannot_be_made_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["run", "--data", str(tmp_path / "file" / "var"), "--port", str(free_port())]) == 2
    assert "setting data: the folder" in capsys.readouterr().err
