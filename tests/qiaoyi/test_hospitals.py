"""`qiaoyi hospital`: registering, changing and removing the hospitals that are asked."""

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from qiaoyi.cli import main

URL = "https://his.example.cn/fhir"


pytestmark = pytest.mark.usefixtures("seeded")


def test_a_hospital_is_registered_changed_and_removed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSPITAL_TOKEN", "a-secret-of-the-hospital")
    assert main(["hospital", "add", "YC-H01", "市一医院", "--url", URL, "--token"]) == 0
    line = capsys.readouterr().out
    for each in ("active", "云川市第一人民医院", "市一医院", URL, "bearer", "2.16.156.10011.1.3"):
        assert each in line
    assert "secret" not in line
    known = line.split()[0]
    system = "urn:oid:1.2.3"
    assert main(["hospital", "change", known, "--url", "http://127.0.0.1:9/fhir", "--identity-system", system]) == 0
    assert f"http://127.0.0.1:9/fhir  none  {system}" in capsys.readouterr().out
    assert main(["hospital", "probe", known]) == 1
    assert "连不上" in capsys.readouterr().err
    assert main(["hospital", "remove", known]) == 0
    capsys.readouterr()
    assert main(["hospital", "list"]) == 0
    assert "  off  " in capsys.readouterr().out


def test_a_hospital_with_smart_login_keeps_its_key_to_itself(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    smart = ["--client-id", "qiaoyi", "--token-url", "https://his.example.cn/token", "--key", str(file)]
    assert main(["hospital", "add", "YC-H01", "市一医院", "--url", URL, *smart]) == 0
    line = capsys.readouterr().out
    assert " smart " in line
    assert "PRIVATE" not in line


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "请写医院接口的网址"),
        (["--url", "his.example.cn"], "网址不对"),
        (["--url", "http://his.example.cn/fhir"], "必须以https开头"),
        (["--url", "https://10.1.2.3/fhir"], "内部网络"),
        (["--url", URL, "--token"], "没有读到密码"),
        (["--url", URL, "--client-id", "qiaoyi"], "要一起写"),
        (["--url", URL, "--client-id", "q", "--token-url", URL, "--key", "nowhere.pem"], "读不到私钥文件"),
        (["--url", URL, "--identity-system", "idcard"], "身份证号的标识不对"),
    ],
)
def test_a_hospital_that_cannot_be_is_refused_in_words(
    said: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["hospital", "add", "YC-H01", "市一医院", *said]) == 1
    assert words in capsys.readouterr().err


def test_without_consultations_nothing_is_on_its_way(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hospital", "add", "YC-H01", "市一医院", "--url", URL]) == 0
    known = capsys.readouterr().out.split()[0]
    assert main(["hospital", "written"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["hospital", "resend", known]) == 0
    assert f"{known}: 0 consultations are tried again" in capsys.readouterr().out
