"""The file store: what comes in is checked, what lies there is encrypted, what goes out is what came in."""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.clock import Clock
from backend.db import Database, install_key_ring
from backend.errors import InvalidInput, NotFound
from backend.files import FileRow, FileStore
from backend.photographs import LARGEST_BYTES
from backend.security.errors import KeyRingError
from backend.security.keyring import KeyRing
from tests.support.pictures import jpeg, png
from tests.support.waiting import eventually

KINDS = {
    "audio/amr": b"#!AMR\n voice",
    "audio/mpeg": b"ID3 voice",
    "video/webm": b"\x1fC\xb6u cluster",
}
VOICE = KINDS["audio/mpeg"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def files(database: Database, folder: Path, clock: Clock) -> Iterator[FileStore]:
    made = FileStore(database, folder, clock)
    yield made
    made.close()


def stored_in(folder: Path) -> list[Path]:
    """Give the files on the disk."""
    return [path for path in folder.rglob("*") if path.is_file()]


def age(folder: Path) -> None:
    """Let every file on the disk be two days old."""
    for path in stored_in(folder):
        before = path.stat().st_mtime - 2 * 24 * 3600
        os.utime(path, (before, before))


def make_old_file(path: Path) -> None:
    """Make a file that nobody knows, two days old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left")
    age(path.parent)


@pytest.mark.parametrize("media_type", KINDS)
async def test_what_goes_in_comes_out_and_lies_encrypted(files: FileStore, folder: Path, media_type: str) -> None:
    file_id = await files.put(KINDS[media_type], media_type, "owner")
    assert await files.get(file_id) == (KINDS[media_type], media_type)
    view = await files.describe(file_id)
    assert (view.owner_id, view.size) == ("owner", len(KINDS[media_type]))
    [path] = stored_in(folder)
    assert KINDS[media_type][4:] not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"", "audio/mpeg"),
        (VOICE + bytes(LARGEST_BYTES), "audio/mpeg"),
        (KINDS["audio/amr"], "audio/mpeg"),
        (b"MZ\x90", "application/octet-stream"),
        (jpeg(), "image/jpeg"),
    ],
)
async def test_what_is_empty_too_large_or_not_what_it_says_is_refused_and_a_picture_that_was_not_cleaned(
    files: FileStore, folder: Path, data: bytes, media_type: str
) -> None:
    with pytest.raises(InvalidInput):
        await files.put(data, media_type, "owner")
    assert stored_in(folder) == []


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b"", "image/png"),
        (png() + bytes(LARGEST_BYTES), "image/png"),
        (png(), "image/jpeg"),
        (b"<svg onload=alert(1)>", "image/svg+xml"),
        (b"<html>", "image/jpeg"),
        (jpeg()[:-100], "image/jpeg"),
    ],
)
async def test_a_picture_that_is_none_is_refused_with_a_sentence(
    files: FileStore, data: bytes, media_type: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await files.clean(data, media_type)
    assert refusal.value.sentence.endswith("。")


async def test_a_cleaned_picture_comes_out_as_it_was_cleaned(files: FileStore) -> None:
    picture = await files.clean(jpeg(), "IMAGE/JPG; name=x")
    file_id = await files.put_picture(picture, "owner")
    assert await files.get(file_id) == (picture.data, "image/jpeg")


async def test_the_usual_writings_of_a_media_type_are_the_same(files: FileStore) -> None:
    file_id = await files.put(VOICE, "AUDIO/MP3; name=x", "owner")
    assert (await files.get(file_id))[1] == "audio/mpeg"


async def test_an_unknown_file_is_not_found(files: FileStore) -> None:
    for file_id in ("0" * 32, "../../etc/passwd", ""):
        with pytest.raises(NotFound):
            await files.get(file_id)


async def test_a_file_put_in_the_place_of_another_does_not_open(files: FileStore, folder: Path) -> None:
    first = await files.put(VOICE, "audio/mpeg", "owner")
    [one] = stored_in(folder)
    second = await files.put(VOICE, "audio/mpeg", "owner")
    [other] = set(stored_in(folder)) - {one}
    other.write_bytes(one.read_bytes())
    assert await files.get(first) == (VOICE, "audio/mpeg")
    with pytest.raises(KeyRingError):
        await files.get(second)


async def test_after_a_rotation_every_file_is_under_the_newest_key(
    files: FileStore, folder: Path, key_ring: KeyRing
) -> None:
    ids = [await files.put(VOICE, "audio/mpeg", "owner") for _ in range(3)]
    both = {1: bytes(range(32)), 2: bytes(range(64, 96))}
    install_key_ring(KeyRing(both, bytes(range(32, 64))))
    assert await files.reencrypt() == 3
    assert await files.reencrypt() == 0
    install_key_ring(KeyRing({2: both[2]}, bytes(range(32, 64))))
    assert [await files.get(file_id) for file_id in ids] == [(VOICE, "audio/mpeg")] * 3


async def test_a_file_of_a_transaction_that_was_undone_is_swept_away_after_a_day(
    files: FileStore, folder: Path, database: Database, clock: Clock
) -> None:
    kept = await files.put(VOICE, "audio/mpeg", "owner")

    async def undone() -> None:
        async with database.transaction():
            await files.put(VOICE, "audio/mpeg", "owner")
            raise RuntimeError("the turn fails")

    with pytest.raises(RuntimeError):
        await undone()
    assert len(stored_in(folder)) == 2
    assert await files.sweep() == 0
    clock.advance(timedelta(days=2))
    assert await files.sweep() == 0, "a clock that was moved makes no file old"
    await asyncio.to_thread(age, folder)
    assert await files.sweep() == 1
    assert await files.get(kept) == (VOICE, "audio/mpeg")
    async with database.reading() as session:
        assert list(await session.scalars(select(FileRow.id))) == [kept]


async def test_a_half_written_file_is_never_seen_and_swept_away(
    files: FileStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="no space"):
        await files.put(VOICE, "audio/mpeg", "owner")
    monkeypatch.undo()
    assert [path.suffix for path in await asyncio.to_thread(stored_in, folder)] == [".new"]
    await asyncio.to_thread(age, folder)
    assert await files.sweep() == 1


async def test_files_are_swept_again_and_again_until_the_process_ends(files: FileStore, folder: Path) -> None:
    sweeping = asyncio.create_task(files.keep_swept(timedelta(milliseconds=1)))
    try:
        orphan = folder / "ab" / ("c" * 30 + "ab")
        for _ in range(2):
            await asyncio.to_thread(make_old_file, orphan)
            await eventually(lambda: not orphan.exists())
    finally:
        sweeping.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sweeping


async def test_removed_files_are_gone_for_good(files: FileStore, database: Database, folder: Path) -> None:
    kept, *removed = [await files.put(VOICE, "audio/mpeg", "owner") for _ in range(4)]
    async with database.transaction() as session:
        await files.remove(session, removed)
    await eventually(lambda: len(stored_in(folder)) == 1)
    assert (await files.get(kept))[0] == VOICE
    for file_id in removed:
        with pytest.raises(NotFound):
            await files.get(file_id)


async def test_files_stay_where_their_removal_is_undone(files: FileStore, database: Database, folder: Path) -> None:
    file_id = await files.put(VOICE, "audio/mpeg", "owner")

    async def remove_and_fail() -> None:
        async with database.transaction() as session:
            await files.remove(session, [file_id])
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        await remove_and_fail()
    assert (await files.get(file_id))[0] == VOICE
