"""The second factor after its standard, and the lock of a name."""

import base64
from datetime import UTC, datetime, timedelta

import pytest

from backend.console import rules

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds: int, code: str) -> None:
    step = rules.time_step(datetime.fromtimestamp(seconds, UTC))
    assert rules.totp(SECRET, step, digits=8) == code


def test_a_code_is_taken_one_step_early_or_late_and_never_twice() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    present = rules.time_step(now)
    for step, is_taken in ((present - 2, False), (present - 1, True), (present, True), (present + 1, True)):
        found = rules.accepted_step(SECRET, rules.totp(SECRET, step), now, 0)
        assert found == (step if is_taken else None)
    assert rules.accepted_step(SECRET, rules.totp(SECRET, present), now, present) is None


def test_the_fifth_vain_try_locks_for_a_minute_and_each_more_for_twice_as_long() -> None:
    locks = [rules.lock_after(failures) for failures in range(1, 13)]
    minutes = [one and one / timedelta(minutes=1) for one in locks]
    assert minutes == [None, None, None, None, 1, 2, 4, 8, 16, 32, 60, 60]
