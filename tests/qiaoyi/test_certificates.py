"""`qiaoyi certificate`: who may sign prescriptions, from the command line."""

import pytest
from cryptography import x509

from qiaoyi.cli import main

DOCTOR = "EXP-01"


pytestmark = pytest.mark.usefixtures("seeded")


def test_a_certificate_is_issued_shown_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificate", "issue", DOCTOR, "--days", "30"]) == 0
    issued = capsys.readouterr().out
    assert "  holds    " in issued
    serial = issued.split()[0]
    assert main(["certificate", "list"]) == 0
    assert issued in capsys.readouterr().out
    assert main(["certificate", "revoke", serial, "遗失"]) == 0
    revoked = capsys.readouterr().out
    assert "  revoked  " in revoked
    assert "遗失" not in revoked
    assert main(["certificate", "list"]) == 0
    assert revoked in capsys.readouterr().out


def test_the_root_is_one_and_readable(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificate", "root"]) == 0
    printed = capsys.readouterr().out
    root = x509.load_pem_x509_certificate(printed.encode())
    assert root.issuer == root.subject
    assert main(["certificate", "root"]) == 0
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("said", [["issue", "nobody"], ["revoke", "12345", "遗失"]])
def test_what_is_not_there_is_told_in_words(said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certificate", *said]) == 1
    err = capsys.readouterr().err
    assert "没有" in err
    assert "Traceback" not in err
