"""Each error has a code for programs and a Chinese sentence for people, and tells nothing personal by itself."""

import re

import pytest

from backend.errors import (
    Conflict,
    ConsentRequired,
    DomainError,
    Forbidden,
    IllegalMove,
    InvalidInput,
    NotFound,
)

ALL = [DomainError, NotFound, Forbidden, InvalidInput, IllegalMove, Conflict, ConsentRequired]


def test_codes_are_stable_and_tell_the_errors_apart() -> None:
    assert [kind.code for kind in ALL] == [
        "refused", "not_found", "forbidden", "invalid_input", "illegal_move", "conflict", "consent_required",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ALL)
def test_every_error_has_a_chinese_sentence_of_its_own(kind: type[DomainError]) -> None:
    assert re.fullmatch(r"[一-鿿《》，。]+", kind().sentence)


@pytest.mark.parametrize("kind", ALL)
def test_an_errors_text_is_its_code_so_that_a_log_shows_nothing_else(kind: type[DomainError]) -> None:
    error = kind("王秀英的手机号不对。", field="phone")
    assert str(error) == kind.code
    assert error.sentence == "王秀英的手机号不对。"
    assert error.details == {"field": "phone"}
