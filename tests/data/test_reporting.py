"""Skeletons of reports and findings that cannot wait: every modality has some, and a wrong file is named."""

from pathlib import Path
from typing import get_args

import pytest

from data.errors import DataError
from data.reporting import (
    BLANK,
    Modality,
    critical_findings,
    load_critical_findings,
    load_report_templates,
    report_templates,
)


def test_every_modality_has_skeletons_and_all_but_mammography_findings_that_cannot_wait() -> None:
    modalities = set(get_args(Modality))
    assert {code for one in report_templates() for code in one.modalities} == modalities
    assert {code for one in critical_findings() for code in one.modalities} == modalities - {"MG"}


def test_no_skeleton_says_what_was_found_before_somebody_has_looked() -> None:
    for one in report_templates():
        assert BLANK in one.impression, one.code
        assert one.findings.count(BLANK) >= 2, one.code


def test_words_that_suggest_a_skeleton_are_written_as_they_are_compared() -> None:
    for one in report_templates():
        assert all(region == region.lower() for region in one.regions), one.code


def test_every_finding_that_cannot_wait_says_where_it_is_from() -> None:
    for one in critical_findings():
        assert one.source == "own" or "ACR" in one.source, one.code


@pytest.mark.parametrize("content", ["[]", '[{"code": "x"}]', "{"])
def test_a_wrong_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(content, "utf-8")
    for load in (load_report_templates, load_critical_findings):
        with pytest.raises(DataError, match=r"wrong\.json"):
            load(file)
