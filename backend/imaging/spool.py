"""Where bytes wait that come before they can be stored: in memory while they are few, then in an encrypted file.

The file has no name and goes with the process; its key is never written down. So nothing that names a patient lies
readable on a disk, and nothing is left over.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from backend.imaging.reasons import LARGEST_BYTES
from backend.imaging.sealing import SEALED_BYTES, Opener, Sealer

_SMALL_BYTES = 1024 * 1024


class SpoolFailed(Exception):
    """Not everything that came could be kept: the disk is full, or it was too much."""


class Spool:
    """Takes bytes as they come, in the thread that receives them, and gives them back once it is complete, as often as
    they are wanted.

    `write` never raises, for the library that calls it would end its thread: what went wrong is raised by `chunks`.
    """

    name = ""
    """There is no file of a name that somebody could open or remove."""

    def __init__(self) -> None:
        self._memory = bytearray()
        self._disk: IO[bytes] | None = None
        self._sealer = Sealer("spool")
        self._opener: Opener | None = None
        self._size = 0
        self._failure: OSError | None = None

    @property
    def file(self) -> "Spool":
        """The file behind this one, as temporary files have it."""
        return self

    def write(self, data: bytes) -> int:
        """Take more."""
        self._size += len(data)
        if self._failure is None and self._size <= LARGEST_BYTES:
            try:
                self._keep(data)
            except OSError as error:
                self._failure = error
        return len(data)

    def flush(self) -> None:
        """Do nothing: whatever is written is where it is read from."""

    def close(self) -> None:
        """Forget everything."""
        self._memory.clear()
        if self._disk is not None:
            self._disk.close()

    def __del__(self) -> None:  # an association may end with its spool half full
        self.close()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Stream what was written, from the start.

        Raises:
            SpoolFailed: it is not all there.
        """
        if self._failure is not None or self._size > LARGEST_BYTES:
            raise SpoolFailed from self._failure
        if self._disk is None:
            yield bytes(self._memory)
            return
        try:
            opener = await asyncio.to_thread(self._finish, self._disk)
        except OSError as error:
            raise SpoolFailed from error
        for number in range(opener.chunks):
            yield opener.open(number, await asyncio.to_thread(self._disk.read, SEALED_BYTES))

    def _keep(self, data: bytes) -> None:
        if self._disk is not None:
            self._seal(self._disk, data)
            return
        self._memory += data
        if len(self._memory) > _SMALL_BYTES:
            self._disk = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`
            self._seal(self._disk, bytes(self._memory))
            self._memory.clear()

    def _seal(self, disk: IO[bytes], data: bytes) -> None:
        for chunk in self._sealer.add(data):
            disk.write(chunk)

    def _finish(self, disk: IO[bytes]) -> Opener:
        if self._opener is None:
            last, sealed = self._sealer.finish()
            disk.write(last)
            self._opener = Opener(sealed)
        disk.seek(0)
        return self._opener
