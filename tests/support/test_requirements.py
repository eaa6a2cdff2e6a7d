"""A missing program is a visible skip, and under CI a failure."""

import pytest

from tests.support.requirements import require_program

MISSING = "no-such-program-anywhere"


def test_a_program_that_is_there_is_found_under_any_of_its_names() -> None:
    assert require_program("sh").name == "sh"
    assert require_program(MISSING, "sh").name == "sh"


def test_a_missing_program_skips_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        require_program(MISSING)


def test_under_ci_a_missing_program_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        require_program(MISSING)
