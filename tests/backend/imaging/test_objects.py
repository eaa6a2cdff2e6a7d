"""Objects in a folder, in a store that speaks S3's interface, and sealed in either."""

import asyncio
import errno
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from backend.ids import new_id
from backend.imaging import objects
from backend.imaging.objects import FolderStore, ObjectMissing, ObjectStore, SealedObjects
from backend.imaging.remotestore import RemoteStore
from backend.imaging.sealing import CHUNK_BYTES, SEALED_BYTES, ObjectDamaged, Opener, SealedObject, Sealer

SIZES = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7)


@pytest.fixture(params=["folder", "remote"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return FolderStore(tmp_path / "objects") if request.param == "folder" else RemoteStore(MemoryStore())


async def pieces(data: bytes, size: int = 70_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def joined(stream: AsyncIterable[bytes]) -> bytes:
    return b"".join([piece async for piece in stream])


async def test_what_is_put_is_given_back_whole_and_in_ranges(store: ObjectStore) -> None:
    data = os.urandom(1_000_000)
    await store.put("0a", pieces(data))
    assert await joined(store.get("0a")) == data
    assert await joined(store.get("0a", 10, 500_010)) == data[10:500_010]
    assert await joined(store.get("0a", 999_000)) == data[999_000:]


async def test_an_object_is_listed_with_its_size_and_time(store: ObjectStore) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    await store.put("0a", pieces(b"one"))
    await store.put("0b", pieces(b"other"))
    listed = {found.id: found async for found in store.list()}
    assert {name: found.size for name, found in listed.items()} == {"0a": 3, "0b": 5}
    assert all(found.stored_at >= before for found in listed.values())


async def test_an_object_that_is_not_there_is_said_to_be_missing(store: ObjectStore) -> None:
    assert not await store.exists("0a")
    with pytest.raises(ObjectMissing):
        await joined(store.get("0a"))
    await store.delete("0a")


async def test_a_deleted_object_is_gone(store: ObjectStore) -> None:
    await store.put("0a", pieces(b"one"))
    assert await store.exists("0a")
    await store.delete("0a")
    assert not await store.exists("0a")
    assert [found async for found in store.list()] == []


async def test_a_stream_that_breaks_leaves_nothing(store: ObjectStore) -> None:
    class Broken(Exception):
        pass

    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * 500_000
        raise Broken

    with pytest.raises(Broken):
        await store.put("0a", breaking())
    assert not await store.exists("0a")
    assert [found async for found in store.list()] == []


async def test_a_cancelled_put_leaves_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(store.put("0a", endless()))
    await begun.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert [found async for found in store.list()] == []


async def test_a_put_that_is_cancelled_while_its_file_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, create = FolderStore(tmp_path), objects._create
    begun, may_end, made = threading.Event(), threading.Event(), []

    def slowly(path: Path) -> BinaryIO:
        begun.set()
        assert may_end.wait(10)
        made.append(create(path))
        return made[0]

    monkeypatch.setattr(objects, "_create", slowly)
    putting = asyncio.create_task(store.put("0a", pieces(b"data")))
    assert await asyncio.to_thread(begun.wait, 10)
    putting.cancel()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert made[0].closed
    assert [found async for found in store.list()] == []


async def test_a_half_written_file_of_a_killed_process_is_listed_and_can_be_removed(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    await store.put("0a", pieces(b"whole"))
    (tmp_path / "0a" / "110a.new").write_bytes(b"half")
    assert {found.id async for found in store.list()} == {"0a", "110a.new"}
    await store.delete("110a.new")
    assert {found.id async for found in store.list()} == {"0a"}


async def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)

    async def until_full() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        await store.put("0a", until_full())
    assert [found async for found in store.list()] == []


@pytest.mark.parametrize("size", SIZES)
async def test_a_sealed_object_opens_to_what_was_put(store: ObjectStore, size: int) -> None:
    objects = SealedObjects(store)
    data = os.urandom(size)
    sealed = await objects.put(pieces(data))
    assert sealed.size == size
    assert await joined(objects.get(sealed)) == data
    stored = await joined(store.get(sealed.id))
    assert len(stored) == sealed.stored_size
    assert size < 16 or data[:16] not in stored


@given(
    size=st.sampled_from(SIZES),
    start=st.integers(0, 4 * CHUNK_BYTES),
    length=st.integers(0, 4 * CHUNK_BYTES),
)
def test_any_range_of_a_sealed_object_opens(size: int, start: int, length: int) -> None:
    async def check() -> None:
        objects = SealedObjects(RemoteStore(MemoryStore()))
        data = bytes(number % 251 for number in range(size))
        sealed = await objects.put(pieces(data))
        assert await joined(objects.get(sealed, start, start + length)) == data[start : start + length]

    asyncio.run(check())


def only_file(folder: Path) -> Path:
    [path] = [path for path in folder.rglob("*") if path.is_file()]
    return path


def sealed_chunks(data: bytes) -> tuple[list[bytes], SealedObject]:
    sealer = Sealer(new_id())
    chunks = sealer.add(data)
    last, sealed = sealer.finish()
    return [*chunks, last], sealed


@given(at=st.integers(0, SEALED_BYTES * 2 + 100 + 16 - 1), bit=st.integers(0, 7))
def test_any_changed_bit_is_found(at: int, bit: int) -> None:
    chunks, sealed = sealed_chunks(bytes(CHUNK_BYTES * 2 + 100))
    number, place = divmod(at, SEALED_BYTES)
    changed = bytearray(chunks[number])
    changed[place] ^= 1 << bit
    with pytest.raises(ObjectDamaged):
        Opener(sealed).open(number, bytes(changed))


def test_a_chunk_in_another_place_is_found() -> None:
    chunks, sealed = sealed_chunks(bytes(CHUNK_BYTES * 3))
    with pytest.raises(ObjectDamaged):
        Opener(sealed).open(0, chunks[1])
    with pytest.raises(ObjectDamaged):
        Opener(sealed).open(2, chunks[1])


def test_an_object_under_another_identifier_is_found() -> None:
    [chunk], sealed = sealed_chunks(b"one")
    other = SealedObject(new_id(), sealed.key, sealed.size)
    with pytest.raises(ObjectDamaged):
        Opener(other).open(0, chunk)


@pytest.mark.parametrize("kept", [0, 1, SEALED_BYTES - 1, SEALED_BYTES, SEALED_BYTES + 1])
async def test_an_object_that_was_cut_short_is_found(tmp_path: Path, kept: int) -> None:
    objects = SealedObjects(FolderStore(tmp_path))
    sealed = await objects.put(pieces(os.urandom(2 * CHUNK_BYTES)))
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ObjectDamaged):
        await joined(objects.get(sealed))


async def test_an_object_cut_short_is_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    objects = SealedObjects(FolderStore(tmp_path))
    sealed = await objects.put(pieces(os.urandom(2 * CHUNK_BYTES)))
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:SEALED_BYTES])
    with pytest.raises(ObjectDamaged):
        await joined(objects.get(SealedObject(sealed.id, sealed.key, CHUNK_BYTES)))


def test_a_key_is_not_shown_where_an_object_is_logged() -> None:
    _, sealed = sealed_chunks(b"one")
    assert sealed.key.hex() not in repr(sealed)
    assert repr(sealed.key) not in repr(sealed)
