"""Identifiers are unique, well-formed and sort by the time they were made."""

import time
import uuid

import pytest

from backend.ids import new_id


def test_an_identifier_is_a_version_7_uuid_without_dashes() -> None:
    made = new_id()
    assert len(made) == 32
    assert uuid.UUID(made).version == 7
    assert uuid.UUID(made).variant == uuid.RFC_4122


def test_identifiers_do_not_repeat() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_identifiers_sort_by_the_millisecond_they_were_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for millisecond in range(1_700_000_000_000, 1_700_000_000_050):
        monkeypatch.setattr(time, "time_ns", lambda now=millisecond: now * 1_000_000)
        made.append(new_id())
    assert made == sorted(made)
