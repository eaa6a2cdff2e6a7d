"""An encrypted stream opens whole, or not at all."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.security.sealed_stream import SealedReader, SealedWriter, Secret, StreamDamaged

KEY = bytes(range(32))
CHUNK = 1 << 20


def sealed(data: bytes, secret: Secret = KEY) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, secret)
    for start in range(0, len(data), 700_000):
        writer.write(data[start : start + 700_000])
    writer.finish()
    return file.getvalue()


def opened(stored: bytes, size: int, secret: Secret = KEY) -> bytes:
    return SealedReader(io.BytesIO(stored), secret).read(size)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 5])
def test_it_comes_back_as_it_was(size: int) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    assert opened(sealed(data[:size]), size) == data[:size]


def test_a_passphrase_opens_what_it_sealed_and_no_other_does() -> None:
    stored = sealed(b"record", "correct horse battery")
    assert opened(stored, 6, "correct horse battery") == b"record"
    for wrong in ("correct horse batterie", KEY):
        with pytest.raises(StreamDamaged):
            opened(stored, 6, wrong)


STORED = sealed(b"x" * (2 * CHUNK + 99))


@settings(max_examples=30)
@given(place=st.integers(0, len(STORED) - 1), bit=st.integers(0, 7))
def test_no_bit_can_be_changed(place: int, bit: int) -> None:
    changed = bytearray(STORED)
    changed[place] ^= 1 << bit
    with pytest.raises(StreamDamaged):
        opened(bytes(changed), 2 * CHUNK + 99)


@settings(max_examples=30)
@given(size=st.integers(0, len(STORED) - 1))
def test_it_cannot_be_cut(size: int) -> None:
    with pytest.raises(StreamDamaged):
        opened(STORED[:size], 2 * CHUNK + 99)


def test_its_parts_cannot_be_swapped_or_appended_to() -> None:
    head, part = len(STORED) - 2 * (CHUNK + 16) - 99 - 16, CHUNK + 16
    first, second, rest = STORED[head : head + part], STORED[head + part : head + 2 * part], STORED[head + 2 * part :]
    for wrong in (second + first + rest, first + second + rest + rest, first + rest):
        with pytest.raises(StreamDamaged):
            opened(STORED[:head] + wrong, 2 * CHUNK + 99)
