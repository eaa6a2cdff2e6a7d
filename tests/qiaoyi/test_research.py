"""`qiaoyi export-research` at the machine: with a purpose, with the console's checks, and never over a file."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from qiaoyi.cli import main

pytestmark = pytest.mark.usefixtures("migrated")


def test_without_anybody_who_agreed_there_is_no_table_and_the_reason_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export-research", "table.parquet", "--purpose", "用药研究"]) == 1
    assert "只有0人，少于要求的5人" in capsys.readouterr().err
    assert not (tmp_path / "table.parquet").exists()
    assert main(["export-research", "table.parquet", "--purpose", "用药研究", "--k", "4"]) == 1
    assert "在5到1000之间" in capsys.readouterr().err


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "table.parquet").write_text("mine")
    assert main(["export-research", "table.parquet", "--purpose", "用药研究"]) == 1
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "table.parquet").read_text() == "mine"


def test_a_table_is_written_with_its_manifest_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.research.service.CaseSource", Alike)
    assert main(["export-research", "table.parquet", "--purpose", "用药研究", "--months"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["purpose"], told["people"], told["smallest_class"]) == ("用药研究", 6, 6)
    assert pq.read_table(tmp_path / "table.parquet").num_rows == told["rows"] == 12


class Alike:
    """Stands for `backend.research.source.CaseSource`: six people who are alike."""

    def __init__(self, *_services: object) -> None:
        self.patients: list[str] = []

    async def cases(self, _wish: object):  # type: ignore[no-untyped-def]
        """Two cases of each."""
        from tests.backend.research.test_anonymity import case

        for number in range(6):
            for code in ("J18.9", "I10"):
                yield case(number, icd10=code)
