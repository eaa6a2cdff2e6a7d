"""`qiaoyi audit` on a data folder: verification, and proofs that are checked without it."""

import shutil
import sqlite3
from argparse import Namespace
from pathlib import Path

import pytest

from qiaoyi import cli
from qiaoyi.audit_log import audit
from qiaoyi.settings import Settings, load


@pytest.fixture
def settings(seeded: Path) -> Settings:
    """A data folder with the people of the demonstration, whose making was audited."""
    return load(data=seeded)


async def test_an_entry_is_proved_to_somebody_who_has_the_public_key_alone(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert await audit(settings, Namespace(action="verify")) == 0
    assert "all as they were written; 2 kept heads fit" in capsys.readouterr().out
    assert await audit(settings, Namespace(action="key")) == 0
    key = capsys.readouterr().out.strip()
    assert await audit(settings, Namespace(action="proof", entry=3)) == 0
    proof = tmp_path / "proof.json"
    proof.write_text(capsys.readouterr().out)
    head = next(settings.audit_heads_folder.glob("2*.json")).read_text()
    (tmp_path / "head.json").write_text(head)
    assert await audit(settings, Namespace(action="growth", head=tmp_path / "head.json")) == 0
    growth = tmp_path / "growth.json"
    growth.write_text(capsys.readouterr().out)
    shutil.rmtree(settings.data)
    for file, told in ((proof, "proved: entry 3 was in the log"), (growth, "begins with that of")):
        assert await audit(settings, Namespace(action="check-proof", proof=file, key=key)) == 0
        assert told in capsys.readouterr().out
        assert await audit(settings, Namespace(action="check-proof", proof=file, key="00" * 32)) == 1
        assert "NOT proved" in capsys.readouterr().err
    assert not settings.data.exists()


async def test_a_changed_entry_is_named_and_the_status_says_so(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = sqlite3.connect(settings.data / "qiaoyi.db")
    connection.execute("DROP TRIGGER audit_entries_no_update")
    connection.execute("UPDATE audit_entries SET action = 'nothing' WHERE id = 2")
    connection.commit()
    connection.close()
    assert await audit(settings, Namespace(action="verify")) == 1
    assert "entry 2 (place 1) was changed" in capsys.readouterr().out


async def test_what_is_not_there_gets_a_clear_answer(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await audit(settings, Namespace(action="proof", entry=10**9)) == 1
    assert "没有这一条" in capsys.readouterr().err
    assert await audit(settings, Namespace(action="growth", head=tmp_path / "none")) == 1
    assert "no head" in capsys.readouterr().err
    assert await audit(settings, Namespace(action="check-proof", proof=tmp_path / "none", key="")) == 1


def test_the_command_line_knows_the_actions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "proof.json"
    file.write_text("{}")
    assert cli.main(["--data", str(tmp_path / "var"), "audit", "check-proof", str(file), "--key", "00"]) == 1
    assert "NOT proved" in capsys.readouterr().err
