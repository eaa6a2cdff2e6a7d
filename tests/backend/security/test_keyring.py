"""Values open only with their key and in their column; rings survive on disk and follow a rotation."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.security.errors import KeyRingError
from backend.security.keyring import KeyRing, add_key, key_number, open_key_file

OLD, NEW, INDEX = bytes(32), bytes([1]) * 32, bytes([2]) * 32


def ring(**keys: bytes) -> KeyRing:
    return KeyRing({int(number[1:]): key for number, key in keys.items()} or {1: OLD}, INDEX)


@given(st.binary(max_size=2000))
def test_what_was_encrypted_opens_again_in_its_column(plain: bytes) -> None:
    held = ring()
    assert held.decrypt(held.encrypt(plain, "people.name"), "people.name") == plain


def test_the_same_text_never_looks_the_same_twice() -> None:
    assert ring().encrypt("王秀英".encode(), "people.name") != ring().encrypt("王秀英".encode(), "people.name")


def test_a_value_that_was_copied_into_another_column_does_not_open() -> None:
    stored = ring().encrypt(b"x", "people.name")
    with pytest.raises(KeyRingError, match="belongs elsewhere"):
        ring().decrypt(stored, "people.phone")


@given(st.integers(min_value=0), st.integers(min_value=1, max_value=255))
def test_a_value_with_any_bit_changed_does_not_open(position: int, mask: int) -> None:
    stored = bytearray(ring().encrypt("血压150/95".encode(), "a.b"))
    stored[position % len(stored)] ^= mask
    with pytest.raises(KeyRingError):
        ring().decrypt(bytes(stored), "a.b")


@pytest.mark.parametrize("stored", [b"", b"\x01", b"plain text that was never encrypted"])
def test_what_is_no_encrypted_value_is_refused(stored: bytes) -> None:
    with pytest.raises(KeyRingError, match="not an encrypted value"):
        ring().decrypt(stored, "a.b")


def test_the_newest_key_encrypts_and_older_values_still_open() -> None:
    old_value = ring(k1=OLD).encrypt(b"x", "a.b")
    both = ring(k1=OLD, k2=NEW)
    assert key_number(both.encrypt(b"x", "a.b")) == 2
    assert both.decrypt(old_value, "a.b") == b"x"


def test_a_value_whose_key_is_gone_names_the_key() -> None:
    stored = ring(k1=OLD, k2=NEW).encrypt(b"x", "a.b")
    with pytest.raises(KeyRingError, match="key 2 is not in the ring"):
        ring(k1=OLD).decrypt(stored, "a.b")


def test_equal_values_have_equal_blind_indexes_for_one_purpose_alone() -> None:
    held = ring()
    assert held.blind_index("13800138000", "people.phone") == held.blind_index("13800138000", "people.phone")
    assert held.blind_index("13800138000", "people.phone") != held.blind_index("13800138000", "contacts.address")
    assert held.blind_index("13800138000", "people.phone") != held.blind_index("13800138001", "people.phone")


def test_a_blind_index_outlives_a_rotation() -> None:
    assert ring(k1=OLD).blind_index("a", "p") == ring(k1=OLD, k2=NEW).blind_index("a", "p")


def test_each_purpose_has_a_derived_key_of_its_own() -> None:
    assert len({ring().derive(purpose) for purpose in ("audit", "tokens", "links")}) == 3
    assert ring(k1=OLD).derive("audit") == ring(k1=OLD, k2=NEW).derive("audit")


@pytest.mark.parametrize(("keys", "index_key"), [({}, INDEX), ({1: b"short"}, INDEX), ({1: OLD}, b"short")])
def test_a_ring_without_whole_keys_is_refused(keys: dict[int, bytes], index_key: bytes) -> None:
    with pytest.raises(KeyRingError):
        KeyRing(keys, index_key)


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "ring.json"
    stored = open_key_file(path).encrypt(b"x", "a.b")
    assert open_key_file(path).decrypt(stored, "a.b") == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[]", '{"keys": {"1": "!!"}, "index_key": ""}', '{"keys": {"1": "AAAA"}, "index_key": "AAAA"}'],
)
def test_a_damaged_key_file_is_refused_and_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ring.json"
    path.write_text(content)
    with pytest.raises(KeyRingError):
        open_key_file(path)
    assert path.read_text() == content


def test_a_running_process_follows_a_rotation_when_it_meets_the_new_key(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    running = open_key_file(path)
    assert add_key(path) == 2
    written_elsewhere = open_key_file(path).encrypt(b"x", "a.b")
    assert running.decrypt(written_elsewhere, "a.b") == b"x"
    assert key_number(running.encrypt(b"y", "a.b")) == 2


def test_a_rotation_keeps_every_older_key(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    stored = open_key_file(path).encrypt(b"x", "a.b")
    for _ in range(3):
        add_key(path)
    assert open_key_file(path).decrypt(stored, "a.b") == b"x"
    assert set(json.loads(path.read_text())["keys"]) == {"1", "2", "3", "4"}
