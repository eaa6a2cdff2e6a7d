"""Where large objects lie: a folder by default, an object store that speaks S3 where a county has one.

A store knows bytes by identifier and nothing of what they mean; `SealedObjects` is what the rest of the house uses, and
nothing reaches a store but what it has sealed.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from backend.ids import new_id
from backend.imaging.sealing import (
    CHUNK_BYTES,
    SEALED_BYTES,
    ObjectDamaged,
    Opener,
    SealedObject,
    SealedWhole,
    Sealer,
    sealing,
)

_UNFINISHED = ".new"
_STRIDE = 4 * SEALED_BYTES
"""Bytes read or written at once: a slice of a CT in one go, because each call of a thread costs more than the bytes."""


class ObjectMissing(Exception):
    """The store has no object of this identifier, or none that is so long."""


@dataclass(frozen=True)
class StoredObject:
    """What a store tells of an object: `size` in stored bytes, and when it was put there by the store's own clock."""

    id: str
    size: int
    stored_at: datetime


class ObjectStore(Protocol):
    """Keeps objects of any size; an object is there whole or not at all, and never changes."""

    async def put(self, object_id: str, chunks: AsyncIterable[bytes]) -> None:
        """Keep what streams in; when this returns it is durable.

        Raises:
            OSError: it could not be kept (a full disk, a store that is away); nothing of it is left.
        """

    def get(self, object_id: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Stream the bytes from `start` up to `end`.

        Raises:
            ObjectMissing: there is none of this identifier. OSError: the store cannot be read.
        """

    async def exists(self, object_id: str) -> bool:
        """Tell whether there is an object of this identifier."""

    async def delete(self, object_id: str) -> None:
        """Remove an object; one that is not there is no error."""

    def list(self) -> AsyncIterator[StoredObject]:
        """Give every object, in no order; what is half written by a killed process as well, so that it is swept."""


class FolderStore:
    """Objects as files of a folder, in subfolders by the last two digits of their identifiers, which are random."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, object_id: str, chunks: AsyncIterable[bytes]) -> None:
        """As `ObjectStore.put`: written beside, synchronised to the disk and renamed."""
        file = _FreshFile(self._path(object_id))
        held: list[bytes] = []
        size = 0
        try:
            async for chunk in chunks:
                held.append(chunk)
                size += len(chunk)
                if size >= _STRIDE:
                    await asyncio.to_thread(file.write, held)
                    held, size = [], 0
            await asyncio.to_thread(file.finish, held)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(file.discard))
            raise

    async def get(self, object_id: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """As `ObjectStore.get`."""
        wanted = _STRIDE if end is None else min(_STRIDE, end - start)
        # Not a task: a process that stops cancels all tasks, and what the thread has opened would be nobody's.
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, _open_at, self._path(object_id), start, wanted)
        try:
            file, piece = await asyncio.shield(opening)
        except FileNotFoundError as error:
            raise ObjectMissing(object_id) from error
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise
        with file:
            at = start
            while piece:
                yield piece
                at += len(piece)
                wanted = _STRIDE if end is None else min(_STRIDE, end - at)
                piece = await asyncio.to_thread(file.read, wanted) if wanted else b""

    async def exists(self, object_id: str) -> bool:
        """As `ObjectStore.exists`."""
        return await asyncio.to_thread(self._path(object_id).exists)

    async def delete(self, object_id: str) -> None:
        """As `ObjectStore.delete`."""
        await asyncio.to_thread(self._path(object_id).unlink, missing_ok=True)

    async def list(self) -> AsyncIterator[StoredObject]:
        """As `ObjectStore.list`; a half-written file is listed under its whole name, which `delete` takes too."""
        for number in range(256):
            for found in await asyncio.to_thread(_listed, self._folder / f"{number:02x}"):
                yield found

    def _path(self, object_id: str) -> Path:
        return self._folder / object_id.removesuffix(_UNFINISHED)[-2:] / object_id


class _FreshFile:
    """A file that is written beside its place, and put there when it is whole.

    What is called here runs in threads; `discard` waits for what another one still does, and nothing comes after it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_suffix(_UNFINISHED)
        self._file: BinaryIO | None = None
        self._discarded = False
        self._lock = threading.Lock()

    def write(self, chunks: Sequence[bytes]) -> None:
        with self._lock:
            self._written(chunks)

    def finish(self, chunks: Sequence[bytes]) -> None:
        """Write the rest; the file is durable when this returns."""
        with self._lock:
            _finish(self._written(chunks), self._beside, self._path)

    def discard(self) -> None:
        with self._lock:
            self._discarded = True
            if self._file is not None:
                _discard(self._file, self._beside, self._path)

    def _written(self, chunks: Sequence[bytes]) -> BinaryIO:
        if self._discarded:
            raise FileNotFoundError(self._beside)
        if self._file is None:
            self._file = _create(self._beside)
        self._file.writelines(chunks)
        return self._file


class SealedObjects:
    """Objects as the house sees them: encrypted before they reach the store, opened when they leave it."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def put(self, chunks: AsyncIterable[bytes]) -> SealedObject:
        """Keep what streams in under a fresh identifier and key; durable when this returns.

        Raises:
            OSError: it could not be kept; nothing of it is left.
        """
        sealer = Sealer(new_id())
        kept: list[SealedObject] = []

        async def sealed_chunks() -> AsyncIterator[bytes]:
            async for chunk in sealing(sealer, chunks):
                yield chunk
            last, sealed = sealer.finish()
            kept.append(sealed)
            yield last

        await self._store.put(sealer.id, sealed_chunks())
        return kept[0]

    async def put_whole(self, whole: SealedWhole) -> SealedObject:
        """As `put`, of what was in memory and is sealed already.

        Raises:
            OSError: as `put`.
        """

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in whole.chunks:
                yield chunk

        await self._store.put(whole.sealed.id, chunks())
        return whole.sealed

    async def get(self, sealed: SealedObject, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Stream the plain bytes from `start` up to `end` (or the end).

        Raises:
            ObjectMissing: it is not there. ObjectDamaged: what is there was changed. OSError: it cannot be read.
        """
        end = sealed.size if end is None else min(end, sealed.size)
        start = min(start, sealed.size)
        if start >= end and sealed.size:
            return  # of an empty object the one empty chunk is opened, to see that it is there
        number = start // CHUNK_BYTES
        last = max(end - 1, 0) // CHUNK_BYTES
        stored_end = min((last + 1) * SEALED_BYTES, sealed.stored_size)
        opener = Opener(sealed)
        async for chunk in _in_chunks(self._store.get(sealed.id, number * SEALED_BYTES, stored_end)):
            plain = opener.open(number, chunk)
            first = number * CHUNK_BYTES
            yield plain[max(start - first, 0) : end - first]
            number += 1
        if number != last + 1:
            raise ObjectDamaged(f"object {sealed.id}: it ends before chunk {number}")

    async def delete(self, object_id: str) -> None:
        """Remove an object; one that is not there is no error."""
        await self._store.delete(object_id)

    def list(self) -> AsyncIterator[StoredObject]:
        """Give every object of the store."""
        return self._store.list()


async def _in_chunks(pieces: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Cut a stream into sealed chunks, however the store cut it."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= SEALED_BYTES:
            yield bytes(held[:SEALED_BYTES])
            del held[:SEALED_BYTES]
    if held:
        yield bytes(held)


def _create(path: Path) -> BinaryIO:
    parent = path.parent
    if not parent.exists():
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _synchronise(parent.parent)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _finish(file: BinaryIO, fresh: Path, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    fresh.replace(path)
    _synchronise(path.parent)


def _discard(file: BinaryIO, *paths: Path) -> None:
    with suppress(OSError):  # a full disk refuses the rest of the buffer once more
        file.close()
    for path in paths:
        path.unlink(missing_ok=True)


def _open_at(path: Path, start: int, wanted: int) -> tuple[BinaryIO, bytes]:
    """Give a file, and the first `wanted` bytes from `start` on."""
    file = path.open("rb")
    try:
        file.seek(start)
        return file, file.read(wanted)
    except BaseException:
        file.close()
        raise


def _close_opened(opening: "asyncio.Future[tuple[BinaryIO, bytes]]") -> None:
    """Close a file for which nobody waits any more when the thread has opened it."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[0].close()


def _synchronise(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _listed(folder: Path) -> list[StoredObject]:
    found: list[StoredObject] = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # renamed or removed meanwhile
                known = entry.stat()
                found.append(StoredObject(entry.name, known.st_size, datetime.fromtimestamp(known.st_mtime, UTC)))
    return found
