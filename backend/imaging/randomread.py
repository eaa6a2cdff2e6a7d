"""An object of the store as a file that the DICOM library can read and seek in, in a worker thread."""

import asyncio
import io
from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from backend.imaging.objects import SealedObjects
from backend.imaging.sealing import CHUNK_BYTES, SealedObject

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")

# Not the common pool: each of these waits for chunks that threads of the common pool read.
_readers = ThreadPoolExecutor(4, thread_name_prefix="imaging-reader")


class ObjectFile(io.RawIOBase):
    """A read-only file over a sealed object that holds one chunk at a time.

    Read it in a worker thread, never on the event loop that it asks for the chunks.
    """

    def __init__(self, objects: SealedObjects, sealed: SealedObject, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._objects = objects
        self._sealed = sealed
        self._loop = loop
        self._at = 0
        self._number = -1
        self._chunk = b""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be sought in."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, as every file does."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._sealed.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        """Give the present place."""
        return self._at

    def readinto(self, buffer: "Buffer") -> int:
        """Read at most up to the end of the present chunk."""
        if self._at >= self._sealed.size:
            return 0
        number, offset = divmod(self._at, CHUNK_BYTES)
        if number != self._number:
            self._chunk = asyncio.run_coroutine_threadsafe(self._fetch(number), self._loop).result()
            self._number = number
        view = memoryview(buffer).cast("B")
        piece = self._chunk[offset : offset + len(view)]
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    async def _fetch(self, number: int) -> bytes:
        start = number * CHUNK_BYTES
        return b"".join([piece async for piece in self._objects.get(self._sealed, start, start + CHUNK_BYTES)])


class ObjectsFile(io.RawIOBase):
    """A read-only file over several sealed objects, none of them empty, one after another; else as `ObjectFile`."""

    def __init__(self, objects: SealedObjects, pieces: Sequence[SealedObject], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._objects = objects
        self._pieces = pieces
        self._loop = loop
        self._starts = [0, *accumulate(piece.size for piece in pieces)]
        self._at = 0
        self._number = -1
        self._file: ObjectFile | None = None

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return self._starts[-1]

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be sought in."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, as every file does."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def tell(self) -> int:
        """Give the present place."""
        return self._at

    def readinto(self, buffer: "Buffer") -> int:
        """Read at most up to the end of a chunk."""
        if self._at >= self.size:
            return 0
        number = bisect_right(self._starts, self._at) - 1
        if self._file is None or number != self._number:
            self._file, self._number = ObjectFile(self._objects, self._pieces[number], self._loop), number
        self._file.seek(self._at - self._starts[number])
        read = self._file.readinto(buffer)
        self._at += read
        return read


async def in_reader(read: Callable[[], T]) -> T:
    """Let `read` work on files over objects in a worker thread, and give what it gives."""
    return await asyncio.get_running_loop().run_in_executor(_readers, read)


async def read_object(objects: SealedObjects, sealed: SealedObject, read: Callable[[BinaryIO], T]) -> T:
    """Let `read` work on an object as a file, in a worker thread, and give what it gives."""
    loop = asyncio.get_running_loop()
    file = io.BufferedReader(ObjectFile(objects, sealed, loop), buffer_size=64 * 1024)
    return await in_reader(lambda: read(file))
