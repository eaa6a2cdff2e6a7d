"""What comes back over DICOMweb: the parts of an answer, and pictures as pixels."""

import email
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Answer:
    """An answer with its body."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0]

    def parts(self) -> list[tuple[str, bytes]]:
        """Give the content type of each part, and what is in it."""
        message = email.message_from_bytes(f"Content-Type: {self.content_type}\r\n\r\n".encode() + self.body)
        found: list[tuple[str, bytes]] = []
        for part in message.walk():
            if not part.is_multipart():
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                found.append((part["Content-Type"], content))
        return found


def png_pixels(file: bytes) -> np.ndarray[Any, Any]:
    """Decode a PNG file of 8-bit grey or RGB, without interlacing."""
    assert file.startswith(b"\x89PNG\r\n\x1a\n")
    at, packed, head = 8, b"", b""
    while at < len(file):
        length, name = struct.unpack(">I4s", file[at : at + 8])
        data = file[at + 8 : at + 8 + length]
        assert zlib.crc32(name + data) == struct.unpack(">I", file[at + 8 + length : at + 12 + length])[0]
        head, packed = (data, packed) if name == b"IHDR" else (head, packed + data if name == b"IDAT" else packed)
        at += length + 12
    columns, rows, depth, kind = struct.unpack(">IIBB", head[:10])
    assert depth == 8
    samples = {0: 1, 2: 3}[kind]
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(rows, columns * samples + 1)
    assert set(lines[:, 0]) == {2}, "each line is told by what differs from the one above"
    pixels = np.cumsum(lines[:, 1:], axis=0, dtype=np.uint64).astype(np.uint8)
    return pixels.reshape((rows, columns) if samples == 1 else (rows, columns, samples))
