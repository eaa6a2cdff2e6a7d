"""The parts of a multipart body (RFC 2046, section 5.1.1), told apart as it streams in.

A part of half a megabyte is passed on in the few pieces in which the network brought it: the delimiter is searched for
in each of them as a whole, and nothing is put back.
"""

import re
from collections.abc import Awaitable, Callable

_LARGEST_HEAD = 16 * 1024
_LONGEST_BOUNDARY = 70
_END_OF_HEAD = b"\r\n\r\n"
_FOLD = re.compile(rb"\r\n[ \t]+")


class Malformed(Exception):
    """The body is no sequence of parts, or ends before its end."""


class Parts:
    """The parts of one body, one after another.

    Args:
        read: gives the next bytes of the body, however many; none at its end.
        boundary: as the header of the request names it.

    Raises:
        ValueError: the boundary is none (RFC 2046: 1 to 70 characters).
    """

    def __init__(self, read: Callable[[], Awaitable[bytes]], boundary: str) -> None:
        if not 0 < len(boundary) <= _LONGEST_BOUNDARY or not boundary.isascii():
            raise ValueError("no boundary")
        self._read = read
        self._delimiter = f"\r\n--{boundary}".encode()
        self._held = b"\r\n"  # before the first delimiter there may be no line at all
        self._inside = True  # first of the preamble, which nobody reads

    async def next(self) -> str | None:
        """Pass over what is left of the present part, and give the media type of the next one ("" where it says none);
        None after the last one.

        Raises:
            Malformed: the body is cut off or is no sequence of parts.
        """
        while await self.piece():
            pass
        while len(self._held) < 2:
            await self._more()
        if self._held.startswith(b"--"):
            while await self._read():
                pass  # an epilogue is of no interest
            return None
        return _media_type(await self._head())

    async def piece(self) -> bytes:
        """Give the next bytes of the present part; none at its end.

        Raises:
            Malformed: the body ends within it.
        """
        kept = len(self._delimiter) - 1
        while self._inside:
            at = self._held.find(self._delimiter)
            if at >= 0:
                piece, self._held = self._held[:at], self._held[at + len(self._delimiter) :]
                self._inside = False
                return piece
            if len(self._held) > kept:
                piece, self._held = self._held[:-kept], self._held[-kept:]
                return piece
            await self._more()
        return b""

    async def _head(self) -> bytes:
        """Take the rest of the delimiter's line and the header lines up to the empty one; a part begins after it."""
        while (end := self._held.find(_END_OF_HEAD)) < 0:
            if len(self._held) > _LARGEST_HEAD:
                raise Malformed
            await self._more()
        padding, _, head = self._held[:end].partition(b"\r\n")
        if padding.strip(b" \t"):
            raise Malformed  # a line that only begins like the delimiter
        self._held, self._inside = self._held[end + len(_END_OF_HEAD) :], True
        return head

    async def _more(self) -> None:
        more = await self._read()
        if not more:
            raise Malformed
        self._held += more


def _media_type(head: bytes) -> str:
    for line in _FOLD.sub(b" ", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-type":
            return value.partition(b";")[0].strip().lower().decode("ascii", "replace")
    return ""
